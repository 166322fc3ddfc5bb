//! Verdict x mode -> what happens to the frame. The only place that knows the mode.

use crate::verdict::{Mode, Verdict};

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

#[cfg(test)]
mod tests {
    use super::{Action, OnDeny, action};
    use crate::verdict::{Mode, Verdict};

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
