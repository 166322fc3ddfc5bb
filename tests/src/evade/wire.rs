//! A raw end of a cable: frames out exactly as made, TCP packets for our own address in.

use std::collections::{HashMap, VecDeque};
use std::io::Error;
use std::net::SocketAddrV4;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::packet::Packet;
use crate::{Namespace, sys};

/// One raw end. The kernel of the namespace has none of the addresses used here, so it answers nothing.
pub struct Wire {
    socket: OwnedFd,
    wanted: fn(&Packet) -> bool,
    letters: Mutex<HashMap<SocketAddrV4, VecDeque<Packet>>>,
    sent: AtomicU32,
}

impl Wire {
    /// Opens the interface; only packets that are `wanted` are kept.
    pub fn new(namespace: &Namespace, interface: &str, wanted: fn(&Packet) -> bool) -> Wire {
        let open = || {
            let socket = sys::packet_socket(sys::interface_index(interface)?, libc::ETH_P_ALL as u16)?;
            sys::set_option(&socket, libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, 1)?;
            sys::set_option(&socket, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, 16 << 20)?;
            sys::set_option(&socket, libc::SOL_SOCKET, libc::SO_SNDBUFFORCE, 16 << 20)?;
            std::io::Result::Ok(socket)
        };
        let socket = namespace.run(open).unwrap_or_else(|error| panic!("{interface} of {}: {error}", namespace.name()));
        Wire { socket, wanted, letters: Mutex::default(), sent: AtomicU32::new(0) }
    }

    /// Sends a frame exactly as it is; waits while the cable is full.
    pub fn send(&self, frame: &[u8]) {
        // The cables of the lab lose frames of a long burst, where real ones would make the sender wait.
        if self.sent.fetch_add(1, Ordering::Relaxed) % 64 == 63 {
            std::thread::sleep(Duration::from_micros(300));
        }
        for _ in 0..10_000 {
            // SAFETY: the buffer is valid for the length given and outlives the call.
            let sent = unsafe { libc::send(self.socket.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0) };
            if usize::try_from(sent) == Ok(frame.len()) {
                return;
            }
            let error = Error::last_os_error();
            assert_eq!(error.raw_os_error(), Some(libc::ENOBUFS), "{} bytes were not sent: {error}", frame.len());
            std::thread::sleep(Duration::from_micros(100));
        }
        panic!("the cable takes no frames");
    }

    /// The next packet for one of our addresses, whichever came first.
    pub fn any(&self, patience: Duration) -> Option<Packet> {
        let until = Instant::now() + patience;
        loop {
            if let Some(packet) = self.read() {
                if (self.wanted)(&packet) {
                    return Some(packet);
                }
                continue;
            }
            let left = until.checked_duration_since(Instant::now())?;
            self.wait(left);
        }
    }

    /// The next packet for this address; those for others are kept for them.
    pub fn next(&self, here: SocketAddrV4, patience: Duration) -> Option<Packet> {
        let until = Instant::now() + patience;
        loop {
            if let Some(packet) = self.letters().get_mut(&here).and_then(VecDeque::pop_front) {
                return Some(packet);
            }
            let packet = self.any(until.saturating_duration_since(Instant::now()))?;
            self.letters().entry(packet.target).or_default().push_back(packet);
        }
    }

    /// Throws away what has come in, so that answers to a flood leave room for others.
    pub fn clear(&self) {
        while self.read().is_some() {}
        self.letters().clear();
    }

    /// Throws away what is kept for this address.
    pub fn forget(&self, here: SocketAddrV4) {
        self.letters().remove(&here);
    }

    fn letters(&self) -> MutexGuard<'_, HashMap<SocketAddrV4, VecDeque<Packet>>> {
        self.letters.lock().unwrap_or_else(|poison| poison.into_inner())
    }

    fn read(&self) -> Option<Packet> {
        loop {
            let mut bytes = [0_u8; 2048];
            // SAFETY: the buffer is valid for the length given and outlives the call.
            let length = unsafe {
                libc::recv(self.socket.as_raw_fd(), bytes.as_mut_ptr().cast(), bytes.len(), libc::MSG_DONTWAIT)
            };
            let length = usize::try_from(length).ok()?;
            if let Some(packet) = bytes.get(..length).and_then(Packet::parse) {
                return Some(packet);
            }
        }
    }

    fn wait(&self, patience: Duration) {
        let mut poll = libc::pollfd { fd: self.socket.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // Rounded up, so that less than a millisecond is not a busy loop.
        let timeout = patience.as_micros().div_ceil(1000).min(1000) as i32;
        // SAFETY: one pollfd that outlives the call.
        unsafe { libc::poll(&raw mut poll, 1, timeout) };
    }
}
