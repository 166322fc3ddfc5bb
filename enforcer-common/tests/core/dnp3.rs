//! DNP3: framing, every rule of the fragment and of its objects violated in turn, the vectors of evasion.

use enforcer_common::network::protocol::{TCP, UDP};
use enforcer_common::operation::{Access, NO_FUNCTION, NO_OBJECT, Operation, Role};
use enforcer_common::port::Side;
use enforcer_common::protocol::{Protocol, dissect};
use enforcer_common::scratch::Scratch;
use enforcer_common::verdict::Reason;

use crate::support::dnp3::{checksum, link, raw, relay, request, response, segment};

/// One direction of a conversation, bytes at a time.
struct Line {
    scratch: Box<Scratch>,
    context: u32,
    transport: u8,
    whole: u8,
}

impl Line {
    fn new() -> Self {
        Self { scratch: Box::new(Scratch::new()), context: 0, transport: TCP, whole: 0 }
    }

    fn read(&mut self, side: Side, role: Role, bytes: &[u8]) -> Vec<Operation> {
        let scratch = &mut *self.scratch;
        *scratch = Scratch::new();
        scratch.frame.side = side as u8;
        scratch.frame.transport_protocol = self.transport;
        scratch.path.role = role as u8;
        scratch.path.protocol = Protocol::Dnp3 as u8;
        scratch.stream.context = self.context;
        scratch.stream.whole = self.whole;
        scratch.stream.end = bytes.len() as u32;
        // Options leave their walk behind.
        scratch.walking.seen = 0xffff_ffff;
        let mut steps = 0;
        while dissect(Some(Protocol::Dnp3), bytes, scratch) {
            steps += 1;
            assert!(steps < 14, "more steps than the kernel has tail calls");
        }
        self.context = scratch.stream.context;
        scratch.operations[..scratch.count as usize].to_vec()
    }

    fn ask(&mut self, bytes: &[u8]) -> Vec<Operation> {
        self.read(Side::Network, Role::Request, bytes)
    }
}

fn ask(bytes: &[u8]) -> Vec<Operation> {
    Line::new().ask(bytes)
}

fn answer(bytes: &[u8]) -> Vec<Operation> {
    Line::new().read(Side::Device, Role::Response, bytes)
}

fn fault(bytes: &[u8]) -> Option<Reason> {
    ask(bytes).iter().find_map(|one| Reason::from_code(one.fault))
}

/// (space, first, last, value) of every record of a sound request.
type Fields = (u32, u32, u32, Option<(i64, i64)>);

fn fields(function: u8, objects: &[u8]) -> Vec<Fields> {
    let records = ask(&request(function, objects));
    for (index, one) in records.iter().enumerate() {
        assert_eq!((one.fault, one.unit, one.transaction), (0, 10, 1 << 5 | 3), "{one:?}");
        assert_eq!((one.function, one.role), (function.into(), Role::Request as u8));
        assert_eq!(one.has(Operation::CONTINUES), index > 0);
    }
    let value = |one: &Operation| one.has(Operation::HAS_VALUE).then_some((one.value_min, one.value_max));
    records.iter().map(|one| (one.space, one.first, one.last, value(one))).collect()
}

fn kind(group: u32, variation: u32) -> u32 {
    group << 8 | variation
}

#[test]
fn class_polls_name_all_objects() {
    let all = |variation| (kind(60, variation), 0, u32::MAX, None);
    assert_eq!(fields(1, &[60, 2, 6, 60, 3, 6, 60, 4, 6, 60, 1, 6]), [all(2), all(3), all(4), all(1)]);
    assert_eq!(fields(21, &[60, 2, 6]), [all(2)]);
    assert_eq!(fields(1, &[60, 2, 7, 5]), [all(2)], "a number of events names none");
    assert_eq!(ask(&request(1, &[60, 2, 6]))[0].access, Access::Read as u8);
}

