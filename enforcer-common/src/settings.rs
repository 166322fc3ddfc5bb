//! Switches that take effect with one cell of one map, and what they say at a moment.
//!
//! The controller writes the cell. What must happen without it stands in the cell as a deadline on the boot clock: an
//! unconfirmed change that is taken back, and a controller that has fallen silent.

use crate::verdict::Mode;

/// The cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Settings {
    /// [`Mode`] code of the box: the cap for every conduit.
    pub mode: u8,
    /// Non-zero: forward everything, judge nothing.
    pub bypass: u8,
    /// MAC address of the bridge; frames to it stay on the box.
    pub management_mac: [u8; 6],
    /// Boot time until which conversations that were open before the box came are taken up, nanoseconds.
    pub grace_until: u64,
    /// See [`crate::environment::Limits::connection_interval`].
    pub connection_interval: u64,
    /// Boot time in nanoseconds at which an unconfirmed change is taken back; 0: nothing is unconfirmed.
    pub confirm_until: u64,
    /// Boot time in nanoseconds from which the controller counts as silent; 0: never.
    pub alive_until: u64,
    /// Boot time in nanoseconds of the last change that took something back, see
    /// [`crate::environment::Limits::forgive_before`].
    pub forgiven: u64,
    /// See [`crate::environment::Limits::connection_burst`].
    pub connection_burst: u32,
    /// See [`crate::environment::Limits::resets`].
    pub resets: u32,
    /// Slots of the flow table that each device has; it does not change while the table lives.
    pub flows_per_device: u32,
    /// Generation of the candidate policy; 0: there is none.
    pub candidate: u32,
    /// Grants that may be in force; 0: nobody need ask.
    pub grants: u32,
    /// See [`crate::environment::Limits::sync`].
    pub sync: u16,
    /// [`Mode`] code of the box once `confirm_until` has passed.
    pub mode_after: u8,
    /// Non-zero: once `confirm_until` has passed the previous policy is in force.
    pub policy_after: u8,
    /// [`OnSilence`] code.
    pub on_silence: u8,
    /// Non-zero: the devices' health is counted, see [`crate::health`].
    pub health: u8,
    /// Non-zero: no conduit is switched, and their cells need not be asked.
    pub as_policy: u8,
    /// Non-zero: frames may go straight to the other port, where there is one.
    pub across: u8,
    /// One frame in so many is measured, see [`crate::processing`]; 0: none.
    pub measured: u32,
    /// Generation of the policy in force; 0 while another one comes: the image says it.
    pub generation: u32,
    /// Counter bank of that generation.
    pub bank: u8,
    /// Non-zero: [`Self::is_plain`]. Written by [`Self::sealed`].
    pub plain: u8,
    /// Always 0.
    pub padding: [u8; 2],
}

/// What a silent controller means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OnSilence {
    /// The last policy goes on as it is.
    Hold = 0,
    /// Judge and report, stop nothing.
    Shadow = 1,
    /// Let nothing through.
    Block = 2,
}

/// The mode a conduit has when nothing was switched since the policy was published.
pub const MODE_AS_POLICY: u8 = 0xff;

/// A conduit's cell: the mode it is switched to, and the one it has when an unconfirmed change was taken back. Both are
/// [`Mode`] codes or [`MODE_AS_POLICY`].
#[must_use]
pub const fn conduit_cell(mode: u8, after: u8) -> u32 {
    (after as u32) << 8 | mode as u32
}

impl Settings {
    /// True when an unconfirmed change was taken back by `now`, boot time in nanoseconds.
    #[must_use]
    #[inline(always)]
    pub const fn is_taken_back(&self, now: u64) -> bool {
        self.confirm_until != 0 && now >= self.confirm_until
    }

    /// See [`crate::environment::Limits::forgive_before`]. While a change waits, and when it was taken back, nobody is held off
    /// for what it led to.
    #[must_use]
    #[inline(always)]
    pub const fn forgive_before(&self) -> u64 {
        if self.confirm_until != 0 { self.confirm_until } else { self.forgiven }
    }

    /// True when the controller has been silent too long and nothing may pass then.
    #[must_use]
    #[inline(always)]
    pub const fn is_blocked(&self, now: u64) -> bool {
        self.on_silence == OnSilence::Block as u8 && self.alive_until != 0 && now >= self.alive_until
    }

    /// False when no frame's verdict is followed by anything, and none is withheld: nobody wants to see the devices' health,
    /// there is no candidate, and nothing happens when the controller is silent.
    #[must_use]
    #[inline(always)]
    pub const fn looks_on(&self) -> bool {
        self.candidate | self.health as u32 | (self.on_silence & OnSilence::Block as u8) as u32 != 0
    }

    /// The box's mode at `now`.
    #[must_use]
    #[inline(always)]
    pub const fn mode_at(&self, now: u64) -> Mode {
        let silent = self.alive_until != 0 && now >= self.alive_until;
        let mode = if self.is_taken_back(now) { self.mode_after } else { self.mode };
        if silent && self.on_silence == OnSilence::Shadow as u8 && mode > Mode::Shadow as u8 {
            Mode::Shadow
        } else {
            Mode::from_code(mode)
        }
    }

