//! Frames without IP that are looked into: PROFINET's DCP judged by rules, publications never.

use enforcer_common::action::Action;
use enforcer_common::operation::{NO_OBJECT, Operation, Role};
use enforcer_common::policy::UNCOVERED;
use enforcer_common::port::Side;
use enforcer_common::protocol::Protocol;
use enforcer_common::verdict::{Mode, Reason};

use crate::support::frames::{be, ethernet};
use crate::support::policy::{Effect, Policy, rule};
use crate::support::wire::{Seen, Wire};

const PROFINET: u16 = 0x8892;
const GOOSE: u16 = 0x88b8;
const SV: u16 = 0x88ba;

/// A policy whose entry for PROFINET has these rules, and lets the publications in.
fn wire(rules: Option<&[crate::support::policy::Rule]>) -> Wire {
    let mut policy = Policy { protocol: Protocol::ProfinetDcp, ..Policy::new(rules.unwrap_or(&[])) };
    policy.inspected_ethertypes = vec![(PROFINET, if rules.is_some() { 1 } else { UNCOVERED }), (GOOSE, 0), (SV, 0)];
    Wire::new(&policy, Mode::Enforce)
}

fn dcp(identifier: u16, service: u8, kind: u8, blocks: &[u8]) -> Vec<u8> {
    [&identifier.to_be_bytes()[..], &[service, kind, 0, 0, 0, 7, 0, 0], &be(blocks.len()), blocks].concat()
}

fn judged(wire: &mut Wire, ethertype: u16, bytes: &[u8]) -> Seen {
    wire.frame(Side::Network, &ethernet(Side::Network, &[], ethertype, bytes))
}

fn of(seen: &Seen) -> Vec<(u32, u32, u32)> {
    seen.operations.iter().map(|one| (one.function, one.space, one.first)).collect()
}

#[test]
fn a_set_is_judged_and_every_block_counts() {
    let reads = [rule(Effect::Allow, &[3, 5])];
    let mut wire = wire(Some(&reads));
    let address = [1, 2, 0, 14, 0, 1, 10, 0, 0, 9, 255, 255, 255, 0, 10, 0, 0, 1];
    let seen = judged(&mut wire, PROFINET, &dcp(0xfefd, 4, 0, &address));
    assert_eq!((seen.reason, seen.action), (Reason::FunctionNotAllowed, Action::Drop));
    assert_eq!(of(&seen), [(4, 1, 2)]);
    // A name of odd length is filled up, and what follows it is found.
    let both = [&[2, 2, 0, 5, 0, 1, b'p', b'l', b'c', 0][..], &address].concat();
    let seen = judged(&mut wire, PROFINET, &dcp(0xfefd, 4, 0, &both));
    assert_eq!(of(&seen), [(4, 2, 2), (4, 1, 2)]);
    assert!(seen.operations[1].has(Operation::CONTINUES));
    let seen = judged(&mut wire, PROFINET, &dcp(0xfefd, 3, 0, &[2, 2, 1, 2]));
    assert_eq!((seen.reason, of(&seen)), (Reason::RuleAllow, vec![(3, 2, 2), (3, 1, 2)]));
    let seen = judged(&mut wire, PROFINET, &dcp(0xfefe, 5, 0, &[255, 255, 0, 0]));
    assert_eq!((seen.reason, of(&seen)), (Reason::RuleAllow, vec![(5, 255, 255)]));
}

#[test]
fn one_rule_must_cover_all_blocks() {
    let rules = [rule(Effect::Allow, &[4]).objects(&[(5, 3, 3)])];
    let mut wire = wire(Some(&rules));
    let signal = [5, 3, 0, 4, 0, 0, 1, 0];
    assert_eq!(judged(&mut wire, PROFINET, &dcp(0xfefd, 4, 0, &signal)).reason, Reason::RuleAllow);
    let reset = [&signal[..], &[5, 6, 0, 2, 0, 4]].concat();
    assert_eq!(judged(&mut wire, PROFINET, &dcp(0xfefd, 4, 0, &reset)).reason, Reason::ObjectNotAllowed);
}

#[test]
fn lengths_that_lie_and_too_many_blocks_are_denied() {
    let mut wire = wire(Some(&[rule(Effect::Allow, &[3, 4, 5])]));
    let mut long = dcp(0xfefd, 4, 0, &[5, 3, 0, 4, 0, 0, 1, 0]);
    long[11] = 60;
    assert_eq!(judged(&mut wire, PROFINET, &long).reason, Reason::LengthMismatch);
    let inner = dcp(0xfefd, 4, 0, &[5, 3, 0, 9, 0, 0, 1, 0]);
    assert_eq!(judged(&mut wire, PROFINET, &inner).reason, Reason::LengthMismatch);
    let many = dcp(0xfefd, 3, 0, &[2, 2].repeat(17));
    assert_eq!(judged(&mut wire, PROFINET, &many).reason, Reason::BeyondInspection);
    assert_eq!(judged(&mut wire, PROFINET, &dcp(0xfefd, 3, 0, &[2, 2].repeat(16))).reason, Reason::RuleAllow);
    assert_eq!(judged(&mut wire, PROFINET, &dcp(0xfefd, 4, 7, &[])).reason, Reason::MalformedFraming);
}

#[test]
fn publications_and_cyclic_data_pass_whatever_they_hold() {
    let mut wire = wire(Some(&[]));
    for (ethertype, bytes, protocol, unit) in [
        (PROFINET, vec![0x80, 0x01, 0, 0, 0, 0], Protocol::ProfinetRt, 0),
        (GOOSE, [&[0x20, 0, 0, 11, 0, 0, 0, 0][..], &[0x61, 1, 0]].concat(), Protocol::Goose, 0x2000),
        (GOOSE, [&[0x20, 0, 9, 9, 0, 0, 0, 0][..], &[0x30, 1, 0]].concat(), Protocol::Goose, 0x2000),
        (SV, [&[0x40, 1, 0, 11, 0, 0, 0, 0][..], &[0x60, 1, 0]].concat(), Protocol::Sv, 0x4001),
        (SV, vec![0x40], Protocol::Sv, 0),
    ] {
        let seen = judged(&mut wire, ethertype, &bytes);
        // Where rules judge what is asked, what is published passes like an answer.
        let ruled = if ethertype == PROFINET { Reason::Response } else { Reason::EthernetAllow };
        assert_eq!((seen.reason, seen.action), (ruled, Action::Forward), "{bytes:02x?}");
        let one = seen.operations[0];
        assert_eq!((one.protocol, one.role, one.unit), (protocol as u8, Role::Message as u8, unit), "{bytes:02x?}");
        assert_eq!(one.space, NO_OBJECT);
    }
}

#[test]
fn an_entry_without_rules_lets_everything_in_and_names_it() {
    let mut wire = wire(None);
    let seen = judged(&mut wire, PROFINET, &dcp(0xfefd, 4, 0, &[5, 6, 0, 2, 0, 4]));
    assert_eq!((seen.reason, seen.conduit, of(&seen)), (Reason::EthernetAllow, UNCOVERED, vec![(4, 5, 6)]));
    // An answer is one whoever sends it.
    let seen = judged(&mut wire, PROFINET, &dcp(0xfeff, 5, 1, &[2, 2, 0, 2, 0, 0]));
    assert_eq!((seen.reason, seen.operations[0].role), (Reason::EthernetAllow, Role::Response as u8));
}
