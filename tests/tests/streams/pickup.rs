//! Conversations that were open before the box came, or went on while it did not look.

use std::thread;
use std::time::Duration;

use enforcer_tests::namespace::wait_until;

use crate::plant::{Line, PATIENCE, is_reset, policy, prove, reason, status, unbroken};

#[test]
fn learn_and_shadow_lose_nothing_and_enforce_finds_conversations_locked() {
    for mode in ["learn", "shadow"] {
        let line = Line::new();
        let server = line.serve();
        let poller = line.poll();
        let mut client = line.client();
        client.read_holding(0, 1).expect("before the box");
        let enforcer = line.enforcer(&policy("resync"), mode, "");
        client.write_single(40, 1).unwrap_or_else(|failure| panic!("{mode}: {failure}"));
        assert!(poller.wait_for_good(50, PATIENCE), "{mode}: {:?}", poller.tally());
        prove(&mut client, &enforcer);
        client.write_single(60, 2).unwrap_or_else(|failure| panic!("{mode}: {failure}"));
        wait_until("both conversations are locked", || status(&enforcer)["flows"]["established"] == 2);
        let device = status(&enforcer)["flows"]["devices"]["10.10.2.5"].clone();
        assert_eq!((&device["locked"], &device["pending"]), (&2.into(), &0.into()), "{device:#}");

        enforcer.must(&["mode", "enforce", "--force"]).expect("the mode");
        client.write_single(41, 3).unwrap_or_else(|failure| panic!("{failure}: {:#}", status(&enforcer)));
        assert!(poller.wait_for_good(50, PATIENCE), "{:?}", poller.tally());
        unbroken(&poller, &enforcer);
        assert_eq!([40, 60, 41].map(|register| server.holding(register)), [1, 2, 3]);
        is_reset(client.write_single(60, 4), &enforcer);
        assert_eq!(server.holding(60), 2);
    }
}

#[test]
fn enforce_lets_reads_go_on_at_once_and_writes_after_three_exchanges() {
    let line = Line::new();
    let server = line.serve();
    let poller = line.poll();
    let [mut silent, mut hasty, mut patient] = [line.client(), line.client(), line.client()];
    for client in [&mut silent, &mut hasty, &mut patient] {
        client.read_holding(0, 1).expect("before the box");
    }
    let enforcer = line.enforcer(&policy("resync"), "enforce", "");
    assert!(poller.wait_for_good(50, PATIENCE), "{:?}\n{:#}", poller.tally(), status(&enforcer));
    // Its first word is a write, of which the box knows nothing.
    is_reset(silent.write_single(40, 1), &enforcer);
    // One exchange was seen.
    hasty.read_holding(0, 1).expect("reads pass at once");
    is_reset(hasty.write_single(40, 2), &enforcer);
    assert_eq!(reason(&enforcer, "unsynchronised"), 2, "{:#}", status(&enforcer));
    assert_eq!(server.memory().writes, 0);
    prove(&mut patient, &enforcer);
    patient.write_single(40, 3).unwrap_or_else(|failure| panic!("{failure}: {:#}", status(&enforcer)));
    assert_eq!(server.holding(40), 3);
    unbroken(&poller, &enforcer);
}

#[test]
fn where_the_policy_resets_a_client_is_reset_once_and_comes_back() {
    let line = Line::new();
    let _server = line.serve();
    let poller = line.poll();
    let enforcer = line.enforcer(&policy("reset"), "enforce", "");
    poller.reset();
    assert!(poller.wait_for_good(50, PATIENCE), "{:?}\n{:#}", poller.tally(), status(&enforcer));
    let tally = poller.stop();
    assert!(tally.errors <= 1 && tally.reconnects <= 1, "{tally:?}\n{:#}", status(&enforcer));
    assert_eq!(status(&enforcer)["flows"]["unsynchronised"], 0);
    line.client().write_single(40, 1).expect("a new conversation");
}

#[test]
fn after_the_grace_an_unknown_conversation_is_reset() {
    let line = Line::new();
    let _server = line.serve();
    let mut client = line.client();
    client.read_holding(0, 1).expect("before the box");
    let enforcer = line.enforcer(&policy("resync"), "enforce", "grace = \"1s\"");
    assert!(status(&enforcer)["grace_left"].as_u64() <= Some(1));
    wait_until("the grace is over", || status(&enforcer)["grace_left"] == 0);
    thread::sleep(Duration::from_millis(50));
    is_reset(client.read_holding(0, 1).map(drop), &enforcer);
    assert_eq!(reason(&enforcer, "unsynchronised"), 1, "{:#}", status(&enforcer));
    line.client().write_single(40, 1).expect("a new conversation");
}

#[test]
fn conversations_stay_locked_without_the_daemon_and_with_the_next_one() {
    let line = Line::new();
    let server = line.serve();
    let mut enforcer = line.enforcer(&policy("deny"), "enforce", "");
    let poller = line.poll();
    let mut client = line.client();
    client.write_single(40, 1).expect("followed from its beginning");
    enforcer.process().kill();
    client.write_single(41, 2).expect("without a daemon");
    let next = line.start(enforcer.config());
    client.write_single(42, 3).unwrap_or_else(|failure| panic!("{failure}: {:#}", status(&next)));
    assert!(poller.wait_for_good(20, PATIENCE), "{:?}", poller.tally());
    unbroken(&poller, &next);
    assert_eq!([40, 41, 42].map(|register| server.holding(register)), [1, 2, 3]);
    assert_eq!(status(&next)["flows"]["established"], 2, "{:#}", status(&next));
    assert_eq!(reason(&next, "unsynchronised"), 0);
}

#[test]
fn after_bypass_reads_go_on_and_writes_are_proved_anew() {
    let line = Line::new();
    let server = line.serve();
    let enforcer = line.enforcer(&policy("resync"), "enforce", "");
    let poller = line.poll();
    let [mut idle, mut busy, mut hasty] = [line.client(), line.client(), line.client()];
    for client in [&mut idle, &mut busy, &mut hasty] {
        client.write_single(40, 1).expect("followed from its beginning");
    }
    enforcer.must(&["mode", "bypass"]).expect("bypass");
    assert!(poller.wait_for_good(20, PATIENCE), "{:?}", poller.tally());
    busy.write_single(60, 2).expect("in bypass nothing is judged");
    hasty.read_holding(0, 1).expect("in bypass");
    enforcer.must(&["mode", "enforce", "--force"]).expect("back");
    assert!(poller.wait_for_good(50, PATIENCE), "{:?}\n{:#}", poller.tally(), status(&enforcer));
    unbroken(&poller, &enforcer);
    for client in [&mut idle, &mut busy] {
        prove(client, &enforcer);
        client.write_single(41, 3).unwrap_or_else(|failure| panic!("{failure}: {:#}", status(&enforcer)));
    }
    is_reset(hasty.write_single(42, 4), &enforcer);
    assert_eq!([60, 41, 42].map(|register| server.holding(register)), [2, 3, 42]);
    assert_eq!(reason(&enforcer, "unsynchronised"), 1, "{:#}", status(&enforcer));
}
