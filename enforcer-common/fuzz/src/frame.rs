//! Arbitrary bytes as a sequence of frames, through the whole core on the host's environment.
//!
//! The input is a list of records: a byte that says what it is, a byte that moves the clock, two bytes of length (little
//! endian), the bytes. A record is a raw frame, or a payload that is put into a well-formed segment or datagram, so that
//! the fuzzer reaches the inside without having to find checksums and sequence numbers.
//!
//! Oracle, besides no panic: learn and shadow forward everything and find the same; enforce finds what shadow finds up to
//! and with the first denial; only a denial in enforce touches a frame; the frame's verdict is the worst of its units';
//! counters and events follow from the verdicts.

use std::sync::OnceLock;

use enforcer::policy::{self, Compiled};
use enforcer::replay::environment::HostEnvironment;
use enforcer_common::action::Action;
use enforcer_common::decide::decide;
use enforcer_common::operation::{Access, Operation};
use enforcer_common::port::Side;
use enforcer_common::protocol::Protocol;
use enforcer_common::scratch::Scratch;
use enforcer_common::verdict::{Mode, Reason, Verdict};
use etherparse::PacketBuilder;

use super::left_out;

const POLICY: &str = include_str!("policy.toml");
const CLIENT: [u8; 4] = [10, 10, 1, 20];
const DEVICE: [u8; 4] = [10, 10, 2, 5];
const MODES: [Mode; 3] = [Mode::Learn, Mode::Shadow, Mode::Enforce];

fn compiled(text: &str) -> Compiled {
    let loaded = policy::parse("policy.toml", text).unwrap_or_else(|errors| panic!("{errors}"));
    policy::compile(&loaded.valid, 1, 0).unwrap_or_else(|errors| panic!("{errors}"))
}

/// Modbus, under a policy with rules of every kind.
pub fn run(input: &[u8]) {
    leave_out(Protocol::Modbus, input);
    static COMPILED: OnceLock<Compiled> = OnceLock::new();
    judge(COMPILED.get_or_init(|| compiled(POLICY)), 502, None, input);
}

/// Another protocol, under a policy that allows what changes nothing.
pub fn run_protocol(protocol: Protocol, input: &[u8]) {
    leave_out(protocol, input);
    static COMPILED: [OnceLock<Compiled>; 256] = [const { OnceLock::new() }; 256];
    // SLMP has no port of its own.
    let port = protocol.ports().first().copied().unwrap_or(5007);
    let image = COMPILED[protocol as usize].get_or_init(|| {
        let rows = || protocol.family().flat_map(|one| one.tables().functions);
        let classes = [Access::Read, Access::Discover, Access::Session, Access::Diagnose].into_iter();
        let there = classes.filter(|class| rows().any(|row| row.access == *class));
        let functions: Vec<String> = there.map(|class| format!("@{}", class.as_str())).collect();
        let rules = format!("name = \"harmless\"\nfunctions = {functions:?}\naction = \"allow\"\n");
        if let Some(ethertype) = protocol.tables().ethertype {
            return compiled(&format!(
                "[policy]\nname = \"fuzz\"\nrevision = 1\ndefault = \"deny\"\n\
                 [[ethernet]]\ntypes = [{ethertype}]\naction = \"allow\"\n[[ethernet.rules]]\n{rules}"
            ));
        }
        compiled(&format!(
            "[policy]\nname = \"fuzz\"\nrevision = 1\ndefault = \"deny\"\n[zones]\nhere = [\"10.10.1.0/24\"]\n\
             [devices]\nplc = {{ ip = \"10.10.2.5\" }}\n\
             [[conduits]]\nname = \"all\"\nfrom = [\"any\"]\nto = [\"any\"]\nprotocol = \"{}\"\nports = [{port}]\n\
             [[conduits.rules]]\n{rules}",
            protocol.as_str()
        ))
    });
    judge(image, port, protocol.tables().ethertype, input);
}

/// What is left out of the bytes of each record decides nothing.
fn leave_out(protocol: Protocol, mut input: &[u8]) {
    while let Some((_, _, bytes)) = record(&mut input) {
        left_out::check(protocol, bytes);
    }
}

