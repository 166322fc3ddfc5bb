//! S7comm: operations of every kind of job and of userdata, and every rule of length and range violated in turn.

use enforcer_common::action::Action;
use enforcer_common::operation::{Access, NO_OBJECT, Operation, Role};
use enforcer_common::protocol::Protocol;
use enforcer_common::protocol::s7comm::functions::{ACKNOWLEDGE, FUNCTIONS, space, userdata as number};
use enforcer_common::verdict::{Mode, Reason};

use crate::support::cotp::{data, invocation, item, job, read, s7, userdata, write};
use crate::support::policy::{Effect, Policy, Rule, rule};
use crate::support::wire::{Seen, Wire};

fn policy(rules: &[Rule]) -> Policy {
    Policy { protocol: Protocol::S7comm, ..Policy::new(rules) }
}

fn open() -> Wire {
    Wire::open(&policy(&[rule(Effect::Allow, &[])]), Mode::Enforce)
}

fn ask(bytes: &[u8]) -> Seen {
    open().ask(bytes)
}

/// (function, class, space, first, last) of every record of a sound request.
fn fields(bytes: &[u8]) -> Vec<(u32, Access, u32, u32, u32)> {
    let seen = ask(bytes);
    assert_eq!(seen.reason, Reason::RuleAllow, "{seen:?}");
    for (index, one) in seen.operations.iter().enumerate() {
        assert_eq!((one.fault, one.transaction, one.value_min, one.value_max), (0, 0x1234, 0, 0));
        assert_eq!((one.protocol, one.role), (Protocol::S7comm as u8, Role::Request as u8));
        assert_eq!(one.has(Operation::CONTINUES), index > 0);
    }
    seen.operations
        .iter()
        .map(|one| (one.function, Access::from_code(one.access), one.space, one.first, one.last))
        .collect()
}

#[test]
fn items_are_ranges_of_bytes_in_an_area() {
    let range = |kind, count, block, area, place| {
        let seen = fields(&read(&[item(kind, count, block, area, place)]));
        let [(4, Access::Read, space, first, last)] = seen[..] else { panic!("{seen:?}") };
        (space, first, last)
    };
    assert_eq!(range(2, 100, 10, 0x84, 0), (space::DB + 10, 0, 99));
    assert_eq!(range(2, 4, 65535, 0x85, 16), (space::DI + 65535, 2, 5));
    assert_eq!(range(1, 1, 0, 0x81, 8 * 7 + 3), (0x81, 7, 7));
    assert_eq!(range(2, 1, 0, 0x82, 4), (0x82, 0, 1), "a byte that begins at bit 4 touches two");
    assert_eq!(range(4, 3, 0, 0x83, 80), (0x83, 10, 15));
    assert_eq!(range(8, 2, 0, 0x80, 0), (0x80, 0, 7));
    assert_eq!(range(15, 1, 0, 0x87, 0), (0x87, 0, 7));
    assert_eq!(range(0x1c, 3, 0, 0x1c, 5), (0x1c, 5, 7));
    assert_eq!(range(0x1d, 1, 0, 0x1d, 200), (0x1d, 200, 200));
    assert_eq!(range(0x1e, 2, 0, 0x1e, 1), (0x1e, 1, 2));
    assert_eq!(range(2, 1, 0, 0x84, 0x00ff_ffff & !7), (space::DB, 0x001f_ffff, 0x001f_ffff));
    let several = [item(2, 1, 1, 0x84, 0), item(2, 1, 2, 0x84, 8), item(4, 1, 0, 0x83, 0)];
    let spaces: Vec<u32> = fields(&read(&several)).iter().map(|one| one.2).collect();
    assert_eq!(spaces, [space::DB + 1, space::DB + 2, 0x83]);
}

#[test]
fn items_outside_of_what_there_is_are_out_of_range() {
    for bad in [
        item(2, 0, 1, 0x84, 0),
        item(2, 2, 1, 0x84, 0x00ff_ffff),
        item(13, 1, 1, 0x84, 0),
        item(200, 1, 1, 0x84, 0),
        item(2, 1, 1, 0x88, 0),
        item(2, 1, 1, 0, 0),
        item(0x1c, 2, 0, 0x1c, 0x00ff_ffff),
    ] {
        assert_eq!(ask(&read(std::slice::from_ref(&bad))).reason, Reason::OutOfRange, "{bad:02x?}");
        // The items behind it are read all the same.
        let seen = ask(&read(&[bad, item(2, 1, 1, 0x84, 0)]));
        assert_eq!((seen.reason, seen.operations.len()), (Reason::OutOfRange, 2));
    }
    assert_eq!(ask(&job(&[4, 0], &[])).reason, Reason::OutOfRange);
}

