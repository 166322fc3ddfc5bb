//! From a validated policy to the image that judges packets, and the names that lead back from its numbers.
//!
//! Enters: a [`Policy`]. Leaves: one whole [`Image`]. Nothing is decided here that validation could have decided; what
//! can still go wrong is that the policy is larger than the image.

mod addresses;
mod names;
mod pieces;
mod pool;
mod rules;
mod services;

pub use names::Names;

use enforcer_common::abi;
use enforcer_common::policy::{self as image, ALL_VALUES, Image, NO_VALUES, Run, UNCOVERED, capacity};
use enforcer_common::verdict::{Reason, Verdict};

use super::names::inspected;
use super::valid::{Conduit, Party, Policy};
use crate::document::{Errors, Problem};

/// One generation, ready to be published.
#[derive(Debug)]
pub struct Compiled {
    pub image: Box<Image>,
    pub names: Names,
}

/// Builds the image of `generation` (from 1), which counts in `bank` (0 or 1, alternating).
///
/// The errors name what does not fit, with the line of the conduit or rule where there is one.
pub fn compile(policy: &Policy, generation: u32, bank: u8) -> Result<Compiled, Errors> {
    let fail = |full: Full| Errors::from(Problem { file: policy.file.clone(), line: full.line, cause: full.cause });
    let mut image = empty_image();
    image.header.layout = abi::LAYOUT;
    image.header.generation = generation;
    image.header.bank = bank;
    image.header.uncovered = match policy.default {
        Verdict::Allow => Reason::UncoveredAllow,
        Verdict::Log => Reason::UncoveredLog,
        Verdict::Deny => Reason::UncoveredDeny,
    } as u8;
    image.header.fragments = match policy.fragments {
        Verdict::Allow | Verdict::Log => Reason::FragmentAllow,
        Verdict::Deny => Reason::Fragment,
    } as u8;
    image.header.ip_options = match policy.ip_options {
        Verdict::Allow | Verdict::Log => 1,
        Verdict::Deny => 0,
    };
    image.header.on_unsynchronised = policy.on_unsynchronised as u8;

    addresses::fill(policy, &mut image).map_err(fail)?;
    services::fill(policy, &mut image).map_err(fail)?;
    rules::fill(policy, &mut image).map_err(fail)?;
    Ok(Compiled { image, names: Names::of(policy) })
}

/// An image of zeroes on the heap; it is too large for a stack.
pub fn empty_image() -> Box<Image> {
    let zeroes = Box::<Image>::new_zeroed();
    // SAFETY: `Image` holds integers and arrays of structs of integers only, for which all bits zero is a value.
    unsafe { zeroes.assume_init() }
}

/// What did not fit. `line` is 0 for the policy as a whole.
#[derive(Debug)]
struct Full {
    line: usize,
    cause: String,
}

impl Full {
    /// `what` in the plural, such as "zone pairs".
    fn of(what: &str, capacity: usize) -> Self {
        Self {
            line: 0,
            cause: format!("the policy is too large: it needs more than the {capacity} {what} that there is room for"),
        }
    }

    fn at(self, line: usize) -> Self {
        Self { line, ..self }
    }
}

/// Zone id of one end of a conduit: 0 for any, the named zones from 1 in the order of the file.
fn zone_id(party: Party) -> u16 {
    match party {
        Party::Any => image::ANY_ZONE,
        Party::Zone(index) => u16::try_from(index.saturating_add(1)).unwrap_or(u16::MAX),
    }
}

/// Conduit id: 0 is traffic that none covers, then the order of the file.
fn conduit_id(index: usize) -> Result<u16, Full> {
    let id = index.saturating_add(1).saturating_add(usize::from(UNCOVERED));
    u16::try_from(id)
        .ok()
        .filter(|id| usize::from(*id) < capacity::CONDUITS)
        .ok_or(Full::of("conduits", capacity::CONDUITS - 1))
}

/// The first and the last object at whose values some rule of the conduit looks: the dissector decodes no others.
fn valued(conduit: &Conduit) -> [u32; 2] {
    let looks = |rule: &&super::valid::Rule| rule.values.is_some() || rule.max_step.is_some();
    let rules = conduit.rules.iter().filter(|rule| inspected(conduit.protocol) && looks(rule));
    rules.fold(NO_VALUES, |[first, last], rule| match &rule.objects {
        None => ALL_VALUES,
        Some(objects) => objects
            .iter()
            .fold([first, last], |[first, last], objects| [first.min(objects.first), last.max(objects.last)]),
    })
}

/// Copies `rows` to the front of a table of the image.
fn place<T: Copy>(table: &mut [T], rows: &[T], what: &str) -> Result<Run, Full> {
    let capacity = table.len();
    let target = table.get_mut(..rows.len()).ok_or_else(|| Full::of(what, capacity))?;
    target.copy_from_slice(rows);
    let count = u32::try_from(rows.len()).map_err(|_| Full::of(what, capacity))?;
    Ok(Run { first: 0, count })
}

#[cfg(test)]
mod tests;
