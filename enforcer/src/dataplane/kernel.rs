//! Whether this machine can run the data plane: kernel version, permissions, bridges, the JIT.
//!
//! In: nothing but the running system. Out: `Ok`, or an error that says in one sentence what is wrong and what to do.

use std::{
    fmt, fs, io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
};

use super::sysctl;

/// The oldest kernel on which everything used was loaded and run.
pub const MINIMUM: Version = Version { major: 6, minor: 1 };

/// Capabilities of `linux/capability.h`, by bit number.
const NET_ADMIN: (u32, &str) = (12, "CAP_NET_ADMIN");
const NET_RAW: (u32, &str) = (13, "CAP_NET_RAW");
const SYS_ADMIN: u32 = 21;
const PERFMON: (u32, &str) = (38, "CAP_PERFMON");
const BPF: (u32, &str) = (39, "CAP_BPF");

/// A kernel version, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Why the data plane cannot run here.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// Older than [`MINIMUM`].
    #[error("kernel {found} is too old: the enforcer needs {MINIMUM} or newer; boot a newer kernel")]
    TooOld {
        /// The running version.
        found: Version,
    },
    /// The version string makes no sense.
    #[error("the kernel's release {text:?} does not begin with a version number; {MINIMUM} or newer is needed")]
    Unreadable {
        /// What the kernel calls itself.
        text: String,
    },
    /// Not allowed to load programs.
    #[error("no permission to load BPF programs: {missing} is missing; run as root or grant it to the service")]
    Permission {
        /// The capabilities that are missing.
        missing: String,
    },
    /// `/proc` did not tell the capabilities.
    #[error("cannot tell this process's permissions from /proc/self/status: {source}")]
    Status {
        /// What reading it gave.
        source: io::Error,
    },
    /// No bridge in this kernel.
    #[error("this kernel cannot bridge: load its module with `modprobe bridge`, or boot a kernel that has it")]
    NoBridge,
    /// No socket to ask with.
    #[error("cannot ask whether this kernel can bridge: {source}")]
    Ask {
        /// What the kernel answered.
        source: io::Error,
    },
}

/// The running kernel's version.
///
/// # Errors
/// [`KernelError::Unreadable`].
pub fn version() -> Result<Version, KernelError> {
    let text = sysctl::read("kernel/osrelease").ok().flatten().unwrap_or_default();
    parse_version(&text).ok_or(KernelError::Unreadable { text })
}

/// Refuses a kernel older than [`MINIMUM`].
///
/// # Errors
/// [`KernelError::TooOld`], [`KernelError::Unreadable`].
pub fn check_version() -> Result<Version, KernelError> {
    let found = version()?;
    if found < MINIMUM { Err(KernelError::TooOld { found }) } else { Ok(found) }
}

/// Refuses a process that may not load, attach or pin. CAP_SYS_ADMIN stands for CAP_BPF and CAP_PERFMON, as in the
/// kernel. The capabilities count, not the user id: root in a container may lack them.
///
/// # Errors
/// [`KernelError::Permission`], [`KernelError::Status`].
pub fn check_permissions() -> Result<(), KernelError> {
    let missing = missing(effective()?, &[BPF, NET_ADMIN, PERFMON]);
    if missing.is_empty() { Ok(()) } else { Err(KernelError::Permission { missing: missing.join(", ") }) }
}

/// Whether this process may send raw frames, which the reset toward the device needs.
///
/// # Errors
/// [`KernelError::Status`].
pub fn may_send_raw() -> Result<bool, KernelError> {
    Ok(missing(effective()?, &[NET_RAW]).is_empty())
}

