//! One TCP conversation: which conduit it belongs to and how far each direction has come.
//!
//! Two CPUs may hold the same flow, one per port. Each [`Direction`] is written only by the port its segments enter by;
//! the other port reads it. `generation`, `conduit` and `client` are written by either, always with the value that the
//! policy gives, so a race writes the same bytes twice.

use crate::port::Side;
use crate::scratch::Frame;

/// No flow: the frame is not TCP, not covered, or there is no room.
pub const NO_FLOW: u32 = u32::MAX;

/// Bytes of an unfinished protocol data unit that a direction keeps. The longest unit whose decision needs all of its
/// bytes is a Modbus ADU of 260 (Modbus Messaging on TCP/IP 4.1).
pub const CARRY: usize = 264;

/// Most bytes of one segment that are laid behind a carry: more than a frame of 1,500 bytes holds, and with the carry less
/// than the 2,048 that the kernel's buffer can be read by. Longer ones behind a carry are beyond inspection.
pub const BEHIND_CARRY: u32 = 1783;

/// The two ends of a conversation, by side instead of by sender, so that both directions have one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct FlowKey {
    /// Address on the network side.
    pub network: [u8; 16],
    /// Address on the device side.
    pub device: [u8; 16],
    /// Port on the network side.
    pub network_port: u16,
    /// Port on the device side.
    pub device_port: u16,
}

impl FlowKey {
    /// The key of the conversation that `frame` belongs to.
    #[must_use]
    #[inline(always)]
    pub const fn of(frame: &Frame) -> Self {
        match Side::from_code(frame.side) {
            Side::Network => Self {
                network: frame.source,
                device: frame.destination,
                network_port: frame.source_port,
                device_port: frame.destination_port,
            },
            Side::Device => Self {
                network: frame.destination,
                device: frame.source,
                network_port: frame.destination_port,
                device_port: frame.source_port,
            },
        }
    }
}

/// One direction of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Direction {
    /// Boot time of the last segment, nanoseconds.
    pub seen: u64,
    /// Next new sequence number.
    pub next: u32,
    /// First data sequence number of a SYN that the other side has not answered yet.
    pub pending: u32,
    /// Acknowledgement number of the last SYN-ACK this side sent.
    pub confirmed: u32,
    /// Bytes to come that belong to a unit already decided.
    pub skip: u32,
    /// Bytes in `carry`.
    pub carry_length: u32,
    /// The bits below.
    pub flags: u32,
    /// Bytes forwarded of a unit that is not complete.
    pub carry: [u8; CARRY],
}

impl Direction {
    /// `next` is known.
    pub const SYNCHRONISED: u32 = 1;
    /// `pending` waits for the other side's SYN-ACK.
    pub const PENDING: u32 = 2;
    /// `confirmed` is set.
    pub const CONFIRMED: u32 = 4;
    /// This side sent FIN or RST.
    pub const CLOSED: u32 = 8;
    /// This side sent RST.
    pub const RESET: u32 = 32;
    /// `next` was taken from the middle of the stream.
    pub const ADOPTED: u32 = 16;

    const EMPTY: Self =
        Self { seen: 0, next: 0, pending: 0, confirmed: 0, skip: 0, carry_length: 0, flags: 0, carry: [0; CARRY] };
}

/// One TCP conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Flow {
    /// Segments that entered by the network port.
    pub network: Direction,
    /// Segments that entered by the device port.
    pub device: Direction,
    /// Policy generation that `conduit` was looked up in.
    pub generation: u32,
    /// Conduit id.
    pub conduit: u16,
    /// [`crate::protocol::Protocol`] code.
    pub protocol: u8,
    /// [`Side`] code of the end that opened the conversation.
    pub client: u8,
    /// Non-zero: killed after a denied operation.
    pub killed: u8,
    /// Always 0.
    pub padding: [u8; 7],
}

impl Flow {
    /// A flow of which nothing is known.
    pub const EMPTY: Self = Self {
        network: Direction::EMPTY,
        device: Direction::EMPTY,
        generation: 0,
        conduit: 0,
        protocol: 0,
        client: 0,
        killed: 0,
        padding: [0; 7],
    };

    /// The direction of segments that enter by `side`, and the other one to read.
    #[inline(always)]
    pub const fn directions(&mut self, side: Side) -> (&mut Direction, &Direction) {
        match side {
            Side::Network => (&mut self.network, &self.device),
            Side::Device => (&mut self.device, &self.network),
        }
    }
}
