//! Answers are reported.

use enforcer_common::operation::{Operation, Role};
use enforcer_common::protocol::Protocol;
use enforcer_common::protocol::mms::functions::unit;

use crate::support::cotp::data;
use crate::support::dissect::{self, CLIENT, DEVICE};
use crate::support::mms::{ask, carried, long, pdu, seq, spdu, split, tlv};

fn answers(bytes: &[u8]) -> Vec<Operation> {
    dissect::read(Protocol::Mms, DEVICE, bytes)
}

fn answer(bytes: &[u8]) -> Operation {
    let found = answers(bytes);
    let [one] = found[..] else { panic!("{found:?}") };
    assert_eq!(one.fault, 0);
    one
}

#[test]
fn an_answer_repeats_number_and_service() {
    let one = answer(&pdu(&seq(0xa1, &[tlv(0x02, &[2, 1]), tlv(0xa4, &[0xa1, 0])])));
    assert_eq!((one.function, one.transaction, one.role), (4, 0x201, Role::Response as u8));
    let one = answer(&pdu(&seq(0xa1, &[tlv(0x02, &[1]), long(0x9f, 41, &[])])));
    assert_eq!(one.function, 41);
    let accepted = answer(&data(&spdu(14, &[])));
    assert_eq!(accepted.function, unit::INITIATE);
    let refused = answer(&data(&spdu(12, &[])));
    assert!(refused.function == unit::INITIATE && refused.has(Operation::HAS_EXCEPTION));
    assert_eq!(answer(&pdu(&[0x8c, 0])).function, unit::CONCLUDE);
    assert_eq!(answer(&data(&spdu(10, &[]))).function, unit::SESSION + 10);
}

#[test]
fn an_error_is_of_what_was_asked() {
    let asked = dissect::run(Protocol::Mms, CLIENT, &ask(&long(0xbf, 41, &tlv(0x80, b"Main")))).stream.context;
    let error = pdu(&seq(0xa2, &[tlv(0x80, &[9]), tlv(0xa2, &tlv(0xa0, &[0x87, 1, 3]))]));
    let found = dissect::read(Protocol::Mms, dissect::From { context: (0, asked), ..DEVICE }, &error);
    let [one] = found[..] else { panic!("{found:?}") };
    assert_eq!((one.function, one.transaction, one.exception, one.fault), (41, 9, 0x73, 0));
    assert!(one.has(Operation::HAS_EXCEPTION));
    assert_eq!(answer(&error).function, unit::ERROR, "nobody asked");
}

#[test]
fn reports_are_messages() {
    let one = answer(&pdu(&tlv(0xa3, &tlv(0xa0, &[0xa1, 0]))));
    assert_eq!((one.function, one.role), (unit::INFORMATION_REPORT, Role::Message as u8));
}

#[test]
fn what_cannot_be_read_of_an_answer_is_left_unsaid() {
    for bytes in [&[1u8, 0, 1, 0][..], &[1, 0, 1, 0, 0x61], &[1, 0, 1, 0, 0x61, 0x80, 0x30], &[1, 0, 1, 0, 0x61, 0x84]]
    {
        assert!(answers(&data(bytes)).is_empty(), "{bytes:02x?}");
    }
    // One over several TPDUs is reported once.
    let value = carried(&seq(0xa1, &[tlv(0x02, &[5]), tlv(0xa4, &[0; 300])]));
    let parts = split(&value, &[100, 200]).concat();
    assert_eq!(answer(&parts).function, 4);
}
