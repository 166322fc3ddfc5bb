//! What a policy says about one operation, and why.
//!
//! The core judges, on the compiled image. Which rule came closest is found with the core as well: each rule is compiled
//! alone, and the rule whose own refusal came latest in the core's order (function, unit, object, value) was closest.

use std::fmt;
use std::net::IpAddr;

use enforcer_common::network::protocol as ip;
use enforcer_common::operation::{Access, NO_OBJECT, Operation};
use enforcer_common::policy::UNCOVERED;
use enforcer_common::protocol::Protocol;
use enforcer_common::verdict::{Reason, Verdict};
use serde::Serialize;

use super::super::names::{self, inspected, operation_code, rows};
use super::super::trial::{self, Outcome};
use super::super::valid::{Conduit, Function, Objects, Party, Policy, Rule};
use super::super::{Compiled, compile, range};
use super::describe::{function_words, object_words, place_words};

/// An operation that somebody asks about.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Question {
    /// Who opens the conversation.
    pub from: IpAddr,
    pub to: IpAddr,
    /// Policy name; `None` takes the first inspected protocol that knows the function.
    pub protocol: Option<String>,
    /// `None` takes the protocol's own.
    pub port: Option<u16>,
    /// A datagram instead of a TCP conversation.
    pub udp: bool,
    /// A name of the standard or a number.
    pub function: String,
    pub unit: Option<u32>,
    /// Such as `holding:41`; several are ranges of one request (first read, then written, for functions with two).
    pub objects: Vec<String>,
    /// `1200`, or `0-1200` for several values.
    pub value: Option<String>,
}

/// The verdict with its reasons; `Display` gives it in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    pub verdict: &'static str,
    pub reason: &'static str,
    pub conduit: Option<String>,
    pub rule: Option<String>,
    /// The allow or log rule that came closest, when none covers the operation.
    pub closest: Option<String>,
    /// One sentence each.
    pub why: Vec<String>,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.verdict, self.reason)?;
        for sentence in &self.why {
            write!(f, "\n  {sentence}")?;
        }
        Ok(())
    }
}

/// Judges the operation. The error is one sentence about the question.
pub fn answer(policy: &Policy, compiled: &Compiled, question: &Question) -> Result<Answer, String> {
    let asked = asked_protocol(question)?;
    let port = match (question.port, asked.ports()) {
        (Some(port), _) => port,
        (None, [port, ..]) => *port,
        (None, []) if asked == Protocol::Ip => {
            return Err("give the number of the IP protocol as the port".to_owned());
        }
        (None, []) => return Err(format!("protocol \"{}\" has no port of its own; give one", asked.as_str())),
    };
    let (transport, service) = if asked == Protocol::Ip {
        (u8::try_from(port).map_err(|_| format!("{port} is no IP protocol; possible are 1 to 255"))?, None)
    } else {
        (if question.udp { ip::UDP } else { ip::TCP }, Some(port))
    };
    let id = trial::conduit(&compiled.image, question.from, question.to, transport, service.unwrap_or(0));
    let line = format!(
        "from {} to {}, {}{}",
        place_words(policy, question.from),
        place_words(policy, question.to),
        names::transport_name(transport),
        service.map(|port| format!(" port {port}")).unwrap_or_default()
    );
    let Some(conduit) = conduit_of(policy, id) else {
        if service.is_none() {
            let why = vec![format!("{line}: no conduit carries this, and what is inside cannot be inspected")];
            return Ok(plain(Reason::UnknownTransport, None, why));
        }
        let reason = compiled.image.uncovered();
        let why =
            vec![format!("{line}: no conduit covers this, and the policy's default is {}", policy.default.as_str())];
        return Ok(plain(reason, None, why));
    };
    let name = Some(conduit.name.clone());
    if !inspected(conduit.protocol) {
        let why = vec![format!(
            "{line}: conduit \"{}\" passes {} without inspection",
            conduit.name,
            conduit.protocol.as_str()
        )];
        return Ok(plain(Reason::Conduit, name, why));
    }
    let parts = operations(conduit.protocol, question)?;
    let Some(outcome) = trial::judge(&compiled.image, id, &parts) else {
        return Err("these are more object ranges than one request can have".to_owned());
    };
    let mut answer = plain(outcome.reason, name, vec![format!("{line}: conduit \"{}\"", conduit.name)]);
    answer.why.push(request_words(conduit.protocol, &parts));
    answer.rule = outcome.rule.and_then(|rule| compiled.names.rule(rule)).map(str::to_owned);
    match &answer.rule {
        Some(rule) => {
            let line = conduit.rules.iter().find(|candidate| candidate.name == *rule).map_or(0, |rule| rule.line);
            let verb = if outcome.reason.verdict() == Verdict::Deny { "touches it" } else { "covers it" };
            answer.why.push(format!("rule \"{rule}\" (line {line}) {verb}: {}", answer.verdict));
        }
        None => {
            let (closest, sentence) = closest(policy, conduit, &parts);
            answer.closest = closest;
            answer.why.push(sentence);
        }
    }
    Ok(answer)
}

