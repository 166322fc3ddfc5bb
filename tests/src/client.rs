//! A Modbus/TCP client of other people's make (tokio-modbus), for tests that ask and wait.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio::time::timeout;
use tokio_modbus::client::{Context, tcp};
use tokio_modbus::prelude::{Client as _, Reader as _, Request, Response, Slave, Writer as _};

use crate::Namespace;
use crate::namespace::Door;

/// How long a connection or an answer may take before it counts as lost, where nothing else is said.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// Why a request got no answer of its own.
#[derive(Debug)]
pub enum Failure {
    /// The controller refused by a Modbus exception with this code.
    Exception(u8),
    /// Nothing came back in this time.
    Timeout(Duration),
    /// The connection was reset or closed.
    Closed(io::Error),
    /// An answer came that does not fit the request.
    Protocol(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Exception(code) => write!(f, "Modbus exception {code}"),
            Failure::Timeout(patience) => write!(f, "no answer within {} seconds", patience.as_secs()),
            Failure::Closed(error) => write!(f, "connection lost: {error}"),
            Failure::Protocol(text) => write!(f, "answer does not fit: {text}"),
        }
    }
}

impl std::error::Error for Failure {}

/// One connection to a Modbus server; every call waits for its answer.
pub struct Client {
    runtime: Runtime,
    context: Context,
}

impl Client {
    /// Connects from `source` in the namespace to a server, as unit 1.
    pub fn connect(namespace: &Namespace, source: impl Into<IpAddr>, server: impl Into<IpAddr>) -> io::Result<Client> {
        let server = SocketAddr::new(server.into(), 502);
        let stream = connect(&namespace.door(), source.into(), server)?;
        let runtime = runtime()?;
        let context = {
            let _inside = runtime.enter();
            tcp::attach_slave(TcpStream::from_std(stream)?, Slave(1))
        };
        Ok(Client { runtime, context })
    }

    /// Asks as another unit from now on.
    pub fn set_unit(&mut self, unit: u8) {
        use tokio_modbus::prelude::SlaveContext as _;
        self.context.set_slave(Slave(unit));
    }

    pub fn read_holding(&mut self, first: u16, count: u16) -> Result<Vec<u16>, Failure> {
        let Client { runtime, context } = self;
        runtime.block_on(settle(PATIENCE, context.read_holding_registers(first, count)))
    }

    pub fn write_single(&mut self, address: u16, value: u16) -> Result<(), Failure> {
        let Client { runtime, context } = self;
        runtime.block_on(settle(PATIENCE, context.write_single_register(address, value)))
    }

    pub fn write_multiple(&mut self, first: u16, values: &[u16]) -> Result<(), Failure> {
        let Client { runtime, context } = self;
        runtime.block_on(settle(PATIENCE, context.write_multiple_registers(first, values)))
    }

    pub fn write_coil(&mut self, address: u16, value: bool) -> Result<(), Failure> {
        let Client { runtime, context } = self;
        runtime.block_on(settle(PATIENCE, context.write_single_coil(address, value)))
    }

    /// Sends any request of the library, user-defined functions included.
    pub fn call(&mut self, request: Request<'_>) -> Result<Response, Failure> {
        let Client { runtime, context } = self;
        runtime.block_on(settle(PATIENCE, context.call(request)))
    }
}

/// Waits for an answer and sorts what can go wrong.
pub(crate) async fn settle<T>(
    patience: Duration,
    answer: impl Future<Output = tokio_modbus::Result<T>>,
) -> Result<T, Failure> {
    match timeout(patience, answer).await {
        Err(_elapsed) => Err(Failure::Timeout(patience)),
        Ok(Err(tokio_modbus::Error::Transport(error))) => Err(Failure::Closed(error)),
        Ok(Err(tokio_modbus::Error::Protocol(error))) => Err(Failure::Protocol(error.to_string())),
        Ok(Ok(Err(exception))) => Err(Failure::Exception(exception.into())),
        Ok(Ok(Ok(value))) => Ok(value),
    }
}

/// Opens a TCP connection inside the namespace from a given source address.
pub(crate) fn connect(door: &Door, source: IpAddr, server: SocketAddr) -> io::Result<std::net::TcpStream> {
    door.run(|| runtime()?.block_on(async { dial(source, server, PATIENCE).await?.into_std() }))
}

/// Opens a TCP connection from a given source address; the calling thread is inside the namespace.
pub(crate) async fn dial(source: IpAddr, server: SocketAddr, patience: Duration) -> io::Result<TcpStream> {
    let socket = if server.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.bind(SocketAddr::new(source, 0))?;
    let stream = timeout(patience, socket.connect(server))
        .await
        .map_err(|_elapsed| io::Error::new(io::ErrorKind::TimedOut, format!("{server} did not answer")))??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

pub(crate) fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
