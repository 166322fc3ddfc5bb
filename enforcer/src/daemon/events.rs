//! Reads what the kernel reports, keeps the newest, hands it to followers and exports, and has the far side of a denied conversation
//! reset.

use std::collections::VecDeque;

use aya::maps::{MapData, RingBuf};
use enforcer_common::event::Event;
use enforcer_common::observation::ObservationKey;
use enforcer_common::operation::Operation;
use enforcer_common::port::Side;
use enforcer_common::scratch::Scratch;
use enforcer_common::verdict::{Mode, Reason, Verdict};
use serde_json::{Value, json};
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::Signal;
use tokio::sync::{broadcast, watch};

use super::far_side::FarSide;
use super::{InForce, Shared};
use crate::dataplane::flows;
use crate::export::Exports;
use crate::replay::record;
use crate::{learn, rollout};

/// Events kept in memory, and the bytes of text that they may have together. The journal keeps more.
const KEPT: usize = 10_000;
const KEPT_BYTES: usize = 4 << 20;

/// Events taken from the ring at a time: under a flood it is never empty.
const BATCH: usize = 2048;

/// The newest events, and those who follow them.
pub(super) struct Store {
    /// As text, which takes less than documents do.
    kept: VecDeque<Box<str>>,
    /// Bytes of them.
    size: usize,
    /// How many were read from the ring.
    pub(super) read: u64,
    followers: broadcast::Sender<Value>,
    /// Each event goes to them once.
    pub(super) exports: Exports,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            kept: VecDeque::new(),
            size: 0,
            read: 0,
            followers: broadcast::channel(1024).0,
            exports: Exports::default(),
        }
    }
}

impl Store {
    /// Keeps an event and hands it on.
    pub(super) fn push(&mut self, event: Value) {
        self.exports.offer(&event);
        let text: Box<str> = event.to_string().into();
        self.size = self.size.saturating_add(text.len());
        self.kept.push_back(text);
        while self.kept.len() > KEPT || self.size > KEPT_BYTES {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.size = self.size.saturating_sub(oldest.len());
        }
        let _ = self.followers.send(event);
    }

    /// The kept events, oldest first.
    pub(super) fn kept(&self) -> impl Iterator<Item = Value> {
        self.kept.iter().filter_map(|text| serde_json::from_str(text).ok())
    }

    /// Events from now on. Who reads too slowly is told how many were missed.
    #[must_use]
    pub(super) fn follow(&self) -> broadcast::Receiver<Value> {
        self.followers.subscribe()
    }
}

/// Reads the ring until `stop`, and never leaves off between taking an event from the ring and handing it on. `ports` are
/// the interface indices of the network and the device port.
pub(super) async fn read(daemon: Shared, ring: RingBuf<MapData>, mut ports: [u32; 2], mut stop: watch::Receiver<bool>) {
    let mut far_side = FarSide::open(ports);
    // SAFETY: the ring owns its descriptor, and gives out that one as long as it lives.
    let mut ring = match unsafe { AsyncFd::register(ring) } {
        Ok(ring) => ring,
        Err(error) => {
            tracing::error!(%error, "the event ring cannot be read");
            return;
        }
    };
    loop {
        let mut ready = tokio::select! {
            ready = ring.readable_mut() => match ready {
                Ok(ready) => ready,
                Err(_) => return,
            },
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let mut batch = Vec::new();
        while batch.len() < BATCH {
            let Some(item) = ready.get_inner_mut().next() else {
                ready.clear_ready();
                break;
            };
            if let Some(event) = decode(&item) {
                far_side.reset(&event);
                batch.push(event);
            }
        }
        let daemon = &mut *daemon.lock().await;
        let now = daemon.ports.each_ref().map(|port| port.index);
        if now != ports {
            // A port was made anew.
            (ports, far_side) = (now, FarSide::open(now));
        }
        let (policy, candidate) = (&daemon.policy, daemon.candidate.as_ref());
        let records: Vec<Value> = batch.iter().map(|event| describe(event, policy, candidate)).collect();
        for record in &records {
            daemon.events.read += 1;
            daemon.events.push(record.clone());
        }
        daemon.journal.events(records);
    }
}

/// On SIGHUP files are opened anew: log rotation has moved them away.
pub(super) async fn reopen(daemon: Shared, mut hangup: Signal) {
    while hangup.recv().await.is_some() {
        daemon.lock().await.events.exports.reopen();
    }
}

fn decode(bytes: &[u8]) -> Option<Event> {
    if bytes.len() < size_of::<Event>() {
        return None;
    }
    // SAFETY: the ring holds records that the program wrote as `Event`: plain integers, any bit pattern is a value.
    Some(unsafe { bytes.as_ptr().cast::<Event>().read_unaligned() })
}

/// The event as the contract has it.
fn describe(event: &Event, policy: &InForce, candidate: Option<&InForce>) -> Value {
    let mut scratch = Scratch::new();
    scratch.frame = event.frame;
    scratch.path = event.path;
    scratch.outcome = event.operation.reason;
    scratch.action = event.action;
    let whole = event.operation.function == enforcer_common::operation::NO_FUNCTION && event.operation.fault == 0;
    if !whole && let Some(first) = scratch.operations.first_mut() {
        *first = event.operation;
        scratch.count = 1;
    }
    let line = record::of(&scratch, &policy.compiled.names, wall_clock(event.time));
    let mut value = json!({"schema": 1, "event": kind(event)});
    if let (Value::Object(fields), Ok(Value::Object(more))) = (&mut value, serde_json::to_value(&line)) {
        // A live event has no frame number.
        fields.extend(more.into_iter().filter(|(key, _)| key != "frame"));
        fields.insert("generation".into(), event.path.generation.into());
        fields.insert("candidate".into(), candidate.map_or(Value::Null, |candidate| asked(&scratch, candidate)));
        fields.insert("mode".into(), Mode::from_code(event.path.mode).as_str().into());
        fields.insert("count".into(), 1.into());
        fields.insert("side".into(), Side::from_code(event.frame.side).as_str().into());
    }
    value
}

/// What the candidate says of the same operation, were it alone and its rate not used up; no verdict where it has no say.
fn asked(scratch: &Scratch, candidate: &InForce) -> Value {
    let mut key = ObservationKey::EMPTY;
    let index = (scratch.count != 0).then_some(0);
    let named = key.fill(scratch, index) && !learn::splits(&key);
    let reason = named.then(|| {
        let record = index.and_then(|index| scratch.operation(index));
        let valued = record.filter(|record| record.has(Operation::HAS_VALUE));
        let values = valued.map(|record| (record.value_min, record.value_max));
        rollout::judge_again(&candidate.compiled.image, &key, values)
    });
    json!({
        "revision": candidate.loaded.valid.revision,
        "verdict": reason.map(|reason| reason.verdict().as_str()),
        "reason": reason.map(Reason::as_str),
    })
}

fn kind(event: &Event) -> &'static str {
    match Reason::from_code(event.operation.reason).map(Reason::verdict) {
        Some(Verdict::Log) => "log",
        Some(Verdict::Allow) => "allow",
        Some(Verdict::Deny) | None if event.path.mode == Mode::Enforce as u8 => "deny",
        Some(Verdict::Deny) | None => "would_deny",
    }
}

/// Nanoseconds since 1970 of a moment on the programs' clock.
fn wall_clock(moment: u64) -> i128 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    i128::try_from(now).unwrap_or(0) - i128::from(flows::now().saturating_sub(moment))
}
