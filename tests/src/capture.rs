//! Recording what passes an interface, byte by byte, tags included.

use std::collections::VecDeque;
use std::io::{Error, Result};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::{Namespace, sys};

/// Which frames of the interface to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Frames that came in by the cable.
    Incoming,
    /// Frames that this side sent into the cable.
    Outgoing,
    Both,
}

/// One frame from its destination address to the end of its payload, without the frame check sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Kernel time of the frame since 1970.
    pub time: Duration,
    pub outgoing: bool,
    pub bytes: Vec<u8>,
}

/// A running capture in memory. It is live when [`Capture::start`] returns.
pub struct Capture {
    frames: Arc<Mutex<VecDeque<Frame>>>,
    end: Arc<AtomicBool>,
    reader: Option<JoinHandle<Result<()>>>,
}

impl Capture {
    /// Starts recording `interface` of `namespace`.
    pub fn start(namespace: &Namespace, interface: &str, direction: Direction) -> Capture {
        let socket = namespace
            .run(|| open(interface, direction))
            .unwrap_or_else(|error| panic!("capture on {interface} of {}: {error}", namespace.name()));
        let frames = Arc::new(Mutex::new(VecDeque::new()));
        let end = Arc::new(AtomicBool::new(false));
        let reader = thread::spawn({
            let (frames, end) = (Arc::clone(&frames), Arc::clone(&end));
            move || read_all(&socket, direction, &frames, &end)
        });
        Capture { frames, end, reader: Some(reader) }
    }

    /// How many frames were seen so far.
    pub fn count(&self) -> usize {
        self.frames.lock().expect("frames").len()
    }

    /// The frames seen so far without the first `count`.
    pub fn since(&self, count: usize) -> Vec<Frame> {
        self.frames.lock().expect("frames").range(count..).cloned().collect()
    }

    /// Takes the frames seen so far out of the capture.
    pub fn drain(&self) -> Vec<Frame> {
        std::mem::take(&mut *self.frames.lock().expect("frames")).into()
    }

    /// Waits until a frame that `wanted` accepts is there; false when none came in time.
    pub fn wait_for(&self, patience: Duration, wanted: impl Fn(&Frame) -> bool) -> bool {
        let start = Instant::now();
        while start.elapsed() < patience {
            if self.frames.lock().expect("frames").iter().any(&wanted) {
                return true;
            }
            thread::sleep(Duration::from_millis(2));
        }
        false
    }

    /// Ends the capture after the cable was quiet for a moment. Panics when the kernel had to drop a frame.
    pub fn stop(mut self) -> Vec<Frame> {
        self.end.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            reader.join().expect("capture thread").unwrap_or_else(|error| panic!("capture: {error}"));
        }
        let frames = std::mem::take(&mut *self.frames.lock().expect("frames"));
        frames.into()
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
    }
}

/// A socket that receives the frames of an interface of the calling thread's namespace.
pub(crate) fn open(interface: &str, direction: Direction) -> Result<OwnedFd> {
    let socket = sys::packet_socket(sys::interface_index(interface)?, libc::ETH_P_ALL as u16)?;
    if direction == Direction::Incoming {
        sys::set_option(&socket, libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, 1)?;
    }
    // The kernel takes the outer VLAN tag out of received frames; the auxiliary data tells what it was.
    sys::set_option(&socket, libc::SOL_PACKET, libc::PACKET_AUXDATA, 1)?;
    sys::set_option(&socket, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)?;
    sys::set_option(&socket, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, 64 << 20)?;
    Ok(socket)
}

/// Reads until told to end and nothing came for 100 ms, or a second went by: other traffic may never pause.
fn read_all(socket: &OwnedFd, direction: Direction, frames: &Mutex<VecDeque<Frame>>, end: &AtomicBool) -> Result<()> {
    let mut told_at = None;
    let mut buffer = buffer();
    loop {
        let ready = sys::wait_readable(socket, Duration::from_millis(100))?;
        if end.load(Ordering::Relaxed) {
            let since = told_at.get_or_insert_with(Instant::now);
            if !ready || since.elapsed() > Duration::from_secs(1) {
                return dropped(socket);
            }
        }
        while let Some(frame) = read_one(socket, &mut buffer)? {
            if direction != Direction::Outgoing || frame.outgoing {
                frames.lock().map_err(|_| Error::other("a reader panicked"))?.push_back(frame);
            }
        }
    }
}

