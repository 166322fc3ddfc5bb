//! Sending hand-made frames exactly as they are.

use std::io::Error;
use std::os::fd::{AsRawFd, OwnedFd};

use crate::{Namespace, sys};

/// A sender of raw frames on one interface of one namespace.
pub struct Injector {
    socket: OwnedFd,
}

impl Injector {
    pub fn new(namespace: &Namespace, interface: &str) -> Injector {
        let socket = namespace
            // Protocol 0: this socket only sends, so nothing piles up in it.
            .run(|| sys::packet_socket(sys::interface_index(interface)?, 0))
            .unwrap_or_else(|error| panic!("raw socket on {interface} of {}: {error}", namespace.name()));
        Injector { socket }
    }

    /// Sends one frame, destination address first, no frame check sequence; VLAN tags stand in the bytes.
    pub fn send(&self, frame: &[u8]) {
        // SAFETY: the buffer is valid for the length given and outlives the call.
        let sent = unsafe { libc::send(self.socket.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0) };
        assert!(
            usize::try_from(sent) == Ok(frame.len()),
            "a frame of {} bytes was not sent: {}",
            frame.len(),
            Error::last_os_error()
        );
    }

    /// Sends frames one after the other.
    pub fn send_all<'a>(&self, frames: impl IntoIterator<Item = &'a [u8]>) {
        for frame in frames {
            self.send(frame);
        }
    }
}
