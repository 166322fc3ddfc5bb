//! One capture: what its first half teaches, and what the policy proposed from it says of the second.

use std::path::Path;

use enforcer::learn::{self, Clock, Reach};
use enforcer::replay::capture::{Capture, Frame};
use enforcer::replay::line::Line;
use enforcer::replay::run::{Options, Run};
use enforcer_common::observation::ObservationKey;
use enforcer_common::operation::{NO_FUNCTION, Operation};
use enforcer_common::scratch::Scratch;
use enforcer_common::verdict::Mode;

use super::{captured, checksum};

/// What became of a capture. Times are nanoseconds.
#[derive(Default)]
pub(crate) struct Halves {
    pub(crate) begin: u64,
    pub(crate) middle: u64,
    /// Operations of the first half that the proposal is asked about: when, and whether it denies them.
    pub(crate) first: Vec<(u64, bool)>,
    /// When each kind of operation was seen for the first time.
    pub(crate) new: Vec<u64>,
    /// Operations of the second half, without those below.
    pub(crate) second: usize,
    /// Those of the second half that the proposal denies.
    pub(crate) denied: Vec<Denied>,
    /// Operations of the second half that no program proposes: a person decides.
    pub(crate) left: usize,
    /// Operations of the second half that are denied for what is wrong with them or their conversation.
    pub(crate) faulty: usize,
}

pub(crate) struct Denied {
    pub(crate) reason: &'static str,
    pub(crate) words: String,
}

/// Learns from the first `at` frames, proposes, and judges all of them.
pub(crate) fn halves(file: &Path, frames: &[Frame], at: usize) -> Result<Halves, String> {
    let (first, second) = frames.split_at(at);
    let hint = captured::hint(file);
    let extra: Vec<(&str, u16)> = hint.iter().map(|(protocol, port)| (protocol.as_str(), *port)).collect();
    let watching = captured::compiled("watch.toml", &captured::watching(&extra, captured::of_port_102(file)))?;
    let mut watch = Run::new(&watching, &Options { mode: Some(Mode::Learn), ..Options::default() });
    let before: Vec<Vec<Asked>> = first.iter().map(|frame| asked(&mut watch, frame)).collect();
    let observed = watch.environment().observations();
    let proposal = learn::propose(&observed, None, Clock::new(std::time::UNIX_EPOCH, 0), Reach::default());
    let policy = captured::compiled("proposed.toml", &proposal.text)?;
    // As in shadow from the beginning: conversations that are open at the half stay so.
    let mut shadow = Run::new(&policy, &Options { mode: Some(Mode::Shadow), ..Options::default() });
    let time = |frame: &Frame| frame.time.map_or(0, |time| time.as_nanos());
    let mut halves =
        Halves { begin: first.first().map_or(0, time), middle: first.last().map_or(0, time), ..Halves::default() };
    let inspected = |key: &ObservationKey| key.function != NO_FUNCTION;
    halves.new =
        learn::passed(&observed).iter().filter(|(key, _)| inspected(key)).map(|(_, seen)| seen.first_seen).collect();
    for (frame, asked) in first.iter().zip(before) {
        let lines = shadow.frame(frame);
        let judged = asked.iter().filter(|one| one.is_sound && !one.is_left);
        halves.first.extend(judged.map(|one| (time(frame), one.finding(&lines).is_some())));
    }
    for frame in second {
        let asked = asked(&mut watch, frame);
        let lines = shadow.frame(frame);
        for one in &asked {
            if !one.is_sound {
                halves.faulty += 1;
            } else if one.is_left {
                halves.left += 1;
            } else {
                halves.second += 1;
                let line = one.finding(&lines);
                halves.denied.extend(line.map(|line| Denied { reason: line.reason, words: one.words.clone() }));
            }
        }
    }
    Ok(halves)
}

pub(crate) fn frames(file: &Path) -> Vec<Frame> {
    let capture = Capture::open(file).unwrap_or_else(|error| panic!("{error}"));
    let repaired = |frame: Frame| Frame { bytes: checksum::repaired(frame.bytes.clone()), ..frame };
    capture.map_while(Result::ok).map(repaired).collect()
}

/// An operation that a policy has to name, as a box sees it that lets everything pass.
struct Asked {
    /// Its place among the frame's units, and how many there are.
    place: (usize, usize),
    /// Nothing is wrong with it or its conversation.
    is_sound: bool,
    /// Learning leaves it to a person.
    is_left: bool,
    words: String,
}

impl Asked {
    /// The line with which the proposal denies it.
    fn finding<'a, 'p>(&self, lines: &'a [Line<'p>]) -> Option<&'a Line<'p>> {
        let (index, count) = self.place;
        // A frame that no conduit covers has one line for all of its units.
        let line = if lines.len() == count { lines.get(index) } else { lines.first() };
        line.filter(|line| line.verdict == "deny")
    }
}

fn asked(watch: &mut Run<'_>, frame: &Frame) -> Vec<Asked> {
    let lines = watch.frame(frame);
    let scratch = watch.scratch();
    let operations = scratch.operations.get(..scratch.count as usize).unwrap_or_default();
    let mut next = 0;
    let mut all = Vec::new();
    for (place, parts) in operations.chunk_by(|_, next| next.has(Operation::CONTINUES)).enumerate() {
        let keys: Vec<ObservationKey> =
            (next..).zip(parts).filter_map(|(index, part)| key(scratch, index, part)).collect();
        next += parts.len();
        let Some(line) = lines.get(place) else { continue };
        // What is sent again is no second operation, and an answer passes with its question.
        if line.retransmission || line.reason == "response" || keys.is_empty() {
            continue;
        }
        let is_sound = line.verdict != "deny" || line.reason == "split_unit";
        let is_left = keys.iter().any(learn::is_left);
        all.push(Asked { place: (place, lines.len()), is_sound, is_left, words: line.to_string() });
    }
    all
}

/// What learning would keep of an operation, whatever is wrong with it: requests, and what the client's end says.
fn key(scratch: &Scratch, index: usize, part: &Operation) -> Option<ObservationKey> {
    if part.function == NO_FUNCTION {
        return None;
    }
    let mut key = ObservationKey::EMPTY;
    let named = key.fill(scratch, u32::try_from(index).ok());
    if part.fault != 0 {
        let (protocol, function) = (part.protocol, part.function);
        let (unit, space, first, last) = (part.unit, part.space, part.first, part.last);
        return Some(ObservationKey { protocol, function, unit, space, first, last, ..key });
    }
    named.then_some(key)
}
