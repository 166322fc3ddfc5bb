//! Publishes a generation: one map update puts a whole new policy in force.
//!
//! The kernel waits for the programs that run, so when the update returns no packet sees the old image any more.

use aya::maps::{Array, MapData, MapError};
use enforcer_common::abi::{MODE_AS_POLICY, Settings};
use enforcer_common::policy::capacity;

use super::maps::Maps;
use super::plain::{self, Plain};
use crate::policy::Compiled;

/// Cell of the active image.
const ACTIVE: u32 = 0;

/// Puts a compiled policy in force. `modes` are the conduits' modes as switched by hand, by conduit id; what is not named
/// has the mode that the policy says.
///
/// # Errors
/// The kernel's refusal; the old policy is then still in force.
pub fn publish(maps: &mut Maps, compiled: &Compiled, modes: &[(u16, u8)]) -> Result<(), MapError> {
    let bank = compiled.image.header.bank;
    super::counters::clear(maps, bank, &compiled.names, compiled.image.functions_in_use())?;
    for id in std::iter::once(0).chain(compiled.names.conduits().map(|(id, _)| id)) {
        let switched = modes.iter().find(|(conduit, _)| *conduit == id).map_or(MODE_AS_POLICY, |(_, mode)| *mode);
        set_conduit_mode(maps, bank, id, switched)?;
    }
    let mut inner: Array<MapData, Plain<enforcer_common::policy::Image>> = Array::create(1, 0)?;
    inner.set(0, plain::image(&compiled.image), 0)?;
    maps.policy.set(ACTIVE, &inner, 0)
}

/// Switches the mode of one conduit of the generation in `bank`; [`MODE_AS_POLICY`] gives it back to the policy.
///
/// # Errors
/// The kernel's refusal.
pub fn set_conduit_mode(maps: &mut Maps, bank: u8, conduit: u16, mode: u8) -> Result<(), MapError> {
    let capacity = u32::try_from(capacity::CONDUITS).unwrap_or(u32::MAX);
    maps.conduit_modes.set(u32::from(bank) * capacity + u32::from(conduit), u32::from(mode), 0)
}

/// Writes mode, bypass and management address: one cell, so at once.
///
/// # Errors
/// The kernel's refusal.
pub fn set(maps: &mut Maps, settings: Settings) -> Result<(), MapError> {
    maps.settings.set(0, Plain(settings), 0)
}
