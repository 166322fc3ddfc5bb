//! The controller ends, by accident, by order, for another version; and the next one goes on.

use std::path::Path;
use std::time::{Duration, Instant};

use enforcer_tests::plant::{PATIENCE, Plant, reads};
use enforcer_tests::{Enforcer, enforcer, say};
use serde_json::Value;

/// Kills and restarts in one loop; `ENFORCER_ROUNDS` in the environment sets another number.
fn rounds() -> u64 {
    std::env::var("ENFORCER_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(20)
}

fn count(status: &Value, what: &str) -> u64 {
    status["conduits"][0][what].as_u64().unwrap_or_else(|| panic!("{what}: {status:#}"))
}

/// Restart, kill -9 and upgrade in turn, without a pause in the polls; between them writes, which must not arrive. At the
/// end both ends and the box have counted the same.
#[test]
fn restarts_crashes_and_upgrades_lose_nothing_and_let_nothing_through() {
    let mut plant = Plant::enforcing();
    let before = plant.status();
    // Read together: the poller has counted since it started.
    let (asked, polled) = (plant.server.memory().requests, plant.poller.tally().good);
    let (start, rounds) = (Instant::now(), rounds());
    let mut denied = 0;
    for round in 0..rounds {
        let when = format!("round {round}");
        match round % 3 {
            0 => {
                plant.kill();
            }
            1 => {
                let status = plant.enforcer.process().stop(PATIENCE);
                assert_eq!(status.and_then(|status| status.code()), Some(0), "{when}");
            }
            // The old version is stopped while the new one is being started.
            _ => {
                let id = plant.enforcer.id().to_string();
                let sent = std::process::Command::new("kill").args(["-s", "TERM", &id]).status().expect("kill");
                assert!(sent.success(), "{when}");
                plant.enforcer.process().stop(PATIENCE);
            }
        }
        plant.denies(&format!("{when}, without a daemon"));
        plant.again();
        plant.denies(&format!("{when}, with the next daemon"));
        denied += 2;
        plant.unbroken(&when);
    }
    plant.polls("at the end");
    plant.unbroken("at the end");
    // The poller rests, so that all three count the same.
    let Plant { enforcer, poller, server, lab } = plant;
    let tally = poller.stop();
    let good = tally.good - polled;
    let after = enforcer.status().expect("status");
    let arrived = server.memory().requests - asked;
    let (allowed, stopped) =
        (count(&after, "allow") - count(&before, "allow"), count(&after, "deny") - count(&before, "deny"));
    say!(
        "{rounds} rounds in {:.1?}: {} polls, longest gap {:?}, {} requests arrived, {denied} writes denied",
        start.elapsed(),
        good,
        tally.longest_gap,
        arrived,
    );
    assert_eq!(stopped, denied, "denials counted: {after:#}");
    // Each poll is a request and an answer. The one that was under way at the first look may count once more.
    let polls = count(&after, "evaluated") - count(&before, "evaluated") - stopped;
    assert!(polls.abs_diff(allowed) <= 2, "{polls} evaluated, {allowed} allowed: {after:#}");
    assert!(arrived.abs_diff(good) <= 2, "{arrived} arrived of {good} polls");
    assert!(
        allowed.abs_diff(arrived) <= 2 || allowed.abs_diff(2 * arrived) <= 4,
        "{allowed} allowed, {arrived} arrived: {after:#}"
    );
    drop((server, lab));
}

/// Where the pins of the box lie, seen from its mounts.
fn pins(plant: &Plant) -> String {
    let pair = "/sys/fs/bpf/enforcer/eth0-eth1";
    let name = plant.lab.cabinet.output("ls", &[pair]);
    format!("{pair}/{}", name.trim())
}

/// The next version has another layout: its maps are new, the ports are handed over in one step.
#[test]
fn another_layout_takes_the_ports_over_without_opening_the_line() {
    let mut plant = Plant::enforcing();
    plant.kill();
    let old = pins(&plant);
    let other = "/sys/fs/bpf/enforcer/eth0-eth1/00000000deadbeef";
    plant.lab.cabinet.output("mv", &[&old, other]);
    plant.denies("while the old programs stand alone");
    plant.again();
    plant.enforces("with the new programs");
    assert!(!Path::new(other).exists(), "the old pins are gone");
    assert_eq!(pins(&plant), old);
    plant.unbroken("conversations are taken up where they are");
}

/// Half of what an earlier daemon pinned is gone.
#[test]
fn pins_that_do_not_fit_are_not_gone_on_with() {
    let mut plant = Plant::enforcing();
    for lost in ["SETTINGS", "program_root_device"] {
        plant.kill();
        plant.lab.cabinet.output("rm", &[&format!("{}/{lost}", pins(&plant))]);
        plant.denies("while the old programs stand alone");
        plant.again();
        plant.says("the pins of an earlier controller are not gone on with");
        plant.enforces(&format!("after {lost} was lost"));
        // The programs on the ports are those that are written to.
        plant.enforcer.must(&["mode", "shadow"]).expect("shadow");
        plant.is_open("in shadow");
        plant.enforcer.must(&["mode", "enforce"]).expect("enforce");
        plant.enforces("in enforce again");
    }
    plant.unbroken("at the end");
}

/// Counters go on over policies and restarts.
#[test]
fn counters_of_earlier_policies_go_on_over_a_crash() {
    let mut plant = Plant::enforcing();
    plant.denies("under the first policy");
    for revision in 2..5 {
        let file = plant.lab.write("next.toml", &reads(revision)).display().to_string();
        plant.enforcer.must(&["policy", "apply", &file]).expect("apply");
        plant.kill();
        plant.again();
        plant.denies("under the next");
        let status = plant.status();
        assert_eq!(status["policy"]["revision"], revision, "{status:#}");
        assert_eq!(count(&status, "deny"), u64::from(revision), "{status:#}");
    }
}

/// The state was wiped while the box was at work.
#[test]
fn a_state_that_was_lost_does_not_make_the_box_more_lenient() {
    let mut plant = Plant::new("learn", "");
    plant.enforcer.must(&["mode", "enforce", "--force", "--reason", "test"]).expect("enforce");
    plant.kill();
    std::fs::remove_dir_all(plant.lab.folder().join("state")).expect("remove the state");
    plant.again();
    plant.says("no state is there, though the box was at work");
    assert_eq!(plant.status()["mode"], "enforce", "{}", plant.state());
    plant.enforces("after the state was lost");
    plant.unbroken("after the state was lost");
}

/// More denials than the ring takes while nobody reads it.
#[test]
fn events_that_find_the_ring_full_are_counted() {
    let plant = Plant::enforcing();
    let id = plant.enforcer.id().to_string();
    let signal = |name: &str| {
        assert!(std::process::Command::new("kill").args(["-s", name, &id]).status().expect("kill").success());
    };
    signal("STOP");
    // Datagrams that no conduit covers: one event each, of 192 bytes, into a ring of 1 MiB.
    plant.lab.hmi.run(|| {
        let socket = std::net::UdpSocket::bind("10.10.1.20:0").expect("a socket");
        for _ in 0..8000 {
            socket.send_to(b"x", "10.10.2.5:9").expect("send");
        }
    });
    plant.polls("while the ring is full");
    signal("CONT");
    plant.says("events found the ring full");
    let status = plant.status();
    let (read, lost) = (status["events"]["emitted"].as_u64(), status["events"]["lost"].as_u64());
    let denied = status["uncovered"]["deny"].as_u64().unwrap_or(0);
    assert!(lost > Some(500) && read > Some(3000), "{status:#}");
    assert_eq!(read.unwrap_or(0) + lost.unwrap_or(0), denied, "every denial is read or counted as lost: {status:#}");
    plant.unbroken("over all that");
}

/// The controller is gone for good, and the policy says what then.
#[test]
fn a_silent_controller_holds_calms_or_blocks_in_the_kernel() {
    for (word, mode) in [("hold", "enforced"), ("shadow", "open"), ("block", "silent")] {
        let mut plant = Plant::new("enforce", &format!("[failure]\ndeadman = \"1s\"\non_deadman = \"{word}\"\n"));
        plant.enforces("while it lives");
        plant.kill();
        std::thread::sleep(Duration::from_millis(1500));
        match mode {
            "open" => {
                plant.poller.wait_for_good(20, PATIENCE);
                plant.write().unwrap_or_else(|error| panic!("{word}: {error}"));
            }
            "silent" => {
                let before = plant.poller.tally().good;
                std::thread::sleep(Duration::from_millis(300));
                assert_eq!(plant.poller.tally().good, before, "{word}: polls are answered");
            }
            _ => {
                assert!(plant.poller.wait_for_good(20, PATIENCE), "{word}");
                assert!(plant.write().is_err(), "{word}: the write was confirmed");
            }
        }
        plant.again();
        plant.enforces(&format!("{word}: when the next one is there"));
    }
}

/// What the kernel's cell holds of an earlier configuration counts no more.
#[test]
fn a_deadman_that_was_taken_out_of_the_configuration_blocks_nothing() {
    let mut plant = Plant::new("enforce", "[failure]\ndeadman = \"1s\"\non_deadman = \"block\"\n");
    plant.enforces("while it lives");
    plant.kill();
    let text = std::fs::read_to_string(plant.enforcer.config()).expect("the configuration");
    plant.lab.write("enforcer.toml", &text.replace("\"block\"", "\"hold\""));
    plant.again();
    std::thread::sleep(Duration::from_millis(1500));
    plant.enforces("with the new configuration");
}

/// Two daemons would undo each other's work.
#[test]
fn a_second_instance_is_refused_by_its_ports_too() {
    let plant = Plant::enforcing();
    let text = std::fs::read_to_string(plant.enforcer.config()).expect("the configuration");
    let folder = plant.lab.folder().display().to_string();
    let other =
        text.replace(&format!("{folder}/state"), &format!("{folder}/other")).replace("control.sock", "other.sock");
    let config = plant.lab.write("other.toml", &other);
    let refused =
        Enforcer::start_with(&plant.lab, &enforcer::current(), &config, &plant.lab.folder().join("other.sock"));
    let sentence = refused.err().expect("it must be refused");
    assert!(sentence.contains("another enforcer runs on these ports"), "{sentence}");
    plant.enforces("after the second was refused");
    plant.unbroken("after the second was refused");
}
