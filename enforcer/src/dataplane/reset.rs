//! The TCP reset that ends the protected device's side of a denied connection, and the raw socket that sends it.
//!
//! In: the addresses, ports and the exact sequence number the device expects, from the flow's state. Out: one Ethernet
//! frame on one port. It leaves by the port itself, past the bridge and past XDP, which judges received frames only.
//! Needs CAP_NET_RAW.

use std::{
    io,
    net::SocketAddr,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
};

use etherparse::{IpNumber, Ipv4Header, Ipv6FlowLabel, Ipv6Header, TcpHeader};

/// Shortest Ethernet frame, without its check sequence.
const MIN_FRAME: usize = 60;
const HOP_LIMIT: u8 = 64;
const TCP_HEADER: u16 = 20;

/// One VLAN tag: its type (0x8100 or 0x88a8) and its control field as they stand in the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag {
    /// The tag protocol identifier.
    pub kind: u16,
    /// Priority, drop bit and VLAN number.
    pub control: u16,
}

/// One reset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reset {
    /// In whose name it is sent: the peer's MAC address.
    pub source_mac: [u8; 6],
    /// Whose connection ends.
    pub destination_mac: [u8; 6],
    /// The tags of the connection's frames, outermost first, at most two.
    pub tags: Vec<Tag>,
    /// In whose name it is sent.
    pub source: SocketAddr,
    /// Whose connection ends.
    pub destination: SocketAddr,
    /// The next sequence number the destination expects; any other is ignored or answered with a challenge.
    pub sequence: u32,
    /// Sets ACK with this number.
    pub acknowledgement: Option<u32>,
}

/// Why a reset was not sent.
#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    /// One address is IPv4, the other IPv6.
    #[error("no reset from {from} to {to}: one address is IPv4 and the other IPv6")]
    Mixed {
        /// The source.
        from: SocketAddr,
        /// The destination.
        to: SocketAddr,
    },
    /// More tags than the data plane looks through.
    #[error("no reset with {count} VLAN tags: two are the most")]
    Tags {
        /// How many were given.
        count: usize,
    },
    /// The headers could not be built.
    #[error("no reset from {from} to {to}: {cause}")]
    Header {
        /// The source.
        from: SocketAddr,
        /// The destination.
        to: SocketAddr,
        /// What the builder objects to.
        cause: String,
    },
    /// No raw socket.
    #[error("no raw socket for resets: {source} (CAP_NET_RAW is needed)")]
    Socket {
        /// What the kernel answered.
        source: io::Error,
    },
    /// The frame was not taken.
    #[error("reset not sent on interface number {index}: {source}")]
    Send {
        /// The interface.
        index: u32,
        /// What the kernel answered.
        source: io::Error,
    },
}

impl Reset {
    /// The frame, padded to the shortest length Ethernet allows.
    ///
    /// # Errors
    /// [`ResetError::Mixed`], [`ResetError::Tags`], [`ResetError::Header`].
    pub fn frame(&self) -> Result<Vec<u8>, ResetError> {
        if self.tags.len() > 2 {
            return Err(ResetError::Tags { count: self.tags.len() });
        }
        let mut frame = Vec::with_capacity(MIN_FRAME + 24);
        frame.extend_from_slice(&self.destination_mac);
        frame.extend_from_slice(&self.source_mac);
        for tag in &self.tags {
            frame.extend_from_slice(&tag.kind.to_be_bytes());
            frame.extend_from_slice(&tag.control.to_be_bytes());
        }
        self.packet(&mut frame)?;
        if frame.len() < MIN_FRAME {
            frame.resize(MIN_FRAME, 0);
        }
        Ok(frame)
    }