fn plain(reason: Reason, conduit: Option<String>, why: Vec<String>) -> Answer {
    Answer { verdict: reason.verdict().as_str(), reason: reason.as_str(), conduit, rule: None, closest: None, why }
}

fn conduit_of(policy: &Policy, id: u16) -> Option<&Conduit> {
    let index = id.checked_sub(UNCOVERED)?.checked_sub(1)?;
    policy.conduits.get(usize::from(index))
}

fn asked_protocol(question: &Question) -> Result<Protocol, String> {
    match &question.protocol {
        Some(name) => names::protocol(name),
        None => {
            let mut all = Protocol::ALL.iter().copied().filter(|protocol| inspected(*protocol));
            let knows = |protocol: &Protocol| names::functions(*protocol, &question.function).is_ok();
            all.clone().find(knows).or_else(|| all.next()).ok_or_else(|| "no protocol is inspected".to_owned())
        }
    }
}

/// The operations of the request that the question describes, one per object range.
fn operations(protocol: Protocol, question: &Question) -> Result<Vec<Operation>, String> {
    let Some(function) = names::function(protocol, &question.function)? else {
        return Err(format!("\"{}\" is a class; name one function", question.function));
    };
    let last = protocol.tables().last_unit;
    // Who says nothing means the usual one, where the protocol has units.
    let unit = question.unit.unwrap_or(last.min(1));
    if unit > last {
        return Err(format!("unit {unit} is out of range; possible are 0 to {last}"));
    }
    let mut objects: Vec<Option<Objects>> = Vec::new();
    for text in &question.objects {
        objects.extend(super::super::objects::parse(protocol, text)?.into_iter().map(Some));
    }
    if objects.is_empty() {
        objects.push(function.own);
    }
    let value = question.value.as_deref().map(|text| range::parse(text, i64::MIN, i64::MAX)).transpose()?;
    let count = objects.len();
    let parts = objects.iter().enumerate().map(|(index, objects)| {
        let mut operation = Operation { function: function.code, unit, protocol: protocol as u8, ..Operation::EMPTY };
        operation.access = access(protocol, function, *objects) as u8;
        if let Some(objects) = objects {
            (operation.space, operation.first, operation.last) = (objects.space, objects.first, objects.last);
        }
        if count > 1 && index == 0 && reads_first_range(protocol, function.code) {
            operation.access = Access::Read as u8;
        } else if let Some((min, max)) = value {
            (operation.value_min, operation.value_max) = (min, max);
            operation.flags |= Operation::HAS_VALUE;
        }
        operation
    });
    Ok(parts.collect())
}

/// Functions that read their first range and write the second, in one request.
fn reads_first_range(protocol: Protocol, code: u32) -> bool {
    protocol.tables().reads_then_writes.contains(&code)
}

