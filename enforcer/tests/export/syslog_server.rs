//! A little syslog server that takes messages apart strictly.

use std::io::{self, Read};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Messages received so far, whole ones only.
pub(super) type Received = Arc<Mutex<Vec<String>>>;

/// A server that ends when told.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    received: Received,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on loopback; port 0 is any.
    pub(super) fn start(port: u16, received: &Received, tls: Option<Arc<ServerConfig>>) -> Server {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("listen");
        listener.set_nonblocking(true).expect("no waiting");
        let address = listener.local_addr().expect("address");
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let (received, stop) = (Arc::clone(received), Arc::clone(&stop));
            move || {
                while !stop.load(Ordering::Relaxed) {
                    match listener.accept() {
                        // A client that is refused in the handshake is no failure of the server.
                        Ok((stream, _)) => drop(serve(stream, &received, &stop, tls.clone())),
                        Err(_) => std::thread::sleep(Duration::from_millis(2)),
                    }
                }
            }
        });
        Server { address, received: Arc::clone(received), stop, thread: Some(thread) }
    }

    /// Says goodbye, takes what is on its way, and goes.
    pub(super) fn stop(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().expect("running").join().expect("the server's thread");
    }

    pub(super) fn count(&self) -> usize {
        self.received.lock().expect("received").len()
    }
}

fn serve(stream: TcpStream, received: &Received, stop: &AtomicBool, tls: Option<Arc<ServerConfig>>) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_millis(20)))?;
    let handle = stream.try_clone()?;
    let mut reader: Box<dyn Read> = match tls {
        None => Box::new(stream),
        Some(config) => {
            let mut stream = stream;
            let mut connection = ServerConnection::new(config).map_err(io::Error::other)?;
            while connection.is_handshaking() {
                match connection.complete_io(&mut stream) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    done => drop(done?),
                }
            }
            // Session tickets and the like.
            while connection.wants_write() {
                connection.write_tls(&mut stream)?;
            }
            Box::new(StreamOwned::new(connection, stream))
        }
    };
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    let mut said_goodbye = false;
    loop {
        if stop.load(Ordering::Relaxed) && !said_goodbye {
            said_goodbye = true;
            handle.shutdown(Shutdown::Write)?;
        }
        match reader.read(&mut part) {
            Ok(0) => return Ok(()),
            Ok(count) => bytes.extend_from_slice(&part[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        }
        while let Some((message, rest)) = frame(&bytes) {
            received.lock().expect("received").push(message);
            bytes = rest;
        }
    }
}

/// RFC 6587, octet counting: the length, a space, as many bytes.
fn frame(bytes: &[u8]) -> Option<(String, Vec<u8>)> {
    let space = bytes.iter().position(|byte| *byte == b' ')?;
    let digits = std::str::from_utf8(&bytes[..space]).expect("a length");
    assert!(digits.starts_with(|c: char| ('1'..='9').contains(&c)), "no length: {digits:?}");
    let length: usize = digits.parse().expect("a length");
    let body = bytes.get(space + 1..)?;
    let message = body.get(..length)?;
    Some((String::from_utf8(message.to_vec()).expect("UTF-8"), body[length..].to_vec()))
}

/// What a message says about itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) number: u64,
    /// Deny, alarm, ...
    pub(super) kind: String,
    /// How many happenings it stands for.
    pub(super) count: u64,
    pub(super) unit: Option<usize>,
    /// Of a note about a hole.
    pub(super) lost: u64,
}

/// RFC 5424 header and CEF, as strictly as a collector would.
pub(super) fn parse(text: &str) -> Message {
    let mut words = text.splitn(7, ' ');
    let mut word = || words.next().unwrap_or_else(|| panic!("too short: {text}"));
    let priority = word();
    let code: u8 = priority
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix(">1"))
        .and_then(|code| code.parse().ok())
        .unwrap_or_else(|| panic!("{priority}"));
    assert_eq!(code / 8, 16, "{text}");
    let time = word();
    assert!(time.len() == 27 && time.ends_with('Z'), "{time}");
    let header = [word(), word(), word(), word()];
    assert!(header.iter().all(|part| part.chars().all(|c| c.is_ascii_graphic())), "{header:?}");
    assert_eq!(header[1], "enforcer");
    let rest = word();
    let number = rest.strip_prefix("[meta sequenceId=\"").and_then(|rest| rest.split_once("\"] "));
    let (number, cef) = number.unwrap_or_else(|| panic!("{rest}"));
    assert!(cef.starts_with("CEF:0|enforcer|enforcer|"), "{cef}");
    let extension = cef.splitn(8, '|').nth(7).unwrap_or_else(|| panic!("{cef}"));
    let field = |key: &str| {
        let found = extension.split(&format!("{key}=")).nth(1)?;
        found.split(' ').next()
    };
    let lost = extension.contains("reason=export_lost").then(|| {
        let at = extension.split("export syslog: ").nth(1).and_then(|rest| rest.split(' ').next());
        at.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("{extension}"))
    });
    Message {
        number: number.parse().expect("a number"),
        kind: header[3].to_owned(),
        count: field("cnt").and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("no count: {extension}")),
        unit: field("cn1").and_then(|unit| unit.parse().ok()),
        lost: lost.unwrap_or(0),
    }
}
