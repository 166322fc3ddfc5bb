//! The control group of a lab, which a systemd in it makes its own ones below.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

/// Makes the group of `lab`.
pub(crate) fn make(lab: &str) -> PathBuf {
    let group = place(lab).expect("systemd needs control groups of the second version, and none are mounted");
    fs::create_dir(&group).unwrap_or_else(|error| panic!("{}: {error}", group.display()));
    group
}

/// Ends every process in the group of `lab` and removes it; most labs have none.
pub(crate) fn remove(lab: &str) {
    let Some(group) = place(lab).filter(|group| group.exists()) else {
        return;
    };
    let _ = fs::write(group.join("cgroup.kill"), "1");
    let start = Instant::now();
    // A group can go when the last process in it has gone.
    while remove_all(&group).is_err() && start.elapsed() < Duration::from_secs(5) {
        thread::sleep(Duration::from_millis(20));
    }
}

/// Below where this machine keeps its control groups of the second version.
fn place(lab: &str) -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/mounts").ok()?;
    let mut mounts = mounts.lines().map(|line| line.split(' ').skip(1));
    let folder =
        mounts.find_map(|mut words| Some((words.next()?, words.next()?)).filter(|(_, kind)| *kind == "cgroup2"));
    folder.map(|(folder, _)| Path::new(folder).join(lab))
}

fn remove_all(group: &Path) -> io::Result<()> {
    for entry in fs::read_dir(group)?.flatten().filter(|entry| entry.path().is_dir()) {
        remove_all(&entry.path())?;
    }
    fs::remove_dir(group)
}
