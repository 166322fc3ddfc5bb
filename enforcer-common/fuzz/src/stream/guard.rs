//! The box: the whole core on the tests' host.

use std::sync::OnceLock;

use enforcer_common::action::{Action, OnDeny};
use enforcer_common::decide::decide;
use enforcer_common::known::{ENTRIES, Known};
use enforcer_common::policy::memo::{MEMOS, Memo};
use enforcer_common::policy::{Image, OnUnsynchronised};
use enforcer_common::port::Side;
use enforcer_common::protocol::modbus::functions::space::HOLDING;
use enforcer_common::scratch::{Commit, Scratch};
use enforcer_common::verdict::{Mode, Reason, Verdict};

use super::Segment;
use crate::support::checksum::repair;
use crate::support::frames::{HMI, PLC, ethernet, ipv4, tcp};
use crate::support::host::Host;
use crate::support::policy::{Effect, Policy, rule};

/// Which policy holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    /// Units may begin and end anywhere in a segment.
    pub(crate) stream: bool,
    /// What a denial does.
    pub(crate) on_deny: OnDeny,
    /// What becomes of conversations whose beginning was not seen.
    pub(crate) on_unsynchronised: OnUnsynchronised,
}

/// What was decided about a segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decided {
    pub(crate) action: Action,
    pub(crate) reason: Reason,
    /// First sequence number and length of the bytes that were judged as new.
    pub(crate) fresh: Option<(u32, u32)>,
    /// They belong to a conversation that the box does not know.
    pub(crate) stateless: bool,
}

/// A box in the line.
pub(crate) struct Guard {
    pub(crate) host: Host,
    scratch: Box<Scratch>,
    images: [&'static Image; 2],
    /// Which of them holds.
    pub(crate) generation: usize,
}

impl Guard {
    pub(crate) fn new(setup: Setup, mode: Mode) -> Self {
        let mut host = Host::new(mode);
        host.limits.checksums = true;
        host.per_device = 8;
        host.memos = vec![Memo::default(); MEMOS];
        host.known = vec![Known::default(); ENTRIES];
        let images = [0, 1].map(|generation| image(setup, generation));
        Self { host, scratch: Box::default(), images, generation: 0 }
    }

    /// Judges a segment between the client's `port` and the device.
    pub(crate) fn judge(&mut self, side: Side, port: u16, segment: &Segment) -> Decided {
        self.host.frame = frame(side, port, segment);
        self.host.counted.clear();
        self.host.events.clear();
        let image = self.images[self.generation];
        let bytes = self.host.frame.clone();
        let action = decide(&*bytes, side, image, &mut self.host, &mut self.scratch);
        let reason = Reason::from_code(self.scratch.outcome).expect("every frame has a reason");
        if is_traced() {
            eprintln!("{side:?} {port} {:?} {segment:?} -> {reason:?} {action:?}", self.host.mode);
        }
        let acts = reason.verdict() == Verdict::Deny && self.host.mode == Mode::Enforce;
        assert_eq!(action != Action::Forward, acts, "{reason:?} in {:?}", self.host.mode);
        if self.scratch.ordinary == Scratch::PASSED {
            let length = u32::try_from(segment.payload.len()).expect("below the limit");
            let fresh = (length != 0).then_some((segment.sequence, length));
            return Decided { action, reason, fresh, stateless: false };
        }
        let stream = &self.scratch.stream;
        let new = stream.commit != Commit::Nothing as u8 && action == Action::Forward;
        let stateless = stream.commit == Commit::Midstream as u8;
        Decided { action, reason, fresh: new.then_some((stream.fresh, stream.fresh_length)), stateless }
    }
}

/// With `STREAM_TRACE` in the environment every segment and its verdict are told.
fn is_traced() -> bool {
    static TRACED: OnceLock<bool> = OnceLock::new();
    *TRACED.get_or_init(|| std::env::var_os("STREAM_TRACE").is_some())
}

/// The policies of a setup: the second generation takes the writes away.
fn image(setup: Setup, generation: usize) -> &'static Image {
    const ON: [OnUnsynchronised; 3] = [OnUnsynchronised::Resync, OnUnsynchronised::Deny, OnUnsynchronised::Reset];
    static IMAGES: OnceLock<Vec<Box<Image>>> = OnceLock::new();
    let images = IMAGES.get_or_init(|| {
        let mut images = Vec::new();
        for on_unsynchronised in ON {
            for on_deny in [OnDeny::Drop, OnDeny::Reset] {
                for stream in [false, true] {
                    for generation in [1, 2] {
                        let reads = rule(Effect::Allow, &[1, 2, 3, 4]);
                        let writes = rule(Effect::Allow, &[16]).objects(&[(HOLDING, 0, 99)]);
                        let rules = [reads, writes];
                        let rules = if generation == 1 { &rules[..] } else { &rules[..1] };
                        let policy = Policy { stream, on_deny, on_unsynchronised, generation, ..Policy::new(rules) };
                        images.push(policy.build());
                    }
                }
            }
        }
        images
    });
    let on = ON.iter().position(|on| *on == setup.on_unsynchronised).unwrap_or(0);
    let index = ((on * 2 + usize::from(setup.on_deny == OnDeny::Reset)) * 2 + usize::from(setup.stream)) * 2;
    &images[index + generation]
}

fn frame(side: Side, port: u16, segment: &Segment) -> Vec<u8> {
    let (from, to, ports) = if side == Side::Network { (HMI, PLC, (port, 502)) } else { (PLC, HMI, (502, port)) };
    let Segment { sequence, acknowledgement, flags, payload, .. } = segment;
    let bytes = tcp(ports, *sequence, *acknowledgement, *flags, payload);
    let mut frame = ethernet(side, &[], 0x0800, &ipv4(from, to, 6, &[], &bytes));
    frame[48..50].copy_from_slice(&segment.window.to_be_bytes());
    repair(&mut frame).expect("a whole packet");
    frame[50] ^= u8::from(segment.wrong);
    frame
}
