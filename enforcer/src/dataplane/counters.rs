//! Reads the counters: every CPU has its own cells, the sum is exact.
//!
//! A generation counts in its own bank. When the next one is published, the old bank is read once more and kept by name,
//! so that counters go on over policy changes.

use std::collections::BTreeMap;

use aya::maps::{MapError, PerCpuValues};
use enforcer_common::abi::{cell, loss};
use enforcer_common::policy::{UNCOVERED, capacity};
use enforcer_common::verdict::{Reason, Verdict};

use super::functions::{self, Functions};
use super::maps::Maps;
use super::plain::Plain;
use crate::policy::{Compiled, Names};

/// Counters of one conduit: per reason what was reported and what was carried out.
pub type Cells = [u64; cell::PER_CONDUIT];

/// Counters by conduit name and by (conduit, rule); traffic without conduit under the name "".
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// Cells per conduit.
    pub conduits: BTreeMap<String, Box<Cells>>,
    /// Operations decided per (conduit, rule).
    pub rules: BTreeMap<(String, String), u64>,
    /// Operations by function; of finished generations only, see [`functions::add`].
    pub functions: Functions,
}

/// What `status` says about a conduit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Operations and frames that the policy had a say in.
    pub evaluated: u64,
    /// Of them allowed.
    pub allow: u64,
    /// Logged.
    pub log: u64,
    /// Denied, and stopped.
    pub deny: u64,
    /// Denied, and let through because the mode is not enforce.
    pub would_deny: u64,
}

impl Totals {
    /// Adds the cells of the generation in `bank`.
    ///
    /// # Errors
    /// When a map cannot be read.
    pub fn add(&mut self, maps: &Maps, bank: u8, names: &Names) -> Result<(), MapError> {
        for (id, name) in std::iter::once((UNCOVERED, "")).chain(names.conduits()) {
            let cells = maps.conduit_counters.get(&index(bank, capacity::CONDUITS, u32::from(id)), 0)?;
            let sum = self.conduits.entry(name.to_owned()).or_insert_with(|| Box::new([0; cell::PER_CONDUIT]));
            for Plain(cpu) in cells.iter() {
                for (total, count) in sum.iter_mut().zip(cpu) {
                    *total += count;
                }
            }
        }
        for (id, conduit, rule) in names.rules() {
            let cells = maps.rule_counters.get(&index(bank, capacity::RULES, u32::from(id)), 0)?;
            let conduit = names.conduit(conduit).unwrap_or_default().to_owned();
            *self.rules.entry((conduit, rule.to_owned())).or_default() += cells.iter().sum::<u64>();
        }
        Ok(())
    }

    /// Adds all that a generation counted in which nobody counts any more.
    ///
    /// # Errors
    /// When a map cannot be read.
    pub fn add_generation(&mut self, maps: &Maps, compiled: &Compiled) -> Result<(), MapError> {
        self.add(maps, compiled.image.header.bank, &compiled.names)?;
        functions::add(&mut self.functions, maps, compiled)
    }

    /// The tally of one conduit; "" is traffic without conduit.
    #[must_use]
    pub fn tally(&self, conduit: &str) -> Tally {
        let mut tally = Tally::default();
        let Some(cells) = self.conduits.get(conduit) else {
            return tally;
        };
        for (reason, kept, acted) in by_reason(cells) {
            if !is_decision(reason) {
                continue;
            }
            tally.evaluated += kept + acted;
            match reason.verdict() {
                Verdict::Allow => tally.allow += kept + acted,
                Verdict::Log => tally.log += kept + acted,
                Verdict::Deny => {
                    tally.deny += acted;
                    tally.would_deny += kept;
                }
            }
        }
        tally
    }

    /// Denials by reason, over all conduits.
    #[must_use]
    pub fn reasons(&self) -> BTreeMap<&'static str, u64> {
        let mut reasons = BTreeMap::new();
        for cells in self.conduits.values() {
            for (reason, kept, acted) in by_reason(cells) {
                if reason.verdict() == Verdict::Deny && kept + acted > 0 {
                    *reasons.entry(reason.as_str()).or_default() += kept + acted;
                }
            }
        }
        reasons
    }
}

/// Every reason with what was only reported and what was carried out.
pub fn by_reason(cells: &Cells) -> impl Iterator<Item = (Reason, u64, u64)> + '_ {
    let read = |reason: Reason, acted: bool| cells.get(cell::of_conduit(reason, acted)).copied().unwrap_or_default();
    Reason::ALL.iter().map(move |reason| (*reason, read(*reason, false), read(*reason, true)))
}

/// Reasons that are a decision about what somebody asked for, not the ordinary rest of a conversation.
fn is_decision(reason: Reason) -> bool {
    !matches!(
        reason,
        Reason::Response | Reason::NoPayload | Reason::Retransmission | Reason::Partial | Reason::Management
    )
}

/// Sets the cells of a bank to 0 before a generation counts in it.
///
/// # Errors
/// When a map cannot be written.
pub fn clear(maps: &mut Maps, bank: u8, names: &Names, functions: u32) -> Result<(), MapError> {
    let cpus = aya::util::nr_cpus().map_err(|(_, error)| MapError::IoError(error))?;
    let zero = |value| PerCpuValues::try_from(vec![value; cpus]).map_err(MapError::IoError);
    for id in std::iter::once(UNCOVERED).chain(names.conduits().map(|(id, _)| id)) {
        let values = PerCpuValues::try_from(vec![Plain([0; cell::PER_CONDUIT]); cpus]).map_err(MapError::IoError)?;
        maps.conduit_counters.set(index(bank, capacity::CONDUITS, u32::from(id)), values, 0)?;
    }
    for node in 0..functions {
        let values = PerCpuValues::try_from(vec![Plain([0; cell::PER_FUNCTION]); cpus]).map_err(MapError::IoError)?;
        maps.function_counters.set(index(bank, capacity::FUNCTIONS, node), values, 0)?;
    }
    functions::clear_others(maps, bank)?;
    for (id, _, _) in names.rules() {
        maps.rule_counters.set(index(bank, capacity::RULES, u32::from(id)), zero(0)?, 0)?;
        maps.budgets.set(index(bank, capacity::RULES, u32::from(id)), 0, 0)?;
    }
    Ok(())
}

/// Cell `place` of a bank of `capacity` cells.
pub(super) fn index(bank: u8, capacity: usize, place: u32) -> u32 {
    u32::from(bank) * u32::try_from(capacity).unwrap_or(u32::MAX) + place
}

/// What was lost, by kind of loss, see [`loss`].
///
/// # Errors
/// When the map cannot be read.
pub fn lost(maps: &Maps, what: u32) -> Result<u64, MapError> {
    debug_assert!((what as usize) < loss::COUNT);
    Ok(maps.lost.get(&what, 0)?.iter().sum())
}

/// Forgets what was found about an earlier candidate.
///
/// # Errors
/// When a map cannot be written.
pub fn clear_differences(maps: &mut Maps) -> Result<(), MapError> {
    let old: Vec<_> = maps.different.keys().filter_map(Result::ok).collect();
    for key in old {
        let _ = maps.different.remove(&key);
    }
    let cpus = aya::util::nr_cpus().map_err(|(_, error)| MapError::IoError(error))?;
    maps.compared.set(0, PerCpuValues::try_from(vec![0; cpus]).map_err(MapError::IoError)?, 0)
}