#[test]
fn writes_state_the_size_of_what_they_write() {
    let byte = |octets: &[u8]| (item(2, octets.len() as u16, 1, 0x84, 0), 4, octets.to_vec());
    let seen = fields(&write(&[byte(&[1, 2, 3]), byte(&[4]), (item(1, 1, 0, 0x83, 3), 3, vec![1])]));
    let written = |space, first, last| (5, Access::Write, space, first, last);
    assert_eq!(seen, [written(space::DB + 1, 0, 2), written(space::DB + 1, 0, 0), written(0x83, 0, 0)]);
    assert_eq!(fields(&write(&[(item(8, 1, 1, 0x84, 0), 7, vec![0; 4])])), [written(space::DB + 1, 0, 3)]);
    assert_eq!(fields(&write(&[(item(0x1d, 1, 0, 0x1d, 4), 9, vec![0; 2])])), [written(0x1d, 4, 4)]);
    // More or less than the address says: a server that believes the one writes where the other was judged.
    for (address, kind, octets) in [(4, 4, 5), (4, 4, 3), (4, 9, 40), (1, 4, 2)] {
        let bad = write(&[(item(2, address, 1, 0x84, 0), kind, vec![0; octets])]);
        assert_eq!(ask(&bad).reason, Reason::LengthMismatch, "{address} {octets}");
    }
}

#[test]
fn one_byte_more_or_less_is_a_length_mismatch() {
    let good = [
        read(&[item(2, 1, 1, 0x84, 0)]),
        write(&[(item(2, 2, 1, 0x84, 0), 4, vec![1, 2])]),
        job(&[0xf0, 0, 0, 1, 0, 1, 1, 0xe0], &[]),
        job(b"\x1a\0\x01\0\0\0\0\0\x09_0A00001P\x0d1000100000050", &[]),
        job(b"\x1d\0\0\0\0\0\0\0\x09_0800001A", &[]),
        job(&[0x1e, 0, 0, 0, 0, 0, 0, 1], &[]),
        job(&[0x1f, 0, 0, 0, 0, 0, 0, 1], &[]),
        invocation(b"", b"P_PROGRAM"),
        job(b"\x29\0\0\0\0\0\x09P_PROGRAM", &[]),
        userdata(4, 1, &[0, 0x11, 0, 1]),
    ];
    for unit in good {
        assert_eq!(ask(&unit).reason, Reason::RuleAllow, "{unit:02x?}");
        // The last of the parameters, or of the data, is missing or doubled, and every length around it says so.
        let behind = if unit[16] == 0 { 14 } else { 16 };
        for more in [0u8, 2] {
            let mut bad = unit.clone();
            if more == 0 {
                let _ = bad.pop();
            } else {
                bad.push(0)
            }
            for place in [3, behind] {
                bad[place] = bad[place].wrapping_add(more).wrapping_sub(1);
            }
            assert_eq!(ask(&bad).reason, Reason::LengthMismatch, "{bad:02x?}");
        }
        // The message ends before or behind its TPKT.
        for place in [14, 16] {
            for step in [1, 255] {
                let mut bad = unit.clone();
                bad[place] = bad[place].wrapping_add(step);
                assert_eq!(ask(&bad).reason, Reason::LengthMismatch, "{place} {bad:02x?}");
            }
        }
    }
}

#[test]
fn addresses_of_other_syntaxes_are_read_as_a_whole_and_not_written() {
    let symbol = [&[0x12, 14, 0xb2, 0xff][..], &[0; 12]].concat();
    let odd = vec![0x12, 7, 0xb0, 1, 2, 0, 1, 0, 0];
    assert_eq!(fields(&read(std::slice::from_ref(&symbol))), [(4, Access::Read, space::SYNTAX, 0xb2, 0xb2)]);
    // An item of odd size is filled up, but for the last one.
    let filled = [odd.clone(), vec![0]].concat();
    assert_eq!(fields(&read(&[filled.clone(), item(2, 1, 1, 0x84, 0)])).len(), 2);
    assert_eq!(fields(&read(std::slice::from_ref(&odd))).len(), 1);
    assert_eq!(ask(&read(&[filled])).reason, Reason::LengthMismatch);
    assert_eq!(ask(&write(&[(symbol, 9, vec![1, 2])])).reason, Reason::BeyondInspection);
    let mut short = item(2, 1, 1, 0x84, 0);
    short[1] = 9;
    short.pop();
    assert_eq!(ask(&read(&[short])).reason, Reason::BeyondInspection);
}

