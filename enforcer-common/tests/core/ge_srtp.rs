//! GE-SRTP: requests with and without text, memory by selector, answers without a service.

use enforcer_common::operation::{Access, NO_FUNCTION, NO_OBJECT, Operation, Role};
use enforcer_common::port::Side;
use enforcer_common::protocol::Protocol;
use enforcer_common::protocol::ge_srtp::functions::space;
use enforcer_common::verdict::Reason;

use crate::support::dissect::{self, CLIENT, DEVICE, From};

/// Service, selector, offset, length.
fn fields(service: u8, selector: u8, offset: u16, length: u16) -> Vec<u8> {
    [&[service, selector][..], &offset.to_le_bytes(), &length.to_le_bytes()].concat()
}

fn header(kind: u8, sequence: u16, mailbox: u8, text: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 56];
    bytes[0] = kind;
    bytes[2..4].copy_from_slice(&sequence.to_le_bytes());
    bytes[4..6].copy_from_slice(&(text.len() as u16).to_le_bytes());
    bytes[31] = mailbox;
    (bytes[36], bytes[37], bytes[40], bytes[41]) = (0x10, 0x0e, 1, 1);
    bytes.extend(text);
    bytes
}

/// A request in the header alone.
fn short(service: u8, selector: u8, offset: u16, length: u16) -> Vec<u8> {
    let mut bytes = header(2, 5, 0xc0, &[]);
    bytes[42..48].copy_from_slice(&fields(service, selector, offset, length));
    bytes
}

/// A request with text.
fn long(service: u8, selector: u8, offset: u16, length: u16, text: &[u8]) -> Vec<u8> {
    let mut bytes = header(2, 5, 0x80, text);
    bytes[42] = 2;
    (bytes[48], bytes[49]) = (1, 1);
    bytes[50..56].copy_from_slice(&fields(service, selector, offset, length));
    bytes
}

fn read(bytes: &[u8]) -> Operation {
    dissect::read(Protocol::GeSrtp, CLIENT, bytes)[0]
}

fn fault(bytes: &[u8]) -> Option<Reason> {
    dissect::fault(Protocol::GeSrtp, CLIENT, bytes)
}

#[test]
fn a_request_names_service_memory_and_class() {
    let one = read(&short(0x04, 0x08, 99, 4));
    assert_eq!((one.function, one.access, one.fault), (4, Access::Read as u8, 0));
    assert_eq!((one.space, one.first, one.last), (space::REGISTER, 99, 102));
    assert_eq!((one.role, one.transaction, one.unit), (Role::Request as u8, 5, 1));
    let mut other = short(0x04, 0x08, 0, 1);
    other[36] = 0x20;
    assert_eq!(read(&other).unit, 2, "slot");
    for (selector, offset, length, wanted) in [
        (0x46, 3, 2, (space::INPUT, 3, 4)),
        (0x10, 3, 2, (space::INPUT, 24, 39)),
        (0x4c, 0, 1, (space::INTERNAL, 0, 0)),
        (0x16, 1, 1, (space::INTERNAL, 8, 15)),
        (0x77, 1, 1, (space::OTHER + 0x77, 1, 1)),
    ] {
        let one = read(&short(0x04, selector, offset, length));
        assert_eq!((one.space, one.first, one.last), wanted, "{selector:02x}");
    }
    let stop = read(&short(0x23, 2, 0, 0));
    assert_eq!((stop.function, stop.access, stop.space), (0x23, Access::Control as u8, NO_OBJECT));
    assert_eq!(fault(&short(0x04, 0x08, 0, 0)), Some(Reason::OutOfRange));
}

