//! Captures cut short and with bytes changed: no dissector panics, loops, or holds back what a mode must let through.

use std::path::Path;

use enforcer::policy::{self, Compiled};
use enforcer::replay::capture::Capture;
use enforcer::replay::environment::HostEnvironment;
use enforcer::replay::side::Sides;
use enforcer_common::action::Action;
use enforcer_common::decide::decide;
use enforcer_common::port::Side;
use enforcer_common::protocol::Protocol;
use enforcer_common::scratch::Scratch;
use enforcer_common::verdict::Mode;

use super::captured;

/// Frames of one capture that are mutated, spread over it.
const FRAMES: usize = 60;

struct Guard {
    compiled: Compiled,
    environment: HostEnvironment,
    scratch: Box<Scratch>,
}

impl Guard {
    fn new(of: Protocol) -> Self {
        let head = "[policy]\nname = \"all\"\nrevision = 1\ndefault = \"allow\"\n".to_owned();
        let conduits = captured::protocols(of).map(|one| captured::conduit(one, &captured::harmless(one)));
        let text: String = std::iter::once(head).chain(conduits).collect();
        let loaded = policy::parse("all.toml", &text).unwrap_or_else(|errors| panic!("{errors}"));
        let compiled = policy::compile(&loaded.valid, 1, 0).unwrap_or_else(|errors| panic!("{errors}"));
        Self { compiled, environment: HostEnvironment::new(Some(Mode::Shadow)), scratch: Box::default() }
    }

    fn judge(&mut self, side: Side, frame: &[u8]) {
        self.environment.forget_flows();
        self.environment.begin(frame, None);
        let action = decide(frame, side, &self.compiled.image, &mut self.environment, &mut self.scratch);
        assert_eq!(action, Action::Forward, "shadow: {frame:02x?}");
    }
}

/// Where the payload of TCP or UDP begins in an Ethernet frame without tags.
fn payload(frame: &[u8]) -> Option<usize> {
    let [0x08, 0x00] = frame.get(12..14)? else { return None };
    let transport = 14 + usize::from(frame.get(14)? & 15) * 4;
    match frame.get(23)? {
        6 => Some(transport + usize::from(frame.get(transport + 12)? >> 4) * 4),
        17 => Some(transport + 8),
        _ => None,
    }
}

/// The same packet with its payload cut at `end`, lengths in the headers to match.
fn shortened(frame: &[u8], end: usize) -> Option<Vec<u8>> {
    let mut cut = frame.get(..end)?.to_vec();
    let transport = 14 + usize::from(frame.get(14)? & 15) * 4;
    let length = |bytes: usize| u16::try_from(bytes).ok().map(u16::to_be_bytes);
    cut.get_mut(16..18)?.copy_from_slice(&length(end - 14)?);
    if *frame.get(23)? == 17 {
        cut.get_mut(transport + 4..transport + 6)?.copy_from_slice(&length(end - transport)?);
    }
    Some(cut)
}

fn mutate(judge: &mut Guard, side: Side, frame: &[u8]) {
    let from = payload(frame).unwrap_or(14).min(frame.len());
    for end in 0..frame.len() {
        judge.judge(side, &frame[..end]);
        if end > from
            && let Some(cut) = shortened(frame, end)
        {
            judge.judge(side, &cut);
        }
    }
    let mut changed = frame.to_vec();
    for place in from..frame.len() {
        for flip in [0x01, 0x10, 0x80, 0xff] {
            changed[place] ^= flip;
            judge.judge(side, &changed);
            changed[place] ^= flip;
        }
    }
}

fn frames(file: &Path) -> Vec<Vec<u8>> {
    let capture = Capture::open(file).unwrap_or_else(|error| panic!("{error}"));
    // A capture that ends in the middle of a record is one of replay's cases.
    let all: Vec<Vec<u8>> = capture.map_while(Result::ok).map(|frame| frame.bytes).collect();
    let step = all.len().div_ceil(FRAMES).max(1);
    all.into_iter().step_by(step).collect()
}

#[test]
fn a_capture_cut_at_any_byte_or_with_any_byte_changed_is_judged() {
    let Some(files) = captured::files() else { return };
    let mut guards = [Protocol::S7comm, Protocol::Mms].map(Guard::new);
    let mut count = 0;
    for file in files {
        let judge = &mut guards[usize::from(captured::of_port_102(&file) == Protocol::Mms)];
        let mut sides = Sides::new(&judge.compiled.image, &[]);
        for frame in frames(&file) {
            let side = sides.side(&frame);
            count += 1;
            mutate(judge, side, &frame);
        }
    }
    println!("{count} frames, each cut at every byte and with every byte of its payload changed");
}