#[test]
fn ranges_of_every_width() {
    let one = |first, last| [(kind(1, 2), first, last, None)];
    assert_eq!(fields(1, &[1, 2, 0x00, 3, 9]), one(3, 9));
    assert_eq!(fields(1, &[1, 2, 0x01, 3, 1, 9, 2]), one(0x103, 0x209));
    assert_eq!(fields(1, &[1, 2, 0x02, 1, 2, 3, 4, 5, 6, 7, 8]), one(0x0403_0201, 0x0807_0605));
    let indexes = |list: &[u32]| list.iter().map(|one| (kind(1, 2), *one, *one, None)).collect::<Vec<_>>();
    assert_eq!(fields(1, &[1, 2, 0x17, 2, 7, 200]), indexes(&[7, 200]));
    assert_eq!(fields(1, &[1, 2, 0x28, 2, 0, 7, 1, 200, 2]), indexes(&[0x107, 0x2c8]));
    assert_eq!(fields(1, &[1, 2, 0x39, 1, 0, 0, 0, 1, 2, 3, 4]), indexes(&[0x0403_0201]));
    assert_eq!(fields(1, &[&[1, 2, 0x17, 32][..], &[5; 32]].concat()).len(), 32);
}

#[test]
fn object_headers_lie_across_blocks() {
    // Every place of a header relative to the checksum between two blocks.
    for before in 0..14 {
        let polls: Vec<u8> = [60, 2, 6].repeat(before);
        for tail in [&[1, 2, 0x01, 3, 1, 9, 2][..], &[1, 2, 0, 3, 9, 2, 0, 0x28, 1, 0, 0x44, 1]] {
            let seen = fields(1, &[&polls, tail].concat());
            let own = seen[before];
            assert!(own == (kind(1, 2), 0x103, 0x209, None) || own == (kind(1, 2), 3, 9, None), "{own:?}");
            assert!(seen.get(before + 1).is_none_or(|last| *last == (kind(2, 0), 0x144, 0x144, None)));
        }
    }
}

