//! Changes of one field of a rule that is there.

use enforcer_common::verdict::{Reason, Verdict};

use super::super::heap::Heap;
use super::super::words::{self, span};
use super::locate::{List, entry};
use super::{Draft, Place, Splice};
use crate::policy::object_words;
use crate::policy::valid::{Conduit, Objects, Rate, Rule};

/// Widens the field that the closest rule misses by.
pub(super) fn rule(place: &Place<'_>, conduit: &Conduit, rule: &Rule, miss: Reason, heap: &Heap) -> Option<Draft> {
    let policy = &place.loaded.valid;
    let written = place.places.rule(policy, conduit, &rule.name)?;
    let (kind, key, list, new) = if miss == Reason::UnitNotAllowed {
        ("widen_units", "units", written.units.as_ref()?, vec![heap.key.unit.to_string()])
    } else if miss == Reason::ObjectNotAllowed {
        let wanted = uncovered(rule, &heap.objects);
        let new = wanted.iter().flat_map(|one| object_words(conduit.protocol, *one)).collect();
        ("widen_objects", "objects", written.objects.as_ref()?, new)
    } else if miss == Reason::ValueNotAllowed {
        let (min, max) = heap.values?;
        ("widen_values", "values", written.values.as_ref()?, vec![span(min, max)])
    } else {
        return None;
    };
    if new.is_empty() {
        return None;
    }
    let splice = longer(&place.loaded.text, list, &new);
    let old = place.loaded.text.get(list.span())?;
    let changed = old.get(..splice.at.start.checked_sub(list.span().start)?)?.to_owned() + &splice.with;
    let rest = old.get(splice.at.end.checked_sub(list.span().start)?..)?;
    let toml = format!("{key} = {changed}{rest}");
    let added = match kind {
        "widen_units" => format!("unit {}", words::some(&new)),
        "widen_values" => format!("values {}", words::some(&new)),
        _ => words::some(&new),
    };
    let text = format!("Let rule \"{}\" name {added} as well.{}", rule.name, besides(conduit, rule, kind));
    Some(Draft::new(kind, text, field(place, conduit, rule, key), toml, splice))
}

/// What a wider rule lets pass besides the group.
fn besides(conduit: &Conduit, rule: &Rule, kind: &str) -> String {
    let covers = words::rule(conduit.protocol, rule);
    match kind {
        "widen_units" => format!(" All that the rule names may then be done there too: {covers}."),
        _ if rule.single_functions().len() > 1 => format!(" It then holds for every function of the rule: {covers}."),
        _ => String::new(),
    }
}

/// A higher rate: twice as much. Which one is enough can't be read from counts.
pub(super) fn rate(place: &Place<'_>, conduit: &Conduit, rule: &Rule) -> Option<Draft> {
    let written = place.places.rule(&place.loaded.valid, conduit, &rule.name)?.rate.as_ref()?;
    let rate = rule.rate?;
    let doubled = Rate { count: rate.count.saturating_mul(2).min(1_000_000), ..rate }.text();
    let text = format!(
        "Raise the rate of rule \"{}\" from {} to {doubled}. How much is enough can't be told from counts: stage it and look again.",
        rule.name,
        rate.text()
    );
    let splice = Splice { at: written.span(), with: format!("\"{doubled}\"") };
    Some(Draft::new("raise_rate", text, field(place, conduit, rule, "rate"), format!("rate = \"{doubled}\""), splice))
}

/// Takes the group's objects out of a deny rule.
pub(super) fn narrow(place: &Place<'_>, conduit: &Conduit, rule: &Rule, heap: &Heap) -> Option<Draft> {
    let written = place.places.rule(&place.loaded.valid, conduit, &rule.name)?.objects.as_ref()?;
    let mut left = rule.objects.clone()?;
    for gone in &heap.objects {
        left = left.iter().flat_map(|one| without(*one, *gone)).collect();
    }
    if left.is_empty() || rule.action != Verdict::Deny {
        return None;
    }
    let words: Vec<String> = left.iter().flat_map(|one| object_words(conduit.protocol, *one)).collect();
    let list = array(&words);
    let text = format!(
        "Take {} out of deny rule \"{}\". Somebody forbade it in so many words: ask before you do.",
        words::some(&words::objects(&heap.key, &heap.objects)),
        rule.name
    );
    let toml = format!("objects = {list}");
    let splice = Splice { at: written.span(), with: list };
    Some(Draft::new("narrow_deny", text, field(place, conduit, rule, "objects"), toml, splice))
}

/// Where a field of a rule stands, in words.
fn field(place: &Place<'_>, conduit: &Conduit, rule: &Rule, key: &str) -> String {
    let holder = match entry(&place.loaded.valid, conduit) {
        Some(_) => format!("the [[ethernet]] entry of line {}", conduit.line),
        None => format!("conduit \"{}\"", conduit.name),
    };
    format!("in {holder}, rule \"{}\" (line {}), in place of its {key}", rule.name, rule.line)
}

/// What the rule does not cover of these.
fn uncovered(rule: &Rule, wanted: &[Objects]) -> Vec<Objects> {
    let mut left = wanted.to_vec();
    for known in rule.objects.iter().flatten() {
        left = left.iter().flat_map(|one| without(*one, *known)).collect();
    }
    left
}

/// The parts of `one` that are not in `gone`.
fn without(one: Objects, gone: Objects) -> Vec<Objects> {
    if one.space != gone.space || one.last < gone.first || gone.last < one.first {
        return vec![one];
    }
    let before = gone.first.checked_sub(1).filter(|last| *last >= one.first);
    let behind = gone.last.checked_add(1).filter(|first| *first <= one.last);
    let before = before.map(|last| Objects { last, ..one });
    before.into_iter().chain(behind.map(|first| Objects { first, ..one })).collect()
}

/// Adds entries to a list, behind its last one. It keeps its form.
fn longer(text: &str, list: &List, new: &[String]) -> Splice {
    let words: Vec<String> = new.iter().map(|word| quoted(word)).collect();
    match list.get_ref().last() {
        Some(last) => Splice { at: last.span().end..last.span().end, with: format!(", {}", words.join(", ")) },
        // An empty list is no policy; it is replaced all the same.
        None => Splice { at: list.span().start..list.span().end.min(text.len()), with: array(new) },
    }
}

/// A list of texts as TOML has it.
pub(super) fn array<T: AsRef<str>>(words: &[T]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word.as_ref())).collect();
    format!("[{}]", words.join(", "))
}

/// A text as TOML has it.
pub(super) fn quoted(word: &str) -> String {
    toml::Value::String(word.to_owned()).to_string()
}
