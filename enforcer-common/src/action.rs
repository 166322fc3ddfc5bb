//! Verdict x mode -> what happens to the frame. The only place that knows the mode.

use crate::scratch::Frame;
use crate::verdict::{Mode, Reason, Verdict};

/// What is done with a frame.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Action {
    /// Leaves by the other port unchanged.
    Forward = 0,
    /// Does not leave.
    Drop = 1,
    /// Does not leave; the TCP conversation it belongs to is reset on both sides.
    Reset = 2,
}

impl Action {
    /// The action with this code; an unknown code is `Drop`.
    #[inline(always)]
    pub const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Forward,
            2 => Self::Reset,
            _ => Self::Drop,
        }
    }

    /// The word used in events and replay.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Drop => "drop",
            Self::Reset => "reset",
        }
    }
}

/// What a conduit does with a denied TCP segment that carries an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OnDeny {
    /// Drop it; the sender's TCP will repeat it for a long time.
    Drop = 0,
    /// Reset the conversation, so that the device's socket is free at once.
    Reset = 1,
}

/// The action for a frame. `on_deny` is what the frame's conduit asks for and its transport can do.
#[inline(always)]
pub const fn action(verdict: Verdict, mode: Mode, on_deny: OnDeny) -> Action {
    match (verdict, mode) {
        (Verdict::Allow | Verdict::Log, Mode::Learn | Mode::Shadow | Mode::Enforce)
        | (Verdict::Deny, Mode::Learn | Mode::Shadow) => Action::Forward,
        (Verdict::Deny, Mode::Enforce) => match on_deny {
            OnDeny::Drop => Action::Drop,
            OnDeny::Reset => Action::Reset,
        },
    }
}

/// Frames up to this length lie in one buffer of every driver.
pub(crate) const ONE_BUFFER: u32 = 2048;

/// True for a forwarded frame that may go straight to the other port. The others go by the Linux bridge, where the box
/// hears them too: what is for its own address (`outcome`), what is for everybody, and IPv6's questions for neighbours
/// (RFC 2464 7); and what is too long for one buffer, which not every driver takes from another.
#[must_use]
#[inline(always)]
pub const fn may_cross(frame: &Frame, outcome: u8) -> bool {
    // As numbers: byte by byte it costs more than all else here.
    let [a, b, c, d, e, f] = frame.destination_mac;
    let (front, back) = (u32::from_le_bytes([a, b, c, d]), u16::from_le_bytes([e, f]));
    let everybody = front == u32::MAX && back == u16::MAX;
    let neighbours = front & 0xffff == 0x3333;
    !everybody && !neighbours && outcome != Reason::Management as u8 && frame.length <= ONE_BUFFER
}

#[cfg(test)]
mod tests {
    use super::{Action, ONE_BUFFER, OnDeny, action, may_cross};
    use crate::scratch::Frame;
    use crate::verdict::{Mode, Reason, Verdict};

    #[test]
    fn what_the_box_should_hear_goes_by_the_bridge() {
        let to = |destination_mac| Frame { destination_mac, length: 64, ..Frame::EMPTY };
        let allowed = Reason::RuleAllow as u8;
        let plc = to([0, 0x1b, 0x1b, 0x12, 0x34, 0x56]);
        assert!(may_cross(&plc, allowed));
        assert!(may_cross(&to([1, 0x80, 0xc2, 0, 0, 0x0e]), allowed), "LLDP, which a bridge keeps");
        assert!(may_cross(&to([1, 0x0c, 0xcd, 1, 0, 1]), allowed), "GOOSE");
        assert!(!may_cross(&to([0xff; 6]), allowed));
        assert!(!may_cross(&to([0x33, 0x33, 0xff, 0, 0, 1]), allowed));
        assert!(!may_cross(&plc, Reason::Management as u8));
        assert!(!may_cross(&Frame { length: ONE_BUFFER + 1, ..plc }, allowed));
    }

    #[test]
    fn only_a_denial_in_enforce_touches_a_frame() {
        for verdict in [Verdict::Allow, Verdict::Log, Verdict::Deny] {
            for mode in [Mode::Learn, Mode::Shadow, Mode::Enforce] {
                let acts = verdict == Verdict::Deny && mode == Mode::Enforce;
                assert_eq!(action(verdict, mode, OnDeny::Drop) != Action::Forward, acts);
            }
        }
        assert_eq!(action(Verdict::Deny, Mode::Enforce, OnDeny::Reset), Action::Reset);
    }
}
