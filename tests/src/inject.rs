//! Sending hand-made frames exactly as they are.

use std::os::fd::OwnedFd;

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
        sys::send(&self.socket, frame)
            .unwrap_or_else(|error| panic!("a frame of {} bytes was not sent: {error}", frame.len()));
    }

    /// Sends frames one after the other.
    pub fn send_all<'a>(&self, frames: impl IntoIterator<Item = &'a [u8]>) {
        for frame in frames {
            self.send(frame);
        }
    }
}