#[test]
fn forty_items_are_read_and_one_more_is_beyond_inspection() {
    for (count, reason) in [(20, Reason::RuleAllow), (40, Reason::RuleAllow), (41, Reason::BeyondInspection)] {
        let seen = ask(&read(&vec![item(2, 1, 1, 0x84, 0); count]));
        assert_eq!((seen.reason, seen.operations.len()), (reason, count.min(40)));
    }
    let ten = read(&vec![item(2, 1, 1, 0x84, 0); 10]);
    assert_eq!(ask(&ten.repeat(4)).reason, Reason::RuleAllow);
    assert_eq!(ask(&ten.repeat(5)).reason, Reason::BeyondInspection);
    // The last of them decides as much as the first.
    let rules = [rule(Effect::Allow, &[4]).objects(&[(space::DB + 1, 0, 9)])];
    let mut items = vec![item(2, 1, 1, 0x84, 0); 19];
    items.push(item(2, 1, 2, 0x84, 0));
    let seen = Wire::open(&policy(&rules), Mode::Enforce).ask(&read(&items));
    assert_eq!(seen.reason, Reason::ObjectNotAllowed);
}

#[test]
fn program_invocations_are_told_apart_by_name() {
    let row = |name: &str| *FUNCTIONS.iter().find(|row| row.name == name).expect("a row");
    let seen = |name: &[u8]| fields(&invocation(b"\x01\x000800001A", name))[0];
    for (wire, name) in [
        (&b"_INSE"[..], "pi_insert_block"),
        (b"P_PROGRAM", "pi_program_start"),
        (b"_MODU", "pi_copy_ram_to_rom"),
        (b"_PLC_MEMORYRESET", "pi_memory_reset"),
        (b"_N_LOGOUT", "pi_nc_logout"),
        (b"_N_TSEARC", "pi_nc_search_tool"),
    ] {
        let row = row(name);
        let object = row.object.expect("a name");
        assert_eq!(seen(wire), (0x28, row.access, space::PI, object.first, object.first), "{name}");
    }
    for wire in [&b""[..], b"_INS", b"_INSEE", b"x_INSE", b"P_PROGRAM_OF_SOME_OTHER"] {
        assert_eq!((seen(wire).1, seen(wire).2), (Access::Control, NO_OBJECT), "{wire:?}");
    }
    assert_eq!(fields(&job(b"\x29\0\0\0\0\0\x09P_PROGRAM", &[])), [(0x29, Access::Control, NO_OBJECT, 0, 0)]);
}

#[test]
fn blocks_are_objects() {
    let block = |name: &str| {
        let seen = fields(&job(&[b"\x1d\0\0\0\0\0\0\0", &[name.len() as u8][..], name.as_bytes()].concat(), &[]));
        (seen[0].1, seen[0].2, seen[0].3)
    };
    assert_eq!(block("_0A00010P"), (Access::Program, space::BLOCK + 10, 10));
    assert_eq!(block("_0800001A"), (Access::Program, space::BLOCK + 8, 1));
    assert_eq!(block("_0F99999B"), (Access::Program, space::BLOCK + 15, 99_999));
    for other in ["_0G00001P", "_0A0000xP", "/_N_MPF_DIR/_N_1_MPF", ""] {
        assert_eq!(block(other).1, NO_OBJECT, "{other}");
    }
}

#[test]
fn userdata_are_counted_by_group() {
    for (group, subfunction, class) in [
        (1, 2, Access::Read),
        (1, 8, Access::Write),
        (1, 9, Access::Control),
        (3, 1, Access::Discover),
        (4, 1, Access::Discover),
        (5, 1, Access::Session),
        (7, 1, Access::Read),
        (7, 2, Access::Write),
        (9, 1, Access::Unknown),
        (4, 33, Access::Unknown),
    ] {
        let function = 256 * u32::from(group) + u32::from(subfunction);
        assert_eq!(fields(&userdata(group, subfunction, &[1, 2])), [(function, class, NO_OBJECT, 0, 0)]);
    }
    assert_eq!(fields(&userdata(0x3f, 1, &[]))[0].0, 0x0f01);
    // A mode transition has the number of no job.
    let hold = userdata(0, 4, &[]);
    assert_eq!(fields(&hold)[0].0, number(0, 4));
    let reads = [rule(Effect::Allow, &[4])];
    assert_eq!(Wire::open(&policy(&reads), Mode::Enforce).ask(&hold).reason, Reason::FunctionNotAllowed);
    let send = userdata(6, 1, &[0x12, 6, 0x13, 0, 0, 0, 0, 9, 1, 2]);
    assert_eq!(fields(&send), [(0x0601, Access::Write, space::R_ID, 9, 9)]);
}