/// The next record: what it is, how far it moves the clock, its bytes.
fn record<'i>(rest: &mut &'i [u8]) -> Option<(u8, u8, &'i [u8])> {
    let (kind, step, length, tail) = match *rest {
        [kind, step, a, b, tail @ ..] => (*kind, *step, usize::from(u16::from_le_bytes([*a, *b])), tail),
        _ => return None,
    };
    let (bytes, tail) = tail.split_at(length.min(tail.len()));
    *rest = tail;
    Some((kind, step, bytes))
}

fn judge(compiled: &'static Compiled, port: u16, ethertype: Option<u16>, input: &[u8]) {
    let mut guards = MODES.map(|mode| Guard::new(mode, compiled));
    let mut wire = Wire { sent: 1_001, answered: 5_001, clock: 0, port, ethertype };
    let mut agreed = true;
    let mut rest = input;
    while let Some((side, frame)) = wire.next(&mut rest) {
        let [learn, shadow, enforce] = guards.each_mut().map(|guard| guard.judge(side, &frame, wire.clock));
        assert_eq!(learn, shadow, "learn and shadow differ");
        assert!(!agreed || shadow == enforce, "shadow says {shadow:?}, enforce {enforce:?}");
        // Behind a denial the streams are no longer the same: enforce did not let the bytes pass.
        agreed &= enforce.verdict() as u8 != Verdict::Deny as u8;
    }
}

/// One firewall in one mode.
struct Guard {
    compiled: &'static Compiled,
    mode: Mode,
    environment: HostEnvironment,
    scratch: Box<Scratch>,
}

impl Guard {
    fn new(mode: Mode, compiled: &'static Compiled) -> Self {
        Self { compiled, mode, environment: HostEnvironment::new(Some(mode)), scratch: Box::default() }
    }

    /// Judges one frame, checks what must hold in any mode, and returns the reason that decided.
    fn judge(&mut self, side: Side, frame: &[u8], clock: u64) -> Reason {
        let before = self.judged();
        let events = self.environment.counters().events;
        self.environment.begin(frame, Some(clock));
        let image = &*self.compiled.image;
        let action = decide(frame, side, image, &mut self.environment, &mut self.scratch);
        let scratch = &*self.scratch;
        let reason = Reason::from_code(scratch.outcome).expect("every frame has a reason");
        assert_eq!(scratch.action, action as u8);
        let acts = self.mode == Mode::Enforce && reason.verdict() == Verdict::Deny;
        assert_eq!(action != Action::Forward, acts, "{reason:?} in {:?}: {action:?}", self.mode);

        let operations =
            scratch.operations.get(..scratch.count as usize).expect("no more operations than there is room for");
        let mut worst = Verdict::Allow;
        let (mut units, mut reported) = (0, 0);
        for unit in operations.chunk_by(|_, next| next.has(Operation::CONTINUES)) {
            let found: Vec<Reason> = unit.iter().filter_map(|part| Reason::from_code(part.reason)).collect();
            let [found] = found.as_slice() else { panic!("a unit with other than one finding: {unit:?}") };
            worst = worst.max(found.verdict());
            units += 1;
            reported += u64::from(found.verdict() != Verdict::Allow);
        }
        if units == 0 {
            (worst, units, reported) = (reason.verdict(), 1, u64::from(reason.verdict() != Verdict::Allow));
        }
        assert_eq!(worst, reason.verdict(), "{operations:?}");
        assert_eq!(self.judged(), before + units, "counters");
        assert_eq!(self.environment.counters().events, events + reported, "events");
        reason
    }

    fn judged(&self) -> u64 {
        self.environment.counters().outcomes.values().map(|tally| tally.judged).sum()
    }
}

/// Makes frames of records. Sequence numbers go on as in one conversation.
struct Wire {
    sent: u32,
    answered: u32,
    clock: u64,
    port: u16,
    /// Frames of this type instead of segments and datagrams.
    ethertype: Option<u16>,
}

