//! One network namespace: made, entered, removed.

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::process::Process;
use crate::{sweep, sys};

/// Where iproute2 keeps named namespaces.
pub(crate) const FOLDER: &str = "/run/netns";

/// A named network namespace that is removed, with every process in it, when this value is dropped.
pub struct Namespace {
    name: String,
    door: Door,
}

impl Namespace {
    /// Makes the namespace with its loopback up.
    ///
    /// It goes by `ip netns add` so that a person can look into it with `nsenter --net=/run/netns/NAME`.
    pub fn new(name: String) -> Namespace {
        Namespace::make(name, None)
    }

    /// The same with mounts of its own: /sys/fs/bpf is a file system that only this namespace has.
    ///
    /// So every lab's enforcer may pin where a real box pins, and no pin outlives the lab, however it ends.
    pub fn with_own_bpf(name: String) -> Namespace {
        let mounts = thread::spawn(|| {
            sys::own_mounts()?;
            sys::mount_bpf()?;
            File::open("/proc/thread-self/ns/mnt")
        });
        let mounts = mounts.join().expect("the thread that mounts").expect("mount a BPF file system");
        Namespace::make(name, Some(Arc::new(mounts)))
    }

    fn make(name: String, mounts: Option<Arc<File>>) -> Namespace {
        {
            // iproute2 mounts /run/netns on its first call; two first calls at the same time trip over each other.
            let _turn = sweep::turn();
            run_ip(&format!("netns add {name}"));
        }
        let path = Path::new(FOLDER).join(&name);
        let network = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let namespace = Namespace { name, door: Door { network: Arc::new(network), mounts } };
        namespace.ip("link set lo up");
        namespace
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file that stands for this namespace.
    pub fn path(&self) -> PathBuf {
        Path::new(FOLDER).join(&self.name)
    }

    /// Runs `ip` with these words in this namespace; panics with its message when it fails.
    pub fn ip(&self, words: &str) {
        run_ip(&format!("-n {} {words}", self.name));
    }

    /// A command that will run in this namespace and die with the thread that starts it.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        self.door.command(program)
    }

    /// Runs a program to its end and returns what it printed; panics when it fails.
    pub fn output(&self, program: &str, arguments: &[&str]) -> String {
        let output =
            self.command(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
        assert!(
            output.status.success(),
            "{program} {arguments:?} in {}: {}{}",
            self.name,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Starts a long-running program; it is killed when the returned value is dropped.
    pub fn spawn(&self, program: &str, arguments: &[&str]) -> Process {
        let mut command = self.command(program);
        command.args(arguments);
        Process::start(command)
    }

    /// Runs `work` on a fresh thread inside the namespace and returns its result.
    ///
    /// A socket opened there stays in the namespace wherever it is used later.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.door.run(work)
    }

    /// A way in that threads can keep.
    pub fn door(&self) -> Door {
        self.door.clone()
    }

    /// Sets one value under /proc/sys/net, `a/b/c` form.
    pub fn sysctl(&self, key: &str, value: &str) {
        let path = Path::new("/proc/sys/net").join(key);
        self.run(|| {
            std::fs::write(&path, value).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        });
    }
}

/// An open way into a namespace. Unlike [`Namespace`] it can be cloned, and dropping it removes nothing.
#[derive(Clone)]
pub struct Door {
    network: Arc<File>,
    mounts: Option<Arc<File>>,
}

impl Door {
    /// A command that will run in the namespace, in a process group of its own, and die with the thread that starts it.
    ///
    /// `ip netns exec` would also remount /sys and so hide pinned BPF objects.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let door = self.clone();
        let folder = std::env::current_dir().unwrap_or_default().into_os_string().into_encoded_bytes();
        let folder = CString::new(folder).unwrap_or_default();
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).process_group(0);
        // SAFETY: between fork and exec only setns, chdir and prctl are called, all of them system calls that neither
        // allocate nor lock.
        unsafe {
            command.pre_exec(move || {
                door.enter()?;
                // Entering other mounts leads to their root folder.
                sys::change_folder(&folder)?;
                sys::die_with_parent()
            });
        }
        command
    }

    /// Runs `work` on a fresh thread inside the namespace and returns its result.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            scope
                .spawn(|| {
                    sys::own_folder().expect("a folder of the thread's own");
                    self.enter().expect("enter the namespace");
                    work()
                })
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    fn enter(&self) -> std::io::Result<()> {
        sys::enter(&self.network, libc::CLONE_NEWNET)?;
        match &self.mounts {
            Some(mounts) => sys::enter(mounts, libc::CLONE_NEWNS),
            None => Ok(()),
        }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        sweep::remove_namespace(&self.name);
    }
}

/// Polls `condition` every five milliseconds; panics with `what` after five seconds.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if condition() {
            return;
        }
        thread::sleep(Duration::from_millis(5));
    }
    panic!("waited five seconds for: {what}");
}

/// Runs `ip` with these words and panics with its own message when it fails.
pub(crate) fn run_ip(words: &str) {
    let output = Command::new("ip")
        .args(words.split_whitespace())
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("cannot run ip ({error}); cargo xtask setup installs it"));
    assert!(output.status.success(), "ip {words}: {}", String::from_utf8_lossy(&output.stderr).trim());
}
