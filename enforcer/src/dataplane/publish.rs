//! Publishes a generation: one map update puts a whole new policy in force.
//!
//! The kernel waits for the programs that run, so when the update returns no packet sees the old image any more.

use std::path::Path;

use aya::maps::{Array, MapError};
use enforcer_common::abi::{MODE_AS_POLICY, Settings, conduit_cell, place};
use enforcer_common::policy::capacity;

use super::adopt::{self, ImageMap};
use super::maps::Maps;
use super::plain::{self, Plain};
use crate::policy::Compiled;

/// Puts a compiled policy in force. `cells` are those of the conduits switched by hand, by conduit id, see
/// [`conduit_cell`]; what is not named has the mode that the policy says. The image is pinned in `pins`, so that the next
/// controller knows it again; where that fails, it publishes anew. The settings name no generation meanwhile.
///
/// # Errors
/// The kernel's refusal; the old policy is then still in force.
pub fn publish(maps: &mut Maps, pins: &Path, compiled: &Compiled, cells: &[(u16, u32)]) -> Result<(), MapError> {
    let bank = compiled.image.header.bank;
    super::counters::clear(maps, bank, &compiled.names, compiled.image.functions_in_use())?;
    set_conduit_modes(maps, compiled, cells)?;
    // Pinned before it is in force: whenever the controller ends, the next one finds the pin of what is.
    let image = match adopt::pin_image(pins, compiled, filled(compiled)?) {
        Ok(pinned) => pinned,
        Err(error) => {
            tracing::warn!(error, "the image is not pinned; the next start counts anew");
            filled(compiled)?
        }
    };
    maps.policy.set(place::ACTIVE, &image, 0)?;
    adopt::forget_images(pins, compiled);
    Ok(())
}

/// Writes the modes of all conduits of this policy.
///
/// # Errors
/// The kernel's refusal.
pub fn set_conduit_modes(maps: &mut Maps, compiled: &Compiled, cells: &[(u16, u32)]) -> Result<(), MapError> {
    let bank = compiled.image.header.bank;
    let as_policy = conduit_cell(MODE_AS_POLICY, MODE_AS_POLICY);
    for id in std::iter::once(0).chain(compiled.names.conduits().map(|(id, _)| id)) {
        let cell = cells.iter().find(|(conduit, _)| *conduit == id).map_or(as_policy, |(_, cell)| *cell);
        set_conduit_mode(maps, bank, id, cell)?;
    }
    Ok(())
}

/// Puts an image into a place beside the active one, see [`place`].
///
/// # Errors
/// The kernel's refusal.
pub fn put(maps: &mut Maps, place: u32, compiled: &Compiled) -> Result<(), MapError> {
    maps.policy.set(place, &filled(compiled)?, 0)
}

/// A map of its own with the image.
fn filled(compiled: &Compiled) -> Result<ImageMap, MapError> {
    let mut inner = Array::create(1, 0)?;
    inner.set(0, plain::image(&compiled.image), 0)?;
    Ok(inner)
}

/// Switches the mode of one conduit of the generation in `bank`, see [`conduit_cell`].
///
/// # Errors
/// The kernel's refusal.
pub fn set_conduit_mode(maps: &mut Maps, bank: u8, conduit: u16, cell: u32) -> Result<(), MapError> {
    let capacity = u32::try_from(capacity::CONDUITS).unwrap_or(u32::MAX);
    maps.conduit_modes.set(u32::from(bank) * capacity + u32::from(conduit), cell, 0)
}

/// Writes mode, bypass, deadlines: one cell, so at once. Leaves what stands there then.
///
/// # Errors
/// The kernel's refusal.
pub fn set(maps: &mut Maps, settings: Settings) -> Result<Settings, MapError> {
    let sealed = settings.sealed();
    maps.settings.set(0, Plain(sealed), 0)?;
    Ok(sealed)
}
