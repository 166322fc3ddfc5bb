//! The values that steps are measured from, where policies come and go: see [`enforcer_common::policy::step`].
//!
//! The kernel keeps them while a rule with `max_step` is asked. What was kept under a policy since replaced may be long ago:
//! measured from it, a write that the plant needs would be stopped.

use aya::maps::MapError;
use enforcer_common::policy::Image;
use enforcer_common::policy::step::LastKey;

use super::maps::Maps;
use super::plain::Plain;

/// Before a candidate is tried: forgets what an earlier one measured from.
///
/// # Errors
/// The kernel's refusal.
pub fn try_candidate(maps: &mut Maps) -> Result<(), MapError> {
    forget(maps, true)
}

/// Before a policy comes into force after `old`: forgets what was kept, unless `old` has kept it up to now.
///
/// # Errors
/// The kernel's refusal.
pub fn come_into_force(maps: &mut Maps, old: &Image) -> Result<(), MapError> {
    if old.rules.iter().any(|rule| rule.max_step != 0) { Ok(()) } else { forget(maps, false) }
}

/// After the candidate came into force: it goes on from the values that it has seen.
///
/// # Errors
/// The kernel's refusal.
pub fn promote(maps: &mut Maps) -> Result<(), MapError> {
    const ONLY_WHERE_THERE_IS_NONE: u64 = 1;
    for key in keys(maps, true) {
        let Ok(value) = maps.last_value.get(&Plain(key), 0) else {
            continue;
        };
        // What was written in the meantime is newer.
        match maps.last_value.insert(Plain(key.in_force()), value, ONLY_WHERE_THERE_IS_NONE) {
            Ok(()) | Err(MapError::SyscallError(_)) => {}
            Err(error) => return Err(error),
        }
    }
    forget(maps, true)
}

fn forget(maps: &mut Maps, candidate: bool) -> Result<(), MapError> {
    for key in keys(maps, candidate) {
        match maps.last_value.remove(&Plain(key)) {
            Ok(()) | Err(MapError::KeyNotFound | MapError::ElementNotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn keys(maps: &Maps, candidate: bool) -> Vec<LastKey> {
    let all = maps.last_value.keys().filter_map(Result::ok).map(|key| key.0);
    all.filter(|key| key.is_candidates() == candidate).collect()
}
