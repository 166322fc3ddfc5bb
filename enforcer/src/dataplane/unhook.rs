//! Two requests to the kernel that the BPF library has no call for, or only one that takes more permissions.
//!
//! One takes the program of a pinned link off its port at once, whoever else still holds the link. Removing the pin is not
//! enough: the kernel lets go of a link only some time after its last holder is gone.

use std::ffi::CString;
use std::io::{Error, Result};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use aya_obj::generated::bpf_prog_info;

/// Commands of the bpf system call.
const OBJECT_GET: libc::c_long = 7;
const OBJECT_INFO: libc::c_long = 15;
const LINK_DETACH: libc::c_long = 34;

/// More than any program of ours uses.
const MOST_MAPS: usize = 128;

/// Detaches the link that is pinned there.
///
/// # Errors
/// What the kernel answered.
pub(super) fn now(pin: &Path) -> Result<()> {
    let link = open(pin)?;
    // The descriptor is the first 32 bits; what follows is zero.
    let mut attributes = [0_u8; 8];
    let (first, _) = attributes.split_at_mut(4);
    first.copy_from_slice(&link.as_raw_fd().to_ne_bytes());
    bpf(LINK_DETACH, [u64::from_ne_bytes(attributes), 0]).map(|_| ())
}

/// The maps that a pinned program uses, by the kernel's numbers. The library would ask for the program by its number, which
/// takes more permissions than having it.
///
/// # Errors
/// What the kernel answered.
pub(super) fn maps_of(pin: &Path) -> Result<Vec<u32>> {
    let program = open(pin)?;
    let mut ids = vec![0_u32; MOST_MAPS];
    // SAFETY: plain integers, for which all zeroes is a value.
    let mut info: bpf_prog_info = unsafe { std::mem::zeroed() };
    info.nr_map_ids = u32::try_from(ids.len()).map_err(Error::other)?;
    info.map_ids = ids.as_mut_ptr() as u64;
    let length = u32::try_from(size_of_val(&info)).map_err(Error::other)?;
    let mut first = [0_u8; 8];
    let (descriptor, size) = first.split_at_mut(4);
    descriptor.copy_from_slice(&program.as_raw_fd().to_ne_bytes());
    size.copy_from_slice(&length.to_ne_bytes());
    bpf(OBJECT_INFO, [u64::from_ne_bytes(first), std::ptr::from_mut(&mut info) as u64])?;
    ids.truncate(usize::try_from(info.nr_map_ids).map_err(Error::other)?);
    Ok(ids)
}

/// Opens what is pinned there.
fn open(pin: &Path) -> Result<OwnedFd> {
    let path = CString::new(pin.as_os_str().as_bytes())?;
    let descriptor = bpf(OBJECT_GET, [path.as_ptr() as u64, 0])?;
    let descriptor = i32::try_from(descriptor).map_err(Error::other)?;
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

fn bpf(command: libc::c_long, attributes: [u64; 2]) -> Result<libc::c_long> {
    // SAFETY: the kernel reads the attributes in the length given; they and what they point to outlive the call.
    let answer = unsafe { libc::syscall(libc::SYS_bpf, command, attributes.as_ptr(), size_of_val(&attributes)) };
    if answer < 0 { Err(Error::last_os_error()) } else { Ok(answer) }
}
