//! The report as a whole, on evidence that is made up, and on our own captures.

mod browser;
mod changes;
mod pages;
mod traffic;

use std::net::IpAddr;
use std::path::Path;

use enforcer_common::network::protocol as ip;
use enforcer_common::observation::ObservationKey;
use enforcer_common::operation::{Access, NO_FUNCTION, NO_OBJECT};
use enforcer_common::protocol::Protocol;
use enforcer_common::verdict::Reason;
use serde_json::json;

use super::input::{ConduitCounts, Evidence, Frames, Hour, Input, State};
use super::model::{Group, Report};
use super::{build, words};
use crate::dataplane::counters::Tally;
use crate::policy::trial::core_address;
use crate::policy::{self, Compiled, Loaded, compile, operation_code};
use crate::replay::time::Timestamp;

/// 2026-11-23T06:00:00Z.
const MORNING: i64 = 1_795_413_600;

fn at(hours: i64) -> Timestamp {
    Timestamp::new(MORNING + hours * 3600, 0)
}

/// A policy with what judges by it.
struct Box {
    loaded: Loaded,
    compiled: Compiled,
}

impl Box {
    fn of(text: &str) -> Self {
        let loaded = policy::parse("policy.toml", text).unwrap_or_else(|errors| panic!("{errors}"));
        let compiled = compile(&loaded.valid, 12, 0).unwrap_or_else(|errors| panic!("{errors}"));
        Self { loaded, compiled }
    }

    fn example(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/policies").join(name);
        Self::of(&std::fs::read_to_string(path).unwrap())
    }

    /// A report on nothing but this evidence.
    fn input(&self, evidence: Vec<Evidence>) -> Input<'_> {
        Input {
            state: State {
                generation: 12,
                mode: "shadow".into(),
                version: "0.1.0".into(),
                since: at(-72),
                until: at(0),
                made: at(0),
            },
            policy: &self.loaded,
            compiled: &self.compiled,
            conduits: Vec::new(),
            uncovered: Tally::default(),
            uncovered_hours: Vec::new(),
            evidence,
            frames: Vec::new(),
            events: Vec::new(),
            discovery: Vec::new(),
            readiness: None,
            losses: Vec::new(),
            attention: Vec::new(),
        }
    }

    fn groups(&self, evidence: Vec<Evidence>) -> Vec<Group> {
        build(&self.input(evidence)).groups
    }
}

/// An operation of a protocol, and the reason that the policy of the test gives.
struct Seen {
    from: &'static str,
    to: &'static str,
    protocol: Protocol,
    code: u32,
    unit: u32,
    objects: Option<(u32, u32, u32)>,
    values: Option<(i64, i64)>,
    reason: Reason,
    count: u64,
}

/// Kinds of objects of Modbus.
const COIL: u32 = 0;
const HOLDING: u32 = 3;
const DIAGNOSTIC: u32 = 5;

impl Seen {
    /// A write of holding register 41 of unit 1, value 7, from the operators to the press.
    fn write(reason: Reason) -> Self {
        Self {
            from: "10.10.1.20",
            to: "10.10.2.5",
            protocol: Protocol::Modbus,
            code: 6,
            unit: 1,
            objects: Some((HOLDING, 41, 41)),
            values: Some((7, 7)),
            reason,
            count: 3,
        }
    }

    fn holding(self, first: u32, last: u32) -> Self {
        Self { objects: Some((HOLDING, first, last)), ..self }
    }

    fn evidence(self) -> Evidence {
        let (space, first, last) = self.objects.unwrap_or((NO_OBJECT, 0, 0));
        let (value_min, value_max) = self.values.unwrap_or((i64::MAX, i64::MIN));
        let outer = self.protocol.outer().unwrap_or(self.protocol);
        let transport = if outer == Protocol::Bacnet { ip::UDP } else { ip::TCP };
        let address = |text: &str| core_address(text.parse::<IpAddr>().unwrap());
        let mut key = ObservationKey {
            client: address(self.from),
            server: address(self.to),
            function: operation_code(self.protocol, self.code),
            unit: self.unit,
            space,
            first,
            last,
            port: outer.ports().first().copied().unwrap_or(0),
            protocol: self.protocol as u8,
            transport,
            ..ObservationKey::EMPTY
        };
        key.access = words::row(&key).map_or(Access::Unknown, |row| row.access) as u8;
        Evidence { key, reason: self.reason, count: self.count, first: at(-48), last: at(-1), value_min, value_max }
    }
}

/// Frames without operation, that no conduit covers.
fn plain(from: &str, to: &str, transport: u8, port: u16, count: u64) -> Evidence {
    let mut evidence = Seen::write(Reason::UncoveredDeny).evidence();
    let address = |text: &str| core_address(text.parse::<IpAddr>().unwrap());
    evidence.key = ObservationKey {
        client: address(from),
        server: address(to),
        function: NO_FUNCTION,
        port,
        protocol: Protocol::Ip as u8,
        transport,
        ..ObservationKey::EMPTY
    };
    if !matches!(transport, ip::TCP | ip::UDP | ip::ICMP) {
        evidence.reason = Reason::UnknownTransport;
    }
    (evidence.count, evidence.value_min, evidence.value_max) = (count, i64::MAX, i64::MIN);
    evidence
}

