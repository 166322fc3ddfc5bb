//! Operations of one conduit -> few rules that cover them and, but for reads of another function, nothing else.
//!
//! Ranges are one where they touch or overlap. Gaps stay, for reads as well: in the shared captures a client that reads
//! something new reads it elsewhere, not between what it read before, so closing them would open objects and spare nothing.

use std::collections::{BTreeMap, BTreeSet};

use enforcer_common::operation::Access;
use enforcer_common::protocol::Protocol;

use super::evidence::Evidence;
use super::traffic::Seen;
use crate::policy::space_name;
use crate::policy::valid::Objects;

/// A rule to be written.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub name: String,
    pub access: Access,
    pub functions: Vec<&'static str>,
    pub units: BTreeSet<u32>,
    pub objects: Option<Vec<Objects>>,
    pub evidence: Evidence,
}

/// What one function did in one unit.
#[derive(Default)]
struct Cell {
    objects: Vec<Objects>,
    evidence: Option<Evidence>,
}

/// Sorted so that classes stand together: class, then name of the function, and whether objects were named.
type Key = (Access, &'static str, bool);

/// Folds. `taken` are names of rules that the conduit has already.
pub(super) fn fold(protocol: Protocol, seen: &[&Seen], mut taken: BTreeSet<String>) -> Vec<Draft> {
    let mut cells: BTreeMap<Key, BTreeMap<u32, Cell>> = BTreeMap::new();
    for one in seen {
        let key = (one.row.access, one.row.name, one.objects.is_some());
        let cell = cells.entry(key).or_default().entry(one.unit).or_default();
        cell.objects.extend(one.objects);
        Evidence::put(&mut cell.evidence, one.evidence);
    }
    let mut drafts: Vec<Draft> = Vec::new();
    for ((access, name, _), units) in cells {
        // Units in which the function touches the same objects. All ranges of a function and unit stay in one rule:
        // one request may touch several, and one rule must cover it whole.
        let mut alike: BTreeMap<Vec<Objects>, (BTreeSet<u32>, Option<Evidence>)> = BTreeMap::new();
        for (unit, cell) in units {
            let entry = alike.entry(Objects::merged(cell.objects)).or_default();
            entry.0.insert(unit);
            if let Some(evidence) = cell.evidence {
                Evidence::put(&mut entry.1, evidence);
            }
        }
        for (objects, (units, evidence)) in alike {
            let Some(evidence) = evidence else { continue };
            let objects = (!objects.is_empty()).then_some(objects);
            join(&mut drafts, Draft { name: String::new(), access, functions: vec![name], units, objects, evidence });
        }
    }
    for draft in &mut drafts {
        draft.name = unused(&mut taken, &base_name(protocol, draft));
    }
    drafts
}

/// Puts a function into the rule that says the same of other functions, else makes one.
fn join(drafts: &mut Vec<Draft>, new: Draft) {
    let fits = |old: &&mut Draft| {
        old.access == new.access
            && old.units == new.units
            && match (&old.objects, &new.objects) {
                (None, None) => true,
                (Some(one), Some(other)) => one == other || (new.access == Access::Read && apart(one, other)),
                (None, Some(_)) | (Some(_), None) => false,
            }
    };
    match drafts.iter_mut().find(fits) {
        Some(old) => {
            old.functions.extend(new.functions);
            old.evidence.add(new.evidence);
            if let (Some(one), Some(other)) = (&mut old.objects, new.objects) {
                one.extend(other);
                *one = Objects::merged(std::mem::take(one));
            }
        }
        None => drafts.push(new),
    }
}

/// No kind of object is in both.
fn apart(one: &[Objects], other: &[Objects]) -> bool {
    one.iter().all(|one| other.iter().all(|other| one.space != other.space))
}

fn base_name(protocol: Protocol, draft: &Draft) -> String {
    match (draft.access, draft.objects.as_ref().and_then(|list| list.first())) {
        (Access::Read, _) => "poll".to_owned(),
        (Access::Write, Some(objects)) => format!("write-{}", space_name(protocol, objects.space)),
        (access, _) => access.as_str().to_owned(),
    }
}

/// `base`, with a number behind it when it is taken; notes it as taken.
pub(super) fn unused(taken: &mut BTreeSet<String>, base: &str) -> String {
    let mut name = base.to_owned();
    let mut number = 2u32;
    while !taken.insert(name.clone()) {
        name = format!("{base}-{number}");
        number = number.saturating_add(1);
    }
    name
}
