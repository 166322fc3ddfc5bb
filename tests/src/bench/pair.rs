//! Both ends of one Modbus connection in the hands of one thread.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::Namespace;
use crate::frames;
use crate::lab::PLC;

/// After this a transaction has failed.
const PATIENCE: Duration = Duration::from_secs(5);

/// Registers that each transaction reads.
const REGISTERS: u16 = 10;

/// A connection from the station to the controller.
pub(super) struct Pair {
    client: TcpStream,
    server: TcpStream,
    number: u16,
}

impl Pair {
    /// Connects from one namespace to a server that is opened in the other.
    pub(super) fn connect(station: &Namespace, controller: &Namespace) -> Result<Pair> {
        let address = SocketAddr::from((PLC, 502));
        let listener = controller.run(|| TcpListener::bind(address))?;
        let client = station.run(|| TcpStream::connect_timeout(&address, PATIENCE))?;
        let (server, _) = listener.accept()?;
        for end in [&client, &server] {
            end.set_nodelay(true)?;
            end.set_nonblocking(true)?;
        }
        Ok(Pair { client, server, number: 0 })
    }

    /// One request and its answer: the time from the first byte sent to the last one read.
    pub(super) fn transact(&mut self) -> Result<Duration> {
        self.number = self.number.wrapping_add(1);
        let request = frames::modbus(self.number, 1, &frames::read_holding(0, REGISTERS));
        let values = [0_u8; 2 * REGISTERS as usize];
        let answer = frames::modbus(self.number, 1, &[&[3, values.len() as u8][..], &values].concat());
        let (mut asked, mut told) = ([0; 64], [0; 64]);
        let begin = Instant::now();
        self.client.write_all(&request)?;
        receive(&mut self.server, &mut asked[..request.len()], begin)?;
        self.server.write_all(&answer)?;
        receive(&mut self.client, &mut told[..answer.len()], begin)?;
        let took = begin.elapsed();
        if asked[..request.len()] != request[..] || told[..answer.len()] != answer[..] {
            return Err(Error::other("what arrived is not what was sent"));
        }
        Ok(took)
    }

    /// Whether a request gets to the server soon.
    pub(super) fn delivers(&mut self, request: &[u8]) -> Result<bool> {
        self.client.write_all(&frames::modbus(self.number, 1, request))?;
        std::thread::sleep(Duration::from_millis(100));
        match self.server.read(&mut [0; 64]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            other => other.map(|length| length > 0),
        }
    }
}

/// Reads until the buffer is full, without ever sleeping.
fn receive(end: &mut TcpStream, mut buffer: &mut [u8], begin: Instant) -> Result<()> {
    while !buffer.is_empty() {
        match end.read(buffer) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(length) => buffer = &mut buffer[length..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if begin.elapsed() > PATIENCE {
                    return Err(ErrorKind::TimedOut.into());
                }
                std::hint::spin_loop();
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
