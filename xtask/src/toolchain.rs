//! Which Rust compiler builds the BPF programs: it must have the source of the standard library beside it.
//!
//! Normally that is the pinned toolchain with rust-src. Where rustup's server is out of reach, Debian's own compiler
//! of the same age or newer does it: its packages bring the source with them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};

use crate::privilege::find;
use crate::setup::{doing, install, succeeds};

/// Debian's compiler, built for its browsers and therefore recent in every release.
const DEBIAN: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];
/// Set once the pinned toolchain turned out to have no source and Debian's is to be used.
static USE_DEBIAN: OnceLock<()> = OnceLock::new();

/// Puts the folder that `cargo install` installs into on the search path, where a distribution's cargo leaves it out.
///
/// To be called before any thread is started.
pub(crate) fn put_on_path() {
    let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo"));
    let Some(folder) = std::env::var_os("CARGO_HOME").map(PathBuf::from).or(home).map(|home| home.join("bin")) else {
        return;
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if folders.contains(&folder) {
        return;
    }
    folders.push(folder);
    if let Ok(path) = std::env::join_paths(folders) {
        // SAFETY: the caller has started no thread yet, so nobody reads the environment meanwhile.
        unsafe { std::env::set_var("PATH", path) };
    }
}

/// Makes sure that there is a compiler with its library's source. True when something had to be installed.
pub(crate) fn ready() -> Result<bool> {
    let sysroot = sysroot()?;
    if has_source(&sysroot) && sysroot != Path::new("/usr") {
        return Ok(false);
    }
    // Asked before rustup, so that a machine without a way to rustup's server waits for it only once.
    if debian_is_ready() {
        USE_DEBIAN.get_or_init(|| ());
        return Ok(false);
    }
    if find("rustup") {
        doing("adding rust-src to the toolchain (rustup component add rust-src)");
        let mut command = Command::new("rustup");
        command.args(["component", "add", "rust-src"]).current_dir(enforcer_tests::project_root());
        if succeeds(&mut command)? && has_source(&sysroot) {
            return Ok(true);
        }
        doing("rustup could not; taking Debian's compiler for this project instead");
    }
    install(&DEBIAN)?;
    if !debian_is_ready() {
        bail!(
            "no compiler here can build the BPF programs: rust-src cannot be had by rustup, and Debian's compiler ({}) \
             is missing or older than {}",
            DEBIAN.join(", "),
            env!("CARGO_PKG_RUST_VERSION"),
        );
    }
    USE_DEBIAN.get_or_init(|| ());
    Ok(true)
}

/// Cargo at the project's root, of the toolchain that [`ready`] settled on.
pub(crate) fn cargo() -> Command {
    let mut command = match USE_DEBIAN.get() {
        Some(()) => debian_cargo(),
        None => Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())),
    };
    command.current_dir(enforcer_tests::project_root()).stdin(Stdio::null());
    command
}

/// Debian's cargo, with rustup out of its sight: the BPF build would run the pinned toolchain by it otherwise.
fn debian_cargo() -> Command {
    let mut command = Command::new("/usr/bin/cargo");
    for variable in ["RUSTUP_TOOLCHAIN", "CARGO", "RUSTC"] {
        command.env_remove(variable);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).filter(|folder| !folder.join("rustup").is_file());
    // What cargo installed, the BPF linker among it, lives beside rustup; so it goes by a folder of links.
    let first = ["/usr/bin".into()].into_iter().chain(tools());
    if let Ok(path) = std::env::join_paths(first.chain(folders)) {
        command.env("PATH", path);
    }
    command
}

/// A folder with a link to the BPF linker, and beside it a `lib` with the LLVM library of Debian's compiler: the
/// linker looks for one in the `lib` beside each folder of the search path.
fn tools() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let linker = std::env::split_paths(&path).map(|folder| folder.join("bpf-linker")).find(|file| file.is_file())?;
    let folder = enforcer_tests::project_root().join("target/tools");
    link(&linker, &folder.join("bin"))?;
    link(&debian_llvm()?, &folder.join("lib"))?;
    Some(folder.join("bin"))
}

fn link(file: &Path, folder: &Path) -> Option<()> {
    std::fs::create_dir_all(folder).ok()?;
    let link = folder.join(file.file_name()?);
    if !link.exists() {
        std::os::unix::fs::symlink(file, link).ok()?;
    }
    Some(())
}

/// The library that Debian's compiler loads: `LLVM version: 22.1.8` is in `libLLVM.so.22.1`.
fn debian_llvm() -> Option<PathBuf> {
    let output = Command::new("/usr/bin/rustc").arg("-vV").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let number = version(text.lines().find_map(|line| line.strip_prefix("LLVM version: "))?);
    let [major, minor, ..] = number[..] else { return None };
    let folder = format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH);
    Some(Path::new(&folder).join(format!("libLLVM.so.{major}.{minor}"))).filter(|file| file.exists())
}

/// Where the compiler in use has its libraries.
fn sysroot() -> Result<PathBuf> {
    let output = Command::new("rustc")
        .args(["--print", "sysroot"])
        .current_dir(enforcer_tests::project_root())
        .output()
        .context("cannot run rustc")?;
    Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}

fn has_source(sysroot: &Path) -> bool {
    sysroot.join("lib/rustlib/src/rust/library/core/Cargo.toml").exists()
}

/// Whether Debian's compiler is here, with its source and its LLVM library, and not older than the code asks for.
fn debian_is_ready() -> bool {
    if !has_source(Path::new("/usr")) || !Path::new("/usr/bin/cargo").exists() || debian_llvm().is_none() {
        return false;
    }
    let output = Command::new("/usr/bin/rustc").arg("--version").output();
    output.is_ok_and(|output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        version(text.split(' ').nth(1).unwrap_or_default()) >= version(env!("CARGO_PKG_RUST_VERSION"))
    })
}

fn version(text: &str) -> Vec<u32> {
    text.split('.').map_while(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn versions_compare_by_number() {
        assert!(version("1.100.0") > version("1.95"));
        assert!(version("1.95.0") >= version("1.95"));
        assert!(version("1.85.0") < version("1.95"));
        assert!(version("") < version("1.95"));
    }
}
