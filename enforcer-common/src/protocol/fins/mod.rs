//! Omron FINS: in datagrams, and in TCP behind a header of its own.
//!
//! Enters: bytes in stream order, from the start of a unit. Leaves: an operation per FINS frame and object range. Clauses are
//! of Omron W342 (commands) and W421 (FINS/TCP). Messages of FINS/TCP that hold no frame (node addresses, errors) are checked
//! and give no operation.

pub mod functions;
mod memory;
mod request;

use core::hint::black_box;

use crate::bytes::{self, Bytes};
use crate::operation::{Operation, Role};
use crate::port::Side;
use crate::protocol::{Protocol, framing};
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// Limits of the standard.
mod limits {
    /// Magic, length, command and error code of FINS/TCP.
    pub(super) const TCP_HEADER: u32 = 16;
    /// Bytes of the header that its length field does not count.
    pub(super) const UNCOUNTED: u32 = 8;
    /// Header of a FINS frame, with the command code: W342 3-3.
    pub(super) const HEADER: u32 = 12;
    /// Largest FINS frame: 2,000 bytes of data, addresses and codes before them.
    pub(super) const LONGEST: u32 = 2020;
    /// Bytes of a frame that decide about it, where it is longer than what can be kept.
    pub(super) const HEAD: u32 = 24;
    /// Largest gateway count.
    pub(super) const GATEWAYS: u8 = 7;
}

/// Information control field.
mod icf {
    /// The frame is a response.
    pub(super) const RESPONSE: u8 = 0x40;
    /// Bits that are always 0.
    pub(super) const RESERVED: u8 = 0x3e;
}

/// Commands of FINS/TCP.
mod message {
    /// Client to server: which node address do I have?
    pub(super) const CLIENT_ADDRESS: u32 = 0;
    /// Server to client: this one, and this is mine.
    pub(super) const SERVER_ADDRESS: u32 = 1;
    /// A FINS frame.
    pub(super) const FRAME: u32 = 2;
    /// Something was wrong with a frame.
    pub(super) const ERROR: u32 = 3;
    /// Is the connection alive?
    pub(super) const CONFIRM: u32 = 6;
}

/// One FINS frame: offset, and how many bytes it has and how many of them are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Unit {
    at: u32,
    length: u32,
    present: u32,
}

impl Unit {
    /// Offset behind the last byte that is there.
    #[inline(always)]
    const fn end(&self) -> u32 {
        self.at.wrapping_add(self.present)
    }
}

/// Reads units from `stream.start` to `stream.end`, one in each step. True when there is more.
#[must_use]
#[inline(always)]
pub fn dissect<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    let scratch = scratch.anew();
    if !framing::next(scratch) {
        return false;
    }
    let (at, remaining) = (scratch.stream.start, framing::remaining(scratch));
    let datagram = framing::is_datagram(scratch);
    let header = if datagram { 0 } else { limits::TCP_HEADER };
    let size = if datagram { remaining } else { message(bytes, scratch, at, remaining) };
    if size == 0 {
        return false;
    }
    let scratch = scratch.anew();
    let least = header.wrapping_add(limits::HEADER);
    let needed = framing::needed(scratch, size, header.wrapping_add(limits::HEAD));
    let needed = if framing::is_answer(scratch) { size.min(least) } else { needed };
    if datagram && (size < least || size > limits::LONGEST) {
        scratch.fault(Reason::MalformedFraming);
        return false;
    }
    if !framing::take(scratch, at, remaining, size, needed) {
        return false;
    }
    if size >= least {
        let unit = Unit {
            at: at.wrapping_add(header),
            length: size.wrapping_sub(header),
            present: remaining.min(size).wrapping_sub(header),
        };
        frame(bytes, scratch.anew(), &unit);
    }
    framing::end(scratch.anew(), size);
    let scratch = scratch.anew();
    scratch.stream.start < scratch.stream.end
}

