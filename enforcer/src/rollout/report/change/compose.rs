//! New entries of a policy: a rule, a conduit with its zones, an `[[ethernet]]` entry.

use std::collections::BTreeSet;
use std::net::IpAddr;

use enforcer_common::network::protocol as ip;
use enforcer_common::operation::{Access, NO_FUNCTION};
use enforcer_common::protocol::Protocol;

use super::super::heap::{Heap, address, protocol};
use super::super::model::Piece;
use super::super::words;
use super::locate::{end_of, entry, zones};
use super::widen::{array, quoted};
use super::{Draft, Place, Splice};
use crate::policy::valid::{Conduit, Objects};
use crate::policy::{ethertype_name, object_words};

/// A rule for exactly the group, in the conduit that carries it.
pub(super) fn rule(place: &Place<'_>, conduit: &Conduit, heap: &Heap) -> Option<Draft> {
    let policy = &place.loaded.valid;
    let (table, holder) = match entry(policy, conduit) {
        Some(_) => ("ethernet", format!("the [[ethernet]] entry of line {}", conduit.line)),
        None => ("conduits", format!("conduit \"{}\"", conduit.name)),
    };
    let taken = conduit.rules.iter().map(|rule| rule.name.clone()).collect();
    let name = unused(taken, &base(heap));
    let toml = rule_text(table, conduit.protocol, &name, heap)?;
    let at = end_of(&place.loaded.text, conduit.line);
    let last = conduit.rules.last().map_or(conduit.line, |rule| rule.line);
    let text = format!("Add a rule for exactly this to {holder}.{}", any_object(heap));
    let splice = insert(&place.loaded.text, at, &toml);
    Some(Draft::new(
        "new_rule",
        text,
        format!("at the end of {holder}, behind its last rule (line {last})"),
        toml,
        splice,
    ))
}

/// A conduit for the pair, with the zones that are missing.
pub(super) fn conduit(place: &Place<'_>, heap: &Heap) -> Option<Draft> {
    let policy = &place.loaded.valid;
    let key = &heap.key;
    let (client, server) = (address(key.client), address(key.server));
    let mut taken: BTreeSet<String> = policy.zones.iter().map(|zone| zone.name.clone()).collect();
    taken.insert("any".to_owned());
    let mut missing = Vec::new();
    let mut zone = |address: IpAddr| {
        if let Some(known) = words::zone(policy, address) {
            return known.to_owned();
        }
        let name = unused(taken.clone(), &format!("station-{}", address.to_string().replace(['.', ':'], "-")));
        taken.insert(name.clone());
        missing.push((name.clone(), address));
        name
    };
    let from = zone(client);
    let to = if client == server { from.clone() } else { zone(server) };
    let (protocol, own_port) = carried(heap)?;
    let names: BTreeSet<String> = policy.conduits.iter().map(|conduit| conduit.name.clone()).collect();
    let name = unused(names, &short(&format!("{from}-{to}-{}", protocol.as_str())));
    let mut toml = format!(
        "[[conduits]]\nname     = {}\nfrom     = [{}]\nto       = [{}]\nprotocol = \"{}\"\n",
        quoted(&name),
        quoted(&from),
        quoted(&to),
        protocol.as_str()
    );
    if let Some(port) = own_port {
        toml += &format!("ports    = [{port}]\n");
    }
    let inside = if !protocol.is_inspected() {
        " What is inside is not inspected."
    } else if heap.parts.is_empty() {
        toml += "mode     = \"learn\"\n";
        " No operation was seen in it yet: the conduit only learns."
    } else {
        toml += &format!("\n{}", rule_text("conduits", protocol, &base(heap), heap)?);
        ""
    };
    let mut pieces = Vec::new();
    let others = [(client, &from), (server, &to)].into_iter().filter(|(one, _)| words::zone(policy, *one).is_some());
    let wider: Vec<String> = others.map(|(_, zone)| format!("all of zone \"{zone}\"")).collect();
    let wider = if wider.is_empty() { String::new() } else { format!(" It holds for {}.", wider.join(" and ")) };
    let kind = if missing.is_empty() { "new_conduit" } else { "new_zone_and_conduit" };
    let what = if missing.is_empty() { "Add a conduit" } else { "Name the station, and add a conduit" };
    if !missing.is_empty() {
        let lines: String =
            missing.iter().map(|(name, address)| format!("{} = [\"{address}\"]\n", key_of(name))).collect();
        let text = &place.loaded.text;
        pieces.push(match zones(text) {
            Some(at) => {
                (Piece { place: "in [zones]".to_owned(), toml: lines.clone() }, Splice { at: at..at, with: lines })
            }
            None => {
                let toml = format!("[zones]\n{lines}");
                let splice = insert(text, text.len(), &toml);
                (Piece { place: "at the end of the policy".to_owned(), toml }, splice)
            }
        });
    }
    let text = &place.loaded.text;
    let splice = insert(text, text.len(), &toml);
    pieces.push((Piece { place: "at the end of the policy".to_owned(), toml }, splice));
    Some(Draft { kind, text: format!("{what} for exactly this.{wider}{inside}{}", any_object(heap)), pieces })
}