    /// Appends the ethertype and everything after it.
    fn packet(&self, frame: &mut Vec<u8>) -> Result<(), ResetError> {
        let (from, to) = (self.source, self.destination);
        let header = |cause: String| ResetError::Header { from, to, cause };
        let mut tcp = self.tcp();
        match (from, to) {
            (SocketAddr::V4(source), SocketAddr::V4(destination)) => {
                let (source, destination) = (source.ip().octets(), destination.ip().octets());
                let ip = Ipv4Header::new(TCP_HEADER, HOP_LIMIT, IpNumber::TCP, source, destination)
                    .map_err(|error| header(error.to_string()))?;
                tcp.checksum = tcp.calc_checksum_ipv4(&ip, &[]).map_err(|error| header(error.to_string()))?;
                frame.extend_from_slice(&0x0800_u16.to_be_bytes());
                let with_checksum = Ipv4Header { header_checksum: ip.calc_header_checksum(), ..ip };
                frame.extend_from_slice(&with_checksum.to_bytes());
            }
            (SocketAddr::V6(source), SocketAddr::V6(destination)) => {
                let ip = Ipv6Header {
                    traffic_class: 0,
                    flow_label: Ipv6FlowLabel::ZERO,
                    payload_length: TCP_HEADER,
                    next_header: IpNumber::TCP,
                    hop_limit: HOP_LIMIT,
                    source: source.ip().octets(),
                    destination: destination.ip().octets(),
                };
                tcp.checksum = tcp.calc_checksum_ipv6(&ip, &[]).map_err(|error| header(error.to_string()))?;
                frame.extend_from_slice(&0x86dd_u16.to_be_bytes());
                frame.extend_from_slice(&ip.to_bytes());
            }
            (SocketAddr::V4(_), SocketAddr::V6(_)) | (SocketAddr::V6(_), SocketAddr::V4(_)) => {
                return Err(ResetError::Mixed { from, to });
            }
        }
        frame.extend_from_slice(&tcp.to_bytes());
        Ok(())
    }

    fn tcp(&self) -> TcpHeader {
        let mut tcp = TcpHeader::new(self.source.port(), self.destination.port(), self.sequence, 0);
        tcp.rst = true;
        if let Some(number) = self.acknowledgement {
            tcp.ack = true;
            tcp.acknowledgment_number = number;
        }
        tcp
    }
}

/// A raw socket for sending on one interface. It receives nothing.
#[derive(Debug)]
pub struct ResetSocket {
    socket: OwnedFd,
    index: u32,
}

impl ResetSocket {
    /// Opens the socket for the interface with that index, in the calling thread's network namespace.
    ///
    /// # Errors
    /// [`ResetError::Socket`].
    pub fn open(index: u32) -> Result<Self, ResetError> {
        // Protocol 0: a packet socket that is handed no received frames.
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: socket() takes no pointers; its result is checked before it is used.
        let raw = unsafe { libc::socket(libc::AF_PACKET, kind, 0) };
        if raw < 0 {
            return Err(ResetError::Socket { source: io::Error::last_os_error() });
        }
        // SAFETY: `raw` is a descriptor that was just opened and that nobody else owns.
        Ok(Self { socket: unsafe { OwnedFd::from_raw_fd(raw) }, index })
    }

    /// Sends one reset. Never blocks: a full queue is an error, and the next frame of the flow is reset by the kernel.
    ///
    /// # Errors
    /// Those of [`Reset::frame`], and [`ResetError::Send`].
    pub fn send(&self, reset: &Reset) -> Result<(), ResetError> {
        let frame = reset.frame()?;
        // SAFETY: sockaddr_ll is plain old data for which all zeroes is a valid value.
        let mut to: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        to.sll_family = libc::AF_PACKET as u16;
        to.sll_ifindex = self.index.cast_signed();
        let size = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        // SAFETY: `frame` and `to` are live for the call and their true sizes are given.
        let sent = unsafe {
            libc::sendto(self.socket.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0, (&raw const to).cast(), size)
        };
        if sent < 0 {
            return Err(ResetError::Send { index: self.index, source: io::Error::last_os_error() });
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "reset_tests.rs"]
mod tests;
