//! One typical request per protocol beside Modbus, and the policy that lets it through.

use enforcer_common::operation::Access;
use enforcer_common::protocol::Protocol;

use super::classes::{datagram, request};

/// A request that is measured.
pub(crate) struct Typical {
    pub(crate) protocol: Protocol,
    pub(crate) tcp: bool,
    pub(crate) port: u16,
    pub(crate) frame: Vec<u8>,
}

#[allow(dead_code, reason = "a protocol travels on one or the other")]
fn tcp(protocol: Protocol, port: u16, payload: &[u8]) -> Typical {
    Typical { protocol, tcp: true, port, frame: request(port, payload) }
}

#[allow(dead_code, reason = "a protocol travels on one or the other")]
fn udp(protocol: Protocol, port: u16, payload: &[u8]) -> Typical {
    Typical { protocol, tcp: false, port, frame: datagram(port, payload) }
}

const ENIP_READ_TAG: &[u8] = b"\x6f\0\x2a\0\x01\x02\x03\x04\0\0\0\0context!\0\0\0\0\
    \0\0\0\0\x08\0\x02\0\0\0\0\0\xb2\0\x1a\0\
    \x52\x02\x20\x06\x24\x01\x05\x9d\x0c\0\x4c\x04\x91\x05SCADA\0\x01\0\x01\0\x01\0";

/// A row per protocol.
pub(crate) fn typical() -> Vec<Typical> {
    vec![
        // A tag is read: SendRRData, Unconnected_Send to slot 0 of the backplane, Read Tag "SCADA".
        tcp(Protocol::Enip, 44818, ENIP_READ_TAG),
    ]
}

/// A zone on each side, and a conduit whose rule lets in what changes nothing.
pub(crate) fn policy(protocol: Protocol) -> String {
    let rows = || protocol.family().flat_map(|one| one.tables().functions);
    let classes = [Access::Read, Access::Discover, Access::Session, Access::Diagnose].into_iter();
    let there = classes.filter(|class| rows().any(|row| row.access == *class));
    let functions: Vec<String> = there.map(|class| format!("@{}", class.as_str())).collect();
    // SLMP has no port of its own.
    let ports = if protocol.ports().is_empty() { &[5007] } else { protocol.ports() };
    format!(
        "[policy]\nname = \"bench\"\nrevision = 1\ndefault = \"deny\"\n\
         [zones]\nhmi = [\"10.10.1.20\"]\npress = [\"10.10.2.5\"]\n[devices]\npress = {{ ip = \"10.10.2.5\" }}\n\
         [[conduits]]\nname = \"all\"\nfrom = [\"hmi\"]\nto = [\"press\"]\nprotocol = \"{}\"\nports = {ports:?}\n\
         [[conduits.rules]]\nname = \"harmless\"\nfunctions = {functions:?}\naction = \"allow\"\n",
        protocol.as_str()
    )
}