/// An entry for a type of frame that none names, or another action where one stands alone.
pub(super) fn ethernet(place: &Place<'_>, heap: &Heap) -> Option<Draft> {
    let policy = &place.loaded.valid;
    let name = ethertype_name(heap.key.port);
    if let Some(index) = policy.ethernet.iter().position(|entry| entry.types.contains(&heap.key.port)) {
        let at = place.places.action(index)?;
        let line = policy.ethernet.get(index).map_or(0, |entry| entry.line);
        let text =
            format!("Let frames of type {name} pass. The policy denies them in so many words: ask before you do.");
        let splice = Splice { at, with: "\"allow\"".to_owned() };
        let place = format!("in the [[ethernet]] entry of line {line}, in place of its action");
        return Some(Draft::new("ethernet_action", text, place, "action = \"allow\"".to_owned(), splice));
    }
    let toml = format!("[[ethernet]]\ntypes  = [{}]\naction = \"allow\"\n", quoted(&name));
    let text = format!("Let frames of type {name} pass, whoever sends them.");
    let splice = insert(&place.loaded.text, place.loaded.text.len(), &toml);
    Some(Draft::new("new_ethernet", text, "at the end of the policy".to_owned(), toml, splice))
}

/// The protocol that a conduit for the group names, and its port where that is not the protocol's own.
fn carried(heap: &Heap) -> Option<(Protocol, Option<u16>)> {
    let key = &heap.key;
    let by_port = Protocol::by_port(key.transport, key.port);
    let spoken = protocol(key).filter(|_| key.function != NO_FUNCTION).map(|one| one.outer().unwrap_or(one));
    if let Some(protocol) = spoken.or(by_port) {
        let own = protocol.ports().contains(&key.port);
        return (key.port != 0).then_some((protocol, (!own).then_some(key.port)));
    }
    match key.transport {
        ip::TCP if key.port != 0 => Some((Protocol::Tcp, Some(key.port))),
        ip::UDP if key.port != 0 => Some((Protocol::Udp, Some(key.port))),
        ip::ICMP | ip::ICMPV6 => Some((Protocol::Icmp, None)),
        ip::TCP | ip::UDP => None,
        other => Some((Protocol::Ip, Some(u16::from(other)))),
    }
}

/// `None` for what a rule can't name.
fn rule_text(table: &str, outer: Protocol, name: &str, heap: &Heap) -> Option<String> {
    let key = &heap.key;
    let spoken = protocol(key)?;
    let row = words::row(key);
    let function = match row {
        Some(row) => row.name.to_owned(),
        None if spoken == outer => Protocol::standard(key.function).to_string(),
        None => format!("{}:{}", spoken.as_str(), Protocol::standard(key.function)),
    };
    let mut text =
        format!("  [[{table}.rules]]\n  name      = {}\n  functions = [{}]\n", quoted(name), quoted(&function));
    if words::has_units(key) {
        text += &format!("  units     = [\"{}\"]\n", key.unit);
    }
    // A row of exactly these objects says by its name which; elsewhere the rule has to.
    let by_name = row.is_some_and(|row| row.object.is_some()) && !outer.tables().rows_of_objects;
    if !heap.objects.is_empty() && !by_name {
        let objects: Vec<String> = heap.objects.iter().flat_map(|one: &Objects| object_words(spoken, *one)).collect();
        text += &format!("  objects   = {}\n", array(&objects));
    }
    if let Some((min, max)) = heap.values {
        text += &format!("  values    = [\"{}\"]\n", words::span(min, max));
    }
    // What only looks is allowed; what acts is reported each time.
    let looks = row.is_some_and(|row| matches!(row.access, Access::Read | Access::Discover | Access::Session));
    text += &format!(
        "  action    = \"{}\"\n",
        if looks && !row.is_some_and(|row| row.dangerous) { "allow" } else { "log" }
    );
    Some(text)
}

/// A rule without objects is wide where the function has some.
fn any_object(heap: &Heap) -> &'static str {
    let names_none = !heap.parts.is_empty() && heap.objects.is_empty();
    let row = words::row(&heap.key);
    if names_none && row.is_some_and(|row| row.access != Access::Read && row.object.is_none()) {
        " It names no object, so the rule holds for the function whatever it touches."
    } else {
        ""
    }
}

/// What a new rule is called.
fn base(heap: &Heap) -> String {
    short(&words::function_words(&heap.key).replace('_', "-"))
}

/// Names have at most 63 bytes; room is left for a number.
fn short(name: &str) -> String {
    name.chars().filter(|c| !c.is_control() && *c != '"').take(40).collect()
}

/// `base`, with a number behind it when it is taken.
fn unused(taken: BTreeSet<String>, base: &str) -> String {
    let numbered = (2u32..).map(|number| format!("{base}-{number}"));
    std::iter::once(base.to_owned()).chain(numbered).find(|name| !taken.contains(name)).unwrap_or_default()
}

/// A key, quoted only where TOML wants it.
fn key_of(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if bare { name.to_owned() } else { quoted(name) }
}

/// A block of its own at a place between lines.
fn insert(text: &str, at: usize, block: &str) -> Splice {
    let before = text.get(..at).unwrap_or_default();
    let gap = if before.is_empty() || before.ends_with('\n') { "\n" } else { "\n\n" };
    Splice { at: at..at, with: format!("{gap}{block}") }
}
