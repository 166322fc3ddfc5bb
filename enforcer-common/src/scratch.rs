//! What the stages tell each other about one frame. In the kernel it lies in a per-CPU map, because tail calls carry
//! nothing else and the BPF stack is 512 bytes; on the host it is an ordinary value.
//!
//! Plain old data: codes instead of enums, because a map may hold any bytes.

use crate::operation::Operation;

/// Most operations that one frame can yield; more is `beyond_inspection`.
pub const OPERATIONS: usize = 64;

/// Headers of the frame. Written by the link, network and transport stages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Frame {
    /// IPv6 address, or an IPv4 address mapped into IPv6 (`::ffff:a.b.c.d`).
    pub source: [u8; 16],
    /// See `source`.
    pub destination: [u8; 16],
    /// Offset of the bytes behind the Ethernet header and its tags.
    pub network: u32,
    /// Offset of the TCP, UDP or ICMP header.
    pub transport: u32,
    /// Offset of the transport's payload.
    pub payload: u32,
    /// Offset behind the transport's payload, from the IP length: Ethernet padding is not payload.
    pub payload_end: u32,
    /// Bytes in the frame.
    pub length: u32,
    /// TCP sequence number.
    pub sequence: u32,
    /// TCP acknowledgement number.
    pub acknowledgement: u32,
    /// TCP or UDP port, 0 for other transports.
    pub source_port: u16,
    /// See `source_port`.
    pub destination_port: u16,
    /// Innermost ethertype; below 0x600 the DSAP of an 802.3 frame.
    pub ethertype: u16,
    /// VLAN tags, outermost first, as on the wire (priority, DEI, VLAN id).
    pub vlan: [u16; 2],
    /// Ethernet source address.
    pub source_mac: [u8; 6],
    /// Ethernet destination address.
    pub destination_mac: [u8; 6],
    /// VLAN tags in the frame, 0 to 2.
    pub tags: u8,
    /// IP version, 4 or 6; 0 when the frame is not IP.
    pub version: u8,
    /// IP protocol number of the transport.
    pub transport_protocol: u8,
    /// TCP flags.
    pub tcp_flags: u8,
    /// [`crate::port::Side`] code of the ingress port.
    pub side: u8,
    /// Always 0.
    pub padding: [u8; 1],
}

/// Where the frame goes: written by the conduit stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Path {
    /// Slot of the conversation's flow, or [`crate::flow::NO_FLOW`].
    pub slot: u32,
    /// Generation of the policy that judges this frame.
    pub generation: u32,
    /// Conduit id; [`crate::policy::UNCOVERED`] when no conduit covers the frame.
    pub conduit: u16,
    /// [`crate::protocol::Protocol`] code to inspect the payload with; 0 is none.
    pub protocol: u8,
    /// [`crate::operation::Role`] code of the sender.
    pub role: u8,
    /// [`crate::verdict::Mode`] code: the conduit's mode, capped by the box's.
    pub mode: u8,
    /// Counter bank of the generation.
    pub bank: u8,
    /// [`crate::action::OnDeny`] code that applies to this frame.
    pub on_deny: u8,
    /// Non-zero when values of writes must be decoded.
    pub values: u8,
}

/// Which bytes to parse, and what to commit when the frame is forwarded: written by the stream and protocol stages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Stream {
    /// First byte to parse, in the frame or, when `assembled`, in carry + payload.
    pub start: u32,
    /// Behind the last byte to parse.
    pub end: u32,
    /// Next sequence number after this segment.
    pub next: u32,
    /// Where the bytes begin that the next segment continues.
    pub save_start: u32,
    /// How many they are.
    pub save_length: u32,
    /// Bytes of the stream that belong to a unit already decided.
    pub skip: u32,
    /// Non-zero: parse carry + payload instead of the frame.
    pub assembled: u8,
    /// Non-zero: the commit below applies.
    pub commit: u8,
    /// Non-zero: the segment repeats bytes that were forwarded before.
    pub retransmission: u8,
    /// Always 0.
    pub padding: [u8; 5],
}

/// All that is known about one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Scratch {
    /// Headers.
    pub frame: Frame,
    /// Conduit.
    pub path: Path,
    /// Stream.
    pub stream: Stream,
    /// Operations found, in the order of the bytes.
    pub operations: [Operation; OPERATIONS],
    /// How many of them count.
    pub count: u32,
    /// [`crate::verdict::Reason`] code of the whole frame when it holds no operation; after judging, the reason that
    /// decided about the frame.
    pub outcome: u8,
    /// [`crate::action::Action`] code, after judging.
    pub action: u8,
    /// Always 0.
    pub padding: [u8; 2],
}

impl Scratch {
    /// A record to start from.
    #[must_use]
    pub fn new() -> Self {
        Self {
            frame: Frame::default(),
            path: Path::default(),
            stream: Stream::default(),
            operations: [Operation::EMPTY; OPERATIONS],
            count: 0,
            outcome: 0,
            action: 0,
            padding: [0; 2],
        }
    }

    /// Adds an operation. False when there is no room: the caller reports `beyond_inspection`.
    #[inline(always)]
    pub fn push(&mut self, operation: Operation) -> bool {
        let index = self.count as usize & (OPERATIONS - 1);
        if self.count as usize >= OPERATIONS {
            return false;
        }
        let Some(slot) = self.operations.get_mut(index) else {
            return false;
        };
        *slot = operation;
        self.count = self.count.wrapping_add(1);
        true
    }

    /// The operation at `index`.
    #[must_use]
    #[inline(always)]
    pub fn operation(&self, index: u32) -> Option<&Operation> {
        self.operations.get(index as usize & (OPERATIONS - 1))
    }

    /// The operation at `index`, to write the judge's findings into.
    #[inline(always)]
    pub fn operation_mut(&mut self, index: u32) -> Option<&mut Operation> {
        self.operations.get_mut(index as usize & (OPERATIONS - 1))
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

const _: () = assert!(core::mem::size_of::<Frame>() == 88);
const _: () = assert!(core::mem::size_of::<Path>() == 16);
const _: () = assert!(core::mem::size_of::<Stream>() == 32);
