//! What the daemon says, fetched by two threads: its status every second, and events as they come. A daemon that is gone is
//! asked for again until it is back.

use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use serde_json::Value;

use super::super::live::moment;
use crate::client::{Client, ClientError};
use crate::daemon::Request;

/// Between two questions, and between two attempts to find the daemon.
const PAUSE: Duration = Duration::from_secs(1);

/// How far back the first events lie.
const BACK: &str = "1h";

/// One thing that was heard.
#[derive(Clone, Debug)]
pub(super) enum News {
    Status(Value),
    Event(Value),
    /// The daemon does not answer: why.
    Lost(String),
}

/// Starts both threads. They end when nobody listens any more, or with the process.
pub(super) fn start(socket: &Path, sender: &SyncSender<News>) {
    let (path, news) = (socket.to_owned(), sender.clone());
    std::thread::spawn(move || statuses(&path, &news));
    let (path, news) = (socket.to_owned(), sender.clone());
    std::thread::spawn(move || events(path, &news));
}

fn statuses(socket: &Path, news: &SyncSender<News>) {
    loop {
        let ask = || -> Result<(), ClientError> {
            let mut client = Client::connect(socket)?;
            loop {
                let status = client.ask(&Request::Status)?;
                if news.send(News::Status(status)).is_err() {
                    return Ok(());
                }
                std::thread::sleep(PAUSE);
            }
        };
        let Err(error) = ask() else { return };
        if news.send(News::Lost(error.to_string())).is_err() {
            return;
        }
        std::thread::sleep(PAUSE);
    }
}

fn events(socket: PathBuf, news: &SyncSender<News>) {
    let mut since = moment(BACK).ok();
    let mut last = Value::Null;
    loop {
        let mut follow = || -> Result<(), ClientError> {
            let mut client = Client::connect(&socket)?;
            client.send(&Request::Events { since: since.clone(), follow: true })?;
            loop {
                let event = client.following()?;
                if let Some(time) = event["time"].as_str() {
                    since = Some(time.to_owned());
                }
                // After a break the last one comes once more.
                if event == last {
                    continue;
                }
                last = event.clone();
                if news.send(News::Event(event)).is_err() {
                    return Ok(());
                }
            }
        };
        // That the daemon is gone is told by the other thread.
        if follow().is_ok() {
            return;
        }
        std::thread::sleep(PAUSE);
    }
}
