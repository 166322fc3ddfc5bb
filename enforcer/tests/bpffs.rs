//! Mounting the BPF file system, in a mount namespace of its own. Needs root.

use std::{fs, path::Path, process::Command, thread};

use enforcer::dataplane::bpffs::{self, BpffsError};

fn mount(words: &[&str]) {
    let done = Command::new("mount").args(words).status().expect("mount starts");
    assert!(done.success(), "mount {words:?}");
}

#[test]
fn it_is_mounted_once_and_never_over_another_file_system() {
    let place = std::env::temp_dir().join(format!("enforcer-bpffs-{}", std::process::id()));
    fs::create_dir(&place).expect("a directory");
    let inner = place.clone();
    let body = move || {
        // SAFETY: unshare takes no pointers; the mounts made here concern this thread and its children only.
        let answer = unsafe { libc::unshare(libc::CLONE_NEWNS) };
        assert_eq!(answer, 0, "no namespace of our own: run these tests as root (cargo xtask test does)");
        mount(&["--make-rprivate", "/"]);
        let place: &Path = &inner;
        assert!(matches!(bpffs::check(place), Err(BpffsError::Absent { .. })));
        assert!(bpffs::ensure(place).expect("mounted"), "mounted now");
        fs::create_dir(place.join("pins")).expect("a directory for pins");
        assert!(!bpffs::ensure(place).expect("there"), "not mounted again");
        assert!(place.join("pins").is_dir(), "the pins are still to be seen");
        assert!(!bpffs::ensure(&place.join("pins")).expect("there"), "a directory in it will do");
        mount(&["-t", "tmpfs", "tmpfs", &place.display().to_string()]);
        assert!(matches!(bpffs::ensure(place), Err(BpffsError::Occupied { .. })));
    };
    let outcome = thread::spawn(body).join();
    fs::remove_dir(&place).expect("nothing was mounted outside");
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}
