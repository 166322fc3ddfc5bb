//! The few system calls that neither std nor tokio offers, each behind a safe function.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{Error, Result};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

/// Moves the calling thread into the namespace that `file` refers to, which must be of the `kind` given (CLONE_NEW...).
///
/// Safe to call between fork and exec.
pub(crate) fn enter(file: &File, kind: i32) -> Result<()> {
    // SAFETY: setns takes a descriptor that outlives the call and touches no memory of ours.
    check(unsafe { libc::setns(file.as_raw_fd(), kind) })
}

/// Gives the calling thread mounts, root and current folder of its own, so that it may change them or enter others.
pub(crate) fn own_mounts() -> Result<()> {
    // SAFETY: unshare takes an integer and touches no memory of ours.
    check(unsafe { libc::unshare(libc::CLONE_NEWNS) })?;
    let (nothing, root) = (std::ptr::null(), c"/".as_ptr());
    // SAFETY: the target is a NUL-terminated constant, the other pointers may be null for this operation.
    check(unsafe { libc::mount(nothing, root, nothing, libc::MS_REC | libc::MS_PRIVATE, std::ptr::null()) })
}

/// Mounts a fresh BPF file system on /sys/fs/bpf in the mounts of the calling thread.
pub(crate) fn mount_bpf() -> Result<()> {
    let (kind, target) = (c"bpf".as_ptr(), c"/sys/fs/bpf".as_ptr());
    // SAFETY: kind and target are NUL-terminated constants, the data pointer may be null.
    check(unsafe { libc::mount(kind, target, kind, 0, std::ptr::null()) })
}

/// Lets the calling thread have a root and a current folder of its own, which entering other mounts asks for.
pub(crate) fn own_folder() -> Result<()> {
    // SAFETY: unshare takes an integer and touches no memory of ours.
    check(unsafe { libc::unshare(libc::CLONE_FS) })
}

/// Changes the current folder. Safe to call between fork and exec.
pub(crate) fn change_folder(folder: &CStr) -> Result<()> {
    // SAFETY: the path is NUL-terminated and outlives the call.
    check(unsafe { libc::chdir(folder.as_ptr()) })
}

fn check(answer: i32) -> Result<()> {
    if answer == 0 { Ok(()) } else { Err(Error::last_os_error()) }
}

/// Asks the kernel to kill this process when its parent thread ends, so that a killed test run leaves nothing behind.
pub(crate) fn die_with_parent() -> Result<()> {
    // SAFETY: PR_SET_PDEATHSIG takes an integer and touches no memory of ours.
    check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) })
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
    check(answer)?;
    Ok(socket)
}

/// Sets one integer option of a socket.
pub(crate) fn set_option(socket: &OwnedFd, level: i32, option: i32, value: i32) -> Result<()> {
    // SAFETY: the option value is an int that outlives the call, with its size given.
    check(unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            (&raw const value).cast(),
            size_of::<i32>() as libc::socklen_t,
        )
    })
}

/// Waits until something can be read from a socket; false when nothing came in time.
pub(crate) fn wait_readable(socket: &OwnedFd, patience: Duration) -> Result<bool> {
    let mut poll = libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let time =
        libc::timespec { tv_sec: patience.as_secs() as libc::time_t, tv_nsec: patience.subsec_nanos() as libc::c_long };
    // SAFETY: one pollfd and a time that outlive the call; the signal mask may be null.
    match unsafe { libc::ppoll(&raw mut poll, 1, &raw const time, std::ptr::null()) } {
        0.. if poll.revents & libc::POLLIN != 0 => Ok(true),
        0.. => Ok(false),
        _ => match Error::last_os_error() {
            error if error.kind() == std::io::ErrorKind::Interrupted => Ok(false),
            error => Err(error),
        },
    }
}

/// Sends one frame on a packet socket.
pub(crate) fn send(socket: &OwnedFd, frame: &[u8]) -> Result<()> {
    // SAFETY: the buffer is valid for the length given and outlives the call.
    let sent = unsafe { libc::send(socket.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0) };
    match usize::try_from(sent) {
        Ok(length) if length == frame.len() => Ok(()),
        Ok(length) => Err(Error::other(format!("{length} of {} bytes were sent", frame.len()))),
        Err(_) => Err(Error::last_os_error()),
    }
}

/// Keeps the calling thread on one of the CPUs it may use and asks for a real-time priority, so that other processes do
/// not disturb a measurement. False when that is refused.
pub(crate) fn undisturbed() -> bool {
    place(0, true, 30)
}

/// Keeps the calling thread on the CPUs that [`undisturbed`] leaves, at the same priority. False when that is refused.
///
/// Safe to call between fork and exec.
pub(crate) fn beside_the_undisturbed() -> bool {
    place(0, false, 30)
}

/// Puts a thread on the CPU that [`undisturbed`] chooses, and before it there. False when that is refused.
pub(crate) fn before_the_undisturbed(thread: libc::pid_t) -> bool {
    place(thread, true, 31)
}

/// Puts a thread (0: the calling one) on the last CPU that the calling thread may use, or on the others.
fn place(thread: libc::pid_t, last: bool, priority: i32) -> bool {
    let parameters = libc::sched_param { sched_priority: priority };
    // SAFETY: set and parameters are plain structs of the sizes that are passed along.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        if libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set) != 0 {
            return false;
        }
        let Some(cpu) = (0..libc::CPU_SETSIZE as usize).rev().find(|cpu| libc::CPU_ISSET(*cpu, &set)) else {
            return false;
        };
        if last {
            libc::CPU_ZERO(&mut set);
            libc::CPU_SET(cpu, &mut set);
        } else {
            libc::CPU_CLR(cpu, &mut set);
        }
        libc::sched_setaffinity(thread, size_of::<libc::cpu_set_t>(), &raw const set) == 0
            && libc::sched_setscheduler(thread, libc::SCHED_FIFO, &raw const parameters) == 0
    }
}

/// Sends frames on a packet socket by one system call and returns how many it took; an error is the first frame's.
pub(crate) fn send_many(socket: &OwnedFd, frames: &[Vec<u8>]) -> Result<usize> {
    let piece = |frame: &Vec<u8>| libc::iovec { iov_base: frame.as_ptr().cast_mut().cast(), iov_len: frame.len() };
    let mut pieces: Vec<libc::iovec> = frames.iter().map(piece).collect();
    let message = |piece: &mut libc::iovec| {
        // SAFETY: plain old data of the C library; all zeroes is a valid value.
        let mut message: libc::mmsghdr = unsafe { std::mem::zeroed() };
        message.msg_hdr.msg_iov = piece;
        message.msg_hdr.msg_iovlen = 1;
        message
    };
    let mut messages: Vec<libc::mmsghdr> = pieces.iter_mut().map(message).collect();
    // SAFETY: as many messages as told, each pointing to a piece and each piece to a frame that outlive the call; the
    // kernel only reads the frames.
    let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), messages.as_mut_ptr(), messages.len() as u32, 0) };
    usize::try_from(sent).map_err(|_| Error::last_os_error())
}
