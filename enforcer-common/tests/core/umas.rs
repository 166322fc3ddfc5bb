//! UMAS in Modbus function 90: inner functions, the signed wrapper, blocks of memory.

use enforcer_common::operation::{Access, NO_OBJECT, Operation};
use enforcer_common::protocol::Protocol;
use enforcer_common::protocol::umas::functions::space;
use enforcer_common::verdict::{Mode, Reason};

use crate::support::dissect::{self, CLIENT, DEVICE};
use crate::support::modbus::adu;
use crate::support::policy::{Effect, Policy, rule};
use crate::support::wire::Wire;

fn read(pdu: &[u8]) -> Operation {
    dissect::read(Protocol::Modbus, CLIENT, &adu(7, 1, pdu))[0]
}

fn signed(pdu: &[u8]) -> Vec<u8> {
    [&[90, 0, 0x38, 1][..], &[0x33; 32], pdu].concat()
}

const READ_BLOCK: [u8; 12] = [90, 0, 0x20, 0, 0x13, 0, 0x64, 0, 1, 0, 0x9c, 0];

#[test]
fn the_inner_function_replaces_the_outer_one() {
    for (pdu, function, access) in [
        (vec![90, 0, 0x02], 0x02, Access::Discover),
        (vec![90, 0, 0x41, 0xff, 0], 0x41, Access::Control),
        (vec![90, 9, 0x31, 0, 1], 0x31, Access::Program),
        (vec![90, 9, 0x99], 0x99, Access::Unknown),
        (signed(&[90, 0, 0x41, 0xff, 0]), 0x41, Access::Control),
        (signed(&[90, 0, 0x04]), 0x04, Access::Diagnose),
    ] {
        let one = read(&pdu);
        assert_eq!((one.fault, one.protocol), (0, Protocol::Umas as u8), "{pdu:02x?}");
        assert_eq!((one.function, one.access), (Protocol::Umas.within(function), access as u8), "{pdu:02x?}");
        assert_eq!((one.unit, one.transaction, one.space), (1, 7, NO_OBJECT));
    }
}

#[test]
fn a_wrapper_that_hides_what_it_wraps_is_beyond_inspection() {
    let inner = [90, 0, 0x41, 0xff, 0];
    for pdu in [signed(&inner[..2]), signed(&[]), vec![90, 0, 0x38], signed(&[3, 0, 0x41]), signed(&signed(&inner))] {
        let one = read(&pdu);
        assert_eq!(one.fault, Reason::BeyondInspection as u8, "{pdu:02x?}");
        assert_eq!(one.function, Protocol::Umas.within(0x38));
    }
}

#[test]
fn blocks_of_memory_are_objects() {
    for pdu in [READ_BLOCK.to_vec(), signed(&READ_BLOCK)] {
        let one = read(&pdu);
        assert_eq!((one.fault, one.space), (0, space::BLOCK + 0x13));
        assert_eq!((one.first, one.last), (0x1_0064, 0x1_0064 + 0x9b));
        assert_eq!(read(&pdu[..pdu.len() - 1]).fault, Reason::LengthMismatch as u8);
        assert_eq!(read(&[&pdu[..], &[0]].concat()).fault, Reason::LengthMismatch as u8);
    }
    let write = [90, 0, 0x21, 0, 0x13, 0, 0x64, 0, 0, 0, 2, 0, 0xaa, 0xbb];
    assert_eq!((read(&write).fault, read(&write).first, read(&write).last), (0, 100, 101));
    assert_eq!(read(&write[..13]).fault, Reason::LengthMismatch as u8);
    let none = [90, 0, 0x20, 0, 0x13, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(read(&none).fault, Reason::OutOfRange as u8);
    let beyond = [90, 0, 0x20, 0, 0x13, 0, 0xff, 0xff, 0xff, 0xff, 2, 0];
    assert_eq!(read(&beyond).fault, Reason::OutOfRange as u8);
}

#[test]
fn an_answer_says_done_or_refused() {
    let answer = |pdu: &[u8]| dissect::read(Protocol::Modbus, DEVICE, &adu(7, 1, pdu))[0];
    let done = answer(&[90, 0, 0xfe, 1, 2, 3]);
    assert_eq!((done.function, done.fault), (Protocol::Umas.within(0xfe), 0));
    assert!(!done.has(Operation::HAS_EXCEPTION));
    let refused = answer(&[90, 0, 0xfd, 0x83]);
    assert_eq!((refused.function, refused.exception), (Protocol::Umas.within(0xfd), 0x83));
    assert!(refused.has(Operation::HAS_EXCEPTION));
    assert_eq!(read(&[90, 0, 0xfe]).fault, Reason::InvalidFunction as u8, "an answer from a client");
    assert_eq!(read(&[90, 0]).fault, Reason::LengthMismatch as u8);
}

#[test]
fn a_rule_names_the_inner_function() {
    let stop = adu(1, 1, &[90, 0, 0x41, 0xff, 0]);
    let policy = |functions: &[u32]| Policy::new(&[rule(Effect::Allow, functions)]);
    for (functions, reason) in [
        (vec![90], Reason::FunctionNotAllowed),
        (vec![0x41], Reason::FunctionNotAllowed),
        (vec![Protocol::Umas.within(0x40)], Reason::FunctionNotAllowed),
        (vec![Protocol::Umas.within(0x41)], Reason::RuleAllow),
    ] {
        let mut wire = Wire::open(&policy(&functions), Mode::Enforce);
        assert_eq!(wire.ask(&stop).reasons(), [reason], "{functions:?}");
    }
    let mut wire = Wire::open(&policy(&[Protocol::Umas.within(0x40)]), Mode::Enforce);
    assert_eq!(wire.ask(&adu(1, 1, &signed(&stop[7..]))).reasons(), [Reason::FunctionNotAllowed]);
}

#[test]
fn no_cut_and_no_flipped_byte_confuses() {
    for pdu in [READ_BLOCK.to_vec(), signed(&READ_BLOCK), vec![90, 0, 0x41, 0xff, 0]] {
        dissect::mutilate(Protocol::Modbus, &adu(7, 1, &pdu));
    }
}
