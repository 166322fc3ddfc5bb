//! Grants: what somebody may do for a while although the policy denies it. They end on the boot clock, whoever lives.

use crate::action::OnDeny;
use crate::environment::Environment;
use crate::operation::Role;
use crate::policy::UNCOVERED;
use crate::protocol::Protocol;
use crate::scratch::Scratch;
use crate::verdict::Reason;

/// `function` of the key that says: these two ends may hold a conversation.
pub const CONVERSATION: u32 = u32::MAX - 1;

/// [`crate::scratch::Path::granted`]: nobody has asked yet.
pub const NOT_ASKED: u8 = 0;
/// The conversation is granted.
pub const GRANTED: u8 = 1;
/// It is not.
pub const REFUSED: u8 = 2;

/// What is allowed, and to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct GrantKey {
    /// Who opens the conversation; IPv4 addresses mapped into IPv6.
    pub client: [u8; 16],
    /// To whom.
    pub server: [u8; 16],
    /// Function, or [`CONVERSATION`].
    pub function: u32,
    /// [`crate::protocol::Protocol`] code. A whole word: the kernel's stack takes no bytes at odd places.
    pub protocol: u32,
}

/// For how long, and what became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Grant {
    /// Boot time in nanoseconds at which it ends.
    pub until: u64,
    /// Operations that passed by it.
    pub count: u64,
}

impl Grant {
    /// True at boot time `now`, while it holds.
    #[must_use]
    #[inline(always)]
    pub const fn holds(&self, now: u64) -> bool {
        now < self.until
    }
}

/// Lets a conversation begin that no conduit covers, where a grant names its two ends and its protocol.
#[inline(always)]
pub fn look_up<E: Environment>(environment: &mut E, scratch: &mut Scratch) {
    scratch.path.granted = REFUSED;
    if scratch.path.protocol < Protocol::FIRST_INSPECTED {
        return;
    }
    let mut key = between(scratch, scratch.path.role == Role::Response as u8);
    key.function = CONVERSATION;
    if environment.granted(&key, scratch.now, false) {
        scratch.path.granted = GRANTED;
        scratch.path.on_deny = OnDeny::Reset as u8;
    }
}

/// True when a grant allows the operation at `index`, which the policy denies for `reason`; it is then counted.
#[inline(always)]
pub fn allows<E: Environment>(environment: &mut E, scratch: &Scratch, index: u32, reason: u8) -> bool {
    if !is_of_policy(reason) || (scratch.path.conduit == UNCOVERED && scratch.path.granted != GRANTED) {
        return false;
    }
    let Some(operation) = scratch.operation(index) else {
        return false;
    };
    if operation.fault != 0 {
        return false;
    }
    let mut key = between(scratch, operation.role == Role::Response as u8);
    key.function = operation.function;
    environment.granted(&key, scratch.now, true)
}

/// The key of the frame's two ends and its protocol. `answers`: the frame's receiver opened the conversation.
#[inline(always)]
const fn between(scratch: &Scratch, answers: bool) -> GrantKey {
    let frame = &scratch.frame;
    let (client, server) = if answers { (frame.destination, frame.source) } else { (frame.source, frame.destination) };
    GrantKey { client, server, function: 0, protocol: scratch.path.protocol as u32 }
}

/// Denials that say what no rule allows. What a deny rule forbids stays forbidden, and so does what is malformed.
#[inline(always)]
const fn is_of_policy(reason: u8) -> bool {
    const FIRST: u8 = Reason::UncoveredDeny as u8;
    const LAST: u8 = Reason::RateExceeded as u8;
    // In numbers: those from "no conduit" to "rate exceeded" follow one another.
    (reason.wrapping_sub(FIRST) <= LAST.wrapping_sub(FIRST)) | (reason == Reason::StepTooLarge as u8)
}

const _: () = assert!(core::mem::size_of::<GrantKey>() == 40);