/// Room for the longest frame.
pub(crate) fn buffer() -> Vec<u8> {
    vec![0; 65_600]
}

/// Reads the next frame that is there; the buffer is where the kernel puts it first.
pub(crate) fn read_one(socket: &OwnedFd, buffer: &mut [u8]) -> Result<Option<Frame>> {
    let mut control = [0_u64; 32];
    // SAFETY: plain old data structures of the C library; all zeroes is a valid value.
    let (mut from, mut message): (libc::sockaddr_ll, libc::msghdr) = unsafe { std::mem::zeroed() };
    let mut piece = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    message.msg_name = (&raw mut from).cast();
    message.msg_namelen = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    message.msg_iov = &raw mut piece;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control);
    // SAFETY: every pointer in the message is to memory of the length given that outlives the call.
    let length = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_DONTWAIT) };
    let Ok(length) = usize::try_from(length) else {
        let error = Error::last_os_error();
        // With ENETDOWN the interface went away with its namespace: the capture is over, what was seen stays.
        return match error.raw_os_error() {
            Some(libc::EAGAIN | libc::EINTR | libc::ENETDOWN) => Ok(None),
            _ => Err(error),
        };
    };
    let bytes = buffer[..length.min(buffer.len())].to_vec();
    let mut frame = Frame { time: Duration::ZERO, outgoing: from.sll_pkttype == libc::PACKET_OUTGOING, bytes };
    // SAFETY: the CMSG macros walk the control buffer that recvmsg has just filled and bounded; each payload is read
    // unaligned and only when kind and length fit.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(&raw const message);
        while !header.is_null() {
            let data = libc::CMSG_DATA(header);
            match ((*header).cmsg_level, (*header).cmsg_type) {
                (libc::SOL_PACKET, libc::PACKET_AUXDATA) => {
                    put_tag_back(&mut frame.bytes, data.cast::<libc::tpacket_auxdata>().read_unaligned());
                }
                (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => {
                    let time = data.cast::<libc::timespec>().read_unaligned();
                    frame.time = Duration::new(time.tv_sec as u64, time.tv_nsec as u32);
                }
                _ => {}
            }
            header = libc::CMSG_NXTHDR(&raw const message, header);
        }
    }
    Ok(Some(frame))
}

fn put_tag_back(bytes: &mut Vec<u8>, about: libc::tpacket_auxdata) {
    if about.tp_status & libc::TP_STATUS_VLAN_VALID == 0 || bytes.len() < 12 {
        return;
    }
    let ethertype = if about.tp_status & libc::TP_STATUS_VLAN_TPID_VALID == 0 { 0x8100 } else { about.tp_vlan_tpid };
    let [a, b] = ethertype.to_be_bytes();
    let [c, d] = about.tp_vlan_tci.to_be_bytes();
    bytes.splice(12..12, [a, b, c, d]);
}

/// An error when the kernel dropped frames because the reader was too slow: such a capture proves nothing.
pub(crate) fn dropped(socket: &OwnedFd) -> Result<()> {
    let mut statistics = libc::tpacket_stats { tp_packets: 0, tp_drops: 0 };
    let mut length = size_of::<libc::tpacket_stats>() as libc::socklen_t;
    // SAFETY: the buffer is a tpacket_stats of the length given; both outlive the call.
    let answer = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_STATISTICS,
            (&raw mut statistics).cast(),
            &raw mut length,
        )
    };
    if answer != 0 {
        return Err(Error::last_os_error());
    }
    if statistics.tp_drops > 0 {
        return Err(Error::other(format!("the kernel dropped {} frames before they were read", statistics.tp_drops)));
    }
    Ok(())
}
