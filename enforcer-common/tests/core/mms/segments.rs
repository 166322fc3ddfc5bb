//! Units over several TPDUs, several of them in a segment, and those that segments cut.

use enforcer_common::action::Action;
use enforcer_common::protocol::Protocol;
use enforcer_common::verdict::{Mode, Reason};

use super::{fault, read};
use crate::support::cotp::{connect as transport, data, tpkt};
use crate::support::mms::{INITIATE, ask, associate, carried, connect, request, split, tlv, write};
use crate::support::policy::{Effect, Policy, rule};
use crate::support::wire::Wire;

fn open() -> Wire {
    let policy = Policy { protocol: Protocol::Mms, stream: true, ..Policy::new(&[rule(Effect::Allow, &[])]) };
    Wire::open(&policy, Mode::Enforce)
}

/// A write with a value of so many octets.
fn long_write(length: usize) -> Vec<u8> {
    carried(&request(9, &write(&[("LD1", "GGIO1$SP$text")], &[tlv(0x89, &vec![7; length])])))
}

#[test]
fn a_unit_may_lie_in_several_tpdus_and_must_end_in_the_last() {
    let unit = long_write(300);
    for ends in [&[100][..], &[100, 200], &[299, 300, 301]] {
        let parts = split(&unit, ends);
        let mut wire = open();
        for (index, part) in parts.iter().enumerate() {
            let seen = wire.ask(part);
            assert_eq!(seen.action, Action::Forward, "part {index} of {ends:?}: {seen:?}");
            assert_eq!(seen.operations.len(), usize::from(index == 0));
        }
        // What follows is a unit of its own again.
        assert_eq!(wire.ask(&ask(&tlv(0x82, &[]))).reason, Reason::RuleAllow);
        // In one segment as well.
        assert_eq!(fault(&parts.concat()), None);
    }
    let first = |length: usize, mark: u8| tpkt(&[&[2, 0xf0, mark][..], &unit[..length]].concat());
    let rest = |bytes: &[u8], mark: u8| tpkt(&[&[2, 0xf0, mark][..], bytes].concat());
    let cases: [(&str, Vec<u8>); 6] = [
        ("too little", [first(100, 0), rest(&unit[100..unit.len() - 1], 0x80)].concat()),
        ("too much", [first(100, 0), rest(&[&unit[100..], &[0]].concat(), 0x80)].concat()),
        ("no end", [first(100, 0), rest(&unit[100..], 0)].concat()),
        ("an end too early", first(100, 0x80)),
        ("all of it, and no end", first(unit.len(), 0)),
        ("an empty end", [first(100, 0), rest(&[], 0x80)].concat()),
    ];
    for (what, bytes) in cases {
        assert_eq!(fault(&bytes), Some(Reason::LengthMismatch), "{what}");
    }
    // An empty one without mark keeps the connection alive, and changes nothing.
    let kept = [first(100, 0), rest(&[], 0), rest(&unit[100..], 0x80)].concat();
    assert_eq!(fault(&kept), None);
}

#[test]
fn an_end_that_brings_nothing_hides_no_request() {
    // Were it overlooked, the request behind it would pass for the rest of the first one.
    let operate = carried(&request(1, &write(&[("LD1", "GGIO1$CO$a$Oper")], &[vec![0x83, 1, 1]])));
    let unit = long_write(100 + operate.len());
    let cut = unit.len() - operate.len();
    let mut wire = open();
    assert_eq!(wire.ask(&tpkt(&[&[2, 0xf0, 0], &unit[..cut]].concat())).action, Action::Forward);
    let seen = wire.ask(&[tpkt(&[2, 0xf0, 0x80]), data(&operate)].concat());
    assert_eq!((seen.action, seen.reason), (Action::Drop, Reason::LengthMismatch));
    assert_eq!(seen.operations.iter().filter(|one| one.function == 5).count(), 1, "{seen:?}");
}

#[test]
fn what_decides_must_be_in_the_first_tpdu() {
    let unit = carried(&request(9, &crate::support::mms::read(&[("LD1", "GGIO1$MX$a"), ("LD1", "GGIO1$CO$b$SBO")])));
    for end in 1..unit.len() {
        let bytes = split(&unit, &[end]).concat();
        let found = fault(&bytes);
        let cut = [Reason::BeyondInspection, Reason::MalformedFraming, Reason::LengthMismatch, Reason::SplitUnit];
        assert!(found.is_some_and(|reason| cut.contains(&reason)), "cut at {end}: {found:?}");
    }
    // The opening of a session is not put together.
    let opening = connect(&associate(INITIATE));
    let bytes = split(&opening[7..], &[60]).concat();
    assert_eq!(fault(&bytes), Some(Reason::BeyondInspection));
}

#[test]
fn several_units_in_a_segment_are_each_judged() {
    let identify = ask(&tlv(0x82, &[]));
    let control = ask(&write(&[("LD1", "GGIO1$CO$a$Oper")], &[vec![0x83, 1, 1]]));
    let functions = |bytes: &[u8]| read(bytes).iter().map(|one| one.function).collect::<Vec<_>>();
    assert_eq!(functions(&[identify.clone(), control.clone(), identify.clone()].concat()), [2, 5, 2]);
    assert_eq!(fault(&identify.repeat(8)), None);
    assert_eq!(fault(&identify.repeat(9)), Some(Reason::BeyondInspection));
}

#[test]
fn a_unit_that_segments_cut_is_put_together() {
    let unit = ask(&write(&[("LD1", "GGIO1$CO$a$Oper")], &[vec![0x83, 1, 1]]));
    for cut in 1..unit.len() {
        let mut wire = open();
        wire.ask(&transport(1));
        assert_eq!(wire.ask(&unit[..cut]).reason, Reason::Partial, "{cut}");
        let seen = wire.ask(&unit[cut..]);
        assert_eq!((seen.reason, seen.operations[0].function), (Reason::RuleAllow, 5), "{cut}: {seen:?}");
    }
    // A long one is judged by its beginning; its values may follow.
    let unit = data(&long_write(600));
    let mut wire = open();
    assert_eq!(wire.ask(&unit[..300]).reason, Reason::RuleAllow);
    assert_eq!(wire.ask(&unit[300..]).action, Action::Forward);
    // But all names must be there.
    let names: Vec<(&str, &str)> = (0..15).map(|_| ("peerLD1", "GGIO1$MX$AnIn1$mag$f")).collect();
    let unit = ask(&crate::support::mms::read(&names));
    assert_eq!(open().ask(&unit[..300]).reason, Reason::BeyondInspection);
    assert_eq!(open().ask(&unit).reason, Reason::RuleAllow);
}
