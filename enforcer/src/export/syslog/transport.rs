//! The way to the server: datagrams (RFC 5426), octet-counted messages over TCP (RFC 6587) or TLS (RFC 5425).

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::config::{Syslog, SyslogTransport, Tls};

/// How long a server may take to answer, or to take a message.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a server may take to refuse a certificate.
const FIRST_WORDS: Duration = Duration::from_millis(500);
/// Milliseconds without acknowledgement after which the kernel gives a connection up.
const USER_TIMEOUT: libc::c_int = 30_000;

/// An open way.
pub(super) enum Transport {
    Udp(UdpSocket),
    Tcp(Counted),
    Tls(Box<ClientConnection>, Counted),
}

impl Transport {
    /// Connects.
    pub(super) fn open(settings: &Syslog) -> io::Result<Self> {
        let server = &settings.server;
        let addresses: Vec<SocketAddr> = (server.host.as_str(), server.port).to_socket_addrs()?.collect();
        let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
        for address in addresses {
            match Self::open_one(settings, address) {
                Ok(open) => return Ok(open),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn open_one(settings: &Syslog, address: SocketAddr) -> io::Result<Self> {
        if settings.transport == SyslogTransport::Udp {
            let any: SocketAddr =
                if address.is_ipv4() { ([0; 4], 0).into() } else { (std::net::Ipv6Addr::UNSPECIFIED, 0).into() };
            let socket = UdpSocket::bind(any)?;
            socket.connect(address)?;
            return Ok(Self::Udp(socket));
        }
        let mut stream = Counted::connect(address)?;
        let Some(tls) = &settings.tls else { return Ok(Self::Tcp(stream)) };
        let name = ServerName::try_from(settings.server.host.clone())
            .map_err(|_| io::Error::new(ErrorKind::InvalidInput, "not a name that a certificate can have"))?;
        let config = client_config(tls)?;
        let mut connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        while connection.is_handshaking() {
            connection.complete_io(&mut stream)?;
        }
        let mut open = Self::Tls(Box::new(connection), stream);
        open.hear_refusal()?;
        Ok(open)
    }

    /// In TLS 1.3 a server that refuses our certificate says so after our side of the handshake is done; what is sent before
    /// that is heard would be acknowledged and thrown away. Nearly all servers say something then.
    fn hear_refusal(&mut self) -> io::Result<()> {
        if let Self::Tls(_, stream) = self {
            stream.stream.set_read_timeout(Some(FIRST_WORDS))?;
            // Whatever comes is looked at below.
            let _ = stream.stream.peek(&mut [0]);
            stream.stream.set_read_timeout(Some(PATIENCE))?;
        }
        self.check()
    }

    /// Sends one message, whole, or fails: the way is then not to be used any more.
    pub(super) fn write(&mut self, message: &str) -> io::Result<()> {
        let frame = || format!("{} {message}", message.len());
        let written = match self {
            Self::Udp(socket) => return socket.send(message.as_bytes()).map(|_| ()),
            Self::Tcp(stream) => stream.write_all(frame().as_bytes()),
            Self::Tls(connection, stream) => rustls::Stream::new(&mut **connection, stream)
                .write_all(frame().as_bytes())
                .and_then(|()| rustls::Stream::new(&mut **connection, stream).flush()),
        };
        written.map_err(|error| {
            let late = error.kind() == ErrorKind::WouldBlock;
            if late { io::Error::new(ErrorKind::TimedOut, "the server takes nothing more") } else { error }
        })
    }

    /// Bytes handed to TCP.
    pub(super) fn written(&self) -> u64 {
        match self {
            Self::Udp(_) => 0,
            Self::Tcp(stream) | Self::Tls(_, stream) => stream.written,
        }
    }

    /// Bytes of those that the server's TCP has; a datagram counts as received.
    pub(super) fn acknowledged(&self) -> u64 {
        match self {
            Self::Udp(_) => 0,
            Self::Tcp(stream) | Self::Tls(_, stream) => stream.acknowledged(),
        }
    }

    /// Notices that the server has gone. What it says is read and means nothing.
    pub(super) fn check(&mut self) -> io::Result<()> {
        match self {
            Self::Udp(socket) => socket.take_error()?.map_or(Ok(()), Err),
            Self::Tcp(stream) => stream.without_waiting(|stream| stream.read(&mut [0; 1024])),
            Self::Tls(connection, stream) => stream.without_waiting(|stream| {
                let read = connection.read_tls(stream)?;
                let state = connection.process_new_packets().map_err(io::Error::other)?;
                let mut said = vec![0; state.plaintext_bytes_to_read()];
                connection.reader().read_exact(&mut said)?;
                Ok(if state.peer_has_closed() { 0 } else { read })
            }),
        }
    }

    /// Ends in order.
    pub(super) fn close(&mut self) {
        // It ends either way.
        let _ = match self {
            Self::Udp(_) => Ok(()),
            Self::Tcp(stream) => stream.stream.shutdown(std::net::Shutdown::Write),
            Self::Tls(connection, stream) => {
                connection.send_close_notify();
                connection.complete_io(stream).and_then(|_| stream.stream.shutdown(std::net::Shutdown::Write))
            }
        };
    }
}

/// What the configuration's files say. They are read at each connection, so a renewed certificate needs no restart.
fn client_config(tls: &Tls) -> io::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&tls.ca)? {
        roots.add(certificate).map_err(|error| named(&tls.ca, error))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots);
    let Some((certificate, key)) = &tls.client else { return Ok(builder.with_no_client_auth()) };
    let chain = certificates(certificate)?;
    let bytes = fs::read(key).map_err(|error| named(key, error))?;
    let private = PrivateKeyDer::from_pem_slice(&bytes).map_err(|_| named(key, "no private key in PEM is in it"))?;
    builder.with_client_auth_cert(chain, private).map_err(|error| named(certificate, error))
}

fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let bytes = fs::read(path).map_err(|error| named(path, error))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(list) if !list.is_empty() => Ok(list),
        _ => Err(named(path, "no certificate in PEM is in it")),
    }
}

