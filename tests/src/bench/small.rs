//! Small frames, as many as one thread can send.

use std::io::{Error, Result};
use std::time::{Duration, Instant};

use super::Line;
use crate::frames;
use crate::lab::STATION_PORT;
use crate::sys;

/// Frames per system call.
const BATCH: usize = 64;

/// Frames that arrived in a second, and the part of what was sent that did not.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Flood {
    pub per_second: f64,
    pub lost: f64,
}

/// Sends datagrams of 60 bytes over a line for that time. Sender, box and receiver share the CPU: it is a comparison of
/// lines, not of machines.
pub(super) fn flood(line: &Line, time: Duration) -> Result<Flood> {
    let frame = frames::udp(2222, 2222, &[0; 18]);
    let batch = vec![frame; BATCH];
    let socket = line.hmi().run(|| {
        let socket = sys::packet_socket(sys::interface_index(STATION_PORT)?, 0)?;
        sys::set_option(&socket, libc::SOL_PACKET, libc::PACKET_QDISC_BYPASS, 1)?;
        Ok::<_, Error>(socket)
    })?;
    let before = received(line)?;
    let begin = Instant::now();
    let mut sent = 0;
    while begin.elapsed() < time {
        match sys::send_many(&socket, &batch) {
            Ok(count) => sent += count,
            // The cable's queue is full: it is emptied on this CPU.
            Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => std::thread::yield_now(),
            Err(error) => return Err(error),
        }
    }
    let took = begin.elapsed();
    std::thread::sleep(Duration::from_millis(20));
    let arrived = received(line)?.saturating_sub(before);
    let lost = 1.0 - arrived as f64 / sent.max(1) as f64;
    Ok(Flood { per_second: arrived as f64 / took.as_secs_f64(), lost: lost.max(0.0) })
}

/// Frames that the controller's port has received since it was made.
fn received(line: &Line) -> Result<u64> {
    let text = line.plc().run(|| std::fs::read_to_string("/proc/thread-self/net/dev"))?;
    let line = text.lines().find_map(|line| line.trim_start().strip_prefix(STATION_PORT)?.strip_prefix(':'));
    let count = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    count.ok_or_else(|| Error::other("the controller's port does not count frames"))
}

/// The one in the middle, by frames in a second.
pub(super) fn median(mut floods: Vec<Flood>) -> Flood {
    floods.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    floods.get(floods.len() / 2).copied().unwrap_or_default()
}
