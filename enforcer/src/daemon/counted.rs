//! What earlier generations counted, kept over a restart of the controller: counters go on as long as the kernel's tables
//! are the same.
//!
//! A file in the state directory says what had been counted when the generation in force came, and which policy that is; the
//! kernel has the rest. It is written when a generation comes. It need not survive a power loss: the tables don't.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use aya::maps::MapError;
use enforcer_common::abi::cell;
use enforcer_common::verdict::Reason;
use serde::{Deserialize, Serialize};

use super::InForce;
use super::memory::Applied;
use crate::dataplane::counters::Totals;
use crate::dataplane::functions;
use crate::dataplane::maps::Maps;
use crate::policy::{self, Compiled};

const FILE: &str = "counters.json";

/// The file.
#[derive(Serialize, Deserialize)]
struct Kept {
    schema: u32,
    /// Which tables the counts are of.
    epoch: u64,
    generation: u32,
    bank: u8,
    policy: Applied,
    /// By conduit and code of the reason: reported, carried out.
    conduits: BTreeMap<String, BTreeMap<u8, [u64; 2]>>,
    rules: Vec<(String, String, u64)>,
    functions: Vec<(String, String, u8, bool, u64)>,
}

/// What an earlier controller left: the totals before its last generation, and what that one counts by.
pub(super) struct Before {
    compiled: Compiled,
    past: Totals,
}

impl Before {
    pub(super) fn bank(&self) -> u8 {
        self.compiled.image.header.bank
    }

    /// All that was counted before this generation, which is in force.
    pub(super) fn until(self, maps: &Maps, generation: u32) -> Result<Totals, MapError> {
        if self.compiled.image.header.generation == generation { Ok(self.past) } else { self.count(maps) }
    }

    /// All that was counted until now.
    pub(super) fn count(mut self, maps: &Maps) -> Result<Totals, MapError> {
        self.past.add_generation(maps, &self.compiled)?;
        Ok(self.past)
    }
}

/// Keeps what was counted before the policy in force. Before the memory is, so that it never names an older generation.
pub(super) fn keep(directory: &Path, epoch: u64, policy: &InForce, past: &Totals) {
    if let Err(error) = store(directory, epoch, policy, past) {
        tracing::warn!(%error, "the counters will begin anew at the next start");
    }
}

fn store(directory: &Path, epoch: u64, policy: &InForce, past: &Totals) -> io::Result<()> {
    let header = &policy.compiled.image.header;
    let conduits = past.conduits.iter().map(|(name, cells)| {
        let read = |reason: Reason, acted| cells.get(cell::of_conduit(reason, acted)).copied().unwrap_or_default();
        let pairs = Reason::ALL.iter().map(|one| (*one as u8, [read(*one, false), read(*one, true)]));
        (name.clone(), pairs.filter(|(_, pair)| *pair != [0, 0]).collect())
    });
    let kept = Kept {
        schema: 1,
        epoch,
        generation: header.generation,
        bank: header.bank,
        policy: Applied { name: policy.name.clone(), text: policy.loaded.text.clone() },
        conduits: conduits.collect(),
        rules: past.rules.iter().map(|((conduit, rule), count)| (conduit.clone(), rule.clone(), *count)).collect(),
        functions: past
            .functions
            .iter()
            .map(|(key, count)| (key.conduit.clone(), key.function.clone(), key.reason as u8, key.acted, *count))
            .collect(),
    };
    let (path, beside) = (directory.join(FILE), directory.join("counters.json.new"));
    fs::write(&beside, serde_json::to_vec(&kept)?)?;
    fs::rename(&beside, &path)
}

/// What an earlier controller left, if its counts are of these tables.
pub(super) fn load(directory: &Path, epoch: u64) -> Option<Before> {
    let kept: Kept = serde_json::from_slice(&fs::read(directory.join(FILE)).ok()?).ok()?;
    if kept.schema != 1 || kept.epoch != epoch {
        return None;
    }
    let loaded = policy::parse(&kept.policy.name, &kept.policy.text).ok()?;
    let compiled = policy::compile(&loaded.valid, kept.generation, kept.bank).ok()?;
    let mut past = Totals::default();
    for (name, reasons) in kept.conduits {
        let cells = past.conduits.entry(name).or_insert_with(|| Box::new([0; cell::PER_CONDUIT]));
        for (code, pair) in reasons {
            let Some(reason) = Reason::from_code(code) else { continue };
            for (acted, count) in [false, true].into_iter().zip(pair) {
                if let Some(cell) = cells.get_mut(cell::of_conduit(reason, acted)) {
                    *cell = count;
                }
            }
        }
    }
    past.rules = kept.rules.into_iter().map(|(conduit, rule, count)| ((conduit, rule), count)).collect();
    for (conduit, function, code, acted, count) in kept.functions {
        if let Some(reason) = Reason::from_code(code) {
            functions::put(&mut past.functions, functions::Key { conduit, function, reason, acted }, count);
        }
    }
    Some(Before { compiled, past })
}
