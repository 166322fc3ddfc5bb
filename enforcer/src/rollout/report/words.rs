//! Operations, peers and rules in words.

use std::net::IpAddr;

use enforcer_common::network::protocol as ip;
use enforcer_common::observation::ObservationKey;
use enforcer_common::operation::{Access, NO_FUNCTION};
use enforcer_common::protocol::{Function as Row, Protocol};

use super::heap::{Heap, address, is_ethernet, protocol};
use super::model::{End, Function};
use crate::policy::valid::{Functions, Objects, Policy, Rule};
use crate::policy::{ethertype_name, object_words, operation_code, rows};
use crate::replay::time::Timestamp;

/// Entries of a list that are written out in a sentence.
const MOST: usize = 6;

/// A list as a sentence has it: what is beyond the first few is counted.
pub(super) fn some<T: AsRef<str>>(words: &[T]) -> String {
    let shown: Vec<&str> = words.iter().take(MOST).map(AsRef::as_ref).collect();
    match words.len().saturating_sub(MOST) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// `7` or `7-9`.
pub(super) fn span<T: PartialEq + std::fmt::Display>(first: T, last: T) -> String {
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

/// As JSON has it.
pub(super) fn stamp(time: Timestamp) -> String {
    time.to_string()
}

/// Who calls, and who is called.
pub(super) fn ends(policy: &Policy, key: &ObservationKey) -> (End, End) {
    let hardware = |octets: [u8; 16]| {
        let [.., a, b, c, d, e, f] = octets;
        End { address: format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}"), zone: None }
    };
    if is_ethernet(key) {
        return (hardware(key.client), hardware(key.server));
    }
    let end = |octets: [u8; 16]| {
        let address = address(octets);
        End { address: address.to_string(), zone: zone(policy, address).map(str::to_owned) }
    };
    (end(key.client), end(key.server))
}

/// Client and server as text.
pub(in crate::rollout) fn stations(key: &ObservationKey) -> (String, String) {
    if is_ethernet(key) {
        let hardware = |octets: [u8; 16]| {
            let [.., a, b, c, d, e, f] = octets;
            format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
        };
        return (hardware(key.client), hardware(key.server));
    }
    (address(key.client).to_string(), address(key.server).to_string())
}

/// The zone that has this address.
pub(super) fn zone(policy: &Policy, address: IpAddr) -> Option<&str> {
    let has = |zone: &&crate::policy::valid::Zone| zone.ranges.iter().any(|range| range.contains(address));
    policy.zones.iter().find(has).map(|zone| zone.name.as_str())
}

/// tcp, udp, icmp, or the IP protocol's number; nothing for frames that are not IP.
pub(super) fn transport(key: &ObservationKey) -> Option<String> {
    let name = match key.transport {
        ip::TCP => "tcp".to_owned(),
        ip::UDP => "udp".to_owned(),
        ip::ICMP | ip::ICMPV6 => "icmp".to_owned(),
        other => format!("IP protocol {other}"),
    };
    (!is_ethernet(key)).then_some(name)
}

/// The server's port, where there are ports.
pub(in crate::rollout) fn port(key: &ObservationKey) -> Option<u16> {
    (!is_ethernet(key) && matches!(key.transport, ip::TCP | ip::UDP)).then_some(key.port)
}

/// What a policy calls the protocol: the ethertype's word for frames that are not IP.
pub(in crate::rollout) fn protocol_name(key: &ObservationKey) -> String {
    match protocol(key) {
        Some(protocol) => protocol.as_str().to_owned(),
        None if is_ethernet(key) => ethertype_name(key.port),
        None => transport(key).unwrap_or_default(),
    }
}

/// The row that names what the key holds: that of exactly its objects, else that of the whole code.
pub(super) fn row(key: &ObservationKey) -> Option<&'static Row> {
    let protocol = protocol(key).filter(|_| key.function != NO_FUNCTION)?;
    let of_code = || {
        let own = rows(protocol.outer().unwrap_or(protocol));
        own.filter(|(of, row)| operation_code(*of, row.code) == key.function).map(|(_, row)| row)
    };
    let within = |row: &&Row| {
        row.object.is_some_and(|own| own.space == key.space && own.first <= key.first && key.last <= own.last)
    };
    of_code().find(within).or_else(|| of_code().find(|row| row.object.is_none()))
}

/// The function of a key that has one.
pub(super) fn function(key: &ObservationKey) -> Option<Function> {
    (key.function != NO_FUNCTION && protocol(key).is_some()).then(|| {
        let row = row(key);
        Function {
            number: Protocol::standard(key.function),
            name: row.map(|row| row.name),
            access: row.map_or(Access::from_code(key.access), |row| row.access).as_str(),
            dangerous: row.is_some_and(|row| row.dangerous),
            technique: row.map(|row| row.technique).filter(|technique| !technique.is_empty()),
        }
    })
}

/// `write_single_register`, or `function 65` where no table has a name.
pub(in crate::rollout) fn function_words(key: &ObservationKey) -> String {
    row(key).map_or_else(|| format!("function {}", Protocol::standard(key.function)), |row| row.name.to_owned())
}

/// Objects as rules write them.
pub(in crate::rollout) fn objects(key: &ObservationKey, objects: &[Objects]) -> Vec<String> {
    let Some(protocol) = protocol(key) else { return Vec::new() };
    objects.iter().flat_map(|one| object_words(protocol, *one)).collect()
}

/// True when protocol and tables know units.
pub(in crate::rollout) fn has_units(key: &ObservationKey) -> bool {
    protocol(key).is_some_and(|one| one.outer().unwrap_or(one).tables().last_unit > 0) && key.function != NO_FUNCTION
}

/// The group in one line: `write_single_register, unit 1, holding:48, values 3-1200`.
pub(super) fn title(heap: &Heap) -> String {
    let key = &heap.key;
    if key.function == NO_FUNCTION || protocol(key).is_none() {
        return match (transport(key), port(key)) {
            (None, _) => format!("frames of type {}", ethertype_name(key.port)),
            (Some(transport), Some(port)) => format!("{transport} port {port}, no operation seen in it"),
            (Some(transport), None) => transport,
        };
    }
    let mut words = vec![function_words(key)];
    if has_units(key) {
        words.push(format!("unit {}", key.unit));
    }
    let named = objects(key, &heap.objects);
    if !named.is_empty() {
        words.push(some(&named));
    }
    match heap.values {
        Some((min, max)) if min == max => words.push(format!("value {min}")),
        Some((min, max)) => words.push(format!("values {min} to {max}")),
        None => {}
    }
    words.join(", ")
}

/// What a rule names: `write_single_register, write_multiple_registers on unit 1, holding:40-47, values 0-1000`.
pub(super) fn rule(protocol: Protocol, rule: &Rule) -> String {
    let functions: Vec<&str> = rule
        .functions
        .iter()
        .map(|entry| match entry {
            Functions::Any => "every function",
            Functions::These { written, .. } => written.as_str(),
        })
        .collect();
    let mut limits = Vec::new();
    if let Some(units) = &rule.units {
        let units: Vec<String> = units.iter().map(|(first, last)| span(first, last)).collect();
        limits.push(format!("unit {}", some(&units)));
    }
    if let Some(objects) = &rule.objects {
        let objects: Vec<String> = objects.iter().flat_map(|one| object_words(protocol, *one)).collect();
        limits.push(some(&objects));
    }
    if let Some(values) = &rule.values {
        let values: Vec<String> = values.iter().map(|(first, last)| span(first, last)).collect();
        limits.push(format!("values {}", some(&values)));
    }
    if let Some(rate) = rule.rate {
        limits.push(format!("at most {}", rate.text()));
    }
    let functions = some(&functions);
    if limits.is_empty() { functions } else { format!("{functions} on {}", limits.join(", ")) }
}

/// `1,234,567`.
pub(super) fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len().saturating_sub(index)).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
