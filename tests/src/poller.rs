//! A client that polls without pause: the production that must not be disturbed.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio_modbus::client::{Context, tcp};
use tokio_modbus::prelude::{Reader as _, Slave};

use crate::Namespace;
use crate::client::{Failure, PATIENCE, connect, runtime, settle};
use crate::namespace::Door;

/// What to poll, how often, from where.
#[derive(Clone, Debug)]
pub struct Plan {
    pub source: IpAddr,
    pub server: IpAddr,
    pub first: u16,
    pub count: u16,
    /// Time from one request to the next.
    pub every: Duration,
}

/// What a poller lived through so far.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Requests answered with as many registers as asked for.
    pub good: u64,
    /// Requests without such an answer, and connections that could not be made.
    pub errors: u64,
    /// Connections made after the first.
    pub reconnects: u64,
    /// The longest time between two good answers, the running one included.
    pub longest_gap: Duration,
    /// The last thing that went wrong.
    pub last_error: Option<String>,
}

/// A running poller. It ends when dropped.
pub struct Poller {
    state: Arc<Mutex<State>>,
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

struct State {
    tally: Tally,
    last_good: Instant,
}

impl Poller {
    /// Starts polling from the namespace; the first connection is made on the poller's own thread.
    pub fn start(namespace: &Namespace, plan: Plan) -> Poller {
        let state = Arc::new(Mutex::new(State { tally: Tally::default(), last_good: Instant::now() }));
        let end = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let (door, state, end) = (namespace.door(), Arc::clone(&state), Arc::clone(&end));
            move || poll(&door, &plan, &state, &end)
        });
        Poller { state, end, thread: Some(thread) }
    }

    /// The tally so far.
    pub fn tally(&self) -> Tally {
        let state = self.state.lock().unwrap_or_else(|poison| poison.into_inner());
        let mut tally = state.tally.clone();
        tally.longest_gap = tally.longest_gap.max(state.last_good.elapsed());
        tally
    }

    /// Starts the tally anew, for the part of a test that matters; the connection stays.
    pub fn reset(&self) {
        let mut state = self.state.lock().unwrap_or_else(|poison| poison.into_inner());
        *state = State { tally: Tally::default(), last_good: Instant::now() };
    }

    /// Waits until `count` more requests were answered; false when that took longer than `patience`.
    pub fn wait_for_good(&self, count: u64, patience: Duration) -> bool {
        let (goal, start) = (self.tally().good + count, Instant::now());
        while self.tally().good < goal {
            if start.elapsed() > patience {
                return false;
            }
            thread::sleep(Duration::from_millis(2));
        }
        true
    }

    /// Ends the polling after the request under way and returns the final tally.
    pub fn stop(mut self) -> Tally {
        self.finish();
        self.tally()
    }

    fn finish(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        self.finish();
    }
}

fn poll(door: &Door, plan: &Plan, state: &Mutex<State>, end: &AtomicBool) {
    let runtime = runtime().expect("a runtime");
    let mut connection: Option<Context> = None;
    let mut connections = 0_u64;
    let mut next = Instant::now();
    while !end.load(Ordering::Relaxed) {
        let result = match connection.as_mut() {
            Some(context) => runtime.block_on(settle(PATIENCE, context.read_holding_registers(plan.first, plan.count))),
            None => match dial(door, plan, &runtime) {
                Ok(context) => {
                    connections += 1;
                    connection = Some(context);
                    record(state, |state| state.tally.reconnects += u64::from(connections > 1));
                    continue;
                }
                Err(error) => Err(Failure::Closed(error)),
            },
        };
        match result {
            Ok(values) if values.len() == usize::from(plan.count) => record(state, |state| {
                let now = Instant::now();
                state.tally.good += 1;
                state.tally.longest_gap = state.tally.longest_gap.max(now - state.last_good);
                state.last_good = now;
            }),
            other => {
                let text = match other {
                    Ok(values) => format!("{} registers instead of {}", values.len(), plan.count),
                    Err(failure) => failure.to_string(),
                };
                // After a lost answer the next one could be taken for it, so a new connection is the only way on.
                connection = None;
                record(state, |state| {
                    state.tally.errors += 1;
                    state.tally.last_error = Some(text);
                });
            }
        }
        next = (next + plan.every).max(Instant::now());
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}

fn dial(door: &Door, plan: &Plan, runtime: &Runtime) -> io::Result<Context> {
    let stream = connect(door, plan.source, SocketAddr::new(plan.server, 502))?;
    let _inside = runtime.enter();
    Ok(tcp::attach_slave(tokio::net::TcpStream::from_std(stream)?, Slave(1)))
}

fn record(state: &Mutex<State>, change: impl FnOnce(&mut State)) {
    change(&mut state.lock().unwrap_or_else(|poison| poison.into_inner()));
}
