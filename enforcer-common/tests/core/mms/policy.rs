//! Rules about names, and what they leave out.

use enforcer_common::protocol::Protocol;
use enforcer_common::protocol::mms::functions::{space, unit};
use enforcer_common::verdict::{Mode, Reason};

use super::named;
use crate::support::mms::{INITIATE, ask, associate, connect, read, tlv, write};
use crate::support::policy::{Effect, Policy, Rule, rule};
use crate::support::wire::Wire;

fn reason(rules: &[Rule], bytes: &[u8]) -> Reason {
    let policy = Policy { protocol: Protocol::Mms, stream: true, ..Policy::new(rules) };
    Wire::open(&policy, Mode::Enforce).ask(bytes).reason
}

#[test]
fn a_rule_lets_through_what_it_names() {
    // Vector 33 of PROTOCOLS.md 23: a write to a control by name.
    let all = |space| (space, 0, u32::MAX - 1);
    let rules = [
        rule(Effect::Allow, &[4]).objects(&[all(space::VARIABLE)]),
        rule(Effect::Allow, &[5]).objects(&[(space::SETTING, named("LD1/GGIO1$SP$a"), named("LD1/GGIO1$SP$a"))]),
        rule(Effect::Allow, &[5])
            .objects(&[(space::OPERATE, named("LD1/GGIO1$CO$b$Oper"), named("LD1/GGIO1$CO$b$Oper"))])
            .values(&[(0, 0)]),
    ];
    let write_to = |item: &str, value: u8| reason(&rules, &ask(&write(&[("LD1", item)], &[vec![0x83, 1, value]])));
    assert_eq!(reason(&rules, &ask(&read(&[("LD1", "GGIO1$MX$x")]))), Reason::RuleAllow);
    assert_eq!(reason(&rules, &ask(&read(&[("LD1", "GGIO1$CO$b$SBO")]))), Reason::ObjectNotAllowed);
    assert_eq!(
        reason(&rules, &ask(&read(&[("LD1", "GGIO1$MX$x"), ("LD1", "GGIO1$CO$b$SBO")]))),
        Reason::ObjectNotAllowed
    );
    assert_eq!(write_to("GGIO1$SP$a", 1), Reason::RuleAllow);
    assert_eq!(write_to("GGIO1$SP$b", 1), Reason::ObjectNotAllowed);
    assert_eq!(write_to("GGIO1$CO$b$Oper", 0), Reason::RuleAllow);
    assert_eq!(write_to("GGIO1$CO$b$Oper", 1), Reason::ValueNotAllowed);
    assert_eq!(write_to("GGIO1$CO$c$Oper", 0), Reason::ObjectNotAllowed);
    assert_eq!(reason(&rules, &ask(&tlv(0x82, &[]))), Reason::FunctionNotAllowed);
    // Messages of a client are judged as well.
    let opening = connect(&associate(INITIATE));
    assert_eq!(reason(&rules, &opening), Reason::FunctionNotAllowed);
    assert_eq!(reason(&[rule(Effect::Allow, &[unit::INITIATE])], &opening), Reason::RuleAllow);
}
