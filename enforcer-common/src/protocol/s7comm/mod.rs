//! S7comm over TPKT and COTP class 0: jobs, acknowledgements and userdata.
//!
//! Enters: bytes in stream order, from the start of a TPKT. Leaves: operations, and which bytes the next segment
//! continues. The protocol has no public standard; what is fixed about it here is what devices, the manuals' order of
//! fields and the dissectors in common use agree on.

mod block;
pub mod functions;
mod item;
mod job;
pub mod program;
mod userdata;

use core::hint::black_box;

use crate::bytes::Bytes;
use crate::operation::{Operation, Role};
use crate::port::Side;
use crate::protocol::cotp::carried::{self, Carried};
use crate::protocol::cotp::functions::code;
use crate::protocol::cotp::{self, Tpdu};
use crate::protocol::{Protocol, s7commplus};
use crate::scratch::{MOST, Scratch, Walking};
use crate::verdict::Reason;

/// Kinds of messages.
mod kind {
    /// A request.
    pub(super) const JOB: u8 = 1;
    /// An answer without data.
    pub(super) const ACK: u8 = 2;
    /// An answer.
    pub(super) const ACK_DATA: u8 = 3;
    /// Services beyond those of jobs, both ways.
    pub(super) const USERDATA: u8 = 7;
}

/// Bits of the context.
mod context {
    use crate::protocol::cotp::carried;

    /// A download was asked for, so the device may fetch blocks.
    pub(super) const DOWNLOAD: u32 = carried::FIRST_FREE;
}

/// One message, framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// Offset of the parameters.
    pub parameters: u32,
    /// Offset of the data.
    pub data: u32,
    /// Offset behind the data.
    pub end: u32,
    /// Reference that the answer repeats.
    pub reference: u16,
    /// Error class and code of an answer.
    pub error: [u8; 2],
}

impl Message {
    /// Size of the parameters.
    #[inline(always)]
    pub(crate) const fn parameter_length(&self) -> u32 {
        self.data.wrapping_sub(self.parameters)
    }

    /// Size of the data.
    #[inline(always)]
    pub(crate) const fn data_length(&self) -> u32 {
        self.end.wrapping_sub(self.data)
    }
}

/// Reads the next unit, or the next items of the one at hand. True when there is more: the caller comes again.
#[must_use]
#[inline(always)]
pub fn dissect<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    if scratch.stream.units == 0 {
        scratch.walking = Walking::default();
    }
    if scratch.walking.seen == 0 {
        unit(bytes, scratch);
    }
    let scratch = scratch.anew();
    if scratch.walking.seen != 0 {
        item::walk(bytes, scratch);
    }
    let scratch = scratch.anew();
    scratch.walking.seen != 0 || scratch.stream.start < scratch.stream.end
}

#[inline(always)]
fn unit<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let Some(tpdu) = cotp::next(bytes, scratch) else {
        return;
    };
    let scratch = scratch.anew();
    if tpdu.code == code::DATA {
        match carried::take(bytes, &tpdu, scratch) {
            Carried::Payload(carried::S7COMM) => read(bytes, &tpdu, scratch.anew()),
            Carried::Payload(carried::S7COMM_PLUS) => s7commplus::read(bytes, &tpdu, scratch.anew()),
            // MMS, which a conduit of its own inspects.
            Carried::Payload(_) | Carried::Continued => scratch.fault(Reason::MalformedFraming),
            Carried::Done => {}
        }
    } else {
        cotp::connection(bytes, &tpdu, scratch);
    }
    let scratch = scratch.anew();
    if scratch.walking.seen == 0 {
        cotp::advance(scratch, tpdu.size);
    }
}

/// Reads a message into a record. Parameters and data must fill it exactly.
#[inline(always)]
fn read<B: Bytes + ?Sized>(bytes: &B, tpdu: &Tpdu, scratch: &mut Scratch) {
    let at = tpdu.payload();
    let Some([_, kind, _, _, r0, r1, p0, p1, d0, d1, first]) = bytes.read::<11>(at) else {
        scratch.fault(Reason::LengthMismatch);
        return;
    };
    let header = match kind {
        kind::JOB | kind::USERDATA => 10,
        kind::ACK | kind::ACK_DATA => 12,
        _ => {
            scratch.fault(Reason::MalformedFraming);
            return;
        }
    };
    let parameters = at.wrapping_add(header);
    let data = parameters.wrapping_add(u16::from_be_bytes([p0, p1]) as u32);
    let end = data.wrapping_add(u16::from_be_bytes([d0, d1]) as u32);
    if end != tpdu.at.wrapping_add(tpdu.size) {
        scratch.fault(Reason::LengthMismatch);
        return;
    }
    let reference = u16::from_be_bytes([r0, r1]);
    // A number in either case: an absent one would be moved around undefined, which the kernel's verifier refuses.
    let second = black_box(bytes.u8(at.wrapping_add(11)).unwrap_or(0));
    let message = Message { parameters, data, end, reference, error: [first, second] };
    match kind {
        kind::USERDATA => userdata::read(bytes, &message, scratch),
        kind::JOB => job::request(bytes, &message, first, scratch),
        _ => job::answer(bytes, &message, scratch),
    }
}

/// Adds a record of a message.
#[inline(always)]
fn add<'a>(message: &Message, function: u32, access: u8, scratch: &'a mut Scratch) -> Option<&'a mut Operation> {
    if scratch.count >= MOST {
        scratch.fault(Reason::BeyondInspection);
        return None;
    }
    let role = scratch.path.role;
    let operation = scratch.add()?;
    *operation = Operation::EMPTY;
    operation.protocol = Protocol::S7comm as u8;
    operation.role = role;
    operation.function = function;
    operation.transaction = message.reference as u32;
    operation.access = access;
    Some(operation)
}

/// The role of a server's record, given what the message itself says. What a client says is judged whatever it calls
/// itself.
#[inline(always)]
fn set_role(scratch: &mut Scratch, role: Role) {
    let server = cotp::is_answer(scratch);
    if let Some(last) = scratch.operation_mut(scratch.count.wrapping_sub(1))
        && server
    {
        last.role = role as u8;
    }
}

/// True where a server speaks that a device is: what it says is reported, and stops nothing.
#[inline(always)]
fn from_device(scratch: &Scratch) -> bool {
    cotp::is_answer(scratch) && scratch.frame.side == Side::Device as u8
}
