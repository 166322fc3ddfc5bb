//! A Modbus/TCP server of other people's make (tokio-modbus) as the controller, with its memory open to the test.

use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_modbus::prelude::{ExceptionCode, Request, Response, SlaveRequest};
use tokio_modbus::server::Service;
use tokio_modbus::server::tcp::Server as Listener;

use crate::Namespace;

/// How many registers and coils of each table there are.
pub const SIZE: usize = 1000;

/// What the controller holds: the oracle of every test that asks whether a write arrived.
#[derive(Clone, Debug)]
pub struct Memory {
    pub holding: Vec<u16>,
    pub input: Vec<u16>,
    pub coils: Vec<bool>,
    pub discrete: Vec<bool>,
    /// How many requests the server decoded.
    pub requests: u64,
    /// Requests that changed something.
    pub writes: u64,
    /// Every request decoded, with its client.
    pub heard: Vec<(SocketAddr, Request<'static>)>,
}

impl Memory {
    /// Register `n` starts with the value `n`, so that a read shows which register was read.
    fn new() -> Memory {
        let counting: Vec<u16> = (0..SIZE as u16).collect();
        Memory {
            holding: counting.clone(),
            input: counting,
            coils: vec![false; SIZE],
            discrete: (0..SIZE).map(|n| n % 2 == 1).collect(),
            requests: 0,
            writes: 0,
            heard: Vec::new(),
        }
    }
}

/// A running server. It ends when dropped.
pub struct Server {
    memory: Arc<Mutex<Memory>>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on port 502 of every address of the namespace.
    pub fn start(namespace: &Namespace) -> Server {
        Server::start_on(namespace, SocketAddr::from((std::net::Ipv6Addr::UNSPECIFIED, 502)))
    }

    /// Listens on one address; `[::]` takes IPv4 too.
    pub fn start_on(namespace: &Namespace, address: SocketAddr) -> Server {
        let listener = namespace
            .run(|| std::net::TcpListener::bind(address))
            .unwrap_or_else(|error| panic!("listen on {address}: {error}"));
        Server::start_with(listener)
    }

    /// Serves the connections of a listener that is there already.
    pub fn start_with(listener: std::net::TcpListener) -> Server {
        listener.set_nonblocking(true).expect("a socket that does not block");
        let memory = Arc::new(Mutex::new(Memory::new()));
        let (end, ended) = oneshot::channel();
        let thread = thread::spawn({
            let memory = Arc::clone(&memory);
            move || serve(listener, &memory, ended)
        });
        Server { memory, end: Some(end), thread: Some(thread) }
    }

    /// The controller's memory, to look at or to set.
    pub fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(|poison| poison.into_inner())
    }

    /// The value of one holding register.
    pub fn holding(&self, address: usize) -> u16 {
        self.memory().holding[address]
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            let _ = end.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(listener: std::net::TcpListener, memory: &Arc<Mutex<Memory>>, ended: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener).expect("a listener");
        let on_connected = |stream: tokio::net::TcpStream, client| {
            let memory = Arc::clone(memory);
            async move {
                stream.set_nodelay(true)?;
                Ok(Some((Controller { memory, client }, stream)))
            }
        };
        let abort = async {
            let _ = ended.await;
        };
        // A connection that is reset is what some tests are about; only the listener itself must not fail.
        let result = Listener::new(listener).serve_until(&on_connected, |_error| {}, abort).await;
        result.expect("the server keeps accepting");
    });
}

struct Controller {
    memory: Arc<Mutex<Memory>>,
    client: SocketAddr,
}

impl Service for Controller {
    type Request = SlaveRequest<'static>;
    type Response = Response;
    type Exception = ExceptionCode;
    type Future = Ready<Result<Response, ExceptionCode>>;

    fn call(&self, request: Self::Request) -> Self::Future {
        let mut memory = self.memory.lock().unwrap_or_else(|poison| poison.into_inner());
        memory.requests += 1;
        memory.heard.push((self.client, request.request.clone()));
        ready(answer(&mut memory, request.request))
    }
}

fn answer(memory: &mut Memory, request: Request<'_>) -> Result<Response, ExceptionCode> {
    use Request as Q;
    use Response as A;
    let response = match request {
        Q::ReadCoils(first, count) => return Ok(A::ReadCoils(read(&memory.coils, first, count)?)),
        Q::ReadDiscreteInputs(first, count) => {
            return Ok(A::ReadDiscreteInputs(read(&memory.discrete, first, count)?));
        }
        Q::ReadHoldingRegisters(first, count) => {
            return Ok(A::ReadHoldingRegisters(read(&memory.holding, first, count)?));
        }
        Q::ReadInputRegisters(first, count) => {
            return Ok(A::ReadInputRegisters(read(&memory.input, first, count)?));
        }
        Q::WriteSingleCoil(address, value) => {
            write(&mut memory.coils, address, &[value])?;
            A::WriteSingleCoil(address, value)
        }
        Q::WriteMultipleCoils(first, values) => A::WriteMultipleCoils(first, write(&mut memory.coils, first, &values)?),
        Q::WriteSingleRegister(address, value) => {
            write(&mut memory.holding, address, &[value])?;
            A::WriteSingleRegister(address, value)
        }
        Q::WriteMultipleRegisters(first, values) => {
            A::WriteMultipleRegisters(first, write(&mut memory.holding, first, &values)?)
        }
        Q::MaskWriteRegister(address, and, or) => {
            let old: Vec<u16> = read(&memory.holding, address, 1)?;
            write(&mut memory.holding, address, &[(old[0] & and) | (or & !and)])?;
            A::MaskWriteRegister(address, and, or)
        }
        Q::ReadWriteMultipleRegisters(from, count, to, values) => {
            write(&mut memory.holding, to, &values)?;
            A::ReadWriteMultipleRegisters(read(&memory.holding, from, count)?)
        }
        Q::ReportServerId | Q::ReadDeviceIdentification(..) | Q::Custom(..) => {
            return Err(ExceptionCode::IllegalFunction);
        }
    };
    memory.writes += 1;
    Ok(response)
}

fn read<T: Clone>(table: &[T], first: u16, count: u16) -> Result<Vec<T>, ExceptionCode> {
    let first = usize::from(first);
    table.get(first..first + usize::from(count)).map(<[T]>::to_vec).ok_or(ExceptionCode::IllegalDataAddress)
}

fn write<T: Clone>(table: &mut [T], first: u16, values: &[T]) -> Result<u16, ExceptionCode> {
    let first = usize::from(first);
    let cells = table.get_mut(first..first + values.len()).ok_or(ExceptionCode::IllegalDataAddress)?;
    cells.clone_from_slice(values);
    u16::try_from(values.len()).map_err(|_| ExceptionCode::IllegalDataValue)
}
