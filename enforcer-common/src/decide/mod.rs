//! Composes the stages. The kernel runs [`walk`], [`follow`], a protocol's dissector and [`conclude`] as programs that
//! tail-call each other; the host runs [`decide`], which is the same functions in the same order.

mod headers;
mod path;
mod read;
mod streams;

use crate::action::Action;
use crate::bytes::Bytes;
use crate::environment::Environment;
use crate::judge::{self, Progress};
use crate::ordinary::{Course, Judging};
use crate::policy::Image;
use crate::port::Side;
use crate::report::report;
use crate::scratch::Scratch;
use crate::stream;
use crate::verdict::{Mode, Reason};
use crate::{known, ordinary};

pub use headers::{digest, tcp_options, walk};
pub use path::{icmp_message, locate, neighbours};
pub use read::{assemble, dissect, dissect_assembled};
pub use streams::{claim, compare, follow, follow_and_admit, handshake};

/// The stage that comes next.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Next {
    /// The options of a TCP segment.
    Options,
    /// Checksums, and the hash of the payload.
    Digest,
    /// The conduit, from the policy.
    Conduit,
    /// The conduit of a TCP segment from its flow, and its stream.
    Stream,
    /// A TCP segment without flow.
    Handshake,
    /// A flow for a TCP segment.
    Claim,
    /// Bytes that were sent again, compared with what was forwarded.
    Compare,
    /// What an ICMP message from the network is.
    Icmp,
    /// Who speaks in ARP or neighbour discovery from the network.
    Neighbour,
    /// The dissector of the path's protocol.
    Protocol,
    /// Judge and act.
    Judge,
}

impl Next {
    /// The stage with this code; `None` for a number that is none.
    #[must_use]
    #[inline(always)]
    pub const fn from_code(code: u32) -> Option<Self> {
        const ALL: [Next; 11] = [
            Next::Options,
            Next::Digest,
            Next::Conduit,
            Next::Stream,
            Next::Handshake,
            Next::Claim,
            Next::Compare,
            Next::Icmp,
            Next::Neighbour,
            Next::Protocol,
            Next::Judge,
        ];
        let mut rest: &[Self] = &ALL;
        while let [next, tail @ ..] = rest {
            if *next as u32 == code {
                return Some(*next);
            }
            rest = tail;
        }
        None
    }
}

/// Judges one frame: `bytes` came in by the port of `side`. All findings are in `scratch` afterwards.
pub fn decide<B: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    side: Side,
    policy: &Image,
    environment: &mut E,
    scratch: &mut Scratch,
) -> Action {
    decide_part(bytes, bytes.length(), side, policy, environment, scratch)
}

/// Judges a frame of `length` bytes, of which `bytes` holds only the first part: a driver that lays long frames into several
/// buffers shows the programs the first one.
pub fn decide_part<B: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    length: u32,
    side: Side,
    policy: &Image,
    environment: &mut E,
    scratch: &mut Scratch,
) -> Action {
    begin(environment, scratch);
    let mut next =
        match ordinary::follow(bytes, || length, side, Judging::by(policy), || Some(policy), environment, scratch) {
            Some(Course::Passed) => return Action::Forward,
            Some(Course::Next(next)) => next,
            None => walk(bytes, length, side, policy, environment, scratch),
        };
    while next != Next::Judge {
        if next == Next::Protocol
            && scratch.ordinary == 0
            && let Some(action) = known::pass(bytes, environment, scratch)
        {
            return action;
        }
        next = match next {
            Next::Options => tcp_options(bytes, scratch),
            Next::Digest => digest(bytes, side, environment, scratch),
            Next::Conduit => locate(policy, environment, scratch),
            Next::Stream => follow_and_admit(policy, environment, scratch, side),
            Next::Handshake => handshake(policy, environment, scratch),
            Next::Claim => claim(policy, environment, scratch),
            Next::Compare => compare(bytes, environment, scratch),
            Next::Icmp => icmp_message(bytes, environment, scratch),
            Next::Neighbour => neighbours(bytes, policy, scratch),
            Next::Protocol if scratch.stream.assembled == 0 => {
                dissect(bytes, scratch);
                Next::Judge
            }
            Next::Protocol => {
                dissect_assembled(environment, scratch);
                Next::Judge
            }
            Next::Judge => Next::Judge,
        };
    }
    if is_settled(scratch) {
        return let_pass(environment, scratch);
    }
    judge(policy, environment, scratch);
    let action = conclude(environment, scratch);
    if scratch.report != 0 {
        report(environment, scratch);
    }
    if known::is_worth_keeping(scratch) {
        known::keep(bytes, policy, environment, scratch);
    }
    action
}

/// Judges all operations that were found.
pub fn judge<E: Environment>(policy: &Image, environment: &mut E, scratch: &mut Scratch) {
    loop {
        match judge::remembered::<{ judge::STEP_REMEMBERED }, E>(environment, scratch) {
            Progress::Done => return,
            Progress::More => {}
            Progress::Search => break,
        }
    }
    while judge::units(policy, environment, scratch) {}
}

/// Before anything is known of a frame: when it came.
#[inline(always)]
pub fn begin<E: Environment>(environment: &E, scratch: &mut Scratch) {
    let tick = environment.tick();
    if tick == 0 || tick != scratch.tick {
        scratch.tick = tick;
        scratch.now = environment.now();
    }
    scratch.wanted.place = 0;
    scratch.wanted.pending = 0;
}

/// The record of a frame that does not pass at once: nothing is found yet.
#[inline(always)]
pub(crate) fn clear(scratch: &mut Scratch) {
    scratch.count = 0;
    scratch.outcome = 0;
    scratch.action = 0;
    scratch.report = 0;
    scratch.asked = 0;
    scratch.ordinary = 0;
    judge::begin(scratch);
}

/// True for a frame in which nothing is asked and of which nothing is written down, the ordinary rest of a conversation in
/// enforce: [`let_pass`] is next, in the same program.
#[must_use]
#[inline(always)]
pub const fn is_settled(scratch: &Scratch) -> bool {
    const REST: u64 = 1 << Reason::Response as u8
        | 1 << Reason::NoPayload as u8
        | 1 << Reason::Retransmission as u8
        | 1 << Reason::Partial as u8;
    let enforced = scratch.path.mode == Mode::Enforce as u8;
    let rest = scratch.outcome < 64 && REST >> (scratch.outcome & 63) & 1 != 0;
    enforced && rest && scratch.count == 0 && scratch.looked_on == 0
}

/// Counts such a frame, and advances its stream.
#[inline(always)]
pub fn let_pass<E: Environment>(environment: &mut E, scratch: &mut Scratch) -> Action {
    scratch.action = Action::Forward as u8;
    let reason = Reason::from_code(scratch.outcome).unwrap_or(Reason::BeyondInspection);
    environment.count(scratch, None, u32::MAX, reason, false);
    stream::commit(environment, scratch);
    Action::Forward
}

/// Decides about the frame, whose operations are judged; and advances the stream when it goes on.
#[inline(always)]
pub fn conclude<E: Environment>(environment: &mut E, scratch: &mut Scratch) -> Action {
    let action = judge::frame(environment, scratch);
    match action {
        Action::Forward => stream::commit(environment, scratch),
        Action::Reset => stream::kill(environment, scratch),
        Action::Drop => {}
    }
    action
}