/// The class of a function on these objects, from the protocol's table.
fn access(protocol: Protocol, function: Function, objects: Option<Objects>) -> Access {
    let of_code =
        || rows(protocol).filter(|(of, row)| operation_code(*of, row.code) == function.code).map(|(_, row)| row);
    let divided = objects.and_then(|objects| {
        of_code().find(|row| {
            row.object
                .is_some_and(|own| own.space == objects.space && own.first <= objects.first && objects.last <= own.last)
        })
    });
    let whole = || of_code().find(|row| row.object.is_none());
    divided.or_else(whole).map_or(Access::Unknown, |row| row.access)
}

fn request_words(protocol: Protocol, parts: &[Operation]) -> String {
    let Some(first) = parts.first() else { return String::new() };
    let mut words =
        vec![function_words(protocol, Function { code: first.function, own: None }), format!("unit {}", first.unit)];
    for part in parts {
        if part.space != NO_OBJECT {
            let objects = Objects { space: part.space, first: part.first, last: part.last };
            words.push(object_words(protocol, objects));
        }
        if part.has(Operation::HAS_VALUE) {
            let (min, max) = (part.value_min, part.value_max);
            words.push(if min == max { format!("value {min}") } else { format!("values {min} to {max}") });
        }
    }
    format!("request: {}", words.join(", "))
}

/// The allow or log rule that came closest to covering an operation.
#[derive(Clone, Copy, Debug)]
pub struct Nearest<'p> {
    pub rule: &'p Rule,
    /// Why it does not cover the operation: unit, object or value not allowed. `RuleAllow` or `RuleLog` where it does, and
    /// another rule denies.
    pub miss: Reason,
}

/// Each allow and log rule is compiled alone and put before the core: the one whose refusal came latest in the core's
/// order was closest. `None` when no rule names the function.
pub fn nearest<'p>(policy: &Policy, conduit: &'p Conduit, parts: &[Operation]) -> Option<Nearest<'p>> {
    let mut best: Option<(u8, Nearest<'p>)> = None;
    // The conduit is chosen already; without zones a policy of one rule is small.
    let (zones, devices, ethernet, conduits) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let name = (policy.file.clone(), policy.name.clone());
    let mut single = Policy { file: name.0, name: name.1, zones, devices, ethernet, conduits, ..*policy };
    for rule in conduit.rules.iter().filter(|rule| rule.action != Verdict::Deny) {
        let any = vec![Party::Any];
        let name = conduit.name.clone();
        let rules = vec![rule.clone()];
        single.conduits = vec![Conduit { name, from: any.clone(), to: any, ports: Vec::new(), rules, ..*conduit }];
        let Ok(compiled) = compile(&single, 1, 0) else { continue };
        let Some(Outcome { reason, .. }) = trial::judge(&compiled.image, UNCOVERED.saturating_add(1), parts) else {
            continue;
        };
        // What covers it came nearer than any refusal.
        let rank = if reason.verdict() == Verdict::Deny { reason as u8 } else { u8::MAX };
        let nearer = best.is_none_or(|(before, _)| rank > before);
        if reason != Reason::FunctionNotAllowed && nearer {
            best = Some((rank, Nearest { rule, miss: reason }));
        }
    }
    best.map(|(_, nearest)| nearest)
}

/// The rule that came closest and a sentence about it; only the sentence when no rule names the function.
fn closest(policy: &Policy, conduit: &Conduit, parts: &[Operation]) -> (Option<String>, String) {
    let Some(Nearest { rule, miss }) = nearest(policy, conduit, parts) else {
        return (None, "no rule names this function".to_owned());
    };
    let miss = if miss == Reason::UnitNotAllowed {
        "names the function, but not this unit"
    } else if miss == Reason::ObjectNotAllowed {
        "names the function and the unit, but does not cover all objects"
    } else {
        "covers the objects, but not the values"
    };
    (Some(rule.name.clone()), format!("closest is rule \"{}\" (line {}): it {miss}", rule.name, rule.line))
}