impl Wire {
    fn next(&mut self, rest: &mut &[u8]) -> Option<(Side, Vec<u8>)> {
        let (kind, step, bytes) = record(rest)?;
        self.clock += u64::from(step) * 10_000_000;
        let side = if kind & 0x80 == 0 { Side::Network } else { Side::Device };
        let frame = match kind & 0x07 {
            0 => bytes.to_vec(),
            1..=7 if let Some(ethertype) = self.ethertype => {
                [&[1, 14, 0xcf, 0, 0, 0, 2, 2, 2, 2, 2, 2][..], &ethertype.to_be_bytes(), bytes].concat()
            }
            1 => self.segment(side, 0, bytes, true),
            // Out of its place by up to 127 bytes: repeated, overlapping, or behind a gap.
            2 => match bytes {
                [shift, bytes @ ..] => self.segment(side, i32::from(shift.cast_signed()), bytes, false),
                [] => self.segment(side, 0, bytes, false),
            },
            3 => self.handshake(side),
            4 => udp(side, self.port, bytes),
            5 => six(side, self.port, bytes),
            6 => tagged(&self.segment(side, 0, bytes, true)),
            _ => self.odd(side, bytes),
        };
        Some((side, frame))
    }

    fn numbers(&self, side: Side) -> (u32, u32) {
        if side == Side::Network { (self.sent, self.answered) } else { (self.answered, self.sent) }
    }

    fn segment(&mut self, side: Side, shift: i32, bytes: &[u8], moves: bool) -> Vec<u8> {
        let (sequence, acknowledged) = self.numbers(side);
        if moves {
            let own = if side == Side::Network { &mut self.sent } else { &mut self.answered };
            *own = own.wrapping_add(u32::try_from(bytes.len()).unwrap_or(0));
        }
        tcp(side, self.port, sequence.wrapping_add_signed(shift), bytes, |header| {
            (header.ack, header.acknowledgment_number) = (true, acknowledged)
        })
    }

    /// SYN from the network side, SYN-ACK from the device.
    fn handshake(&mut self, side: Side) -> Vec<u8> {
        let (sequence, acknowledged) = self.numbers(side);
        tcp(side, self.port, sequence.wrapping_sub(1), &[], |header| {
            header.syn = true;
            header.ack = side == Side::Device;
            header.acknowledgment_number = if header.ack { acknowledged } else { 0 };
        })
    }

    /// A segment whose flags are the first byte.
    fn odd(&mut self, side: Side, bytes: &[u8]) -> Vec<u8> {
        let (flags, bytes) = bytes.split_first().unwrap_or((&0, &[]));
        let mut frame = self.segment(side, 0, bytes, false);
        if let Some(byte) = frame.get_mut(47) {
            *byte = *flags;
        }
        frame
    }
}

fn ends<T>(side: Side, client: T, device: T) -> (T, T) {
    if side == Side::Network { (client, device) } else { (device, client) }
}

fn tcp(side: Side, port: u16, sequence: u32, bytes: &[u8], change: impl Fn(&mut etherparse::TcpHeader)) -> Vec<u8> {
    let ((from, to), (source, destination)) = (ends(side, CLIENT, DEVICE), ends(side, 40_001, port));
    let mut header = etherparse::TcpHeader::new(source, destination, sequence, 8_192);
    change(&mut header);
    let builder = PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4(from, to, 64).tcp_header(header);
    written(builder.size(bytes.len()), |frame| builder.write(frame, bytes).is_ok())
}

fn udp(side: Side, port: u16, bytes: &[u8]) -> Vec<u8> {
    let ((from, to), (source, destination)) = (ends(side, CLIENT, DEVICE), ends(side, 40_001, port));
    let builder = PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4(from, to, 64).udp(source, destination);
    written(builder.size(bytes.len()), |frame| builder.write(frame, bytes).is_ok())
}

fn six(side: Side, port: u16, bytes: &[u8]) -> Vec<u8> {
    let address = |last| [0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
    let ((from, to), (source, destination)) = (ends(side, address(1), address(2)), ends(side, 40_001, port));
    let builder = PacketBuilder::ethernet2([2; 6], [4; 6]).ipv6(from, to, 64).udp(source, destination);
    written(builder.size(bytes.len()), |frame| builder.write(frame, bytes).is_ok())
}

/// A payload too long for its headers gives an empty frame.
fn written(size: usize, write: impl FnOnce(&mut Vec<u8>) -> bool) -> Vec<u8> {
    let mut frame = Vec::with_capacity(size);
    if write(&mut frame) { frame } else { Vec::new() }
}

fn tagged(frame: &[u8]) -> Vec<u8> {
    let (addresses, rest) = frame.split_at(12.min(frame.len()));
    [addresses, &[0x81, 0, 0x20, 100], rest].concat()
}
