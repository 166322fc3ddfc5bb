//! A whole policy in words: per conduit who, what and how; per rule functions with their codes, units, objects, values.

use std::fmt::{self, Write};
use std::net::IpAddr;

use enforcer_common::action::OnDeny;
use enforcer_common::policy::OnUnsynchronised;
use enforcer_common::protocol::Protocol;
use enforcer_common::verdict::Verdict;

use super::super::ethertypes::ethertype_name;
use super::super::names::{function_name, inspected, transport_name, transports};
use super::super::objects::{numbers, space_name};
use super::super::valid::{Conduit, Function, Functions, Objects, Party, Policy, Rate, Rule, Segmentation};

/// Several lines, each ended.
pub fn describe(policy: &Policy) -> String {
    let mut out = String::new();
    // Writing into a String does not fail; what it would return is passed on by the helpers all the same.
    let _ = whole(&mut out, policy);
    out
}

fn whole(out: &mut String, policy: &Policy) -> fmt::Result {
    writeln!(out, "policy \"{}\", revision {}", policy.name, policy.revision)?;
    writeln!(out, "  IP traffic that no conduit covers: {}", policy.default.as_str())?;
    for entry in &policy.ethernet {
        let types: Vec<String> = entry.types.iter().copied().map(ethertype_name).collect();
        writeln!(out, "  ethernet frames of {}: {}", types.join(", "), entry.action.as_str())?;
    }
    writeln!(out, "  other frames that are not IP: {}", policy.default.as_str())?;
    writeln!(out, "  fragments: {}", policy.fragments.as_str())?;
    let options = match policy.ip_options {
        Verdict::Allow | Verdict::Log => "inspected like others",
        Verdict::Deny => "deny",
    };
    writeln!(out, "  IPv4 packets with options: {options}")?;
    let unsynchronised = match policy.on_unsynchronised {
        OnUnsynchronised::Resync => "taken up where they are",
        OnUnsynchronised::Reset => "denied and reset",
        OnUnsynchronised::Deny => "denied",
    };
    writeln!(out, "  conversations whose beginning was not seen: {unsynchronised}")?;
    for device in &policy.devices {
        let mut what = Vec::new();
        what.extend(device.address.map(|address| address.to_string()));
        what.extend(device.mac.map(mac));
        writeln!(out, "  device {}: {}, accepted from the device port only", device.name, what.join(" and "))?;
    }
    for zone in &policy.zones {
        let ranges: Vec<String> = zone.ranges.iter().map(ToString::to_string).collect();
        writeln!(out, "  zone {}: {}", zone.name, ranges.join(", "))?;
    }
    for one in &policy.conduits {
        match one.protocol.tables().ethertype {
            Some(number) => frames(out, one, number)?,
            None => conduit(out, policy, one)?,
        }
    }
    Ok(())
}

fn conduit(out: &mut String, policy: &Policy, conduit: &Conduit) -> fmt::Result {
    let parties = |list: &[Party]| list.iter().map(|party| policy.party_name(*party)).collect::<Vec<_>>().join(", ");
    write!(out, "\nconduit \"{}\": {} may open {}", conduit.name, parties(&conduit.from), conduit.protocol.as_str())?;
    writeln!(out, " conversations to {}{}", parties(&conduit.to), ports(conduit))?;
    let on_deny = match conduit.on_deny {
        OnDeny::Drop => "is dropped",
        OnDeny::Reset => "resets its TCP conversation",
    };
    write!(out, "  mode {} (capped by the box's mode)", conduit.mode.as_str())?;
    if !inspected(conduit.protocol) {
        return writeln!(out, "; not inspected inside, it passes as a whole");
    }
    writeln!(out, "; what is denied {on_deny}")?;
    writeln!(
        out,
        "  segments {}",
        match conduit.segmentation {
            Segmentation::Whole => "begin and end where the protocol's units do",
            Segmentation::Stream => "may hold parts of units: those pass before the rest is judged",
        }
    )?;
    for one in &conduit.rules {
        rule(out, conduit.protocol, one)?;
    }
    writeln!(out, "  every other operation: deny")
}

/// The rules of an `[[ethernet]]` entry.
fn frames(out: &mut String, conduit: &Conduit, ethertype: u16) -> fmt::Result {
    let name = ethertype_name(ethertype);
    writeln!(out, "\nconduit \"{}\": what is asked in frames of {name}; what is published passes", conduit.name)?;
    writeln!(out, "  mode {} (capped by the box's mode); what is denied is dropped", conduit.mode.as_str())?;
    for one in &conduit.rules {
        rule(out, conduit.protocol, one)?;
    }
    writeln!(out, "  every other operation: deny")
}

