//! Many clients at once, each with one request after another and every answer checked.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio_modbus::client::{Context, tcp};
use tokio_modbus::prelude::{Reader as _, Slave, Writer as _};

use crate::Namespace;
use crate::client::{Failure, dial, runtime, settle};
use crate::server::SIZE;

/// Holding registers that each client has to itself.
const BLOCK: usize = 40;

/// Who asks whom, how often, and how long a connection or an answer may take.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    pub source: IpAddr,
    pub server: IpAddr,
    pub clients: usize,
    /// Requests of each client, half of them writes.
    pub requests: usize,
    /// Requests after which a client closes its connection and opens another.
    pub conversation: usize,
    pub patience: Duration,
}

/// What the crew lived through.
#[derive(Debug, Default)]
pub struct Outcome {
    /// From the first connection's beginning to the last answer.
    pub took: Duration,
    /// Every answered request's time, shortest first.
    pub times: Vec<Duration>,
    pub writes: u64,
    /// What the controller's holding registers must hold now, when there were no errors.
    pub holding: Vec<u16>,
    pub errors: Vec<String>,
}

impl Outcome {
    /// The time that this part of all requests stayed below.
    pub fn quantile(&self, part: f64) -> Duration {
        let last = self.times.len().saturating_sub(1);
        self.times.get((last as f64 * part) as usize).copied().unwrap_or_default()
    }
}

/// Does the work from a namespace and returns when the last client is done.
pub fn run(namespace: &Namespace, work: Work) -> Outcome {
    assert!(work.clients * BLOCK <= SIZE, "{} clients have no block each", work.clients);
    let start = Instant::now();
    let clients = namespace.run(|| {
        runtime().expect("a runtime").block_on(async {
            let mut crew = JoinSet::new();
            for number in 0..work.clients {
                crew.spawn(Client::new(number).run(work));
            }
            crew.join_all().await
        })
    });
    let mut all = Outcome { took: start.elapsed(), holding: (0..SIZE as u16).collect(), ..Outcome::default() };
    for client in clients {
        let first = usize::from(client.first);
        all.holding[first..first + BLOCK].copy_from_slice(&client.held);
        all.times.extend(client.times);
        all.errors.extend(client.errors);
        all.writes += client.writes;
    }
    all.times.sort_unstable();
    all
}

struct Client {
    first: u16,
    /// What its registers hold, as far as it was told.
    held: [u16; BLOCK],
    times: Vec<Duration>,
    errors: Vec<String>,
    writes: u64,
}

impl Client {
    fn new(number: usize) -> Client {
        let first = (number * BLOCK) as u16;
        let held = std::array::from_fn(|n| first + n as u16);
        Client { first, held, times: Vec::new(), errors: Vec::new(), writes: 0 }
    }

    async fn run(mut self, work: Work) -> Client {
        let mut connection = None;
        for request in 0..work.requests {
            let start = Instant::now();
            match self.ask(&mut connection, request, work).await {
                Ok(()) => self.times.push(start.elapsed()),
                Err(failure) => {
                    // After a lost answer the next one could be taken for it.
                    connection = None;
                    self.errors.push(format!("client of {}, request {request}: {failure}", self.first));
                }
            }
            if (request + 1) % work.conversation == 0 {
                connection = None;
            }
        }
        self
    }

    /// One request with its answer, over the connection there is or a new one.
    async fn ask(&mut self, connection: &mut Option<Context>, request: usize, work: Work) -> Result<(), Failure> {
        let context = match connection {
            Some(context) => context,
            None => {
                let stream = dial(work.source, SocketAddr::new(work.server, 502), work.patience);
                connection.insert(tcp::attach_slave(stream.await.map_err(Failure::Closed)?, Slave(1)))
            }
        };
        let value = request as u16;
        match request % 4 {
            1 => {
                let at = request / 4 % BLOCK;
                settle(work.patience, context.write_single_register(self.first + at as u16, value)).await?;
                self.held[at] = value;
                self.writes += 1;
            }
            3 => {
                let (at, values) = (request / 4 % (BLOCK - 5), [value; 5]);
                settle(work.patience, context.write_multiple_registers(self.first + at as u16, &values)).await?;
                self.held[at..at + 5].copy_from_slice(&values);
                self.writes += 1;
            }
            _ => {
                let read = context.read_holding_registers(self.first, BLOCK as u16);
                let read = settle(work.patience, read).await?;
                // Once an answer was lost nobody knows whether its write was done.
                if read != self.held && self.errors.is_empty() {
                    return Err(Failure::Protocol(format!("read {read:?} where {:?} was written", self.held)));
                }
            }
        }
        Ok(())
    }
}
