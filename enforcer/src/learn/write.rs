//! The proposal as text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::IpAddr;

use enforcer_common::action::OnDeny;
use enforcer_common::operation::Access;
use enforcer_common::policy::OnUnsynchronised;
use enforcer_common::protocol::Protocol;
use enforcer_common::verdict::Verdict;

use super::conduits::Draft;
use super::places::Places;
use super::traffic::{Service, Traffic, range};
use super::{Clock, Proposal, rules};
use crate::policy::valid::{Functions, Objects, Policy, Rule, Segmentation};
use crate::policy::{ethertype_name, object_words};

const ARP: u16 = 0x0806;

pub(super) fn proposal(
    traffic: &Traffic,
    places: &Places,
    drafts: &[Draft<'_>],
    policy: Option<&Policy>,
    clock: Clock,
) -> Proposal {
    let mut text = head(traffic, policy);
    zones(&mut text, places, drafts, policy);
    devices(&mut text, traffic, places, policy);
    ethernet(&mut text, traffic, policy, clock);
    for draft in drafts {
        conduit(&mut text, traffic, places, draft, clock);
    }
    if !traffic.undecided.is_empty() {
        text += "\n# For decision. This was seen and is NOT allowed by the rules above:\n";
    }
    for (what, evidence) in &traffic.undecided {
        let words = evidence.map(|evidence| evidence.words(clock, traffic.total)).unwrap_or_default();
        line(&mut text, format_args!("#   {what}; {words}"));
    }
    Proposal { text, undecided: traffic.undecided.len() }
}

/// Writing to a string can't fail.
fn line(text: &mut String, words: std::fmt::Arguments<'_>) {
    let _ = writeln!(text, "{words}");
}

fn head(traffic: &Traffic, policy: Option<&Policy>) -> String {
    let mut text = String::new();
    let (name, revision) = policy.map_or(("learned", 0), |policy| (policy.name.as_str(), policy.revision));
    line(&mut text, format_args!("# Proposed by `enforcer learn propose` from {} sightings.", traffic.total));
    text += "# Read it, correct it, then: enforcer check FILE, enforcer policy apply FILE, enforcer mode shadow.\n\n[policy]\n";
    line(&mut text, format_args!("name = {}", quoted(name)));
    line(&mut text, format_args!("revision = {}", revision.saturating_add(1)));
    text += "default = \"deny\"\n";
    if let Some(policy) = policy {
        let word = match policy.on_unsynchronised {
            OnUnsynchronised::Resync => "resync",
            OnUnsynchronised::Reset => "reset",
            OnUnsynchronised::Deny => "deny",
        };
        line(&mut text, format_args!("on_unsynchronised = \"{word}\""));
        let word = if policy.fragments == Verdict::Deny { "deny" } else { "allow" };
        line(&mut text, format_args!("fragments = \"{word}\""));
        if policy.ip_options != Verdict::Deny {
            text += "ip_options = \"allow\"\n";
        }
    }
    text
}

fn zones(text: &mut String, places: &Places, drafts: &[Draft<'_>], policy: Option<&Policy>) {
    let used: BTreeSet<usize> = drafts.iter().flat_map(|draft| [draft.from, draft.to]).collect();
    let used: Vec<_> =
        places.list.iter().enumerate().filter(|(index, _)| used.contains(index)).map(|(_, one)| one).collect();
    if !used.is_empty() {
        text.push_str("\n[zones]\n");
    }
    for place in &used {
        line(text, format_args!("{} = {}", quoted_key(&place.name), list(&place.entries)));
    }
    let idle = |index: &usize| !used.iter().any(|place| place.known == Some(*index));
    for (_, zone) in
        policy.into_iter().flat_map(|policy| policy.zones.iter().enumerate()).filter(|(index, _)| idle(index))
    {
        line(text, format_args!("# zone \"{}\" of the policy in force is left out: no traffic to allow", zone.name));
    }
}

fn devices(text: &mut String, traffic: &Traffic, places: &Places, policy: Option<&Policy>) {
    let known = policy.map_or(&[][..], |policy| policy.devices.as_slice());
    let mut taken: BTreeSet<String> = known.iter().map(|device| device.name.clone()).collect();
    let mut lines = Vec::new();
    for device in known {
        let ip = device.address.map(|address| format!("ip = \"{address}\""));
        let mac = device.mac.map(|mac| format!("mac = \"{}\"", mac.map(|octet| format!("{octet:02x}")).join(":")));
        let keys: Vec<String> = ip.into_iter().chain(mac).collect();
        lines.push(format!("{} = {{ {} }}", quoted_key(&device.name), keys.join(", ")));
    }
    for address in &traffic.device {
        let station = !address.is_multicast() && !address.is_unspecified() && *address != IpAddr::from([255; 4]);
        if !station || known.iter().any(|device| device.address == Some(*address)) {
            continue;
        }
        if traffic.network.contains(address) {
            lines.push(format!("# {address} was seen on both sides: not named a device"));
            continue;
        }
        let base = places.zone(*address).and_then(|zone| places.list.get(zone)).map_or("device", |place| &place.name);
        lines.push(format!("{} = {{ ip = \"{address}\" }}", quoted_key(&rules::unused(&mut taken, base))));
    }
    if !lines.is_empty() {
        line(text, format_args!("\n[devices]\n{}", lines.join("\n")));
    }
}

fn ethernet(text: &mut String, traffic: &Traffic, policy: Option<&Policy>, clock: Clock) {
    let mut decided: BTreeSet<u16> = BTreeSet::new();
    let entry = |text: &mut String, comment: &str, types: &[u16], action: &str| {
        let names: Vec<String> = types.iter().map(|number| ethertype_name(*number)).collect();
        line(text, format_args!("\n[[ethernet]]\n{comment}types = {}\naction = \"{action}\"", list(&names)));
    };
    for known in policy.into_iter().flat_map(|policy| &policy.ethernet) {
        decided.extend(&known.types);
        let action = match known.action {
            Verdict::Allow => "allow",
            Verdict::Log => "log",
            Verdict::Deny => "deny",
        };
        entry(text, "# as in the policy in force\n", &known.types, action);
        let rules = known.conduit.and_then(|index| policy?.conduits.get(index));
        for (conduit, rule) in rules.into_iter().flat_map(|one| one.rules.iter().map(move |rule| (one, rule))) {
            kept(text, "ethernet", conduit.protocol, rule);
        }
    }
    let mut comment = String::new();
    let mut types: Vec<u16> = Vec::new();
    for (number, evidence) in traffic.ethernet.iter().filter(|(number, _)| !decided.contains(number)) {
        types.push(*number);
        line(&mut comment, format_args!("# {}: {}", ethertype_name(*number), evidence.words(clock, traffic.total)));
    }
    if !decided.contains(&ARP) && !types.contains(&ARP) {
        types.push(ARP);
        comment += "# arp: not seen, but IPv4 stations need it to find each other\n";
    }
    if !types.is_empty() {
        entry(text, &comment, &types, "allow");
    }
}

fn conduit(text: &mut String, traffic: &Traffic, places: &Places, draft: &Draft<'_>, clock: Clock) {
    let zone = |index: usize| places.list.get(index).map_or("any", |place| place.name.as_str());
    line(text, format_args!("\n[[conduits]]\n# {}", draft.evidence.words(clock, traffic.total)));
    line(text, format_args!("name     = {}", quoted(&draft.name)));
    line(text, format_args!("from     = [{}]", quoted(zone(draft.from))));
    line(text, format_args!("to       = [{}]", quoted(zone(draft.to))));
    line(text, format_args!("protocol = \"{}\"", draft.protocol.as_str()));
    if !draft.ports.is_empty() {
        let ports: Vec<String> = draft.ports.iter().map(ToString::to_string).collect();
        line(text, format_args!("ports    = [{}]", ports.join(", ")));
    }
    let mode = draft.known.map_or("enforce", |known| known.mode.as_str());
    line(text, format_args!("mode     = \"{mode}\""));
    if draft.known.is_some_and(|known| known.on_deny == OnDeny::Drop) {
        text.push_str("on_deny  = \"drop\"\n");
    }
    segmentation(text, draft, clock);
    for rule in draft.known.into_iter().flat_map(|known| &known.rules).filter(|rule| rule.action == Verdict::Deny) {
        kept(text, "conduits", draft.protocol, rule);
    }
    for rule in &draft.rules {
        line(text, format_args!("\n  [[conduits.rules]]\n  # {}", rule.evidence.words(clock, traffic.total)));
        line(text, format_args!("  name      = {}", quoted(&rule.name)));
        line(text, format_args!("  functions = {}", list(&rule.functions)));
        line(text, format_args!("  units     = {}", list(&units(&rule.units))));
        if let Some(objects) = &rule.objects {
            line(text, format_args!("  objects   = {}", list(&objects_words(draft.protocol, objects))));
        }
        if rule.access != Access::Read {
            text.push_str(&rule.evidence.envelope());
        }
        text.push_str("  action    = \"allow\"\n");
    }
}

/// Units may be split where somebody does so, or where the policy in force bears it.
fn segmentation(text: &mut String, draft: &Draft<'_>, clock: Clock) {
    for (one, evidence) in &draft.splits {
        let Service { client, server, .. } = one;
        line(text, format_args!("# {client} -> {server} splits its units over segments: {}", evidence.span(clock)));
    }
    let known = draft.known.is_some_and(|known| known.segmentation == Segmentation::Stream);
    if draft.splits.is_empty() && known {
        text.push_str("# as in the policy in force\n");
    }
    if known || !draft.splits.is_empty() {
        text.push_str("segmentation = \"stream\"\n");
    }
}

/// A rule of the policy in force that stays, whatever was seen: what an engineer forbade above all.
fn kept(text: &mut String, table: &str, protocol: Protocol, rule: &Rule) {
    let functions: Vec<&str> = rule
        .functions
        .iter()
        .map(|entry| match entry {
            Functions::Any => "@any",
            Functions::These { written, .. } => written.as_str(),
        })
        .collect();
    line(
        text,
        format_args!("\n  [[{table}.rules]]\n  # as in the policy in force\n  name      = {}", quoted(&rule.name)),
    );
    line(text, format_args!("  functions = {}", list(&functions)));
    let pairs = |all: &[(u32, u32)]| all.iter().map(|(first, last)| range(*first, *last)).collect::<Vec<_>>();
    if let Some(units) = &rule.units {
        line(text, format_args!("  units     = {}", list(&pairs(units))));
    }
    if let Some(objects) = &rule.objects {
        line(text, format_args!("  objects   = {}", list(&objects_words(protocol, objects))));
    }
    if let Some(values) = &rule.values {
        let values: Vec<String> = values.iter().map(|(first, last)| range(*first, *last)).collect();
        line(text, format_args!("  values    = {}", list(&values)));
    }
    if let Some(rate) = rule.rate {
        line(text, format_args!("  rate      = \"{}\"", rate.text()));
    }
    line(text, format_args!("  action    = \"{}\"", rule.action.as_str()));
}

fn objects_words(protocol: Protocol, objects: &[Objects]) -> Vec<String> {
    objects.iter().flat_map(|one| object_words(protocol, *one)).collect()
}

/// Units in a row as ranges.
fn units(units: &BTreeSet<u32>) -> Vec<String> {
    let mut runs: BTreeMap<u32, u32> = BTreeMap::new();
    for unit in units {
        match runs.last_entry() {
            Some(mut run) if run.get().checked_add(1) == Some(*unit) => *run.get_mut() = *unit,
            _ => _ = runs.insert(*unit, *unit),
        }
    }
    runs.into_iter().map(|(first, last)| range(first, last)).collect()
}

fn list<T: AsRef<str>>(words: &[T]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word.as_ref())).collect();
    format!("[{}]", words.join(", "))
}

fn quoted(word: &str) -> String {
    toml::Value::String(word.to_owned()).to_string()
}

/// A key, quoted only where TOML wants it.
fn quoted_key(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if bare { name.to_owned() } else { quoted(name) }
}
