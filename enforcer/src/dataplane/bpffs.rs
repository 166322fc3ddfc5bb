//! The BPF file system, which holds the pins that keep enforcement going without the controller.
//!
//! In: a directory, normally [`PLACE`]. Out: whether it is mounted there. Only [`ensure`] changes anything, and it never
//! mounts over something that is mounted already, because that hides everybody's pins.

use std::{
    ffi::CString,
    fs, io,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::Path,
};

/// Where the BPF file system belongs.
pub const PLACE: &str = "/sys/fs/bpf";

/// Why there is no BPF file system.
#[derive(Debug, thiserror::Error)]
pub enum BpffsError {
    /// None where one is needed.
    #[error("no BPF file system at {path}: mount it with `mount -t bpf bpf {path}`")]
    Absent {
        /// Where it was looked for.
        path: String,
    },
    /// Another file system is where it belongs.
    #[error("{path} holds another file system and is not mounted over: unmount that one, or choose another directory")]
    Occupied {
        /// Where it was looked for.
        path: String,
    },
    /// It could not be looked at or mounted.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was being done, as it reads after "cannot".
        action: &'static str,
        /// Where.
        path: String,
        /// What the kernel answered.
        source: io::Error,
    },
}

/// Whether `path` is on a BPF file system.
///
/// # Errors
/// [`BpffsError::Io`] when the directory is not there.
pub fn is_mounted(path: &Path) -> Result<bool, BpffsError> {
    let name = c_path(path)?;
    // SAFETY: statfs is plain old data for which all zeroes is a valid value.
    let mut found: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: `name` is zero-terminated and `found` is writable; both outlive the call.
    if unsafe { libc::statfs(name.as_ptr(), &raw mut found) } != 0 {
        return Err(failed("look at", path));
    }
    // The field's width differs between architectures; the magic number is 32 bits on all.
    Ok(found.f_type as u32 == libc::BPF_FS_MAGIC as u32)
}

/// Refuses a `path` that is not on a BPF file system, without changing anything.
///
/// # Errors
/// [`BpffsError::Absent`], [`BpffsError::Io`].
pub fn check(path: &Path) -> Result<(), BpffsError> {
    if is_mounted(path)? { Ok(()) } else { Err(BpffsError::Absent { path: path.display().to_string() }) }
}

/// Mounts the BPF file system at `path` unless it is there. `true` means that it was mounted now, as systemd does it:
/// for root alone.
///
/// # Errors
/// [`BpffsError::Occupied`], [`BpffsError::Io`].
pub fn ensure(path: &Path) -> Result<bool, BpffsError> {
    if is_mounted(path)? {
        return Ok(false);
    }
    if is_mount_point(path) {
        return Err(BpffsError::Occupied { path: path.display().to_string() });
    }
    let (target, kind, options) = (c_path(path)?, c"bpf", c"mode=0700");
    let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
    // SAFETY: all four strings are zero-terminated and outlive the call.
    let answer = unsafe { libc::mount(kind.as_ptr(), target.as_ptr(), kind.as_ptr(), flags, options.as_ptr().cast()) };
    if answer != 0 {
        return Err(failed("mount the BPF file system at", path));
    }
    check(path).map(|()| true)
}

/// A directory is a mount point when it is on another device than its parent.
fn is_mount_point(path: &Path) -> bool {
    let device = |path: &Path| fs::metadata(path).ok().map(|data| data.dev());
    path.parent().is_some_and(|parent| device(path) != device(parent))
}

fn c_path(path: &Path) -> Result<CString, BpffsError> {
    CString::new(path.as_os_str().as_bytes()).map_err(|error| BpffsError::Io {
        action: "look at",
        path: path.display().to_string(),
        source: io::Error::new(io::ErrorKind::InvalidInput, error),
    })
}

fn failed(action: &'static str, path: &Path) -> BpffsError {
    BpffsError::Io { action, path: path.display().to_string(), source: io::Error::last_os_error() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_file_system_is_not_mistaken_for_it_nor_mounted_over() {
        assert!(matches!(check(Path::new("/proc")), Err(BpffsError::Absent { .. })));
        assert!(matches!(ensure(Path::new("/proc")), Err(BpffsError::Occupied { .. })));
        assert!(matches!(is_mounted(Path::new("/no/such/directory")), Err(BpffsError::Io { .. })));
        assert!(matches!(is_mounted(Path::new("a\0b")), Err(BpffsError::Io { .. })));
    }
}
