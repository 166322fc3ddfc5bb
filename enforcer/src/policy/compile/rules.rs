//! Rules: conduit -> function -> unit -> object segment -> candidates, and denied ranges beside them.
//!
//! Each level is cut at every place where some rule begins or ends, so that the search finds the one piece an operation
//! starts in, and all rules of that piece cover the start.

use std::collections::BTreeSet;

use enforcer_common::policy::{self as image, ANY_FUNCTION, Image, UNCOVERED, capacity};
use enforcer_common::verdict::{Mode, Verdict};

use super::super::valid::{Conduit, Function, Objects, Policy, Rate, Rule, Segmentation};
use super::pieces::{Scope, Tables};
use super::{Full, conduit_id, place, valued};

pub(super) fn fill(policy: &Policy, image: &mut Image) -> Result<(), Full> {
    let mut tables = Tables::new();
    let mut functions: Vec<image::Function> = Vec::new();
    let mut rules: Vec<image::Rule> = Vec::new();

    if let Some(uncovered) = image.conduits.get_mut(usize::from(UNCOVERED)) {
        uncovered.mode = Mode::Enforce as u8;
    }
    for (index, conduit) in policy.conduits.iter().enumerate() {
        let at = |full: Full| full.at(conduit.line);
        let id = conduit_id(index).map_err(at)?;
        let mut numbered: Vec<(u16, &Rule)> = Vec::new();
        for rule in &conduit.rules {
            let too_many = || Full::of("rules", capacity::RULES).at(rule.line);
            let number = u16::try_from(rules.len()).map_err(|_| too_many())?;
            if rules.len() >= capacity::RULES {
                return Err(too_many());
            }
            rules.push(record(rule, id));
            numbered.push((number, rule));
        }
        let nodes = nodes(conduit, &numbered, &mut tables).map_err(at)?;
        let first = u32::try_from(functions.len()).unwrap_or(u32::MAX);
        let count = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
        functions.extend(nodes);
        if functions.len() > capacity::FUNCTIONS {
            return Err(at(Full::of("functions", capacity::FUNCTIONS)));
        }
        if let Some(entry) = image.conduits.get_mut(usize::from(id)) {
            *entry = image::Conduit {
                functions: if count == 0 { image::Run::default() } else { image::Run { first, count } },
                protocol: conduit.protocol as u8,
                mode: conduit.mode as u8,
                on_deny: conduit.on_deny as u8,
                stream: u8::from(conduit.segmentation == Segmentation::Stream),
                valued: valued(conduit),
            };
        }
    }
    place(&mut image.rules, &rules, "rules")?;
    place(&mut image.functions, &functions, "functions")?;
    tables.place(image)
}

/// What a rule says beside its ranges.
fn record(rule: &Rule, conduit: u16) -> image::Rule {
    let (interval, burst) = match rule.rate {
        Some(Rate { count, period }) => (period.checked_div(u64::from(count)).unwrap_or(0), count),
        None => (0, 0),
    };
    let max_step = rule.max_step.map_or(0, |step| step.saturating_add(1));
    image::Rule { interval, burst, conduit, padding: 0, max_step, padding2: 0 }
}

/// The function nodes of a conduit: one for each number that some rule names, and one for all others behind them when
/// some rule says `@any`.
fn nodes(conduit: &Conduit, rules: &[(u16, &Rule)], tables: &mut Tables) -> Result<Vec<image::Function>, Full> {
    let functions: Vec<(u16, &Rule, Vec<Option<Function>>)> =
        rules.iter().map(|(id, rule)| (*id, *rule, rule.single_functions())).collect();
    let entries = || functions.iter().flat_map(|(_, _, list)| list);
    let mut codes: BTreeSet<u32> = entries().flatten().map(|function| function.code).collect();
    if entries().any(Option::is_none) {
        codes.insert(ANY_FUNCTION);
    }
    let narrows = conduit.protocol.tables().rows_of_objects;
    let mut nodes = Vec::new();
    for code in codes {
        let scopes: Vec<Scope<'_>> = functions
            .iter()
            .filter_map(|(id, rule, list)| {
                let objects = objects_for(rule, list, code, narrows)?;
                Some(Scope { id: *id, rule, objects })
            })
            .collect();
        let units = tables.units(&scopes).map_err(|full| explain(full, conduit, code))?;
        nodes.push(image::Function { function: code, units });
    }
    Ok(nodes)
}

/// On which objects a rule applies to a function: `None` when not at all, `Some(None)` on any and without object, else on
/// these, merged. `narrows`: the objects of a function itself are narrowed by those of the rule.
fn objects_for(rule: &Rule, functions: &[Option<Function>], code: u32, narrows: bool) -> Option<Option<Vec<Objects>>> {
    let mut found = false;
    let mut list: Vec<Objects> = Vec::new();
    for entry in functions {
        match entry {
            Some(function) if function.code != code => continue,
            Some(Function { own: Some(own), .. }) => match &rule.objects {
                Some(objects) if narrows => list.extend(objects.iter().filter_map(|one| one.within(own))),
                Some(_) | None => list.push(*own),
            },
            Some(Function { own: None, .. }) | None => match &rule.objects {
                None => return Some(None),
                Some(objects) => list.extend_from_slice(objects),
            },
        }
        found = true;
    }
    found.then(|| Some(Objects::merged(list)))
}

/// Says at which function a piece became too full.
fn explain(full: Full, conduit: &Conduit, code: u32) -> Full {
    let function = match code {
        ANY_FUNCTION => "@any".to_owned(),
        code => match super::super::function_name(conduit.protocol, Function { code, own: None }) {
            Some(name) => name.to_owned(),
            None => code.to_string(),
        },
    };
    Full { cause: format!("conduit \"{}\", function {function}: {}", conduit.name, full.cause), ..full }
}

/// True for rules that give candidates, false for those that give denials.
pub(super) fn passes(rule: &Rule) -> bool {
    match rule.action {
        Verdict::Allow | Verdict::Log => true,
        Verdict::Deny => false,
    }
}