    /// True when nothing is left to be asked of the cell: the policy named here is in force, each conduit of which it asks for
    /// enforce is in enforce, whatever the time, and nobody [looks on](Self::looks_on).
    #[must_use]
    pub const fn is_plain(&self) -> bool {
        self.generation != 0
            && self.mode == Mode::Enforce as u8
            && self.bypass == 0
            && self.as_policy != 0
            && self.confirm_until == 0
            && self.on_silence == OnSilence::Hold as u8
            && !self.looks_on()
    }

    /// The same cell, with [`Self::plain`] as the rest says: what is written into the kernel.
    #[must_use]
    pub const fn sealed(self) -> Self {
        Self { plain: self.is_plain() as u8, ..self }
    }

    /// The mode of a conduit at `now`: as its cell or, where that says so, `asked`, which the policy says; never above the
    /// box's.
    #[must_use]
    #[inline(always)]
    pub const fn conduit_mode_at(&self, now: u64, cell: u32, asked: Mode) -> Mode {
        let [mode, after, _, _] = cell.to_le_bytes();
        if self.confirm_until == 0 && self.on_silence != OnSilence::Shadow as u8 {
            // Nothing hangs on the time.
            let own = if mode == MODE_AS_POLICY { asked } else { Mode::from_code(mode) };
            let cap = Mode::from_code(self.mode);
            return if (own as u8) < cap as u8 { own } else { cap };
        }
        let switched = if self.is_taken_back(now) { after } else { mode };
        let own = if switched == MODE_AS_POLICY { asked } else { Mode::from_code(switched) };
        let cap = self.mode_at(now);
        if (own as u8) < cap as u8 { own } else { cap }
    }
}

const _: () = assert!(core::mem::size_of::<Settings>() == 88);

#[cfg(test)]
mod tests {
    use super::{MODE_AS_POLICY, OnSilence, Settings, conduit_cell};
    use crate::verdict::Mode;

    const ENFORCE: u8 = Mode::Enforce as u8;
    const SHADOW: u8 = Mode::Shadow as u8;

    #[test]
    fn an_unconfirmed_change_of_the_box_goes_back_at_its_deadline() {
        let settings = Settings { mode: ENFORCE, mode_after: SHADOW, confirm_until: 100, ..Settings::default() };
        assert_eq!((settings.mode_at(99), settings.mode_at(100)), (Mode::Enforce, Mode::Shadow));
        let confirmed = Settings { confirm_until: 0, ..settings };
        assert_eq!(confirmed.mode_at(u64::MAX), Mode::Enforce);
    }

    #[test]
    fn an_unconfirmed_change_of_a_conduit_goes_back_alone() {
        let settings = Settings { mode: ENFORCE, mode_after: ENFORCE, confirm_until: 100, ..Settings::default() };
        let cell = conduit_cell(ENFORCE, SHADOW);
        assert_eq!(settings.conduit_mode_at(99, cell, Mode::Learn), Mode::Enforce);
        assert_eq!(settings.conduit_mode_at(100, cell, Mode::Learn), Mode::Shadow);
        let as_policy = conduit_cell(MODE_AS_POLICY, MODE_AS_POLICY);
        assert_eq!(settings.conduit_mode_at(100, as_policy, Mode::Shadow), Mode::Shadow);
    }

    #[test]
    fn a_cell_is_plain_when_it_says_enforce_and_nothing_else() {
        let plain = Settings { mode: ENFORCE, as_policy: 1, generation: 7, ..Settings::default() };
        assert_eq!(plain.sealed().plain, 1);
        let others = [
            Settings { mode: SHADOW, ..plain },
            Settings { bypass: 1, ..plain },
            Settings { as_policy: 0, ..plain },
            Settings { generation: 0, ..plain },
            Settings { confirm_until: 1, policy_after: 1, ..plain },
            Settings { on_silence: OnSilence::Shadow as u8, ..plain },
            Settings { on_silence: OnSilence::Block as u8, ..plain },
            Settings { candidate: 8, ..plain },
            Settings { health: 1, ..plain },
        ];
        for other in others {
            assert_eq!(Settings { plain: 1, ..other }.sealed().plain, 0, "{other:?}");
        }
    }

    #[test]
    fn the_box_caps_what_a_conduit_is_switched_to() {
        let settings = Settings { mode: SHADOW, ..Settings::default() };
        assert_eq!(settings.conduit_mode_at(1, conduit_cell(ENFORCE, ENFORCE), Mode::Learn), Mode::Shadow);
    }

    #[test]
    fn a_silent_controller_holds_calms_or_blocks() {
        let silent = |on_silence: OnSilence| Settings {
            mode: ENFORCE,
            alive_until: 50,
            on_silence: on_silence as u8,
            ..Settings::default()
        };
        let at = |settings: Settings, now| (settings.mode_at(now), settings.is_blocked(now));
        assert_eq!(at(silent(OnSilence::Hold), 50), (Mode::Enforce, false));
        assert_eq!(at(silent(OnSilence::Shadow), 49), (Mode::Enforce, false));
        assert_eq!(at(silent(OnSilence::Shadow), 50), (Mode::Shadow, false));
        assert_eq!(at(silent(OnSilence::Block), 49), (Mode::Enforce, false));
        assert_eq!(at(silent(OnSilence::Block), 50), (Mode::Enforce, true));
    }
}
