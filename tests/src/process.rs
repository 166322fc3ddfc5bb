//! A child process that does not outlive its owner.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::sys;

/// A running program. Everything it prints is kept; dropping it kills it.
pub struct Process {
    child: Child,
    printed: Arc<Mutex<String>>,
}

impl Process {
    /// Starts the command with its output collected, so that a chatty child never blocks on a full pipe.
    pub fn start(mut command: Command) -> Process {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("cannot start {}: {error}", command.get_program().display()));
        let printed = Arc::new(Mutex::new(String::new()));
        if let Some(stream) = child.stdout.take() {
            collect(stream, Arc::clone(&printed));
        }
        if let Some(stream) = child.stderr.take() {
            collect(stream, Arc::clone(&printed));
        }
        Process { child, printed }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything printed so far, both streams in the order of arrival.
    pub fn printed(&self) -> String {
        self.printed.lock().map(|text| text.clone()).unwrap_or_default()
    }

    /// The exit status when it ended already.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Asks it to end (SIGTERM) and waits; kills it after `patience`. Returns its status.
    pub fn stop(&mut self, patience: Duration) -> Option<ExitStatus> {
        sys::signal(self.id(), libc::SIGTERM);
        let start = Instant::now();
        while start.elapsed() < patience {
            if let Some(status) = self.ended() {
                return Some(status);
            }
            thread::sleep(Duration::from_millis(5));
        }
        self.kill()
    }

    /// Kills it as a crash would (SIGKILL).
    pub fn kill(&mut self) -> Option<ExitStatus> {
        let _ = self.child.kill();
        self.child.wait().ok()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

fn collect(mut stream: impl Read + Send + 'static, into: Arc<Mutex<String>>) {
    thread::spawn(move || {
        let mut block = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut block) {
            if let Ok(mut text) = into.lock() {
                text.push_str(&String::from_utf8_lossy(&block[..length]));
            }
        }
    });
}

/// Resident memory of a process in MiB, and what of it belongs to no file.
///
/// # Errors
/// What cannot be read.
pub fn resident(process: u32) -> Result<[f64; 2], String> {
    let path = format!("/proc/{process}/status");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let of = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).map(|kib| kib / 1024.0)
    };
    match (of("VmRSS"), of("RssAnon")) {
        (Some(all), Some(own)) => Ok([all, own]),
        _ => Err(format!("{path} tells no memory")),
    }
}
