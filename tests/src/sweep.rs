//! Removing labs: our own at the end or on a signal, and those of processes that were killed.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{process, thread, time::Duration};

use crate::namespace::FOLDER;
use crate::{group, sys};

/// Every name of a lab starts with this word, then the owner's process id and a number.
const WORD: &str = "enf";

/// The name of lab `number` of this process; the namespaces are `NAME-hmi`, `NAME-box` and `NAME-plc`.
pub(crate) fn lab_name(number: u32) -> String {
    format!("{WORD}-{}-{number}", process::id())
}

/// The folder for a lab's files: configuration, state, control socket.
pub(crate) fn folder(lab: &str) -> PathBuf {
    std::env::temp_dir().join(lab)
}

/// Removes what this process made. For signal handlers: nothing is dropped when a process ends by a signal.
pub fn own() {
    each_lab(|owner| owner == process::id());
}

/// Removes what dead processes left behind.
pub fn stale() {
    each_lab(|owner| !alive(owner));
}

/// Whether a process runs. One that was killed stays listed as a zombie until its parent has looked.
fn alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
    !state.is_empty() && !state.starts_with(['Z', 'X'])
}

/// Removes the namespace with every process in it. Gone already is no error.
pub(crate) fn remove_namespace(name: &str) {
    let path = Path::new(FOLDER).join(name);
    if !path.exists() {
        return;
    }
    kill_inside(&path);
    let _ = Command::new("ip").args(["netns", "del", name]).stdin(Stdio::null()).stderr(Stdio::null()).status();
}

/// Removes the lab's files, and its control group.
pub(crate) fn remove_files(lab: &str) {
    group::remove(lab);
    let _ = fs::remove_dir_all(folder(lab));
}

/// A lock among all labs of this machine for the steps that iproute2 cannot do in parallel; released on drop.
pub(crate) fn turn() -> Option<File> {
    let file = File::create(std::env::temp_dir().join(format!("{WORD}-lab.lock"))).ok()?;
    file.lock().ok()?;
    Some(file)
}

fn each_lab(chosen: impl Fn(u32) -> bool) {
    for folder in [Path::new(FOLDER), &std::env::temp_dir()] {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some((owner, lab)) = parse(&name) else {
                continue;
            };
            if !chosen(owner) {
                continue;
            }
            if folder == Path::new(FOLDER) {
                remove_namespace(&name);
            }
            remove_files(&lab);
        }
    }
}

/// Splits `enf-PID-N` or `enf-PID-N-role` into the owner and the lab's name.
fn parse(name: &str) -> Option<(u32, String)> {
    let mut parts = name.split('-');
    if parts.next() != Some(WORD) {
        return None;
    }
    let owner: u32 = parts.next()?.parse().ok()?;
    let number: u32 = parts.next()?.parse().ok()?;
    Some((owner, format!("{WORD}-{owner}-{number}")))
}

/// Kills every process (but ourselves) whose network namespace is the one at `path`, and waits until they are gone.
fn kill_inside(path: &Path) {
    let Ok(namespace) = fs::metadata(path) else {
        return;
    };
    for _ in 0..100 {
        let mut found = false;
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else {
                continue;
            };
            let Ok(inside) = fs::metadata(entry.path().join("ns/net")) else {
                continue;
            };
            if pid != process::id() && inside.ino() == namespace.ino() && inside.dev() == namespace.dev() {
                found = true;
                sys::signal(pid, libc::SIGKILL);
            }
        }
        if !found {
            return;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn names_of_labs_are_told_from_others() {
        assert_eq!(parse("enf-12-3-hmi"), Some((12, "enf-12-3".to_owned())));
        assert_eq!(parse("enf-12-3"), Some((12, "enf-12-3".to_owned())));
        assert_eq!(parse("enf-lab.lock"), None);
        assert_eq!(parse("enf-dev-x"), None);
        assert_eq!(parse("plant"), None);
    }
}
