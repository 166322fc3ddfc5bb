//! A conversation that was open before the box came: idle lines prove it with their tests.

use enforcer_common::flow::Direction;
use enforcer_common::port::Side;
use enforcer_common::verdict::{Mode, Reason};

use super::policy;
use crate::support::frames::ACK;
use crate::support::iec104::{Asdu, control, supervisory};
use crate::support::policy::{Effect, rule};
use crate::support::wire::Wire;

fn met() -> Wire {
    let mut wire = Wire::new(&policy(&[rule(Effect::Allow, &[])]), Mode::Enforce);
    wire.segment(Side::Device, 5000, 1000, ACK, &[]);
    wire
}

fn command() -> Vec<u8> {
    Asdu::new(45, 1, &[1]).frame(40)
}

fn adopted(wire: &mut Wire) -> bool {
    wire.host.only_flow().network.has(Direction::ADOPTED)
}

#[test]
fn three_tests_prove_where_frames_begin_whatever_is_acknowledged_between_them() {
    let mut wire = met();
    for _ in 0..3 {
        assert_eq!(wire.at(wire.client, &command()).reason, Reason::Unsynchronised);
        assert_eq!(wire.ask(&control([0x43, 0, 0, 0])).reason, Reason::RuleAllow);
        assert!(adopted(&mut wire));
        wire.answer(&control([0x83, 0, 0, 0]));
        wire.answer(&Asdu::new(1, 5, &[1]).cause(3).frame(9));
        assert_eq!(wire.ask(&supervisory(10)).reason, Reason::Partial);
    }
    assert_eq!(wire.ask(&command()).reason, Reason::RuleAllow, "and data transfer is taken as started");
    assert!(!adopted(&mut wire));
}

#[test]
fn interrogations_prove_and_other_answers_do_not() {
    let exchange = |question: Vec<u8>, answer: Vec<u8>| {
        let mut wire = met();
        for _ in 0..3 {
            wire.ask(&question);
            wire.answer(&answer);
        }
        wire.at(wire.client, &command()).reason
    };
    let interrogation = Asdu::new(100, 0, &[20]);
    let confirmed = interrogation.clone().cause(7);
    assert_eq!(exchange(interrogation.frame(0), confirmed.frame(0)), Reason::RuleAllow);
    assert_eq!(exchange(interrogation.frame(0), confirmed.station(9).frame(0)), Reason::Unsynchronised);
    assert_eq!(exchange(interrogation.frame(0), Asdu::new(1, 0, &[1]).frame(0)), Reason::Unsynchronised);
    for [asked, answered] in [[0x43, 0x0b], [0x43, 0x43], [0x07, 0x23]] {
        let answered_so = exchange(control([asked, 0, 0, 0]), control([answered, 0, 0, 0]));
        let expected = if answered == 0x43 { Reason::RuleAllow } else { Reason::Unsynchronised };
        assert_eq!(answered_so, expected, "{asked:#x} {answered:#x}");
    }
}