fn frame(ethertype: u16, reason: Reason) -> Evidence {
    let mut evidence = plain("10.0.0.1", "10.0.0.2", ip::TCP, 0, 9);
    evidence.key = ObservationKey { protocol: Protocol::Ethernet as u8, port: ethertype, ..ObservationKey::EMPTY };
    evidence.reason = reason;
    evidence
}

/// A box after three days of shadow, with something of everything.
fn full(policy: &Box) -> Input<'_> {
    let day = |hour: i64| u64::try_from(1800 + 900 * ((hour.rem_euclid(24) - 6).clamp(0, 10))).unwrap();
    let hours: Vec<Hour> = (-72..0)
        .map(|hour| Hour {
            start: at(hour),
            evaluated: day(hour),
            would_denied: if hour % 8 == 0 { 5 } else { u64::from(hour > -30 && hour < -20) * 2 },
        })
        .collect();
    let evidence = vec![
        Seen { count: 37, ..Seen::write(Reason::ObjectNotAllowed).holding(48, 48) }.evidence(),
        Seen { count: 5, ..Seen::write(Reason::ObjectNotAllowed).holding(50, 51) }.evidence(),
        Seen { values: Some((1001, 1200)), count: 12, ..Seen::write(Reason::ValueNotAllowed) }.evidence(),
        Seen { count: 4, ..Seen::write(Reason::RuleDeny).holding(44, 44) }.evidence(),
        Seen { count: 61, ..Seen::write(Reason::RateExceeded) }.evidence(),
        Seen {
            code: 5,
            objects: Some((COIL, 3, 3)),
            values: Some((0, 1)),
            count: 2,
            ..Seen::write(Reason::FunctionNotAllowed)
        }
        .evidence(),
        Seen {
            code: 8,
            objects: Some((DIAGNOSTIC, 4, 4)),
            values: None,
            count: 1,
            ..Seen::write(Reason::FunctionNotAllowed)
        }
        .evidence(),
        Seen { code: 3, unit: 2, values: None, count: 240, ..Seen::write(Reason::UnitNotAllowed).holding(0, 9) }
            .evidence(),
        Seen {
            code: 3,
            from: "10.10.1.66",
            values: None,
            count: 700,
            ..Seen::write(Reason::UncoveredDeny).holding(0, 99)
        }
        .evidence(),
        plain("10.10.1.66", "10.10.2.5", ip::TCP, 502, 80),
        plain("10.10.1.99", "10.10.2.5", ip::TCP, 443, 6),
        frame(0x88cc_u16.wrapping_add(9), Reason::UncoveredDeny),
    ];
    let sample = json!({"schema": 1, "event": "would_deny", "time": "2026-11-23T05:00:00.000000Z",
        "src": "10.10.1.20:40001", "dst": "10.10.2.5:502", "protocol": "modbus", "role": "request", "function": 6,
        "name": "write_single_register", "access": "write", "unit": 1,
        "objects": [{"space": "holding", "first": 48, "last": 48}], "values": {"min": 7, "max": 7},
        "conduit": "hmi-press", "rule": null, "verdict": "deny", "reason": "object_not_allowed", "action": "forward"});
    let frames = |reason, count, src: &str| Frames {
        reason,
        conduit: Some("hmi-press".into()),
        src: src.into(),
        dst: "10.10.2.5".into(),
        count,
        first: at(-70),
        last: at(-3),
        sample: None,
    };
    Input {
        conduits: vec![ConduitCounts {
            name: "hmi-press".into(),
            mode: "shadow".into(),
            tally: Tally { evaluated: 312_644, allow: 311_820, log: 462, deny: 0, would_deny: 362 },
            rules: vec![("poll".into(), 311_820), ("setpoint".into(), 462)],
            hours,
            readiness: Some(json!({"ready": false, "missing": ["would-denies are left, the last one 1 hour ago"],
                "measures": [{"name": "hours without a would-deny", "value": 1, "threshold": 72, "ok": false}]})),
        }],
        uncovered: Tally { evaluated: 795, would_deny: 795, ..Tally::default() },
        uncovered_hours: vec![Hour { start: at(-20), evaluated: 795, would_denied: 795 }],
        frames: vec![frames(Reason::Unsynchronised, 14, "10.10.1.21"), frames(Reason::Fragment, 2, "10.10.1.20")],
        events: vec![sample],
        discovery: vec![(at(-72), 41), (at(-71), 12), (at(-64), 6), (at(-48), 9), (at(-40), 1), (at(-20), 2)],
        readiness: Some(json!({"ready": false, "missing": ["observed for 3 days of the 7 that are wanted"],
            "measures": [
                {"name": "time observed", "value": "3 d", "threshold": "7 d", "ok": false},
                {"name": "upper bound on an unseen legitimate operation", "value": "0.4 %", "threshold": "1 %", "ok": true},
                {"name": "events lost", "value": 0, "threshold": 0, "ok": true}]})),
        losses: vec![("events".into(), 0), ("observations".into(), 3)],
        attention: vec!["eth1: generic XDP, this driver has no native one".into()],
        ..policy.input(evidence)
    }
}

fn full_report() -> Report {
    build(&full(&Box::example("setpoint.toml")))
}
