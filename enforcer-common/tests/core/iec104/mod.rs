//! IEC 60870-5-104: what is read of APDUs in both directions, and every rule of the standard violated in turn.

mod framing;
mod requests;
mod responses;
mod resync;

use enforcer_common::operation::Operation;
use enforcer_common::protocol::Protocol;
use enforcer_common::verdict::{Mode, Reason};

use crate::support::iec104::{Asdu, startdt};
use crate::support::policy::{Effect, Policy, Rule, rule};
use crate::support::wire::{Seen, Wire};

fn policy(rules: &[Rule]) -> Policy {
    Policy { protocol: Protocol::Iec104, ..Policy::new(rules) }
}

/// A conversation in which data transfer was started, and everything is allowed.
fn started() -> Wire {
    under(&[rule(Effect::Allow, &[])])
}

fn under(rules: &[Rule]) -> Wire {
    let mut rules = rules.to_vec();
    rules.push(rule(Effect::Allow, &[256 + 0x07]));
    let mut wire = Wire::open(&policy(&rules), Mode::Enforce);
    assert_eq!(wire.ask(&startdt()).reason, Reason::RuleAllow);
    wire
}

fn ask(asdu: &Asdu) -> Seen {
    started().ask(&asdu.frame(0))
}

/// The only record of a request.
fn read(asdu: &Asdu) -> Operation {
    let seen = ask(asdu);
    assert_eq!(seen.operations.len(), 1, "{seen:?}");
    seen.operations[0]
}

fn fault(asdu: &Asdu) -> Option<Reason> {
    Reason::from_code(read(asdu).fault)
}
