//! The smallest XDP programs there are, loaded by bare system calls: the lab needs no compiler for them.

use std::io::{Error, Result};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use crate::sys;

/// What the program answers for every frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Let it through.
    Pass,
    /// Send it back where it came from.
    Back,
    /// Send it out of the interface with this index.
    Over(u32),
}

const PROG_LOAD: i32 = 5;
const LINK_CREATE: i32 = 28;
const PROG_TYPE_XDP: u32 = 6;
const ATTACH_XDP: u32 = 37;
/// The program does not mind frames that are larger than a page, so ports with a large MTU take it.
const HAS_FRAGS: u32 = 1 << 5;
const DRIVER_MODE: u32 = 1 << 2;
const XDP_PASS: u32 = 2;
const XDP_TX: u32 = 3;
const HELPER_REDIRECT: u32 = 23;

/// Attaches such a program to an interface of the calling thread's namespace; it stays as long as the descriptor.
pub fn attach(interface: &str, answer: Answer) -> Result<OwnedFd> {
    let program = load(answer)?;
    let index = sys::interface_index(interface)?;
    let mut attributes = [0_u64; 16];
    attributes[0] = pair(program.as_raw_fd().unsigned_abs(), index.unsigned_abs());
    attributes[1] = pair(ATTACH_XDP, DRIVER_MODE);
    bpf(LINK_CREATE, &attributes)
}

fn load(answer: Answer) -> Result<OwnedFd> {
    let constant = |register: u32, value: u32| pair(0xb7 | register << 8, value);
    let exit = pair(0x95, 0);
    let instructions = match answer {
        Answer::Pass => vec![constant(0, XDP_PASS), exit],
        Answer::Back => vec![constant(0, XDP_TX), exit],
        Answer::Over(index) => vec![constant(1, index), constant(2, 0), pair(0x85, HELPER_REDIRECT), exit],
    };
    let license = c"Dual MIT/GPL";
    let mut attributes = [0_u64; 16];
    attributes[0] = pair(PROG_TYPE_XDP, instructions.len() as u32);
    attributes[1] = instructions.as_ptr() as u64;
    attributes[2] = license.as_ptr() as u64;
    // prog_flags stands at byte 44, expected_attach_type at byte 68.
    attributes[5] = pair(0, HAS_FRAGS);
    attributes[8] = pair(0, ATTACH_XDP);
    bpf(PROG_LOAD, &attributes)
}

/// Two neighbouring 32-bit fields of the kernel's structure.
fn pair(first: u32, second: u32) -> u64 {
    let ([a, b, c, d], [e, f, g, h]) = (first.to_ne_bytes(), second.to_ne_bytes());
    u64::from_ne_bytes([a, b, c, d, e, f, g, h])
}

fn bpf(command: i32, attributes: &[u64; 16]) -> Result<OwnedFd> {
    // SAFETY: the attributes are as long as told, zero beyond the fields set, and outlive the call with all that they
    // point to.
    let answer = unsafe { libc::syscall(libc::SYS_bpf, command, attributes.as_ptr(), size_of_val(attributes)) };
    match i32::try_from(answer) {
        // SAFETY: the kernel has just made this descriptor for us.
        Ok(descriptor) if descriptor >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(descriptor) }),
        _ => Err(Error::last_os_error()),
    }
}
