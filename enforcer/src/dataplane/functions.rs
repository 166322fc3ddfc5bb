//! Counters by function.
//!
//! The kernel counts in two places: a cell per function that the policy names, and a table for everything else. The table
//! has an end; what finds no room is counted as lost, and the conduit's counters have it all the same.

use std::collections::BTreeMap;

use aya::maps::MapError;
use enforcer_common::abi::cell;
use enforcer_common::policy::image::ANY_FUNCTION;
use enforcer_common::policy::{UNCOVERED, capacity};
use enforcer_common::protocol::Protocol;
use enforcer_common::verdict::Reason;

use super::counters::index;
use super::maps::Maps;
use super::plain::Plain;
use crate::policy::Compiled;

/// Functions that are told apart over all generations; of more than that the rest is one, [`REST`]. A sender can make up
/// functions, and each change of policy would bring as many again.
const MOST: usize = 16_384;

/// What functions are called that are too many.
pub const REST: &str = "@rest";

/// What was done with a function.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Conduit; "" for none.
    pub conduit: String,
    /// The standard's name or number; `@any` for what a rule for every function decided.
    pub function: String,
    pub reason: Reason,
    /// Carried out, not only judged.
    pub acted: bool,
}

/// Operations by function.
pub type Functions = BTreeMap<Key, u64>;

/// Adds what the generation of `compiled` has counted.
///
/// # Errors
/// When a map cannot be read.
pub fn add(functions: &mut Functions, maps: &Maps, compiled: &Compiled) -> Result<(), MapError> {
    let (names, image) = (&compiled.names, &compiled.image);
    let bank = image.header.bank;
    for (id, name) in names.conduits() {
        let Some(run) = image.conduits.get(usize::from(id)).map(|conduit| conduit.functions) else { continue };
        for node in run.first..run.first.saturating_add(run.count) {
            let Some(entry) = image.functions.get(node as usize) else { continue };
            let cells = maps.function_counters.get(&index(bank, capacity::FUNCTIONS, node), 0)?;
            for (reason, acted) in cell::NODE_REASONS.into_iter().flat_map(|reason| [(reason, false), (reason, true)]) {
                let Some(place) = cell::of_function(reason, acted) else { continue };
                let count: u64 = cells.iter().filter_map(|Plain(cpu)| cpu.get(place)).sum();
                let function = label(names.protocol(id), entry.function);
                put(functions, Key { conduit: name.to_owned(), function, reason, acted }, count);
            }
        }
    }
    for entry in maps.other_functions.iter() {
        let (Plain(key), cells) = entry?;
        let Some(reason) = Reason::from_code(key.reason).filter(|_| key.flags >> 1 == bank) else { continue };
        let conduit = names.conduit(key.conduit).unwrap_or_default().to_owned();
        let function = label(names.protocol(key.conduit).filter(|_| key.conduit != UNCOVERED), key.function);
        put(functions, Key { conduit, function, reason, acted: key.flags & 1 != 0 }, cells.iter().sum());
    }
    Ok(())
}

/// Adds to a count; to that of the rest when there are too many.
pub fn put(functions: &mut Functions, mut key: Key, count: u64) {
    if count == 0 {
        return;
    }
    if functions.len() >= MOST && !functions.contains_key(&key) {
        REST.clone_into(&mut key.function);
    }
    *functions.entry(key).or_default() += count;
}

/// Takes a bank's entries out of the table, before a generation counts in it.
///
/// # Errors
/// When the map cannot be read.
pub fn clear_others(maps: &mut Maps, bank: u8) -> Result<(), MapError> {
    let keys: Result<Vec<_>, _> = maps.other_functions.keys().collect();
    for key in keys?.into_iter().filter(|key| key.0.flags >> 1 == bank) {
        maps.other_functions.remove(&key)?;
    }
    Ok(())
}

/// What a function is called in a conduit of this protocol: the standard's name; the number as a policy writes it where it
/// has none.
fn label(protocol: Option<Protocol>, function: u32) -> String {
    if function == ANY_FUNCTION {
        return "@any".to_owned();
    }
    let number = Protocol::standard(function);
    let inner = protocol.and_then(|outer| {
        outer.tables().inner.iter().copied().find(|inner| function != number && inner.within(number) == function)
    });
    let rows =
        || inner.or(protocol).into_iter().flat_map(|spoken| spoken.tables().functions).filter(|row| row.code == number);
    match (rows().find(|row| row.object.is_none()).or_else(|| rows().next()), inner) {
        (Some(row), _) => row.name.to_owned(),
        (None, Some(inner)) => format!("{}:{number}", inner.as_str()),
        (None, None) => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use enforcer_common::policy::image::ANY_FUNCTION;
    use enforcer_common::protocol::Protocol;
    use enforcer_common::verdict::Reason;

    use super::{Functions, Key, MOST, REST, label, put};

    #[test]
    fn functions_are_called_as_in_a_policy() {
        let modbus = Some(Protocol::Modbus);
        assert_eq!(label(modbus, 6), "write_single_register");
        assert_eq!(label(modbus, 200), "200");
        assert_eq!(label(modbus, ANY_FUNCTION), "@any");
        assert_eq!(label(modbus, Protocol::Umas.within(0xEE)), "umas:238");
        let umas = Protocol::Umas.tables().functions.first().expect("a function");
        assert_eq!(label(modbus, Protocol::Umas.within(umas.code)), umas.name);
        assert_eq!(label(None, 7), "7");
    }

    #[test]
    fn too_many_functions_become_one_and_the_sum_stays() {
        let mut functions = Functions::new();
        let total = MOST as u64 + 100;
        for number in 0..total {
            let key = Key {
                conduit: "c".into(),
                function: number.to_string(),
                reason: Reason::FunctionNotAllowed,
                acted: true,
            };
            put(&mut functions, key, 1);
        }
        assert_eq!(functions.len(), MOST + 1);
        assert_eq!(functions.values().sum::<u64>(), total);
        let rest = functions.iter().find(|(key, _)| key.function == REST).map(|(_, count)| *count);
        assert_eq!(rest, Some(100));
    }
}