fn ports(conduit: &Conduit) -> String {
    let carriers: Vec<String> = transports(conduit.protocol).iter().copied().map(transport_name).collect();
    let list: Vec<String> = conduit.ports.iter().map(ToString::to_string).collect();
    match (conduit.protocol, list.as_slice()) {
        (Protocol::Icmp, _) => String::new(),
        (Protocol::Ip, [number]) => format!(", IP protocol {number}"),
        (Protocol::Ip, _) => format!(", IP protocols {}", list.join(", ")),
        (_, []) => ", every port".to_owned(),
        (_, [port]) => format!(", {} port {port}", carriers.join(" and ")),
        (_, _) => format!(", {} ports {}", carriers.join(" and "), list.join(", ")),
    }
}

fn rule(out: &mut String, protocol: Protocol, rule: &Rule) -> fmt::Result {
    let word = match rule.action {
        Verdict::Allow => "allow",
        Verdict::Log => "allow and report",
        Verdict::Deny => "deny, whatever other rules say",
    };
    writeln!(out, "  rule \"{}\" (line {}): {word}", rule.name, rule.line)?;
    for entry in &rule.functions {
        match entry {
            Functions::Any => writeln!(out, "    every function")?,
            Functions::These { written, list } => {
                let words: Vec<String> = list.iter().map(|function| function_words(protocol, *function)).collect();
                let class = if written.starts_with('@') { format!("{written}: ") } else { String::new() };
                writeln!(out, "    {class}{}", words.join(", "))?;
            }
        }
    }
    match &rule.units {
        None => {}
        Some(units) => writeln!(out, "    on unit {}", ranges(units))?,
    }
    if let Some(objects) = &rule.objects {
        let words: Vec<String> = objects.iter().map(|objects| object_words(protocol, *objects)).collect();
        writeln!(out, "    on {}", words.join(", "))?;
    }
    if let Some(values) = &rule.values {
        writeln!(out, "    when the values written are all in {}", ranges(values))?;
    }
    if let Some(rate) = rule.rate {
        writeln!(out, "    at most {}", rate_words(rate))?;
    }
    if let Some(step) = rule.max_step {
        writeln!(out, "    one value at a time, at most {step} from the last one")?;
    }
    Ok(())
}

/// `write_single_register (6)`; sub-functions as `force_listen_only_mode (8, diagnostic 4)`.
pub(super) fn function_words(protocol: Protocol, function: Function) -> String {
    let name = function_name(protocol, function);
    let code = function_number(function.code);
    let code = match function.own {
        None => code,
        Some(own) => format!("{code}, {}", object_words(protocol, own)),
    };
    match name {
        Some(name) => format!("{name} ({code})"),
        None => format!("function {code}"),
    }
}

/// The number that the standard gives to a function, as rules write it: `6`, `umas:65`.
fn function_number(code: u32) -> String {
    let standard = Protocol::standard(code);
    let inner = u8::try_from(code >> Protocol::FUNCTION_BITS).ok().and_then(Protocol::from_code);
    inner.map_or_else(|| standard.to_string(), |inner| format!("{}:{standard}", inner.as_str()))
}

/// `holding 40-47`.
pub(super) fn object_words(protocol: Protocol, objects: Objects) -> String {
    format!("{} {}", space_name(protocol, objects.space), numbers(protocol, objects).join(", "))
}

fn range<T: fmt::Display + PartialEq>(first: T, last: T) -> String {
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

fn ranges<T: fmt::Display + PartialEq + Copy>(list: &[(T, T)]) -> String {
    let words: Vec<String> = list.iter().map(|(first, last)| range(*first, *last)).collect();
    words.join(", ")
}

fn rate_words(rate: Rate) -> String {
    let unit = match rate.period {
        1_000_000_000 => "second",
        60_000_000_000 => "minute",
        _ => "hour",
    };
    format!("{} per {unit}", rate.count)
}

fn mac(octets: [u8; 6]) -> String {
    let words: Vec<String> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    words.join(":")
}

/// `10.10.1.20 (zone hmi)`.
pub fn place_words(policy: &Policy, address: IpAddr) -> String {
    let zone = policy.zones.iter().find(|zone| zone.ranges.iter().any(|range| range.contains(address)));
    match zone {
        Some(zone) => format!("{address} (zone {})", zone.name),
        None => format!("{address} (in no named zone)"),
    }
}
