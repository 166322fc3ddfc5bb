//! What a device answers is read where somebody wants to know it, and else only followed.

use enforcer_common::action::Action;
use enforcer_common::port::Side;
use enforcer_common::verdict::{Mode, Reason};

use crate::support::frames::{ACK, HMI, PLC, PSH, ethernet, ipv4, udp};
use crate::support::modbus::{Request, adu};
use crate::support::policy::Policy;
use crate::support::wire::{Seen, Wire};

fn ask(wire: &mut Wire) -> Seen {
    wire.ask(&adu(1, 3, &Request::Read(3, 0, 1).pdu()))
}

fn told() -> Vec<u8> {
    adu(1, 3, &[3, 2, 0, 7])
}

#[test]
fn in_enforce_nobody_reads_an_answer() {
    for (mode, watched, read) in [(Mode::Enforce, false, 0), (Mode::Enforce, true, 1), (Mode::Shadow, false, 1)] {
        let mut wire = Wire::open(&Policy::reads(), mode);
        if watched {
            wire = wire.watched();
        }
        ask(&mut wire);
        let seen = wire.answer(&told());
        assert_eq!(
            (seen.action, seen.reason, seen.operations.len()),
            (Action::Forward, Reason::Response, read),
            "{mode:?}"
        );
        assert_eq!(seen.reasons(), [Reason::Response]);
        assert_eq!(wire.host.only_flow().device.next, wire.server, "the stream goes on");
    }
}

#[test]
fn bytes_that_are_no_answer_pass_toward_the_network_and_the_next_request_is_judged() {
    let mut wire = Wire::open(&Policy::reads(), Mode::Enforce);
    ask(&mut wire);
    assert_eq!(wire.answer(b"nobody's frame").reason, Reason::Response);
    let flow = wire.host.only_flow();
    assert_eq!((flow.device.skip, flow.device.carry_length), (0, 0));
    assert_eq!(ask(&mut wire).reason, Reason::RuleAllow);
    let write = wire.ask(&adu(2, 3, &Request::Register(7, 9).pdu()));
    assert_ne!(write.action, Action::Forward);
}

#[test]
fn whoever_reads_again_takes_the_next_answer_up_at_its_first_byte() {
    let mut wire = Wire::open(&Policy::reads(), Mode::Shadow);
    ask(&mut wire);
    let long = adu(1, 3, &[&[3, 250][..], &[0; 250]].concat());
    wire.answer(&long[..100]);
    assert_eq!(wire.host.only_flow().device.skip, 159);
    wire.host.mode = Mode::Enforce;
    // What was begun is followed to its end.
    assert_eq!(wire.answer(&long[100..]).reason, Reason::Partial);
    ask(&mut wire);
    assert_eq!(wire.answer(&long[..100]).reason, Reason::Response);
    assert_eq!(wire.host.only_flow().device.skip, 0);
    assert_eq!(wire.answer(&long[100..]).reason, Reason::Response);
    ask(&mut wire);
    let mut wire = wire.watched();
    let seen = wire.answer(&told());
    assert_eq!((seen.operations.len(), seen.operations[0].fault), (1, 0));
}

#[test]
fn a_conversation_without_beginning_has_its_answers_read() {
    let mut wire = Wire::new(&Policy::reads(), Mode::Enforce);
    wire.segment(Side::Device, wire.server, wire.client, ACK, &[]);
    ask(&mut wire);
    for exchange in 0..4 {
        let (sequence, ack) = (wire.server, wire.client);
        let seen = wire.segment(Side::Device, sequence, ack, ACK | PSH, &told());
        wire.server = sequence.wrapping_add(u32::try_from(told().len()).unwrap());
        // Three exchanges prove where units begin; the request behind them says that they did.
        assert_eq!(seen.operations.len(), usize::from(exchange < 3), "exchange {exchange}");
        assert_eq!(ask(&mut wire).action, Action::Forward);
    }
}

#[test]
fn datagrams_are_no_exception() {
    let frame = ethernet(Side::Device, &[], 0x0800, &ipv4(PLC, HMI, 17, &[], &udp((502, 502), &told())));
    let mut wire = Wire::new(&Policy::reads(), Mode::Enforce);
    let seen = wire.frame(Side::Device, &frame);
    assert_eq!((seen.reason, seen.operations.len()), (Reason::Response, 0));
    assert_eq!(wire.watched().frame(Side::Device, &frame).operations.len(), 1);
}
