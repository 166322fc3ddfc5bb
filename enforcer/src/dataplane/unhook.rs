//! Takes the program of a pinned link off its port at once, whoever else still holds the link.
//!
//! Removing the pin is not enough: the kernel lets go of a link only some time after its last holder is gone.

use std::ffi::CString;
use std::io::{Error, Result};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// Commands of the bpf system call.
const OBJECT_GET: libc::c_long = 7;
const LINK_DETACH: libc::c_long = 34;

/// Detaches the link that is pinned there.
///
/// # Errors
/// What the kernel answered.
pub(super) fn now(pin: &Path) -> Result<()> {
    let path = CString::new(pin.as_os_str().as_bytes())?;
    let link = bpf(OBJECT_GET, [path.as_ptr() as u64, 0])?;
    let link = i32::try_from(link).map_err(Error::other)?;
    // SAFETY: the kernel has just made this descriptor for us.
    let link = unsafe { OwnedFd::from_raw_fd(link) };
    // The descriptor is the first 32 bits; what follows is zero.
    let mut attributes = [0_u8; 8];
    let (first, _) = attributes.split_at_mut(4);
    first.copy_from_slice(&link.as_raw_fd().to_ne_bytes());
    bpf(LINK_DETACH, [u64::from_ne_bytes(attributes), 0]).map(|_| ())
}

fn bpf(command: libc::c_long, attributes: [u64; 2]) -> Result<libc::c_long> {
    // SAFETY: the kernel reads the attributes in the length given; they and what they point to outlive the call.
    let answer = unsafe { libc::syscall(libc::SYS_bpf, command, attributes.as_ptr(), size_of_val(&attributes)) };
    if answer < 0 { Err(Error::last_os_error()) } else { Ok(answer) }
}
