//! From power-on until the controller has spoken: `on_boot`. A boot is made by taking away what a boot takes away: pins,
//! bridge, ports that are up, and the name of the boot.

use std::fs;
use std::process::Output;
use std::time::Duration;

use enforcer_tests::enforcer::current;
use enforcer_tests::lab::{DEVICE_PORT, NETWORK_PORT};
use enforcer_tests::plant::{Plant, reads};

const BOOT: &str = "/proc/sys/kernel/random/boot_id";

fn plant(on_boot: &str) -> Plant {
    Plant::new("enforce", &format!("[failure]\non_boot = \"{on_boot}\"\n"))
}

/// The power fails and is back; no daemon runs yet.
fn boot(plant: &mut Plant, name: &str) {
    plant.kill();
    let cabinet = &plant.lab.cabinet;
    cabinet.output("rm", &["-r", "/sys/fs/bpf/enforcer"]);
    cabinet.ip("link del br0");
    for port in [NETWORK_PORT, DEVICE_PORT] {
        cabinet.ip(&format!("link set {port} down"));
    }
    let file = plant.lab.write("boot", &format!("{name}\n")).display().to_string();
    cabinet.output("mount", &["--bind", &file, BOOT]);
    std::thread::sleep(Duration::from_millis(100));
}

fn up(plant: &Plant, port: &str) -> bool {
    plant.lab.cabinet.output("ip", &["link", "show", port]).contains(",UP")
}

/// Starts a daemon that must refuse.
fn refused(plant: &Plant) -> Output {
    let mut command = plant.lab.cabinet.command(current());
    command.arg("run").arg("--config").arg(plant.enforcer.config()).output().expect("run")
}

fn damage_all_state(plant: &Plant) {
    for file in ["state.json", "state.confirmed.json"] {
        fs::write(plant.lab.folder().join("state").join(file), "{").expect("damage it");
    }
}

#[test]
fn the_last_confirmed_policy_is_there_before_the_ports_are_joined() {
    let mut plant = plant("last_confirmed");
    let file = plant.lab.write("next.toml", &reads(2)).display().to_string();
    plant.enforcer.must(&["policy", "apply", &file]).expect("apply");
    boot(&mut plant, "second");
    assert!(!up(&plant, DEVICE_PORT));
    plant.again();
    assert_eq!(plant.status()["policy"]["revision"], 2, "{}", plant.state());
    assert!(up(&plant, NETWORK_PORT) && up(&plant, DEVICE_PORT), "{}", plant.state());
    plant.enforces("after the boot");
}

#[test]
fn nothing_unconfirmed_is_booted_into() {
    let mut plant = plant("last_confirmed");
    let bad = plant.lab.write("open.toml", &reads(9).replace("@read", "@any")).display().to_string();
    plant.enforcer.must(&["policy", "apply", &bad, "--confirm-within", "10m"]).expect("apply");
    plant.is_open("while it is tried");
    boot(&mut plant, "second");
    plant.again();
    plant.says("the machine was restarted before it was confirmed");
    assert_eq!(plant.status()["policy"]["revision"], 1, "{}", plant.state());
    plant.enforces("after the boot");
    // Nor when the file that says so is damaged: the copy never had it.
    plant.enforcer.must(&["policy", "apply", &bad, "--confirm-within", "10m"]).expect("apply");
    boot(&mut plant, "third");
    fs::write(plant.lab.folder().join("state/state.json"), "{").expect("damage it");
    plant.again();
    plant.says("going on with the last confirmed state: policy press-line revision 1, mode enforce");
    plant.enforces("after the boot with a damaged state");
}

#[test]
fn without_any_copy_last_confirmed_takes_the_configured_policy_and_mode() {
    let mut plant = plant("last_confirmed");
    boot(&mut plant, "second");
    damage_all_state(&plant);
    plant.again();
    plant.says("there is no confirmed copy: going on with");
    assert_eq!(plant.status()["mode"], "enforce", "{}", plant.state());
    plant.enforces("with the configured policy");
    boot(&mut plant, "third");
    damage_all_state(&plant);
    plant.lab.write("policy.toml", "[policy]\nname = ");
    let output = refused(&plant);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("state.json") && text.contains("policy.toml:2"), "{text}");
}

#[test]
fn open_joins_the_line_before_anything_can_fail_and_stays_open_without_a_state() {
    let mut plant = plant("open");
    plant.enforces("before the boot");
    boot(&mut plant, "second");
    damage_all_state(&plant);
    plant.again();
    plant.says("because on_boot is \\\"open\\\"");
    assert_eq!(plant.status()["mode"], "bypass", "{}", plant.state());
    plant.alarms("everything is forwarded and nothing is judged");
    plant.is_open("without a state");
    let file = plant.lab.write("next.toml", &reads(3)).display().to_string();
    plant.enforcer.must(&["policy", "apply", &file]).expect("apply");
    plant.enforcer.must(&["mode", "enforce", "--force", "--reason", "repaired"]).expect("enforce");
    assert!(!plant.attention().contains("on_boot"), "{}", plant.state());
    plant.enforces("after it was repaired");
    // A good state is booted into under `open` as well.
    boot(&mut plant, "third");
    plant.again();
    assert_eq!(plant.status()["mode"], "enforce", "{}", plant.state());
    plant.enforces("after a boot with a good state");
}

#[test]
fn open_leaves_a_plain_line_when_the_start_is_refused() {
    let mut plant = plant("open");
    boot(&mut plant, "second");
    // The journal's place in the pins is taken: the daemon cannot pin and gives up after the line was joined.
    plant.lab.cabinet.output("mkdir", &["-p", "/sys/fs/bpf/enforcer/eth0-eth1"]);
    let socket = plant.lab.folder().join("control.sock");
    let _ = fs::remove_file(&socket);
    fs::create_dir(&socket).expect("a directory where the socket belongs");
    let output = refused(&plant);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(plant.poller.wait_for_good(20, Duration::from_secs(8)), "the line is plain: {:?}", plant.poller.tally());
    plant.write().expect("a plain line denies nothing");
}

#[test]
fn closed_keeps_the_ports_down_until_the_policy_is_there() {
    let mut plant = plant("closed");
    plant.enforces("before the boot");
    boot(&mut plant, "second");
    for port in [NETWORK_PORT, DEVICE_PORT] {
        // Somebody else brought the ports up and joined them first.
        plant.lab.cabinet.ip(&format!("link set {port} up"));
    }
    let socket = plant.lab.folder().join("control.sock");
    let _ = fs::remove_file(&socket);
    fs::create_dir(&socket).expect("a directory where the socket belongs");
    let output = refused(&plant);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!up(&plant, NETWORK_PORT) && !up(&plant, DEVICE_PORT), "the ports are down after a start that failed");
    fs::remove_dir(&socket).expect("remove it");
    plant.again();
    plant.enforces("when the policy is there");
}

#[test]
fn closed_lets_nothing_through_without_a_state() {
    let mut plant = plant("closed");
    boot(&mut plant, "second");
    damage_all_state(&plant);
    plant.again();
    plant.says("because on_boot is \\\"closed\\\"");
    plant.is_silent("without a state");
    let file = plant.lab.write("next.toml", &reads(3)).display().to_string();
    plant.enforcer.must(&["policy", "apply", &file]).expect("apply");
    plant.enforces("after it was repaired");
}