#[test]
fn a_message_with_text_has_its_service_behind() {
    let one = read(&long(0x07, 0x08, 9, 1, &[0x34, 0x12]));
    assert_eq!((one.function, one.access, one.fault, one.first), (7, Access::Write as u8, 0, 9));
    assert!(one.has(Operation::HAS_VALUE) && (one.value_min, one.value_max) == (0x1234, 0x1234));
    assert_eq!(fault(&long(0x07, 0x08, 9, 2, &[0x34, 0x12])), Some(Reason::LengthMismatch));
    // Vector 38: what one reader takes for a read is a stop for another.
    let mut hidden = long(0x23, 2, 0, 0, &[]);
    hidden[42] = 4;
    let one = read(&hidden);
    assert_eq!((one.function, one.access), (0x23, Access::Control as u8));
    let mut other = long(0x04, 0x08, 0, 1, &[]);
    for service in [0x07, 0x09, 0x23, 0x40, 0x77] {
        other[42] = service;
        assert_eq!(fault(&other), Some(Reason::BeyondInspection), "{service:02x}");
    }
}

#[test]
fn nothing_else_comes_from_a_client() {
    let sound = short(0x04, 0x08, 0, 1);
    for (at, byte) in [(0, 1), (0, 3), (0, 8), (31, 0), (31, 0xd4), (4, 1)] {
        let mut bytes = sound.clone();
        bytes[at] = byte;
        let whole = [&bytes[..], &[0][..usize::from(at == 4)]].concat();
        assert_eq!(fault(&whole), Some(Reason::MalformedFraming), "{at}: {byte}");
    }
    for at in [40, 41] {
        let mut bytes = sound.clone();
        bytes[at] = 2;
        assert_eq!(fault(&bytes), Some(Reason::BeyondInspection), "one of several packets");
    }
    assert_eq!(dissect::read(Protocol::GeSrtp, CLIENT, &[0; 56]), [], "a session");
    let mut session = [0; 56];
    session[42] = 0x23;
    assert_eq!(fault(&session), Some(Reason::MalformedFraming));
    assert_eq!(fault(b"GET / HTTP/1.1\r\n\r\n"), Some(Reason::MalformedFraming));
    let server = From { side: Side::Network, ..DEVICE };
    assert_eq!(dissect::fault(Protocol::GeSrtp, server, &sound), Some(Reason::MalformedFraming));
}

#[test]
fn an_answer_is_to_what_was_asked_last() {
    let asked = dissect::run(Protocol::GeSrtp, CLIENT, &short(0x00, 0, 0, 0));
    let from = From { context: (0, asked.stream.context), ..DEVICE };
    let done = dissect::read(Protocol::GeSrtp, from, &header(3, 5, 0xd4, &[]))[0];
    assert_eq!((done.function, done.role, done.fault, done.flags), (0, Role::Response as u8, 0, 0));
    let data = dissect::read(Protocol::GeSrtp, from, &header(3, 5, 0x94, &[0; 8]))[0];
    assert_eq!((data.function, data.fault), (0, 0));
    let refused = dissect::read(Protocol::GeSrtp, from, &header(3, 5, 0xd1, &[]))[0];
    assert!(refused.has(Operation::HAS_EXCEPTION));
    assert_eq!(dissect::read(Protocol::GeSrtp, from, &header(3, 6, 0xd4, &[]))[0].function, NO_FUNCTION);
    let mut granted = [0; 56];
    granted[0] = 1;
    assert_eq!(dissect::read(Protocol::GeSrtp, DEVICE, &granted), []);
}

#[test]
fn no_cut_and_no_flipped_byte_confuses() {
    for bytes in [short(0x04, 0x08, 0, 1), long(0x07, 0x08, 9, 1, &[0x34, 0x12])] {
        for from in [CLIENT, DEVICE, From { whole: false, ..CLIENT }] {
            for length in 0..bytes.len() {
                dissect::read(Protocol::GeSrtp, from, &bytes[..length]);
                let mut other = bytes.clone();
                other[length] ^= 0xff;
                dissect::read(Protocol::GeSrtp, from, &other);
            }
        }
        for length in 1..bytes.len() {
            assert!(fault(&bytes[..length]).is_some(), "cut to {length}");
        }
    }
}
