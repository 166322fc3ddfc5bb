//! The state directory is missing, full, read-only, damaged: verdicts do not depend on it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use enforcer_tests::Lab;
use enforcer_tests::enforcer::{PATIENT, configuration};
use enforcer_tests::plant::{Plant, READS, reads};

/// A file system of a megabyte at a place in the lab's folder, seen by the box alone; it goes with the box.
fn small_disk(lab: &Lab) -> PathBuf {
    let place = lab.folder().join("disk");
    fs::create_dir_all(&place).expect("make the place");
    lab.cabinet.output("mount", &["-t", "tmpfs", "-o", "size=1m", "tmpfs", &place.display().to_string()]);
    place
}

/// A plant whose state lies on a small disk.
fn on_a_small_disk() -> (Plant, PathBuf) {
    let lab = Lab::new();
    let disk = small_disk(&lab);
    let policy = lab.write("policy.toml", READS);
    let text = configuration(&lab, &policy, "enforce")
        .replace(&format!("{}/state", lab.folder().display()), &disk.display().to_string());
    lab.write("enforcer.toml", &format!("{text}\n{PATIENT}"));
    (Plant::on(lab), disk)
}

fn fill(plant: &Plant, disk: &std::path::Path) {
    let file = format!("of={}/ballast", disk.display());
    // Ends when the disk is full, which is what it is for.
    let _ = plant.lab.cabinet.command("dd").args(["if=/dev/zero", &file, "bs=4096"]).output().expect("dd");
}

#[test]
fn a_full_disk_stops_no_packet_and_no_start() {
    let (mut plant, disk) = on_a_small_disk();
    fill(&plant, &disk);
    plant.enforces("on a full disk");
    let refused = plant.enforcer.must(&["mode", "shadow"]).expect_err("it is not kept");
    assert!(refused.contains("in force, but will be forgotten"), "{refused}");
    assert_eq!(plant.status()["mode"], "shadow", "{}", plant.state());
    plant.says("cannot write the state");
    plant.kill();
    // Files that the dead daemon held open have left room.
    fill(&plant, &disk);
    plant.again();
    assert_eq!(plant.status()["mode"], "enforce", "what could be kept last: {}", plant.state());
    // The state itself may find the room that the old one leaves.
    plant.says("disk is full");
    plant.enforces("a daemon that came up on a full disk");
    plant.lab.cabinet.output("rm", &[&format!("{}/ballast", disk.display())]);
    plant.wait("the state to be written again", |status| {
        !status["attention"].to_string().contains("cannot write the state")
    });
    plant.unbroken("over all that");
}

#[test]
fn a_read_only_disk_stops_no_packet_and_no_start() {
    let (mut plant, disk) = on_a_small_disk();
    let place = disk.display().to_string();
    // Open files would keep it writable.
    plant.kill();
    plant.lab.cabinet.output("mount", &["-o", "remount,ro", &place]);
    plant.again();
    plant.says("Read-only file system");
    assert_eq!(plant.status()["policy"]["generation"], 1, "{}", plant.state());
    plant.enforces("on a read-only disk");
    plant.kill();
    plant.lab.cabinet.output("mount", &["-o", "remount,rw", &place]);
    plant.again();
    plant.enforces("on a disk that can be written again");
    assert!(!plant.attention().contains("Read-only"), "{}", plant.state());
    plant.unbroken("over all that");
}

#[test]
fn a_state_directory_that_cannot_be_made_stops_no_start() {
    let lab = Lab::new();
    let policy = lab.write("policy.toml", READS);
    let state = format!("{}/state", lab.folder().display());
    let text = configuration(&lab, &policy, "enforce").replace(&state, "/dev/null");
    lab.write("enforcer.toml", &format!("{text}\n{PATIENT}"));
    let mut plant = Plant::on(lab);
    plant.says("/dev/null");
    plant.says("will be forgotten at the next start");
    plant.enforces("without a state");
    plant.kill();
    plant.again();
    plant.enforces("without a state, once more");
    plant.unbroken("over all that");
}

#[test]
fn a_damaged_state_goes_back_to_the_confirmed_copy_and_says_so() {
    let mut plant = Plant::enforcing();
    let file = plant.lab.write("next.toml", &reads(2)).display().to_string();
    plant.enforcer.must(&["policy", "apply", &file]).expect("apply");
    plant.kill();
    let state = plant.lab.folder().join("state");
    fs::write(state.join("state.json"), "{\"schema\": 1, \"mode").expect("damage it");
    plant.again();
    plant.says("cannot read the state");
    plant.says("going on with the last confirmed state: policy press-line revision 2, mode enforce");
    assert!(state.join("state.json.unreadable").exists(), "it is kept for who wants to look");
    plant.enforces("with the copy");
    plant.unbroken("with the copy");
    plant.kill();
    plant.again();
    assert!(!plant.attention().contains("cannot read the state"), "the next start finds a good one: {}", plant.state());
    assert_eq!(plant.status()["policy"]["revision"], 2, "{}", plant.state());
}

#[test]
fn a_damaged_journal_is_set_aside_and_said() {
    let mut plant = Plant::enforcing();
    plant.kill();
    let state = plant.lab.folder().join("state");
    for beside in ["journal.db-wal", "journal.db-shm"] {
        let _ = fs::remove_file(state.join(beside));
    }
    fs::write(state.join("journal.db"), b"this is no database at all, and long enough to be looked at".repeat(100))
        .expect("damage it");
    plant.again();
    plant.says("the file is damaged");
    plant.enforces("with a new journal");
    plant.unbroken("with a new journal");
    let aside = fs::read_dir(&state)
        .expect("the folder")
        .flatten()
        .any(|entry| entry.file_name().to_string_lossy().starts_with("journal.corrupt-"));
    assert!(aside, "{:?}", Command::new("ls").arg(&state).output());
}

#[test]
fn the_bpf_file_system_is_mounted_where_it_is_not() {
    let lab = Lab::new();
    let policy = lab.write("policy.toml", READS);
    lab.write("enforcer.toml", &format!("{}\n{PATIENT}", configuration(&lab, &policy, "enforce")));
    // The box's own mount and, in its mounts alone, the machine's.
    while lab.cabinet.command("umount").arg("/sys/fs/bpf").output().expect("umount").status.success() {}
    let plant = Plant::on(lab);
    let mounts = plant.lab.cabinet.output("cat", &["/proc/self/mounts"]);
    assert!(mounts.lines().any(|line| line.contains(" /sys/fs/bpf bpf ")), "{mounts}");
    plant.enforces("on a file system that it mounted");
}
