//! The proposal as a whole: what it says, that it is right, and that it allows what was seen and no more.

mod property;
mod texts;

use std::net::IpAddr;

use enforcer_common::network::protocol as ip;
use enforcer_common::observation::{Observation, ObservationKey};
use enforcer_common::operation::{NO_FUNCTION, NO_OBJECT, Operation};
use enforcer_common::policy::Image;
use enforcer_common::port::Side;
use enforcer_common::protocol::Protocol;
use enforcer_common::verdict::Verdict;

use super::Clock;
use crate::policy::trial::{self, core_address};
use crate::policy::{self, compile};

const SECOND: u64 = 1_000_000_000;

/// 2026-11-23T06:00:00Z at boot.
fn clock() -> Clock {
    Clock::new(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_795_413_600), 0)
}

fn at(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn seen(count: u64) -> Observation {
    Observation {
        count,
        first_seen: SECOND,
        last_seen: 61 * SECOND,
        value_min: i64::MAX,
        value_max: i64::MIN,
        value_last: i64::MIN,
        step: 0,
    }
}

fn modbus(client: &str, server: &str, function: u32, unit: u32, objects: Option<(u32, u32, u32)>) -> ObservationKey {
    let (space, first, last) = objects.unwrap_or((NO_OBJECT, 0, 0));
    ObservationKey {
        client: core_address(at(client)),
        server: core_address(at(server)),
        function,
        unit,
        space,
        first,
        last,
        port: 502,
        protocol: Protocol::Modbus as u8,
        transport: ip::TCP,
        side: Side::Network as u8,
        ..ObservationKey::EMPTY
    }
}

fn plain(client: &str, server: &str, transport: u8, port: u16, side: Side) -> ObservationKey {
    ObservationKey {
        protocol: Protocol::Ip as u8,
        function: NO_FUNCTION,
        transport,
        port,
        side: side as u8,
        ..modbus(client, server, 0, 0, None)
    }
}

fn frame(ethertype: u16) -> ObservationKey {
    ObservationKey { protocol: Protocol::Ethernet as u8, port: ethertype, ..ObservationKey::EMPTY }
}

/// Parses and compiles a proposal, which must be right and give no warning.
fn image(text: &str) -> Box<Image> {
    let loaded = policy::parse("proposal", text).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    assert!(loaded.warnings.is_empty(), "{:?}\n{text}", loaded.warnings);
    compile(&loaded.valid, 1, 0).unwrap_or_else(|errors| panic!("{errors}\n{text}")).image
}

/// Whether the core lets this through; traffic without inspection also as an answer, as on the wire.
fn passes(image: &Image, key: &ObservationKey) -> bool {
    let (client, server) = (super::traffic::address(key.client), super::traffic::address(key.server));
    let transport = if key.transport == ip::ICMPV6 { ip::ICMP } else { key.transport };
    let conduit = trial::conduit(image, client, server, transport, key.port);
    if key.protocol == Protocol::Ip as u8 {
        return conduit != enforcer_common::policy::UNCOVERED;
    }
    let part = Operation {
        function: key.function,
        unit: key.unit,
        space: key.space,
        first: key.first,
        last: key.last,
        protocol: key.protocol,
        access: key.access,
        ..Operation::EMPTY
    };
    trial::judge(image, conduit, &[part]).is_some_and(|outcome| outcome.reason.verdict() != Verdict::Deny)
}
