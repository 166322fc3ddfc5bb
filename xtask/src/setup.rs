//! `cargo xtask setup`: find out what is missing, install it, say so.
//!
//! Each check looks at one file or asks one program, so a run with nothing to do costs a fraction of a second.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::privilege::{as_root, find};
use crate::say;
use crate::toolchain::{self, cargo};

/// The linker for BPF programs. Pinned: the verified instruction counts in this repository depend on it.
const LINKER: &str = "0.10.3";

/// How much of the machine a command needs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// What compiles the enforcer and its BPF programs.
    Build,
    /// And what runs it here: namespaces, ports, pinned objects.
    Everything,
}

/// Makes this machine ready. Prints only what it does; with `talk` also that nothing was to be done.
pub(crate) fn run(scope: Scope, talk: bool) -> Result<()> {
    let mut done = packages(scope)?;
    done |= toolchain::ready()?;
    done |= linker()?;
    if scope == Scope::Everything {
        done |= bpf_file_system()?;
        done |= peers()?;
    }
    if talk {
        println!("{}", say::good(if done { "setup: ready now" } else { "setup: nothing to do" }));
    }
    Ok(())
}

/// Debian packages, each known by a file or program it brings.
fn packages(scope: Scope) -> Result<bool> {
    let mut missing = Vec::new();
    let mut want = |there: bool, package: &'static str| {
        if !there {
            missing.push(package);
        }
    };
    // The enforcer bundles C code, so a compiler is needed beside the linker that Rust needs anyway.
    want(find("cc"), "build-essential");
    want(Path::new("/etc/ssl/certs/ca-certificates.crt").exists(), "ca-certificates");
    if scope == Scope::Everything {
        want(find("ip"), "iproute2");
        want(find("ethtool"), "ethtool");
        want(find("nsenter"), "util-linux");
        // What the bench compares with.
        want(find("nft"), "nftables");
        want(find("mount"), "mount");
        // Runs the unit, and says how much of the machine it is exposed to.
        want(find("systemd-analyze"), "systemd");
        // One of the servers that the evasion suite attacks.
        want(Path::new("/usr/include/modbus/modbus.h").exists(), "libmodbus-dev");
    }
    if missing.is_empty() {
        return Ok(false);
    }
    install(&missing)?;
    Ok(true)
}

/// Installs Debian packages; refreshes the package lists only when the first attempt fails, as on a fresh machine.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    if !find("apt-get") {
        bail!("these Debian packages are missing and there is no apt-get to install them: {names}");
    }
    doing(&format!("installing Debian packages: {names}"));
    let attempt = || -> Result<bool> {
        let mut command = as_root("env")?;
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-q", "--no-install-recommends"]);
        succeeds(command.args(packages))
    };
    if attempt()? {
        return Ok(());
    }
    doing("refreshing the package lists (apt-get update)");
    if !succeeds(as_root("apt-get")?.args(["update", "-q"]))? || !attempt()? {
        bail!("apt-get could not install: {names}");
    }
    Ok(())
}

fn linker() -> Result<bool> {
    let version = Command::new("bpf-linker").arg("--version").output();
    if version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim().ends_with(LINKER)) {
        return Ok(false);
    }
    doing(&format!("installing bpf-linker {LINKER} with cargo (a minute or two)"));
    let mut command = cargo();
    command.args(["install", "bpf-linker", "--version", LINKER, "--locked", "--force", "--quiet"]);
    if !succeeds(&mut command)? {
        bail!("cargo could not install bpf-linker {LINKER}");
    }
    if !find("bpf-linker") {
        bail!("bpf-linker is installed, but the folder that cargo installs into is not on the PATH");
    }
    Ok(true)
}

/// Clients and servers of other people's make, in Python, for the end-to-end tests.
fn peers() -> Result<bool> {
    let root = enforcer_tests::project_root();
    let (list, folder) = (root.join("tests/peers/requirements.txt"), root.join("target/peers"));
    let installed = folder.join("requirements.txt");
    let wanted = std::fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
    if std::fs::read_to_string(&installed).is_ok_and(|there| there == wanted) {
        return Ok(false);
    }
    doing("installing the Python peers of the end-to-end tests into target/peers");
    let venv = || succeeds(Command::new("python3").args(["-m", "venv"]).arg(&folder));
    // Debian keeps the module in a package of its own.
    if !find("python3") || !venv()? {
        install(&["python3", "python3-venv"])?;
        if !venv()? {
            bail!("python3 cannot make a virtual environment in {}", folder.display());
        }
    }
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&list);
    if !succeeds(&mut pip)? {
        bail!("pip could not install what {} lists", list.display());
    }
    std::fs::write(&installed, wanted).with_context(|| format!("cannot write {}", installed.display()))?;
    Ok(true)
}

/// The file system that pinned BPF objects live in. Never mounted twice: that would hide everybody's pins.
fn bpf_file_system() -> Result<bool> {
    let mounts = std::fs::read_to_string("/proc/mounts").context("cannot read /proc/mounts")?;
    if mounts.lines().any(|line| line.split(' ').nth(1) == Some("/sys/fs/bpf")) {
        return Ok(false);
    }
    doing("mounting the BPF file system on /sys/fs/bpf");
    if !succeeds(as_root("mount")?.args(["-t", "bpf", "bpf", "/sys/fs/bpf"]))? {
        bail!("cannot mount the BPF file system on /sys/fs/bpf; does this kernel have BPF?");
    }
    Ok(true)
}

/// Runs a command with its output shown.
pub(crate) fn succeeds(command: &mut Command) -> Result<bool> {
    let program = command.get_program().display().to_string();
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("cannot run {program}"))?;
    Ok(status.success())
}

pub(crate) fn doing(what: &str) {
    println!("{}", say::bold(&format!("setup: {what}")));
}
