//! Two captures as one: what one station sends and what reaches the other.

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::lab::STATION_PORT;
use crate::{Capture, Direction, Frame, Namespace};

/// How long a frame may be under way between the two captures.
const UNDER_WAY: Duration = Duration::from_millis(50);

/// Captures at both ends of the way from one station to the other.
pub struct Crossing {
    sent: Capture,
    received: Capture,
    begin: Duration,
}

impl Crossing {
    /// Starts both captures. What is sent from now on is in them.
    pub fn start(sender: &Namespace, receiver: &Namespace) -> Crossing {
        let received = Capture::start(receiver, STATION_PORT, Direction::Incoming);
        let sent = Capture::start(sender, STATION_PORT, Direction::Outgoing);
        thread::sleep(UNDER_WAY);
        Crossing { sent, received, begin: now() }
    }

    /// Ends both and returns what was sent and what was received of it.
    ///
    /// The stations' kernels speak when they like, and the captures cannot begin and end at the same instant. So a
    /// frame that is in one capture only and was at the edge of the other is left out; nothing else is.
    pub fn stop(self) -> (Vec<Frame>, Vec<Frame>) {
        let end = now();
        thread::sleep(UNDER_WAY);
        let mut sent = self.sent.stop();
        sent.retain(|frame| frame.time <= end);
        let mut received = self.received.stop();
        let at_edge = |frame: &Frame| frame.time < self.begin || frame.time > end;
        let mut open = HashMap::<Vec<u8>, i64>::new();
        for frame in &sent {
            *open.entry(frame.bytes.clone()).or_default() += 1;
        }
        for frame in received.iter().filter(|frame| !at_edge(frame)) {
            *open.entry(frame.bytes.clone()).or_default() -= 1;
        }
        received.retain(|frame| {
            if !at_edge(frame) {
                return true;
            }
            let left = open.entry(frame.bytes.clone()).or_default();
            *left -= 1;
            *left >= 0
        });
        (sent, received)
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
