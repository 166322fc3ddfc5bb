//! A network namespace of its own for one test, with what the tests need in it.
//!
//! The namespace belongs to a thread that is made for it and goes when the thread ends, with everything in it, also when
//! the test panics. Nothing is named, nothing outside is touched.

use std::{
    future::Future,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    process::Command,
    thread,
};

use enforcer::dataplane::netlink::Netlink;

/// Runs `test` in a fresh namespace, on a runtime whose threads are all in it.
pub(crate) fn in_namespace<F: Future<Output = ()>>(test: impl FnOnce(Netlink) -> F + Send + 'static) {
    let body = move || {
        // SAFETY: unshare takes no pointers and concerns this thread only.
        let answer = unsafe { libc::unshare(libc::CLONE_NEWNET) };
        assert_eq!(answer, 0, "no namespace of our own: run these tests as root (cargo xtask test does)");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async { test(Netlink::connect().expect("a netlink connection")).await });
    };
    if let Err(panic) = thread::spawn(body).join() {
        std::panic::resume_unwind(panic);
    }
}

/// Runs `ip` with these words and returns what it prints.
pub(crate) fn ip(words: &str) -> String {
    run("ip", words)
}

/// Runs a program with these words; it must succeed.
pub(crate) fn run(program: &str, words: &str) -> String {
    let output = Command::new(program).args(words.split_whitespace()).output().expect("the program starts");
    assert!(output.status.success(), "{program} {words}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What `ip -d -j link` says of one interface: the opinion of a program that is not ours.
pub(crate) fn show(interface: &str) -> serde_json::Value {
    let text = ip(&format!("-d -j link show dev {interface}"));
    let mut all: serde_json::Value = serde_json::from_str(&text).expect("ip prints JSON");
    all[0].take()
}

/// Everything `ip` says of all links but what moves by itself: the operational state that settles after a link comes up,
/// and the timers of bridges.
pub(crate) fn snapshot() -> serde_json::Value {
    fn still(value: &mut serde_json::Value) {
        if let Some(object) = value.as_object_mut() {
            object.retain(|name, _| name != "operstate" && name != "flags" && !name.ends_with("_timer"));
            object.values_mut().for_each(still);
        }
        if let Some(array) = value.as_array_mut() {
            array.iter_mut().for_each(still);
        }
    }
    let mut all: serde_json::Value = serde_json::from_str(&ip("-d -j link")).expect("ip prints JSON");
    still(&mut all);
    all
}

/// Two cables: `wan` and `cell` are the box's ends, up, with partners `plant` and `plc`.
pub(crate) fn cables() {
    for (end, partner) in [("wan", "plant"), ("cell", "plc")] {
        ip(&format!("link add {end} type veth peer name {partner}"));
        ip(&format!("link set {end} up"));
        ip(&format!("link set {partner} up"));
    }
}

/// Loads the smallest XDP program there is: pass everything. It lives as long as the descriptor or its attachment.
pub(crate) fn pass_program() -> OwnedFd {
    const BPF_PROG_LOAD: libc::c_int = 5;
    const BPF_PROG_TYPE_XDP: u32 = 6;
    #[repr(C)]
    #[derive(Default)]
    struct Load {
        kind: u32,
        count: u32,
        instructions: u64,
        license: u64,
        rest: [u64; 12],
    }
    // r0 = XDP_PASS; exit
    let instructions: [u64; 2] = [0x0000_0002_0000_00b7, 0x0000_0000_0000_0095];
    let load = Load {
        kind: BPF_PROG_TYPE_XDP,
        count: 2,
        instructions: instructions.as_ptr() as u64,
        license: c"GPL".as_ptr() as u64,
        ..Load::default()
    };
    // SAFETY: `load` is a zero-padded bpf_attr of the size given; the instructions and the licence outlive the call.
    let raw = unsafe { libc::syscall(libc::SYS_bpf, BPF_PROG_LOAD, &raw const load, size_of::<Load>()) };
    assert!(raw >= 0, "the program is refused: {}", std::io::Error::last_os_error());
    // SAFETY: a descriptor that was just opened and that nobody else owns.
    unsafe { OwnedFd::from_raw_fd(raw as i32) }
}

/// Frames as they arrive on one interface.
pub(crate) struct Listener {
    socket: OwnedFd,
}

/// Starts to listen on `interface`.
pub(crate) fn listen(interface: &str) -> Listener {
    let wait = libc::timeval { tv_sec: 2, tv_usec: 0 };
    let socket = raw_socket(interface);
    let size = size_of_val(&wait) as u32;
    // SAFETY: `wait` is live for the call and its true size is given.
    let answer = unsafe {
        libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_RCVTIMEO, (&raw const wait).cast(), size)
    };
    assert_eq!(answer, 0, "{}", std::io::Error::last_os_error());
    Listener { socket }
}

/// Sends one frame out of `interface`.
pub(crate) fn send(interface: &str, frame: &[u8]) {
    let socket = raw_socket(interface);
    // SAFETY: `frame` is live for the call and its true size is given.
    let sent = unsafe { libc::send(socket.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0) };
    assert_eq!(sent, frame.len() as isize, "{}", std::io::Error::last_os_error());
}

/// A packet socket bound to `interface`.
fn raw_socket(interface: &str) -> OwnedFd {
    let index = i32::try_from(show(interface)["ifindex"].as_i64().expect("an index")).expect("an index");
    let all = (libc::ETH_P_ALL as u16).to_be();
    // SAFETY: socket() takes no pointers; its result is checked before it is used.
    let raw = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, i32::from(all)) };
    assert!(raw >= 0, "no raw socket: {}", std::io::Error::last_os_error());
    // SAFETY: a descriptor that was just opened and that nobody else owns.
    let socket = unsafe { OwnedFd::from_raw_fd(raw) };
    // SAFETY: sockaddr_ll is plain old data for which all zeroes is a valid value.
    let mut at: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    at.sll_family = libc::AF_PACKET as u16;
    at.sll_protocol = all;
    at.sll_ifindex = index;
    // SAFETY: `at` is live for the call and its true size is given.
    let answer = unsafe { libc::bind(raw, (&raw const at).cast(), size_of_val(&at) as u32) };
    assert_eq!(answer, 0, "{}", std::io::Error::last_os_error());
    socket
}

impl Listener {
    /// Whether `frame` arrives, whatever else does, before two seconds of silence.
    pub(crate) fn until(&self, frame: &[u8]) -> bool {
        let mut buffer = [0_u8; 2048];
        loop {
            // SAFETY: the buffer is live and writable for the length given.
            let got = unsafe { libc::recv(self.socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), 0) };
            let Ok(got) = usize::try_from(got) else { return false };
            if buffer[..got] == *frame {
                return true;
            }
        }
    }
}
