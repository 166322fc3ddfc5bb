//! A cable that was out: frames may have gone another way meanwhile.

use enforcer_tests::lab::STATION_PORT;
use enforcer_tests::namespace::wait_until;
use enforcer_tests::{Enforcer, Namespace};

use crate::plant::{Line, PATIENCE, is_reset, policy, prove, reason, status, unbroken};

#[test]
fn in_shadow_polling_goes_on_and_no_write_is_lost() {
    let line = Line::new();
    let server = line.serve();
    let enforcer = line.enforcer(&policy("resync"), "shadow", "");
    let poller = line.poll();
    let mut client = line.client();
    for (round, station) in [&line.lab.hmi, &line.lab.plc].into_iter().enumerate() {
        pull(station, &enforcer, round + 1);
        client.write_single(40, 7 + round as u16).expect("shadow denies nothing");
        assert_eq!(usize::from(server.holding(40)), 7 + round);
        assert!(poller.wait_for_good(20, PATIENCE), "{:?}\n{:#}", poller.tally(), status(&enforcer));
    }
    unbroken(&poller, &enforcer);
}

#[test]
fn in_enforce_reads_pass_at_once_and_writes_after_three_exchanges() {
    let line = Line::new();
    let server = line.serve();
    let enforcer = line.enforcer(&policy("resync"), "enforce", "");
    let poller = line.poll();
    for (round, station) in [&line.lab.hmi, &line.lab.plc].into_iter().enumerate() {
        let [mut patient, mut hasty] = [line.client(), line.client()];
        for client in [&mut patient, &mut hasty] {
            client.write_single(40, 1).expect("followed from its beginning");
        }
        pull(station, &enforcer, round + 1);
        is_reset(hasty.write_single(41, 9), &enforcer);
        assert_eq!(reason(&enforcer, "unsynchronised"), round as u64 + 1, "{:#}", status(&enforcer));
        prove(&mut patient, &enforcer);
        patient.write_single(41, 2).unwrap_or_else(|failure| panic!("{failure}: {:#}", status(&enforcer)));
        assert_eq!(server.holding(41), 2);
        assert!(poller.wait_for_good(20, PATIENCE), "{:?}\n{:#}", poller.tally(), status(&enforcer));
    }
    unbroken(&poller, &enforcer);
}

#[test]
fn a_cable_that_was_out_while_no_daemon_ran_is_noticed_by_the_next_one() {
    let line = Line::new();
    let _server = line.serve();
    let mut enforcer = line.enforcer(&policy("resync"), "enforce", "");
    let [mut patient, mut hasty] = [line.client(), line.client()];
    for client in [&mut patient, &mut hasty] {
        client.write_single(40, 1).expect("followed from its beginning");
    }
    enforcer.process().kill();
    for change in ["down", "up"] {
        line.lab.hmi.ip(&format!("link set dev {STATION_PORT} {change}"));
    }
    let next = line.start(enforcer.config());
    is_reset(hasty.write_single(41, 9), &next);
    prove(&mut patient, &next);
    patient.write_single(41, 2).unwrap_or_else(|failure| panic!("{failure}: {:#}", status(&next)));
}

/// Pulls a station's cable and puts it back; the box has told so `times` times.
fn pull(station: &Namespace, enforcer: &Enforcer, times: usize) {
    station.ip(&format!("link set dev {STATION_PORT} down"));
    station.ip(&format!("link set dev {STATION_PORT} up"));
    let told = || {
        let events = enforcer.json_lines(&["events"]).unwrap_or_else(|error| panic!("{error}"));
        let back = |event: &&serde_json::Value| {
            event["event"] == "health" && event["what"].as_str().is_some_and(|what| what.contains("is back"))
        };
        events.iter().filter(back).count()
    };
    wait_until("the box tells of the cable", || told() >= times);
    assert_eq!(told(), times);
}