/// Refuses a kernel without bridges. Asking loads the kernel's bridge module where it is one.
///
/// # Errors
/// [`KernelError::NoBridge`], [`KernelError::Ask`].
pub fn check_bridge() -> Result<(), KernelError> {
    const VERSION: libc::c_ulong = 0;
    // SAFETY: socket() takes no pointers; its result is checked before it is used.
    let raw = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    if raw < 0 {
        return Err(KernelError::Ask { source: io::Error::last_os_error() });
    }
    // SAFETY: `raw` is a descriptor that was just opened and that nobody else owns.
    let socket = unsafe { OwnedFd::from_raw_fd(raw) };
    let mut question = [VERSION, 0, 0];
    // SAFETY: the kernel reads three long words for this request; `question` holds them and outlives the call.
    let answer = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFBR as _, question.as_mut_ptr()) };
    if answer >= 0 {
        return Ok(());
    }
    let source = io::Error::last_os_error();
    match source.raw_os_error() {
        Some(libc::ENOPKG) => Err(KernelError::NoBridge),
        _ => Err(KernelError::Ask { source }),
    }
}

/// `net.core.bpf_jit_enable`: whether programs are compiled. `None` where the kernel has no such switch, or does not
/// show it in this network namespace.
pub fn jit() -> Option<u32> {
    sysctl::read("net/core/bpf_jit_enable").ok().flatten().and_then(|text| text.parse().ok())
}

fn parse_version(release: &str) -> Option<Version> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    let major = numbers.next()?.parse().ok()?;
    let minor = numbers.next()?.parse().ok()?;
    Some(Version { major, minor })
}

fn effective() -> Result<u64, KernelError> {
    let status = fs::read_to_string("/proc/self/status").map_err(|source| KernelError::Status { source })?;
    parse_effective(&status).ok_or_else(|| KernelError::Status { source: io::Error::other("it has no CapEff line") })
}

fn parse_effective(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

fn missing(effective: u64, needed: &[(u32, &'static str)]) -> Vec<&'static str> {
    let has = |bit: u32| effective >> bit & 1 == 1;
    let covered = |bit: u32| has(bit) || (has(SYS_ADMIN) && (bit == BPF.0 || bit == PERFMON.0));
    needed.iter().filter(|(bit, _)| !covered(*bit)).map(|(_, name)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_of_all_kinds_of_kernels_are_read() {
        let version = |major, minor| Some(Version { major, minor });
        assert_eq!(parse_version("6.1.0-37-amd64"), version(6, 1));
        assert_eq!(parse_version("6.18.44"), version(6, 18));
        assert_eq!(parse_version("7.2-rc3"), version(7, 2));
        assert_eq!(parse_version("10.0"), version(10, 0));
        for text in ["", "linux", "6", "6.", ".6", "6.x"] {
            assert_eq!(parse_version(text), None, "{text:?}");
        }
    }

    #[test]
    fn versions_compare_as_numbers() {
        assert!(Version { major: 6, minor: 10 } > Version { major: 6, minor: 2 });
        assert!(Version { major: 5, minor: 15 } < MINIMUM);
    }

    #[test]
    fn each_missing_capability_is_named() {
        let needed = [BPF, NET_ADMIN, PERFMON];
        assert_eq!(missing(0, &needed), ["CAP_BPF", "CAP_NET_ADMIN", "CAP_PERFMON"]);
        assert_eq!(missing(1 << 39 | 1 << 12, &needed), ["CAP_PERFMON"]);
        assert_eq!(missing(1 << SYS_ADMIN, &needed), ["CAP_NET_ADMIN"]);
        assert!(missing(1 << SYS_ADMIN | 1 << 12, &needed).is_empty());
        assert!(missing(1 << 39 | 1 << 38 | 1 << 12, &needed).is_empty());
    }

    #[test]
    fn the_effective_set_is_found_among_the_others() {
        let status = "Name:\tx\nCapPrm:\t0000000000000001\nCapEff:\t000001ffffffffff\nCapBnd:\t0000000000000002\n";
        assert_eq!(parse_effective(status), Some(0x1ff_ffff_ffff));
        assert_eq!(parse_effective("CapEff:\tnothing"), None);
        assert_eq!(parse_effective(""), None);
    }
}