#[test]
fn controls_have_a_record_for_each_point() {
    assert_eq!(fields(5, &relay(7, 0x41)), [(kind(12, 1), 7, 7, Some((0x41, 0x41)))]);
    assert_eq!(ask(&request(5, &relay(7, 3)))[0].access, Access::Control as u8);
    let two =
        [&[12, 1, 0x28, 2, 0][..], &[1, 0, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[2, 1, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]];
    let relays = [(kind(12, 1), 1, 1, Some((3, 3))), (kind(12, 1), 0x102, 0x102, Some((4, 4)))];
    assert_eq!(fields(3, &two.concat()), relays);
    let analog = |variation: u8, bytes: &[u8]| {
        let objects = [&[41, variation, 0x17, 1, 9][..], bytes, &[0]].concat();
        fields(4, &objects)[0]
    };
    let value = |variation, value: (i64, i64)| (kind(41, variation), 9, 9, Some(value));
    assert_eq!(analog(1, &(-70_000i32).to_le_bytes()), value(1, (-70_000, -70_000)));
    assert_eq!(analog(2, &(-7i16).to_le_bytes()), value(2, (-7, -7)));
    assert_eq!(analog(3, &12.5f32.to_le_bytes()), value(3, (12, 13)));
    assert_eq!(analog(4, &(-1e9f64).to_le_bytes()), value(4, (-1_000_000_000, -1_000_000_000)));
}

#[test]
fn writes_and_files() {
    let time = [50, 1, 7, 1, 1, 2, 3, 4, 5, 6];
    assert_eq!(fields(2, &time), [(kind(50, 1), 0, u32::MAX, None)]);
    assert_eq!(fields(2, &[80, 1, 0, 7, 7, 0]), [(kind(80, 1), 7, 7, Some((0, 0)))]);
    assert_eq!(fields(2, &[34, 1, 0, 4, 4, 10, 1]), [(kind(34, 1), 4, 4, Some((266, 266)))]);
    assert_eq!(fields(2, &[10, 1, 0, 2, 9, 0xff]), [(kind(10, 1), 2, 9, None)]);
    assert_eq!(fields(2, &[0, 240, 0, 0, 0, 2, 3, 1, 2, 3]), [(kind(0, 240), 0, 0, None)], "an attribute");
    assert_eq!(fields(2, &[110, 5, 0, 1, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), [(kind(110, 5), 1, 2, None)]);
    let command = [&[26, 0, 1, 0][..], &[0; 16], &[2, 0, 0, 4, 0, 0], b"a"].concat();
    let open = [&[70, 3, 0x5b, 1, command.len() as u8, 0][..], &command].concat();
    assert_eq!(fields(25, &open), [(kind(70, 3), 0, u32::MAX, Some((2, 2)))], "the mode");
    let freeze = [&[50, 2, 7, 1][..], &[0; 10], &[20, 0, 6]].concat();
    let all = |group, variation| (kind(group, variation), 0, u32::MAX, None);
    assert_eq!(fields(11, &freeze), [all(50, 2), all(20, 0)]);
    assert_eq!(fields(22, &[60, 3, 6, 1, 0, 6]), [all(60, 3), all(1, 0)]);
    let signed = [&[120, 3, 7, 1, 9, 0, 0, 0, 1, 0][..], &relay(1, 3), &[120, 9, 0x5b, 1, 2, 0, 1, 2]].concat();
    let relay = (kind(12, 1), 1, 1, Some((3, 3)));
    assert_eq!(fields(4, &signed), [all(120, 3), relay, all(120, 9)]);
}

#[test]
fn functions_without_objects() {
    for function in [0, 13, 14, 23, 24] {
        assert_eq!(fields(function, &[]), [(NO_OBJECT, 0, 0, None)]);
        assert_eq!(fault(&request(function, &[60, 2, 6])), Some(Reason::LengthMismatch));
    }
    for function in 34..=127 {
        assert_eq!(fault(&request(function, &[])), Some(Reason::InvalidFunction));
    }
    assert_eq!(ask(&request(18, &[90, 1, 0x5b, 1, 1, 0, 7]))[0].access, Access::Control as u8);
}

#[test]
fn one_byte_more_or_less() {
    let requests = [
        (1, vec![1, 2, 0, 3, 9]),
        (5, relay(7, 3)),
        (2, vec![80, 1, 0, 7, 7, 0]),
        (2, vec![50, 1, 7, 1, 1, 2, 3, 4, 5, 6]),
        (27, vec![70, 3, 0x5b, 1, 3, 0, 1, 2, 3]),
        (2, vec![0, 240, 0, 0, 0, 2, 3, 1, 2, 3]),
    ];
    for (function, objects) in requests {
        for length in 1..objects.len() {
            assert_eq!(fault(&request(function, &objects[..length])), Some(Reason::LengthMismatch), "{objects:?}");
        }
        assert_eq!(fault(&request(function, &[&objects[..], &[0]].concat())), Some(Reason::LengthMismatch));
    }
    for user in [&[0xc0][..], &[0xc0, 0xc0]] {
        assert_eq!(fault(&link(0xc4, 10, 1, user)), Some(Reason::LengthMismatch));
        assert_eq!(fault(&link(0xc4, 10, 1, &[&[0x40], &user[1..]].concat())), Some(Reason::SplitUnit));
    }
}

#[test]
fn qualifiers_counts_and_sizes() {
    let out = Some(Reason::OutOfRange);
    for qualifier in [0x0a, 0x0b, 0x0c, 0x0f, 0x10, 0x16, 0x1b, 0x46, 0x47, 0x70, 0x77, 0x7b, 0x80, 0x86, 0xff] {
        assert_eq!(fault(&request(1, &[1, 2, qualifier, 1, 1, 1, 1, 1, 1, 1, 1])), out, "{qualifier:02x}");
    }
    for objects in [&[1, 2, 0, 9, 3][..], &[1, 2, 7, 0], &[1, 2, 0x17, 0], &[1, 2, 1, 9, 0, 8, 0]] {
        assert_eq!(fault(&request(1, objects)), out, "{objects:?}");
    }
    assert_eq!(fault(&request(5, &[12, 1, 6])), out, "a control of everything");
    assert_eq!(fault(&request(1, &[120, 3, 6])), out, "an object that stands in the request, and no size");
    let beyond = Some(Reason::BeyondInspection);
    assert_eq!(fault(&request(2, &[200, 1, 7, 1, 0])), beyond, "a size that nobody knows");
    assert_eq!(fault(&request(5, &[&[12, 1, 0x17, 33][..], &[0; 100]].concat())), beyond, "vector 31");
    assert_eq!(fault(&request(1, &[&[1, 2, 0x17, 33][..], &[0; 33]].concat())), beyond);
    let many: Vec<u8> = [60, 2, 6].repeat(41);
    assert_eq!(fault(&request(1, &many)), beyond, "more ranges than there is room for");
}

#[test]
fn control_octets_and_addresses() {
    let out = Some(Reason::OutOfRange);
    for control in [0x03, 0x43, 0x83, 0xd3] {
        assert_eq!(fault(&segment(0xc0, &[control, 1, 60, 2, 6])), out, "{control:02x}");
    }
    assert_eq!(fault(&segment(0xc0, &[0xd3, 0])), None, "the confirmation of what was not asked for");
    assert_eq!(fault(&link(0x44, 10, 1, &[0xc0, 0xc3, 1, 60, 2, 6])), out, "direction");
    for address in 0xfff0..=0xfffb {
        assert_eq!(fault(&link(0xc4, address, 1, &[0xc0, 0xc3, 13])), out);
    }
    assert_eq!(fault(&link(0xc4, 1, 0xffff, &[0xc0, 0xc3, 13])), out);
    // Broadcast is a unit like any other: rules name it or do not.
    for address in 0xfffc..=0xffff {
        let records = ask(&link(0xc4, address, 1, &[0xc0, 0xc3, 13]));
        assert_eq!((records[0].fault, records[0].unit), (0, address.into()));
    }
    for function in [0x81, 0x82, 0x83, 0x80, 0xff] {
        assert_eq!(fault(&link(0xc4, 10, 1, &[0xc0, 0xc3, function, 0, 0])), Some(Reason::InvalidFunction));
        assert_eq!(fault(&link(0x44, 10, 1, &[0xc0, 0xc3, function, 0, 0])), Some(Reason::InvalidFunction));
    }
}

#[test]
fn every_checksum_counts() {
    let frame = request(1, &[60, 2, 6].repeat(20));
    assert_eq!(fault(&frame), None);
    for at in 0..frame.len() {
        let mut wrong = frame.clone();
        wrong[at] ^= 1;
        let records = ask(&wrong);
        let found = (records.len(), records.first().map_or(0, |one| one.fault), Line::new().scratch.count);
        if at == 2 {
            // Another length: the checksum of the header is the first to tell.
            assert_eq!(found.0, 1);
        }
        assert_eq!((found.0, found.1), (1, Reason::MalformedFraming as u8), "{at}");
        assert_eq!(records[0].function, NO_FUNCTION);
    }
    let mut two = [request(1, &[60, 2, 6]), request(5, &relay(1, 3))].concat();
    let last = two.len() - 1;
    two[last] ^= 1;
    assert_eq!(ask(&two)[1].fault, Reason::MalformedFraming as u8);
}

#[test]
fn link_frames_without_data_are_messages() {
    for (control, function) in
        [(0xc0, 0x140), (0xd2, 0x142), (0xc9, 0x149), (0x80, 0x100), (0x8b, 0x10b), (0x91, 0x101)]
    {
        let records = ask(&link(control, 10, 1, &[]));
        let one = records[0];
        assert_eq!((records.len(), one.function, one.role, one.unit), (1, function, Role::Message as u8, 10));
        assert_eq!(one.fault, 0, "{control:02x}");
    }
    for control in [0xc1, 0xc5, 0xcf, 0x82, 0x8a] {
        assert_eq!(fault(&link(control, 10, 1, &[])), Some(Reason::InvalidFunction), "{control:02x}");
    }
    assert_eq!(fault(&link(0xc4, 10, 1, &[])), Some(Reason::LengthMismatch), "data without data");
    assert_eq!(fault(&link(0xc9, 10, 1, &[0xc0, 0xc0, 13])), Some(Reason::LengthMismatch), "data where none belongs");
    assert_eq!(fault(&link(0x49, 10, 1, &[])), Some(Reason::OutOfRange));
    let status = link(0xc9, 10, 1, &[]);
    let both = ask(&[&status[..], &request(5, &relay(1, 3))].concat());
    assert_eq!(both.iter().map(|one| one.function).collect::<Vec<_>>(), [0x149, 5], "vector 31");
    assert_eq!(fault(&status.repeat(40)), None);
    assert_eq!(fault(&status.repeat(41)), Some(Reason::BeyondInspection));
    assert_eq!(fault(&raw(4, 0xc9, 10, 1, &[])), Some(Reason::MalformedFraming));
}

#[test]
fn fragments_over_several_segments() {
    // An object that goes on: the rest is its own, to the byte.
    let key = [&[120, 6, 0x5b, 1][..], &400u16.to_le_bytes(), &[7; 400]].concat();
    let all = [&[0xc3, 32][..], &key].concat();
    let (first, second) = all.split_at(249);
    let mut line = Line::new();
    let found = line.ask(&segment(0x45, first));
    assert_eq!((found.len(), found[0].function, found[0].space, found[0].fault), (1, 32, kind(120, 6), 0));
    let open = line.context;
    assert!(line.ask(&segment(0x86, second)).is_empty() && line.context == 0, "nothing more to say");
    let judged = |context, bytes: &[u8]| Line { context, ..Line::new() }.ask(bytes).first().map(|one| one.fault);
    assert_eq!(judged(open, &segment(0x86, &second[1..])), Some(Reason::LengthMismatch as u8));
    assert_eq!(judged(open, &segment(0x86, &[second, &[0]].concat())), Some(Reason::LengthMismatch as u8));
    let split = Some(Reason::SplitUnit as u8);
    assert_eq!(judged(open, &segment(0x87, second)), split, "sequence");
    assert_eq!(judged(open, &link(0xc4, 11, 1, &[&[0x86][..], second].concat())), split, "another outstation");
    assert_eq!(judged(open, &link(0xc4, 10, 2, &[&[0x86][..], second].concat())), split, "another master");
    assert_eq!(judged(open, &segment(0xc6, &[0xc3, 1, 60, 2, 6])), split, "a fragment before the end of another");
    assert_eq!(judged(0, &segment(0x86, second)), split, "no beginning");
    assert_eq!(judged(open, &link(0xc9, 10, 1, &[])), Some(0), "a message between two segments");
    // Further objects of a read are read in their segment.
    let polls: Vec<u8> = [60, 2, 6].repeat(3);
    let mut line = Line::new();
    assert_eq!(line.ask(&segment(0x40, &[&[0xc3, 1][..], &polls].concat())).len(), 3);
    let more = line.ask(&segment(0x81, &polls));
    assert_eq!((more.len(), more[0].function, more[0].unit, more[0].fault), (3, 1, 10, 0));
    let both = [segment(0x40, &[&[0xc3, 1][..], &polls].concat()), segment(0x81, &polls)].concat();
    assert!(ask(&both).iter().skip(1).all(|one| one.has(Operation::CONTINUES)), "one unit");
}

#[test]
fn controls_stand_in_the_first_segment() {
    let relay = relay(1, 3);
    let split = |first: &[u8], second: &[u8]| {
        let mut line = Line::new();
        let begun = line.ask(&segment(0x40, &[&[0xc3, 4][..], first].concat()));
        let rest = line.ask(&segment(0x81, second));
        begun.iter().chain(&rest).find_map(|one| Reason::from_code(one.fault))
    };
    for at in 0..5 {
        assert_eq!(split(&relay[..at], &relay[at..]), Some(Reason::SplitUnit), "{at}");
    }
    assert_eq!(split(&relay, &relay), Some(Reason::SplitUnit), "vector 31");
    assert_eq!(split(&relay[..10], &relay[10..]), None, "its point and code are known");
    let two = [&[12, 1, 0x17, 2, 1][..], &[3; 11], &[2], &[4; 11]].concat();
    assert_eq!(split(&two[..8], &two[8..]), Some(Reason::SplitUnit), "the second point is not");
}

#[test]
fn answers_are_reported_where_they_end() {
    let one = answer(&response(0xc0, 129, [0, 0], &[]))[0];
    assert_eq!((one.function, one.role, one.unit, one.transaction), (129, Role::Response as u8, 10, 1 << 5 | 3));
    let refused = answer(&response(0xc0, 129, [0x90, 0x01], &[]))[0];
    assert!(refused.has(Operation::HAS_EXCEPTION) && refused.exception == 1);
    let unsolicited = Line::new().read(Side::Device, Role::Request, &response(0xc0, 130, [0, 0], &[]));
    assert_eq!(
        (unsolicited[0].role, unsolicited[0].fault),
        (Role::Response as u8, 0),
        "whoever opened the conversation"
    );
    let mut line = Line::new();
    let mut read = |bytes: &[u8]| line.read(Side::Device, Role::Response, bytes);
    assert!(read(&response(0x5e, 131, [0, 4], &[0; 200])).is_empty());
    assert!(read(&link(0x44, 1, 10, &[&[0x1f][..], &[0; 200]].concat())).is_empty());
    let end = read(&link(0x44, 1, 10, &[0xa0, 0, 0]));
    assert_eq!((end.len(), end[0].function, end[0].exception, end[0].transaction), (1, 131, 4, 1 << 5 | 3));
    assert_eq!(answer(b"login: ")[0].fault, Reason::MalformedFraming as u8, "a banner");
    // A master whose outstation called it: its requests are requests.
    let called = Line::new().read(Side::Network, Role::Response, &request(5, &relay(1, 3)));
    assert_eq!(called[0].role, Role::Request as u8);
}

#[test]
fn pieces_of_frames() {
    let frame = request(1, &[60, 2, 6].repeat(30));
    for at in 1..frame.len() {
        let mut line = Line::new();
        assert!(line.ask(&frame[..at]).is_empty(), "{at}");
        assert_eq!((line.scratch.stream.save_start, line.scratch.stream.save_length), (0, at as u32));
        line.whole = 1;
        assert_eq!(line.ask(&frame[..at])[0].fault, Reason::SplitUnit as u8);
        line.transport = UDP;
        assert_eq!(line.ask(&frame[..at])[0].fault, Reason::MalformedFraming as u8);
    }
    assert_eq!(fault(&[0x05, 0x65]), Some(Reason::MalformedFraming));
    assert_eq!(fault(&[0x16]), Some(Reason::MalformedFraming));
    let longest = response(0xc0, 129, [0, 0], &[0; 245]);
    assert_eq!(longest.len(), 292);
    let mut line = Line::new();
    assert_eq!(line.read(Side::Device, Role::Response, &longest[..40]).len(), 1, "its head says all");
    assert_eq!(line.scratch.stream.skip, 252);
    let two = [request(1, &[60, 2, 6]), request(1, &[60, 3, 6])].concat();
    let mut line = Line { transport: UDP, ..Line::new() };
    assert_eq!(line.ask(&two).len(), 2, "several frames in a datagram");
    assert_eq!(line.ask(&segment(0x81, &[0; 9]))[0].fault, Reason::BeyondInspection as u8);
}

#[test]
fn work_is_bounded_whatever_the_segment() {
    // Full frames, which take most turns for their blocks: as many as a segment holds.
    let full = link(0x44, 1, 10, &[&[0x81][..], &[0; 249]].concat());
    assert!(answer(&full.repeat(5)).is_empty());
    let small = link(0x44, 1, 10, &[0x01, 0]);
    assert_eq!(answer(&small.repeat(34)).len(), 0);
    assert_eq!(answer(&small.repeat(100))[0].fault, Reason::BeyondInspection as u8);
    let pairs = [1, 2, 0x17, 1, 7].repeat(40);
    assert_eq!(ask(&request(1, &pairs)).len(), 40);
}

#[test]
fn the_encoder_agrees_with_a_recording() {
    assert_eq!(checksum(&[0x05, 0x64, 0x05, 0xc0, 0x01, 0x00, 0x00, 0x04]), [0xe9, 0x21]);
}
