//! One typical request per protocol beside Modbus, and the policy that lets it through.

use enforcer_common::protocol::Protocol;

use super::captured;
use super::classes::{datagram, request};

/// A request that is measured.
pub(crate) struct Typical {
    pub(crate) protocol: Protocol,
    pub(crate) tcp: bool,
    pub(crate) port: u16,
    pub(crate) frame: Vec<u8>,
    /// What the direction remembers of the units before.
    pub(crate) context: u32,
    /// False for a request with a value, which is read each time.
    pub(crate) keeps: bool,
}

#[allow(dead_code, reason = "a protocol travels on one or the other")]
fn tcp(protocol: Protocol, port: u16, payload: &[u8]) -> Typical {
    Typical { protocol, tcp: true, port, frame: request(port, payload), context: 0, keeps: true }
}

#[allow(dead_code, reason = "a protocol travels on one or the other")]
fn udp(protocol: Protocol, port: u16, payload: &[u8]) -> Typical {
    Typical { protocol, tcp: false, port, frame: datagram(port, payload), context: 0, keeps: true }
}

const ENIP_READ_TAG: &[u8] = b"\x6f\0\x2a\0\x01\x02\x03\x04\0\0\0\0context!\0\0\0\0\
    \0\0\0\0\x08\0\x02\0\0\0\0\0\xb2\0\x1a\0\
    \x52\x02\x20\x06\x24\x01\x05\x9d\x0c\0\x4c\x04\x91\x05SCADA\0\x01\0\x01\0\x01\0";

const OPCUA_READ: &[u8] =
    b"MSGFp\0\0\0\x06\0\0\0\x01\0\0\0\x02\0\0\0\x02\0\0\0\x01\0w\x02\x02\0\0xV4\x12\x07\x07\x07\x07\
    \x07\x07\x07\x07\x01\0\0\0\0\0\0\0\xff\xff\xff\xff\xa0\x0f\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\
    \x01\0\0\0\x03\x02\0\x0d\0\0\0Machine.Speed\x0d\0\0\0\xff\xff\xff\xff\0\0\xff\xff\xff\xff";

/// A row per protocol.
pub(crate) fn typical() -> Vec<Typical> {
    let fins = [0x80, 0, 2, 0, 2, 0, 0, 1, 0, 7, 1, 1, 0x82, 0, 100, 0, 0, 10];
    let slmp = [0x50, 0, 0, 0xff, 0xff, 3, 0, 12, 0, 4, 0, 1, 4, 0, 0, 100, 0, 0, 0xa8, 10, 0];
    let hart_ip = [1, 0, 3, 0, 0, 7, 0, 17, 0x82, 0x26, 0x4e, 0, 0, 0xd2, 3, 0, 0x3b];
    let mut ge_srtp = [0; 56];
    (ge_srtp[0], ge_srtp[31], ge_srtp[40], ge_srtp[41], ge_srtp[42]) = (2, 0xc0, 1, 1, 4);
    (ge_srtp[43], ge_srtp[46]) = (8, 4);
    vec![
        // A tag is read: SendRRData, Unconnected_Send to slot 0 of the backplane, Read Tag "SCADA".
        tcp(Protocol::Enip, 44818, ENIP_READ_TAG),
        udp(Protocol::Fins, 9600, &fins),
        tcp(Protocol::Slmp, 5007, &slmp),
        udp(Protocol::HartIp, 5094, &hart_ip),
        tcp(Protocol::GeSrtp, 18245, &ge_srtp),
        // A poll of all four classes: IEEE 1815 A.34.
        tcp(
            Protocol::Dnp3,
            20000,
            &[
                0x05, 0x64, 0x14, 0xc4, 0x0a, 0x00, 0x01, 0x00, 0x8f, 0xed, 0xc3, 0xc2, 0x01, 0x3c, 0x02, 0x06, 0x3c,
                0x03, 0x06, 0x3c, 0x04, 0x06, 0x3c, 0x01, 0x06, 0x42, 0x9e,
            ],
        ),
        // ReadProperty of the present value of analog input 1, 15.5.
        udp(Protocol::Bacnet, 47808, &[0x81, 10, 0, 17, 1, 4, 0, 5, 1, 12, 0x0c, 0, 0, 0, 1, 0x19, 85]),
        // Reads 20 bytes of DB 1.
        tcp(
            Protocol::S7comm,
            102,
            b"\x03\0\0\x1f\x02\xf0\x80\x32\x01\0\0\0\x07\0\x0e\0\0\x04\x01\x12\x0a\x10\x02\0\x14\0\x01\x84\0\0\0",
        ),
        // Reads one node by name, on a channel that is open under None: OPC 10000-4 5.10.2.
        Typical { context: 9, ..tcp(Protocol::Opcua, 4840, OPCUA_READ) },
        // Reads a measured value: peerLD1/GGIO1$MX$AnIn1$mag$f.
        tcp(
            Protocol::Mms,
            102,
            b"\x03\0\0\x44\x02\xf0\x80\x01\0\x01\0\x61\x37\x30\x35\x02\x01\x03\xa0\x30\xa0\x2e\x02\x01\x01\xa4\x29\xa1\x27\xa0\
              \x25\x30\x23\xa0\x21\xa1\x1f\x1a\x07peerLD1\x1a\x14GGIO1$MX$AnIn1$mag$f",
        ),
        // A station interrogation, behind a STARTDT act.
        Typical {
            context: 1,
            keeps: false,
            ..tcp(Protocol::Iec104, 2404, &[0x68, 14, 0, 0, 0, 0, 100, 1, 6, 0, 1, 0, 0, 0, 0, 20])
        },
    ]
}

/// A zone on each side, and a conduit whose rule lets in what changes nothing.
pub(crate) fn policy(protocol: Protocol) -> String {
    let functions = captured::harmless(protocol);
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
