//! Servers that lose what they are told to lose: a socket filter in front of their TCP.
//!
//! The sender writes into the IPv4 identification what the device is to do with the packet. So a frame is lost behind
//! the box and behind the capture, in a real TCP stack, without any helper on the way. The C server has the same program.

use std::io::{Error, Result};
use std::os::fd::AsRawFd;

/// Identification of a packet that the device never sees.
pub const LOST: u16 = 0xd0d0;

/// Identification of a packet of which the device takes only the first `bytes` of payload, as one with a small window
/// does. Only for payloads of up to 56 bytes: the checksum of longer ones is verified behind the filter.
pub const fn trimmed(bytes: u8) -> u16 {
    0xd100 | bytes as u16
}

/// Puts the filter in front of a listening socket and every connection it will accept.
pub fn attach(socket: &impl AsRawFd) -> Result<()> {
    let step = |code: u16, jt: u8, jf: u8, k: u32| libc::sock_filter { code, jt, jf, k };
    let mut program = [
        step(0x28, 0, 0, (-0x10_0000_i32 + 4).cast_unsigned()), // A = half of the network header at 4
        step(0x15, 12, 0, LOST.into()),                         // lost: take nothing
        step(0x02, 0, 0, 0),                                    // M[0] = A
        step(0x54, 0, 0, 0xff00),                               // A &= 0xff00
        step(0x15, 1, 0, 0xd100),                               // trimmed?
        step(0x06, 0, 0, u32::MAX),                             // take all
        step(0x60, 0, 0, 0),                                    // A = M[0]
        step(0x54, 0, 0, 0xff),                                 // A &= 0xff
        step(0x07, 0, 0, 0),                                    // X = A
        step(0x30, 0, 0, 12),                                   // A = TCP data offset
        step(0x54, 0, 0, 0xf0),
        step(0x74, 0, 0, 2), // in bytes
        step(0x0c, 0, 0, 0), // A += X
        step(0x16, 0, 0, 0), // take A bytes
        step(0x06, 0, 0, 0), // take nothing
    ];
    let filter = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: the program and its header outlive the call, and the length is the header's own.
    let answer = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const filter).cast(),
            size_of::<libc::sock_fprog>() as libc::socklen_t,
        )
    };
    if answer == 0 { Ok(()) } else { Err(Error::last_os_error()) }
}
