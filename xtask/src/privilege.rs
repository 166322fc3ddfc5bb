//! Root rights: who has them, and how to get them.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Result, bail};

/// Set for the process that goes on as root: the set-up and the build were done by the user who started it.
pub(crate) const BUILT: &str = "ENFORCER_XTASK_BUILT";

/// Starts a program as root: directly, or by sudo.
pub(crate) fn as_root(program: &str) -> Result<Command> {
    if enforcer_tests::is_root() {
        return Ok(Command::new(program));
    }
    if !has_sudo() {
        bail!("`{program}` needs root: run this command as root, or install sudo");
    }
    let mut command = Command::new("sudo");
    command.arg(program);
    Ok(command)
}

/// Goes on as root: returns when it is root already, else replaces this process by itself under sudo.
pub(crate) fn become_root(why: &str) -> Result<()> {
    if enforcer_tests::is_root() {
        return Ok(());
    }
    if !has_sudo() {
        bail!("{why} needs root: run this command as root, or install sudo");
    }
    let me = std::env::current_exe()?;
    // PATH and HOME are handed over in so many words, because most sudo configurations replace them and root would
    // not find this user's toolchain.
    let keep = |name: &str| format!("{name}={}", std::env::var(name).unwrap_or_default());
    let error = Command::new("sudo")
        .args(["-E", "env", &keep("PATH"), &keep("HOME"), &format!("{BUILT}=1")])
        .arg(me)
        .args(std::env::args_os().skip(1))
        .exec();
    bail!("sudo: {error}")
}

fn has_sudo() -> bool {
    find("sudo")
}

/// Whether a program of this name is on the search path, or where Debian keeps programs for root.
pub(crate) fn find(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(Into::into))
        .any(|folder| folder.join(program).is_file())
}