/// Frames one message of FINS/TCP, W421 7-4: its size, or 0 where the bytes are none or too few, which is noted.
#[inline(always)]
fn message<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch, at: u32, remaining: u32) -> u32 {
    if remaining < limits::TCP_HEADER {
        // What can't become a header is told at once.
        let head = black_box(bytes.u32(at).unwrap_or(MAGIC));
        if remaining >= 4 && head != MAGIC {
            scratch.fault(Reason::MalformedFraming);
        } else {
            framing::partial(scratch, at, remaining);
        }
        return 0;
    }
    let header = bytes.read::<16>(at).unwrap_or([0; 16]);
    let magic = u32::from_be_bytes(bytes::part(&header, 0));
    let length = u32::from_be_bytes(bytes::part(&header, 4));
    let command = u32::from_be_bytes(bytes::part(&header, 8));
    let answer = scratch.path.role == Role::Response as u8;
    let sound = match command {
        message::CLIENT_ADDRESS => length == 12 && !answer,
        message::SERVER_ADDRESS => length == 16 && answer,
        message::FRAME => length >= 20 && length <= limits::LONGEST.wrapping_add(8),
        message::ERROR | message::CONFIRM => length == 8,
        _ => false,
    };
    if magic != MAGIC || !sound {
        scratch.fault(Reason::MalformedFraming);
        return 0;
    }
    length.wrapping_add(limits::UNCOUNTED)
}

/// "FINS".
const MAGIC: u32 = 0x4649_4e53;

/// Reads one FINS frame.
#[inline(always)]
fn frame<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch, unit: &Unit) {
    let header = bytes.read::<12>(unit.at).unwrap_or([0; 12]);
    let [control, reserved, gateways, dna, da1, da2, sna, sa1, sa2, service, main, sub] = header;
    let response = control & icf::RESPONSE != 0;
    let asked = scratch.path.role == Role::Request as u8;
    let side = scratch.frame.side;
    scratch.leave_out::<0>(unit.at.wrapping_add(9), 0xff);
    let Some(operation) = scratch.add() else {
        scratch.fault(Reason::BeyondInspection);
        return;
    };
    *operation = Operation::EMPTY;
    operation.protocol = Protocol::Fins as u8;
    operation.function = (main as u32) << 8 | sub as u32;
    operation.access = functions::access(operation.function);
    operation.transaction = service as u32;
    // The device's end of it, whoever speaks: node, network, unit of the node.
    let [network, node, part] = if response { [sna, sa1, sa2] } else { [dna, da1, da2] };
    operation.unit = (part as u32) << 16 | (network as u32) << 8 | node as u32;
    operation.role = match (response, asked) {
        (true, _) => Role::Response as u8,
        (false, true) => Role::Request as u8,
        // A command that the server sends of its own accord.
        (false, false) => Role::Message as u8,
    };
    if control & icf::RESERVED != 0 || reserved != 0 || gateways > limits::GATEWAYS {
        operation.fault = Reason::MalformedFraming as u8;
    } else if response == asked && (asked || side == Side::Network as u8) {
        // An answer to nobody, or a command from where only answers come from: neither may reach a device.
        operation.fault = Reason::InvalidFunction as u8;
    }
    if response {
        answer(bytes, unit, operation);
    } else {
        request::read(bytes, unit, scratch.anew());
    }
}

/// The end code behind the command code, W342 5-1-3. A relayed answer may have its top bit set.
#[inline(always)]
fn answer<B: Bytes + ?Sized>(bytes: &B, unit: &Unit, operation: &mut Operation) {
    let [main, sub] = bytes.read::<2>(unit.at.wrapping_add(limits::HEADER)).unwrap_or([0; 2]);
    if unit.length < limits::HEADER.wrapping_add(2) {
        framing::set_fault(operation, Reason::LengthMismatch);
    } else if unit.present >= limits::HEADER.wrapping_add(2) && main & 0x7f != 0 {
        operation.exception = main & 0x7f;
        operation.flags |= Operation::HAS_EXCEPTION;
    } else if unit.present >= limits::HEADER.wrapping_add(2) && sub & 0x3f != 0 {
        operation.exception = sub & 0x3f;
        operation.flags |= Operation::HAS_EXCEPTION;
    }
}
