//! Events as syslog messages, RFC 5424, with a CEF record in each.
//!
//! A message is `sent` when the server's TCP has acknowledged it; over UDP, when it was handed to the network. What a broken
//! connection left unacknowledged is sent again over the next one. Each message has a number
//! (`[meta sequenceId="..."]`), so a receiver can tell a repetition, and see what is missing.

mod cef;
mod message;
mod transport;

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use super::queue::{Form, Queue, Record};
use crate::config::{Facility, Syslog};
use transport::Transport;

/// The first and the longest pause between two attempts to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Messages that may be on their way without acknowledgement.
const IN_FLIGHT: usize = 256;
/// How often acknowledgements and the server's end are looked at.
const TICK: Duration = Duration::from_millis(50);
const IDLE: Duration = Duration::from_secs(1);
/// How long a server that has closed may take to acknowledge the rest.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How an event becomes a message.
pub(super) fn form(facility: Facility) -> Form {
    let writer = message::Writer::new(facility);
    Box::new(move |event, number| writer.message(event, number))
}

/// Sends until the daemon ends.
pub(super) fn run(queue: &Queue, settings: &Syslog) {
    let mut unsettled: VecDeque<Record> = VecDeque::new();
    let mut pause = FIRST_PAUSE;
    loop {
        let broken = match Transport::open(settings) {
            Ok(transport) => {
                queue.connected();
                let mut line = Line { queue, transport, unsettled, flight: VecDeque::new(), settled: false };
                let ended = line.serve();
                if line.settled {
                    pause = FIRST_PAUSE;
                }
                unsettled = line.remains();
                match ended {
                    Ok(()) => break,
                    Err(error) => error,
                }
            }
            Err(error) => error,
        };
        queue.failing(&format!("{}: {broken}", settings.server));
        if queue.pause(pause) {
            break;
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    queue.give_up(unsettled);
    queue.give_up(queue.take(usize::MAX, Duration::ZERO).records);
}

/// One connection, and what is on its way over it.
struct Line<'a> {
    queue: &'a Queue,
    transport: Transport,
    /// Taken from the queue, and not written over this connection.
    unsettled: VecDeque<Record>,
    /// Written, each with the place in the stream where it ends; not acknowledged.
    flight: VecDeque<(u64, Record)>,
    /// Something was acknowledged.
    settled: bool,
}

impl Line<'_> {
    /// Until the daemon ends, or the connection.
    fn serve(&mut self) -> io::Result<()> {
        loop {
            self.settle();
            let mut closing = false;
            if self.unsettled.is_empty() {
                let wait = if self.flight.is_empty() { IDLE } else { TICK };
                let taken = self.queue.take(IN_FLIGHT - self.flight.len().min(IN_FLIGHT), wait);
                closing = taken.closing && taken.records.is_empty() && self.flight.len() < IN_FLIGHT;
                self.unsettled.extend(taken.records);
            }
            if let Err(error) = self.transport.check() {
                self.wait_for_the_rest();
                return Err(error);
            }
            while self.flight.len() < IN_FLIGHT
                && let Some(record) = self.unsettled.front()
            {
                self.transport.write(&record.line)?;
                if let Some(record) = self.unsettled.pop_front() {
                    self.flight.push_back((self.transport.written(), record));
                }
            }
            if closing && self.unsettled.is_empty() {
                self.wait_for_the_rest();
                self.transport.close();
                return Ok(());
            }
            if self.flight.len() >= IN_FLIGHT {
                std::thread::sleep(TICK);
            }
        }
    }

    /// Counts what the server has acknowledged.
    fn settle(&mut self) {
        let acknowledged = self.transport.acknowledged();
        while let Some((end, record)) = self.flight.front()
            && *end <= acknowledged
        {
            self.queue.sent(record.count);
            self.settled = true;
            self.flight.pop_front();
        }
    }

    fn wait_for_the_rest(&mut self) {
        let end = Instant::now() + LAST_WORDS;
        self.settle();
        while !self.flight.is_empty() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
            self.settle();
        }
    }

    /// What the next connection begins with.
    fn remains(mut self) -> VecDeque<Record> {
        self.settle();
        let mut remains: VecDeque<Record> = self.flight.into_iter().map(|(_, record)| record).collect();
        remains.append(&mut self.unsettled);
        remains
    }
}
