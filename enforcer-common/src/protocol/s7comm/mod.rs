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
use crate::protocol::cotp;
use crate::protocol::cotp::carried::{self, Carried};
use crate::protocol::cotp::functions::code;
use crate::protocol::{Protocol, mms, s7commplus};
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

/// What is to be done with the unit at `stream.start`, in the upper bits of `walking.seen`. Done one after the other, and
/// kept in the record between: what one of them found out would multiply the verifier's paths through the others.
mod phase {
    /// There is no unit yet.
    pub(super) const NONE: u32 = 0;
    /// A TPDU that carries nothing.
    pub(super) const CONNECTION: u32 = 0x0100_0000;
    /// A message of S7comm.
    pub(super) const MESSAGE: u32 = 0x0200_0000;
    /// One of S7comm-plus.
    pub(super) const PLUS: u32 = 0x0300_0000;
    /// The items of a job; how many are left stands below.
    pub(super) const ITEMS: u32 = 0x0400_0000;
    /// The name of a program invocation, from `walking.at` to `walking.end`.
    pub(super) const NAME: u32 = 0x0500_0000;
    /// Nothing but to move behind it.
    pub(super) const DONE: u32 = 0x0600_0000;
    /// The bits.
    pub(super) const MASK: u32 = 0xff00_0000;
}

/// Reads the next unit, or the next items of the one at hand. True when there is more: the caller comes again.
#[must_use]
#[inline(always)]
pub fn dissect<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> bool {
    if scratch.stream.units == 0 {
        scratch.walking = Walking::default();
    }
    let scratch = scratch.anew();
    if at(scratch, phase::NONE) {
        unit(bytes, scratch);
    }
    let scratch = scratch.anew();
    if at(scratch, phase::CONNECTION) {
        cotp::connection(bytes, scratch);
        scratch.anew().walking.seen = phase::DONE;
    }
    let scratch = scratch.anew();
    if at(scratch, phase::MESSAGE) {
        scratch.walking.seen = phase::DONE;
        read(bytes, scratch);
    }
    let scratch = scratch.anew();
    if at(scratch, phase::PLUS) {
        scratch.walking.seen = phase::DONE;
        s7commplus::read(bytes, scratch);
    }
    let scratch = scratch.anew();
    if at(scratch, phase::ITEMS) {
        item::walk(bytes, scratch);
    }
    let scratch = scratch.anew();
    if at(scratch, phase::NAME) {
        program::read(bytes, scratch);
        scratch.anew().walking.seen = phase::DONE;
    }
    let scratch = scratch.anew();
    if at(scratch, phase::DONE) {
        scratch.walking.seen = phase::NONE;
        cotp::advance(bytes, scratch);
    }
    let scratch = scratch.anew();
    scratch.walking.seen != phase::NONE || scratch.stream.start < scratch.stream.end
}

#[inline(always)]
const fn at(scratch: &Scratch, phase: u32) -> bool {
    scratch.walking.seen & phase::MASK == phase
}

/// Frames the next unit and says what is to be done with it.
#[inline(always)]
fn unit<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let Some(tpdu) = cotp::next(bytes, scratch) else {
        return;
    };
    let scratch = scratch.anew();
    if tpdu.code != code::DATA {
        scratch.walking.seen = phase::CONNECTION;
        return;
    }
    scratch.walking.seen = phase::DONE;
    match carried::take(bytes, &tpdu, scratch) {
        Carried::Payload(carried::S7COMM) => scratch.walking.seen = phase::MESSAGE,
        Carried::Payload(carried::S7COMM_PLUS) => scratch.walking.seen = phase::PLUS,
        // MMS, which a conduit of its own inspects; where no conduit covers the port, what is said tells.
        Carried::Payload(carried::SESSION) | Carried::Continued if !scratch.path.is_covered() => {
            mms::found(bytes, &tpdu, scratch);
        }
        Carried::Payload(_) | Carried::Continued => scratch.fault(Reason::MalformedFraming),
        Carried::Done => {}
    }
}

/// Reads a message into a record. Parameters and data must fill it exactly.
#[inline(always)]
fn read<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let Some(tpdu) = cotp::again(bytes, scratch) else {
        return;
    };
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
    scratch.leave_out::<0>(at.wrapping_add(4), 0xffff);
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
    let (server, device) = (cotp::is_answer(scratch), from_device(scratch));
    if let Some(last) = scratch.operation_mut(scratch.count.wrapping_sub(1))
        && server
    {
        last.role = role as u8;
        if role as u8 == Role::Request as u8 && device {
            last.flags |= Operation::TURNED;
        }
    }
}

/// True where a server speaks that a device is: what it says is reported, and stops nothing.
#[inline(always)]
fn from_device(scratch: &Scratch) -> bool {
    cotp::is_answer(scratch) && scratch.frame.side == Side::Device as u8
}