fn named(path: &Path, cause: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("{}: {cause}", path.display()))
}

/// A TCP connection that knows how much of what it carries has arrived.
pub(super) struct Counted {
    stream: TcpStream,
    written: u64,
}

impl Counted {
    fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let (level, option, value) = (libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT, USER_TIMEOUT);
        // SAFETY: the descriptor is open, and the value is an int that outlives the call.
        let set = unsafe {
            libc::setsockopt(stream.as_raw_fd(), level, option, (&raw const value).cast(), size_of_val(&value) as u32)
        };
        if set != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { stream, written: 0 })
    }

    fn acknowledged(&self) -> u64 {
        let mut waiting: libc::c_int = 0;
        // SAFETY: the descriptor is open, and the kernel writes an int. It answers after a reset too: the connection's
        // numbers stay until the descriptor is closed.
        let asked = unsafe { libc::ioctl(self.stream.as_raw_fd(), libc::TIOCOUTQ, &raw mut waiting) };
        match u64::try_from(waiting) {
            Ok(waiting) if asked == 0 => self.written.saturating_sub(waiting),
            _ => 0,
        }
    }

    /// Does a read that must not wait. An end of the stream is an error; that there is nothing to read is none.
    fn without_waiting(&mut self, read: impl FnOnce(&mut Self) -> io::Result<usize>) -> io::Result<()> {
        self.stream.set_nonblocking(true)?;
        let read = read(self);
        self.stream.set_nonblocking(false)?;
        match read {
            Ok(0) => Err(io::Error::new(ErrorKind::ConnectionAborted, "the server closed the connection")),
            Ok(_) => Ok(()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.stream.write(bytes)?;
        self.written += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
