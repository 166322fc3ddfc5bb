//! The few system calls that neither std nor tokio offers, each behind a safe function.

use std::ffi::CString;
use std::fs::File;
use std::io::{Error, Result};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Moves the calling thread into the network namespace that `file` refers to. Safe to call between fork and exec.
pub(crate) fn enter(file: &File) -> Result<()> {
    // SAFETY: setns takes a descriptor that outlives the call and touches no memory of ours.
    let answer = unsafe { libc::setns(file.as_raw_fd(), libc::CLONE_NEWNET) };
    if answer == 0 { Ok(()) } else { Err(Error::last_os_error()) }
}

/// Asks the kernel to kill this process when its parent thread ends, so that a killed test run leaves nothing behind.
pub(crate) fn die_with_parent() -> Result<()> {
    // SAFETY: PR_SET_PDEATHSIG takes an integer and touches no memory of ours.
    let answer = unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    if answer == 0 { Ok(()) } else { Err(Error::last_os_error()) }
}

/// Sends a signal to one process; a process that is gone already is no error.
pub(crate) fn signal(pid: u32, number: i32) {
    if let Ok(pid) = i32::try_from(pid) {
        // SAFETY: kill takes two integers and touches no memory of ours.
        unsafe { libc::kill(pid, number) };
    }
}

/// Index of a network interface in the calling thread's namespace.
pub(crate) fn interface_index(name: &str) -> Result<i32> {
    let name = CString::new(name)?;
    // SAFETY: the pointer is to a NUL-terminated string that outlives the call.
    let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
    match i32::try_from(index) {
        Ok(index) if index > 0 => Ok(index),
        _ => Err(Error::last_os_error()),
    }
}

/// A raw packet socket bound to one interface. `protocol` is an ethertype, or 0 to receive nothing.
///
/// It is bound before any frame can be queued, so frames of other interfaces never show up in it.
pub(crate) fn packet_socket(interface: i32, protocol: u16) -> Result<OwnedFd> {
    // SAFETY: socket takes three integers; the descriptor it returns is owned by nobody else.
    let socket = unsafe {
        let raw = libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0);
        if raw < 0 {
            return Err(Error::last_os_error());
        }
        OwnedFd::from_raw_fd(raw)
    };
    // SAFETY: sockaddr_ll is plain old data; all zeroes is a valid value.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = protocol.to_be();
    address.sll_ifindex = interface;
    // SAFETY: the address is a valid sockaddr_ll of the length given and outlives the call.
    let answer = unsafe {
        libc::bind(socket.as_raw_fd(), (&raw const address).cast(), size_of::<libc::sockaddr_ll>() as libc::socklen_t)
    };
    if answer == 0 { Ok(socket) } else { Err(Error::last_os_error()) }
}

/// Sets one integer option of a socket.
pub(crate) fn set_option(socket: &OwnedFd, level: i32, option: i32, value: i32) -> Result<()> {
    // SAFETY: the option value is an int that outlives the call, with its size given.
    let answer = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            (&raw const value).cast(),
            size_of::<i32>() as libc::socklen_t,
        )
    };
    if answer == 0 { Ok(()) } else { Err(Error::last_os_error()) }
}
