//! OPC UA: what is read of chunks in both directions, and every rule of the standard violated in turn.

mod channels;
mod chunks;
mod lists;
mod services;
mod values;

use enforcer_common::action::Action;
use enforcer_common::operation::Operation;
use enforcer_common::protocol::Protocol;
use enforcer_common::scratch::Scratch;
use enforcer_common::verdict::{Mode, Reason};

use crate::support::dissect::{self, CLIENT, From};
use crate::support::opcua::{NONE, acknowledge, hello, open, opened};
use crate::support::policy::{Effect, Policy, Rule, rule};
use crate::support::wire::{Seen, Wire};

/// What the client's direction remembers once its channel is open: under None, Basic256 and Basic256Sha256.
const PLAIN: u32 = 9;
const SHORT: u32 = 10;
const LONG: u32 = 11;

/// A client whose channel is open.
fn on(context: u32) -> From {
    From { whole: false, context: (context, 0), ..CLIENT }
}

fn run(from: From, bytes: &[u8]) -> Scratch {
    dissect::run(Protocol::Opcua, from, bytes)
}

fn records(from: From, bytes: &[u8]) -> Vec<Operation> {
    dissect::read(Protocol::Opcua, from, bytes)
}

/// Records of a request on a plain channel.
fn plain(bytes: &[u8]) -> Vec<Operation> {
    records(on(PLAIN), bytes)
}

fn fault(from: From, bytes: &[u8]) -> Option<Reason> {
    dissect::fault(Protocol::Opcua, from, bytes)
}

/// Kind of object and number of each record.
fn objects(records: &[Operation]) -> Vec<(u32, u32)> {
    records.iter().map(|one| (one.space, one.first)).collect()
}

fn policy(rules: &[Rule]) -> Policy {
    Policy { protocol: Protocol::Opcua, stream: true, ..Policy::new(rules) }
}

/// A conversation whose plain channel is open, under these rules and one that lets it be opened.
fn under(rules: &[Rule]) -> Wire {
    let mut rules = rules.to_vec();
    rules.push(rule(Effect::Allow, &[446]));
    let mut wire = Wire::open(&policy(&rules), Mode::Enforce);
    assert_eq!(wire.ask(&hello()).reason, Reason::Response);
    wire.answer(&acknowledge(65535));
    assert_eq!(wire.ask(&open(NONE)).reason, Reason::RuleAllow);
    wire.answer(&opened());
    wire
}

fn ask(rules: &[Rule], bytes: &[u8]) -> Seen {
    under(rules).ask(bytes)
}

fn denied(seen: &Seen, reason: Reason) {
    assert_eq!((seen.reason, seen.action), (reason, Action::Drop), "{seen:?}");
}
