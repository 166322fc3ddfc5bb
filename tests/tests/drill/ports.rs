//! The ports and the bridge change under the box: cables out, interfaces gone and back, renamed, taken, the bridge removed.

use std::time::Duration;

use enforcer_tests::lab::{DEVICE_PORT, NETWORK_PORT, STATION_PORT};
use enforcer_tests::plant::{PATIENCE, Plant};
use enforcer_tests::say;

/// How long the box may take to mend a port or the bridge.
const AT_ONCE: Duration = Duration::from_secs(2);

/// A lab whose port comes back within the test's own borrow.
fn pull_and_put_back(plant: &mut Plant) {
    plant.lab.pull_device_port();
    plant.says("eth1: the interface is gone");
    plant.alarms("eth1: the interface is gone");
    plant.is_silent("with the port pulled");
    plant.lab.put_device_port_back();
}

#[test]
fn a_cable_that_was_out_is_reported_and_conversations_are_proved_anew() {
    let plant = Plant::enforcing();
    plant.lab.plc.ip(&format!("link set {STATION_PORT} down"));
    plant.wait("the link to be down", |status| status["ports"]["device"]["link"] == "down");
    plant.is_silent("with the cable out");
    plant.lab.plc.ip(&format!("link set {STATION_PORT} up"));
    // IPv6 forgets the address when the link goes down; IPv4 does not, and the polls are IPv4.
    plant.wait("the link to be up", |status| status["ports"]["device"]["link"] == "up");
    plant.enforces("with the cable in");
    let events = plant.enforcer.json_lines(&["events"]).expect("events");
    let said = |words: &str| events.iter().any(|event| event["what"].as_str().is_some_and(|what| what.contains(words)));
    assert!(said("eth1: the cable is out") && said("eth1: the cable was out and is back"), "{}", plant.state());
}

#[test]
fn a_port_that_was_removed_and_made_again_is_taken_up_at_once() {
    let mut plant = Plant::enforcing();
    for round in 0..2 {
        pull_and_put_back(&mut plant);
        let took = plant.wait("the port's trouble to be over", |status| {
            !status["attention"].to_string().contains("eth1: the interface is gone")
        });
        assert!(took < AT_ONCE, "it took {took:?}");
        say!("round {round}: taken up {took:?} after it was back");
        plant.alarms("eth1: its program was gone and is on it again");
        plant.alarms("br0: the bridge did not hold both ports and does again");
        plant.enforces("on the port that was made again");
        let link = plant.lab.cabinet.output("ip", &["-d", "link", "show", DEVICE_PORT]);
        assert!(link.contains("xdp") && link.contains("master br0"), "{link}");
    }
    // And it is the daemon after it that goes on with this link, too.
    plant.kill();
    plant.again();
    plant.enforces("with the next daemon");
}

#[test]
fn a_port_that_was_made_again_while_no_daemon_ran_is_not_joined_without_its_program() {
    let mut plant = Plant::enforcing();
    plant.kill();
    plant.lab.pull_device_port();
    plant.lab.put_device_port_back();
    let before = plant.poller.tally().good;
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(plant.poller.tally().good, before, "nothing joins the ports");
    plant.again();
    plant.enforces("with the next daemon");
}

#[test]
fn a_renamed_port_is_judged_as_before_and_said() {
    let plant = Plant::enforcing();
    plant.lab.cabinet.ip(&format!("link set {DEVICE_PORT} name plc0"));
    plant.says("eth1: it is called plc0 now, and is judged as before");
    plant.enforces("under another name");
    plant.lab.cabinet.ip(&format!("link set plc0 name {DEVICE_PORT}"));
    plant.wait("the old name to be seen", |status| !status["attention"].to_string().contains("plc0"));
    plant.enforces("under the old name");
    plant.unbroken("over all that");
}

#[test]
fn a_bridge_that_was_removed_is_made_again() {
    let plant = Plant::enforcing();
    for _ in 0..3 {
        plant.lab.cabinet.ip("link del br0");
        let took = std::time::Instant::now();
        plant.alarms("br0: the bridge was removed and is made again");
        plant.polls("over the bridge that was made again");
        assert!(took.elapsed() < AT_ONCE, "it took {:?}", took.elapsed());
        plant.denies("over the bridge that was made again");
    }
    let bridge = plant.lab.cabinet.output("ip", &["-d", "link", "show", "br0"]);
    assert!(bridge.contains("stp_state 0") && bridge.contains("mcast_snooping 0"), "a wire as before: {bridge}");
}

#[test]
fn a_port_that_was_taken_out_of_the_bridge_is_put_back() {
    let plant = Plant::enforcing();
    plant.lab.cabinet.ip(&format!("link set {NETWORK_PORT} nomaster"));
    plant.alarms("br0: the bridge did not hold both ports and does again");
    plant.enforces("joined again");
    plant.unbroken("over all that");
}

#[test]
fn a_third_port_in_the_bridge_is_an_alarm() {
    let plant = Plant::enforcing();
    plant.lab.cabinet.ip("link add side type veth peer name far");
    plant.lab.cabinet.ip("link set side master br0");
    plant.says("bridge br0 holds side beside the two ports");
    plant.alarms("bridge br0 holds side beside the two ports");
    plant.enforces("all the same");
    plant.lab.cabinet.ip("link set side nomaster");
    plant.wait("the way round to be closed", |status| !status["attention"].to_string().contains("holds side"));
}

#[test]
fn a_program_that_was_taken_off_by_force_is_put_on_again() {
    let plant = Plant::enforcing();
    let pin = "/sys/fs/bpf/enforcer/eth0-eth1";
    let layout = plant.lab.cabinet.output("ls", &[pin]);
    let pin = format!("{pin}/{}/link_root_network", layout.trim());
    plant.lab.cabinet.run(|| enforcer_tests::xdp::detach_pinned(&pin)).expect("detach");
    plant.alarms("eth0: its program was gone and is on it again");
    let start = std::time::Instant::now();
    while plant.write().is_ok() {
        assert!(start.elapsed() < PATIENCE, "the write still arrives\n{}", plant.state());
    }
    plant.enforces("with the program on again");
}
