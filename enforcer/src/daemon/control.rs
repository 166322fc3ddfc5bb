//! The control socket: one JSON request per line, one or more JSON replies per line.
//!
//! A reply is `{"ok": true, "result": ...}` or `{"ok": false, "error": "...", "code": 1 | 2}`. Requests that follow
//! something get one reply per item until the client hangs up.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

use super::requests::{self, Outcome};
use super::roles::Peer;
use super::{Refusal, Shared, heap};

/// Longest request: a policy text is the longest thing in it.
const LONGEST: u64 = 4 << 20;

/// Serves clients for ever. `stop` ends the daemon.
pub(super) async fn serve(daemon: Shared, listener: UnixListener, stop: watch::Sender<bool>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(client(daemon.clone(), stream, stop.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a client could not be accepted");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

async fn client(daemon: Shared, stream: UnixStream, stop: watch::Sender<bool>) {
    use tokio::io::AsyncReadExt as _;
    let credentials = match stream.peer_cred() {
        Ok(credentials) => credentials,
        Err(error) => {
            tracing::warn!(%error, "a client without credentials");
            return;
        }
    };
    let peer = Peer::of(&credentials, &daemon.lock().await.config.control.roles);
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader.take(LONGEST)).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let outcome = match serde_json::from_str(&line) {
            Ok(request) => requests::carry_out(&daemon, &peer, request).await,
            Err(error) => Err(Refusal::usage(format!("the request is not understood: {error}"))),
        };
        let sent = match outcome {
            Ok(Outcome::Result(result)) => reply(&mut writer, &json!({"ok": true, "result": result})).await,
            Ok(Outcome::Follow(kept, events)) => follow(kept, events, &mut writer).await,
            Ok(Outcome::Stop(result)) => {
                let sent = reply(&mut writer, &json!({"ok": true, "result": result})).await;
                let _ = stop.send(true);
                sent
            }
            Err(refusal) => {
                reply(&mut writer, &json!({"ok": false, "error": refusal.text, "code": refusal.code})).await
            }
        };
        // Whatever the answer took, a policy, a report or a proposal, is not kept for the next one.
        heap::give_back();
        if sent.is_err() {
            return;
        }
    }
}

async fn reply(writer: &mut OwnedWriteHalf, value: &Value) -> std::io::Result<()> {
    writer.write_all(format!("{value}\n").as_bytes()).await
}

/// Events as they come. A client that reads too slowly is told how many it missed; the packets never wait for it.
async fn follow(kept: Vec<Value>, mut events: Receiver<Value>, writer: &mut OwnedWriteHalf) -> std::io::Result<()> {
    for event in kept {
        reply(writer, &json!({"ok": true, "result": event})).await?;
    }
    loop {
        match events.recv().await {
            Ok(event) => reply(writer, &json!({"ok": true, "result": event})).await?,
            Err(RecvError::Lagged(missed)) => {
                let notice = json!({"schema": 1, "event": "alarm", "reason": "events_missed", "count": missed});
                reply(writer, &json!({"ok": true, "result": notice})).await?;
            }
            Err(RecvError::Closed) => return Ok(()),
        }
    }
}