#[test]
fn what_a_client_cannot_say_is_denied() {
    let parameters = |selector: u8| [0, 1, 0x12, 4, 0x11, selector, 1, 0];
    for (bytes, reason) in [
        (s7(2, &[], &[]), Reason::InvalidFunction),
        (s7(3, &[4, 1], &[0xff, 4, 0, 0]), Reason::InvalidFunction),
        (s7(3, &[0x1b, 0], &[0; 8]), Reason::InvalidFunction),
        (s7(4, &[4, 1], &[]), Reason::MalformedFraming),
        (s7(0, &[4, 1], &[]), Reason::MalformedFraming),
        (s7(7, &parameters(0x84), &[]), Reason::InvalidFunction),
        (s7(7, &parameters(0x04), &[]), Reason::InvalidFunction),
        (s7(7, &parameters(0xc4), &[]), Reason::OutOfRange),
        (s7(7, &[0, 1, 0x12, 8, 0x12, 0x41, 8, 1, 0, 1, 0, 0], &[]), Reason::BeyondInspection),
        (s7(7, &[0, 1, 0x12, 4, 0x12, 0x44, 1, 0], &[]), Reason::LengthMismatch),
        (s7(7, &[0, 1, 0x12], &[]), Reason::LengthMismatch),
        (job(&[], &[]), Reason::LengthMismatch),
        (data(&[0x32, 1, 0]), Reason::LengthMismatch),
    ] {
        assert_eq!(ask(&bytes).reason, reason, "{bytes:02x?}");
    }
    let more = s7(7, &[0, 1, 0x12, 8, 0x12, 0x44, 1, 1, 0, 1, 0, 0], &[10, 0, 0, 0]);
    assert_eq!(ask(&more).reason, Reason::RuleAllow, "a list that is read in pieces");
}

#[test]
fn a_device_fetches_what_its_client_offered() {
    let mut wire = open();
    wire.ask(&job(b"\x1a\0\x01\0\0\0\0\0\x09_0A00001P\x0d1000100000050", &[]));
    wire.answer(&s7(3, &[0x1a], &[]));
    let fetch = job(b"\x1b\0\0\0\0\0\0\x01\x09_0A00001P", &[]);
    let seen = wire.answer(&fetch);
    assert_eq!((seen.reason, seen.action), (Reason::Response, Action::Forward));
    assert_eq!(Role::from_code(seen.operations[0].role), Role::Request);
    let seen = wire.ask(&s7(3, &[0x1b, 0], &[0, 4, 0, 0xfb, 1, 2, 3, 4]));
    assert_eq!(seen.reason, Reason::Response);
    assert_eq!(wire.ask(&s7(3, &[0x1c], &[])).reason, Reason::Response);
    assert_eq!(wire.ask(&s7(3, &[4, 1], &[])).reason, Reason::InvalidFunction);
    // Without a rule for the device's own question, it is asked all the same.
    let rules = [rule(Effect::Allow, &[4])];
    let seen = Wire::open(&policy(&rules), Mode::Enforce).answer(&fetch);
    assert_eq!((seen.reason, seen.action), (Reason::Response, Action::Forward));
}

#[test]
fn answers_say_what_went_wrong() {
    let answer = |bytes: &[u8]| {
        let seen = open().answer(bytes);
        assert_eq!((seen.reason, seen.action), (Reason::Response, Action::Forward));
        let one = seen.operations[0];
        (one.function, Role::from_code(one.role), one.has(Operation::HAS_EXCEPTION).then_some(one.exception))
    };
    assert_eq!(answer(&s7(3, &[4, 1], &[0xff, 4, 0, 16, 1, 2])), (4, Role::Response, None));
    assert_eq!(answer(&s7(3, &[4, 1], &[0x0a, 0, 0, 0])), (4, Role::Response, Some(0x0a)));
    assert_eq!(answer(&s7(3, &[5, 1], &[5])), (5, Role::Response, Some(5)));
    let mut failed = s7(2, &[], &[]);
    failed[17] = 0x81;
    assert_eq!(answer(&failed), (ACKNOWLEDGE, Role::Response, Some(0x81)));
    let szl = s7(7, &[0, 1, 0x12, 8, 0x12, 0x84, 1, 1, 0, 0, 0xd4, 2], &[0x0a, 0, 0, 0]);
    assert_eq!(answer(&szl), (0x0401, Role::Response, Some(0xd4)));
    let push = s7(7, &[0, 1, 0x12, 8, 0x12, 0x00, 2, 1, 0, 0, 0, 0], &[0xff, 9, 0, 0]);
    assert_eq!(answer(&push), (number(0, 2), Role::Message, None));
}
