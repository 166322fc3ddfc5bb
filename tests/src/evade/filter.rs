//! Servers that lose what they are told to lose: a socket filter in front of their TCP.
//!
//! The sender writes into the IPv4 identification what the device is to do with the packet. So a frame is lost behind
//! the box and behind the capture, in a real TCP stack, without any helper on the way. The C server has the same program.
//! Only the raw clients write such a thing: a real one counts its identifications up and comes past all of them.

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
    let network = |offset: i32| (-0x10_0000 + offset).cast_unsigned();
    let mut program = [
        step(0x28, 0, 0, network(12)),  // A = first half of the source's address
        step(0x15, 1, 0, 0x0a14),       // 10.20, a raw client?
        step(0x06, 0, 0, u32::MAX),     // take all
        step(0x28, 0, 0, network(4)),   // A = identification
        step(0x15, 12, 0, LOST.into()), // lost: take nothing
        step(0x02, 0, 0, 0),            // M[0] = A
        step(0x54, 0, 0, 0xff00),       // A &= 0xff00
        step(0x15, 1, 0, 0xd100),       // trimmed?
        step(0x06, 0, 0, u32::MAX),     // take all
        step(0x60, 0, 0, 0),            // A = M[0]
        step(0x54, 0, 0, 0xff),         // A &= 0xff
        step(0x07, 0, 0, 0),            // X = A
        step(0x30, 0, 0, 12),           // A = TCP data offset
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

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, UdpSocket};
    use std::os::fd::FromRawFd;
    use std::time::Duration;

    use super::*;

    /// A legitimate poller was once reset in one of many runs: its identifications had come to those of lost packets.
    #[test]
    fn who_is_no_raw_client_loses_nothing() {
        let server = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        server.set_read_timeout(Some(Duration::from_secs(2))).expect("a time");
        attach(&server).expect("a socket filter");
        let port = server.local_addr().expect("an address").port();
        for id in [1, LOST, trimmed(0), trimmed(1), trimmed(255)] {
            send(id, port);
            let mut bytes = [0; 8];
            let taken = server.recv_from(&mut bytes);
            assert!(matches!(taken, Ok((4, _))), "{id:#x}: {taken:?}");
        }
    }

    /// A datagram of four bytes with this identification.
    fn send(id: u16, port: u16) {
        let mut packet = vec![0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1];
        packet[4..6].copy_from_slice(&id.to_be_bytes());
        packet.extend([9, 9]);
        packet.extend(port.to_be_bytes());
        packet.extend([0, 12, 0, 0, 1, 2, 3, 4]);
        // SAFETY: no pointer; the descriptor is owned right below.
        let raw = unsafe { libc::socket(libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_RAW) };
        assert!(raw >= 0, "{}", Error::last_os_error());
        // SAFETY: just opened, and nobody else's. To send, a raw socket is one like another.
        let raw = unsafe { UdpSocket::from_raw_fd(raw) };
        let sent = raw.send_to(&packet, SocketAddr::from(([127, 0, 0, 1], 0))).expect("a packet");
        assert_eq!(sent, packet.len());
    }
}
