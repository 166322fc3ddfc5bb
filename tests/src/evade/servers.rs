//! The real servers, what each of them heard, and from whom: the evidence of every leak.

use std::collections::HashMap;
use std::io::{ErrorKind, Read};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::thread;

use super::filter;
use super::operation::Operation;
use crate::namespace::wait_until;
use crate::{Lab, Process, Server};

/// Where each server listens, on port 502. The puppet is no address of the kernel's: a raw end of the cable plays it.
pub const LIBMODBUS: Ipv4Addr = crate::lab::PLC;
pub const TOKIO: Ipv4Addr = Ipv4Addr::new(10, 10, 2, 6);
pub const SINK: Ipv4Addr = Ipv4Addr::new(10, 10, 2, 7);
pub const PUPPET: Ipv4Addr = Ipv4Addr::new(10, 10, 2, 8);

/// The servers of one lab.
pub struct Servers {
    libmodbus: Process,
    memory: PathBuf,
    tokio: Server,
    sink: Sink,
}

impl Servers {
    pub fn start(lab: &Lab) -> Servers {
        for address in [TOKIO, SINK] {
            lab.plc.ip(&format!("address add {address}/16 dev {}", crate::lab::STATION_PORT));
        }
        let memory = lab.folder().join("registers");
        let mut command = lab.plc.command(build());
        command.arg(LIBMODBUS.to_string()).arg(&memory);
        let libmodbus = Process::start(command);
        let listen = |address: Ipv4Addr| {
            let listener = lab.plc.run(|| TcpListener::bind((address, 502))).expect("listen on port 502");
            filter::attach(&listener).expect("a socket filter");
            listener
        };
        let tokio = Server::start_with(listen(TOKIO));
        let sink = Sink::start(listen(SINK));
        wait_until("libmodbus listens", || libmodbus.printed().starts_with("ready"));
        Servers { libmodbus, memory, tokio, sink }
    }

    /// The bytes that the server's application took from this client, in whole units where it is a Modbus server.
    pub fn heard(&self, server: Ipv4Addr, client: SocketAddrV4) -> Heard {
        match server {
            SINK => Heard::Bytes(locked(&self.sink.taken).get(&client.into()).cloned().unwrap_or_default()),
            TOKIO => {
                let memory = self.tokio.memory();
                let from = memory.heard.iter().filter(|(peer, _)| *peer == SocketAddr::from(client));
                Heard::Operations(from.map(|(_, request)| Operation::of(request)).collect())
            }
            _ => Heard::Units(self.lines(client)),
        }
    }

    /// The requests libmodbus answered to this client, well or by an exception.
    fn lines(&self, client: SocketAddrV4) -> Vec<Vec<u8>> {
        let (printed, client) = (self.libmodbus.printed(), client.to_string());
        let mut units = Vec::new();
        for line in printed.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            if let ["done" | "refused", peer, bytes] = words[..]
                && peer == client
            {
                units.push(hex(bytes));
            }
        }
        units
    }

    /// A holding register of one of the Modbus servers.
    pub fn register(&self, server: Ipv4Addr, number: usize) -> u16 {
        if server == TOKIO {
            return self.tokio.holding(number);
        }
        let bytes = std::fs::read(&self.memory).expect("the server's memory");
        u16::from_ne_bytes([bytes[number * 2], bytes[number * 2 + 1]])
    }
}

/// What a server took from one client.
pub enum Heard {
    Bytes(Vec<u8>),
    Units(Vec<Vec<u8>>),
    Operations(Vec<Operation>),
}

/// Compiles the C server, once for all processes of this machine that use the same target folder.
fn build() -> PathBuf {
    // Once for the tests of this process, too, which run beside each other.
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(compile).clone()
}

fn compile() -> PathBuf {
    let source = crate::project_root().join("tests/src/evade/libmodbus_server.c");
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let folder = target.unwrap_or_else(|| crate::project_root().join("target"));
    std::fs::create_dir_all(&folder).expect("the target folder");
    let program = folder.join("libmodbus_server");
    let changed = |path: &Path| path.metadata().and_then(|about| about.modified()).ok();
    if changed(&program).is_none_or(|built| changed(&source).is_some_and(|source| source > built)) {
        // Made under a name of its own and moved in place, because another process may be at the same.
        let fresh = folder.join(format!("libmodbus_server.{}", std::process::id()));
        let mut command = Command::new("cc");
        command.args(["-O1", "-Wall", "-o"]).arg(&fresh).arg(&source).args(["-lmodbus", "-lpthread"]);
        let output = command.output().unwrap_or_else(|error| panic!("cc: {error}; cargo xtask setup installs it"));
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "the libmodbus server does not build; cargo xtask setup installs what it needs\n{complaint}"
        );
        std::fs::rename(&fresh, &program).expect("move the server in place");
    }
    program
}

/// A server that keeps what every connection delivers and answers nothing. It ends when dropped.
struct Sink {
    listener: TcpListener,
    taken: Arc<Mutex<HashMap<SocketAddr, Vec<u8>>>>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
}

impl Sink {
    fn start(listener: TcpListener) -> Sink {
        let sink = Sink { listener, taken: Arc::default(), streams: Arc::default() };
        let listener = sink.listener.try_clone().expect("a second handle");
        let (taken, streams) = (Arc::clone(&sink.taken), Arc::clone(&sink.streams));
        thread::spawn(move || {
            while let Ok((stream, peer)) = listener.accept() {
                locked(&streams).push(stream.try_clone().expect("a second handle"));
                let taken = Arc::clone(&taken);
                thread::spawn(move || keep(stream, peer, &taken));
            }
        });
        sink
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // SAFETY: shutdown takes two integers and touches no memory of ours; the descriptor is open.
        unsafe { libc::shutdown(self.listener.as_raw_fd(), libc::SHUT_RDWR) };
        for stream in locked(&self.streams).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn keep(mut stream: TcpStream, peer: SocketAddr, taken: &Mutex<HashMap<SocketAddr, Vec<u8>>>) {
    let mut block = [0; 4096];
    loop {
        match stream.read(&mut block) {
            Ok(length @ 1..) => locked(taken).entry(peer).or_default().extend(&block[..length]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // The kernel has freed the connection, or the test has ended.
            Ok(0) | Err(_) => break,
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poison| poison.into_inner())
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).filter_map(|n| u8::from_str_radix(&text[2 * n..2 * n + 2], 16).ok()).collect()
}
