//! Very many frames at a steady rate, bounded in count and time: what an attacker sends, not what a client would.

use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::frames::Segment;
use crate::random::Random;
use crate::{Namespace, sys};

/// Frames handed to the kernel by one system call.
const BATCH: usize = 64;
/// A sender that was kept from its work makes up for this much of it at once, and for no more.
const CATCH_UP: Duration = Duration::from_millis(20);

/// How much, how fast, and for how long at most.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub frames: u64,
    pub per_second: u32,
    pub limit: Duration,
}

/// What was really sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sent {
    pub frames: u64,
    /// Frames that found no room on the cable.
    pub refused: u64,
    pub took: Duration,
}

impl Sent {
    /// Frames per second, as achieved.
    pub fn rate(&self) -> f64 {
        self.frames as f64 / self.took.as_secs_f64()
    }
}

/// A running flood. It ends by itself, and when dropped.
pub struct Flood {
    end: Arc<AtomicBool>,
    sender: Option<JoinHandle<Sent>>,
}

impl Flood {
    /// Sends segments like `model` from an interface; `vary` says from which address and port the n-th comes.
    pub fn start(
        namespace: &Namespace,
        interface: &str,
        model: &Segment,
        load: Load,
        vary: impl FnMut(u64) -> (Ipv4Addr, u16) + Send + 'static,
    ) -> Flood {
        let socket = namespace
            .run(|| sys::packet_socket(sys::interface_index(interface)?, 0))
            .unwrap_or_else(|error| panic!("raw socket on {interface} of {}: {error}", namespace.name()));
        let end = Arc::new(AtomicBool::new(false));
        let (told, frames) = (Arc::clone(&end), vec![model.frame(); BATCH]);
        Flood { sender: Some(thread::spawn(move || send(&socket, frames, load, vary, &told))), end }
    }

    /// Whether everything is sent or the time is up.
    pub fn is_over(&self) -> bool {
        self.sender.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits until everything is sent or the time is up.
    pub fn join(mut self) -> Sent {
        self.sender.take().map(|sender| sender.join().expect("the flood's thread")).unwrap_or_default()
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(sender) = self.sender.take() {
            let _ = sender.join();
        }
    }
}

/// Addresses at random: one of `inside` for every `one_in`-th frame, and any of the Internet's for the others.
pub fn spoofed(seed: u64, inside: Vec<Ipv4Addr>, one_in: u64) -> impl FnMut(u64) -> (Ipv4Addr, u16) + Send {
    let mut random = Random::new(seed);
    move |number| {
        let chance = random.draw();
        let port = 1024 + (chance % 64_512) as u16;
        if number.is_multiple_of(one_in) {
            return (inside[(chance >> 16) as usize % inside.len()], port);
        }
        // From 11.0.0.0 to 126.255.255.255: no private, local or multicast address.
        let first = 11 + (chance >> 16) % 116;
        (Ipv4Addr::from(((first as u32) << 24) | (chance >> 40) as u32), port)
    }
}

fn send(
    socket: &OwnedFd,
    mut frames: Vec<Vec<u8>>,
    load: Load,
    mut vary: impl FnMut(u64) -> (Ipv4Addr, u16),
    end: &AtomicBool,
) -> Sent {
    let start = Instant::now();
    // The moment from which the rate is counted; later than `start` when the sender fell behind.
    let mut since = start;
    let (mut sent, mut paced) = (Sent::default(), 0_u64);
    let rate = f64::from(load.per_second);
    while sent.frames < load.frames && start.elapsed() < load.limit && !end.load(Ordering::Relaxed) {
        let due = (since.elapsed().as_secs_f64() * rate) as u64;
        let behind = due.saturating_sub(paced);
        if behind < BATCH as u64 {
            thread::sleep(Duration::from_secs_f64((BATCH as u64 - behind) as f64 / rate));
            continue;
        }
        if behind as f64 / rate > CATCH_UP.as_secs_f64() {
            (since, paced) = (Instant::now(), 0);
        }
        let count = (load.frames - sent.frames).min(BATCH as u64) as usize;
        for (index, frame) in frames[..count].iter_mut().enumerate() {
            let (address, port) = vary(sent.frames + sent.refused + index as u64);
            come_from(frame, address, port);
        }
        paced += count as u64;
        match sys::send_many(socket, &frames[..count]) {
            Ok(taken) => sent.frames += taken as u64,
            Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => sent.refused += 1,
            Err(error) => panic!("a flood of {load:?} ended after {sent:?}: {error}"),
        }
    }
    sent.took = start.elapsed();
    sent
}

/// Gives an untagged TCP frame another source, with both checksums kept right (RFC 1624).
fn come_from(frame: &mut [u8], address: Ipv4Addr, port: u16) {
    const SOURCE: usize = 26;
    const PORT: usize = 34;
    const SUM: usize = 24;
    const TCP_SUM: usize = 50;
    let [a, b, c, d] = address.octets();
    put(frame, SOURCE, [a, b], &[SUM, TCP_SUM]);
    put(frame, SOURCE + 2, [c, d], &[SUM, TCP_SUM]);
    put(frame, PORT, port.to_be_bytes(), &[TCP_SUM]);
}

/// Replaces the word at `at` and corrects the checksums at `sums` by the difference.
fn put(frame: &mut [u8], at: usize, word: [u8; 2], sums: &[usize]) {
    let read = |frame: &[u8], at: usize| u16::from_be_bytes([frame[at], frame[at + 1]]);
    let old = read(frame, at);
    for &sum in sums {
        let total = u32::from(!read(frame, sum)) + u32::from(!old) + u32::from(u16::from_be_bytes(word));
        let folded = (total & 0xffff) + (total >> 16);
        let folded = (folded & 0xffff) + (folded >> 16);
        frame[sum..sum + 2].copy_from_slice(&(!(folded as u16)).to_be_bytes());
    }
    frame[at..at + 2].copy_from_slice(&word);
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::{come_from, spoofed};
    use crate::frames::Segment;
    use crate::lab::HMI;

    #[test]
    fn another_source_is_what_the_whole_frame_would_have_been() {
        let segment = Segment::to_plc(40_000, 7, 9, &[1, 2, 3, 4, 5]);
        let mut vary = spoofed(1, vec![HMI], 4);
        for number in 0..1000 {
            let (address, port) = vary(number);
            assert_eq!(address == HMI, number % 4 == 0);
            let mut frame = segment.frame();
            come_from(&mut frame, address, port);
            let whole = Segment { source: SocketAddr::from((address, port)), ..segment.clone() };
            assert_eq!(frame, whole.frame(), "{address}:{port}");
        }
    }
}
