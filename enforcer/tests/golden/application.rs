//! Cases about Modbus itself: functions, ranges, units over segments, what breaks the standard.

use super::wire::{ENGINEER, HMI, PRESS, STRANGER, Talk, Wire, adu, pdu, write_registers};

/// A poll, set points in and out of their range, and what no rule names.
pub(crate) fn poll_and_setpoint(wire: &mut Wire) {
    let mut talk = Talk::open(wire, HMI, PRESS, 40_001);
    talk.ask(wire, 1, &pdu(3, &[0, 100]));
    talk.answer(wire, 1, &[&[3, 200][..], &[0; 200]].concat());
    talk.ask(wire, 1, &pdu(3, &[150, 60])); // to 209, the rule ends at 199
    talk.answer(wire, 1, &[0x83, 2]);
    talk.ask(wire, 2, &pdu(3, &[0, 1])); // another unit
    talk.answer(wire, 2, &[0x83, 11]);
    talk.ask(wire, 1, &pdu(6, &[40, 1000]));
    talk.answer(wire, 1, &pdu(6, &[40, 1000]));
    talk.ask(wire, 1, &pdu(6, &[40, 1001]));
    talk.answer(wire, 1, &pdu(6, &[40, 1001]));
    talk.ask(wire, 1, &write_registers(44, &[1, 2, 3, 4]));
    talk.answer(wire, 1, &pdu(16, &[44, 4]));
    talk.ask(wire, 1, &write_registers(45, &[1, 2, 3, 4])); // one register too far
    talk.answer(wire, 1, &pdu(16, &[45, 4]));
    talk.ask(wire, 1, &write_registers(44, &[1, 2000])); // one value too high
    talk.answer(wire, 1, &pdu(16, &[44, 2]));
    talk.ask(wire, 1, &pdu(5, &[3, 0xFF00]));
    talk.answer(wire, 1, &pdu(5, &[3, 0xFF00]));
    let mut stranger = Talk::open(wire, STRANGER, PRESS, 40_002);
    stranger.ask(wire, 1, &pdu(3, &[0, 1]));
}

/// A denied write in the middle of a poll.
pub(crate) fn write_between_polls(wire: &mut Wire) {
    let mut talk = Talk::open(wire, HMI, PRESS, 40_001);
    for write in [false, true, false] {
        let request = if write { pdu(6, &[0, 7]) } else { pdu(3, &[0, 2]) };
        talk.ask(wire, 1, &request);
        talk.answer(wire, 1, &if write { request } else { vec![3, 4, 0, 1, 0, 2] });
    }
}

/// Every function of the standard, the sub-functions that matter, and codes outside it.
pub(crate) fn functions(wire: &mut Wire) {
    let mut talk = Talk::open(wire, ENGINEER, PRESS, 40_001);
    let bits = [&pdu(15, &[8, 10])[..], &[2, 0xFF, 0x03]].concat();
    let read_write = [&pdu(23, &[0, 4, 40, 2])[..], &[4, 0, 9, 0, 10]].concat();
    let read_file = [&[20, 14][..], &[6, 0, 4, 0, 1, 0, 2], &[6, 0, 3, 0, 9, 0, 2]].concat();
    let write_file = [&[21, 13][..], &[6, 0, 4, 0, 7, 0, 3], &[0, 1, 0, 2, 0, 3]].concat();
    let requests: Vec<Vec<u8>> = vec![
        pdu(1, &[0, 2000]),
        pdu(2, &[5, 1]),
        pdu(3, &[65_411, 125]),
        pdu(4, &[0, 125]),
        pdu(5, &[7, 0]),
        pdu(6, &[65_535, 65_535]),
        vec![7],
        pdu(8, &[0, 0xA5A5]),
        pdu(8, &[1, 0]),
        pdu(8, &[4, 0]),
        pdu(8, &[10, 0]),
        vec![11],
        vec![12],
        bits,
        write_registers(0, &[3, 1, 2]),
        vec![17],
        read_file,
        write_file,
        pdu(22, &[4, 0x00F2, 0x0025]),
        read_write,
        pdu(24, &[1246]),
        vec![43, 14, 1, 0],
        vec![43, 13, 0, 0, 0],
        vec![90, 0, 2],
        vec![65, 1, 2, 3],
        vec![125, 0],
    ];
    for (index, request) in requests.iter().enumerate() {
        talk.ask(wire, 1, request);
        if index % 8 == 7 {
            // A device that acknowledges nothing gets no more than the box can remember.
            wire.put(talk.server_segment(0, &[]));
        }
    }
}

/// Answers: data, echoes, exceptions, one that breaks the standard.
pub(crate) fn answers(wire: &mut Wire) {
    let mut talk = Talk::open(wire, HMI, PRESS, 40_001);
    talk.ask(wire, 1, &pdu(3, &[0, 2]));
    talk.answer(wire, 1, &[3, 4, 0, 1, 0, 2]);
    talk.ask(wire, 1, &pdu(3, &[0, 2]));
    talk.answer(wire, 1, &[0x83, 4]);
    talk.ask(wire, 1, &pdu(3, &[0, 2]));
    talk.answer(wire, 1, &[3, 8, 0, 1, 0, 2]); // counts more bytes than it has
    talk.ask(wire, 1, &pdu(6, &[40, 1]));
    talk.answer(wire, 1, &pdu(6, &[40, 1]));
    talk.ask(wire, 1, &pdu(6, &[41, 1]));
    talk.answer(wire, 1, &[0x86, 0x0B]);
}

/// Units cut over segments, several units in a segment, and both at once.
pub(crate) fn segments(wire: &mut Wire) {
    let mut talk = Talk::open(wire, HMI, PRESS, 40_001);
    let [one, two, three] = [1, 2, 3].map(|number| adu(number, 1, &pdu(3, &[number * 10, 2])));
    let write = adu(4, 1, &write_registers(40, &[500; 4]));
    for part in [&one[..3], &one[3..7], &one[7..]] {
        talk.send(wire, part);
    }
    talk.send(wire, &[&one[..], &two, &three].concat());
    talk.send(wire, &[&one[..], &two[..8]].concat());
    talk.send(wire, &[&two[8..], &write[..20]].concat());
    talk.send(wire, &write[20..]);
    let values = [&[3, 4][..], &[0; 4]].concat();
    let all = [1, 2, 3, 4].map(|number| adu(number, 1, &values)).concat();
    talk.reply(wire, &all[..20]);
    talk.reply(wire, &all[20..]);
}

/// Bytes sent twice, bytes missing, bytes that overlap.
pub(crate) fn sequence(wire: &mut Wire) {
    let mut talk = Talk::open(wire, HMI, PRESS, 40_001);
    talk.ask(wire, 1, &pdu(3, &[0, 2]));
    wire.put(talk.client_segment(-12, &adu(2, 1, &pdu(3, &[0, 2])))); // the same again
    wire.put(talk.client_segment(-1, &[2])); // keep-alive: the last byte again
    talk.answer(wire, 1, &[3, 4, 0, 1, 0, 2]);
    wire.put(talk.server_segment(-13, &adu(2, 1, &[3, 4, 0, 1, 0, 2])));
    let late = adu(3, 1, &pdu(3, &[10, 2]));
    wire.put(talk.client_segment(12, &adu(4, 1, &pdu(3, &[20, 2])))); // overtakes the one before it
    wire.put(talk.client_segment(0, &late));
    talk.sent += 24;
    let next = adu(5, 1, &pdu(3, &[30, 2]));
    wire.put(talk.client_segment(-4, &[&[0, 20, 0, 2][..], &next].concat())); // four bytes known, the rest new
}

/// Requests that a server might read otherwise than the box.
pub(crate) fn malformed(wire: &mut Wire) {
    let broken: Vec<Vec<u8>> = vec![
        [&[0, 1, 0x12, 0x34, 0, 6, 1][..], &pdu(3, &[0, 1])].concat(), // protocol identifier
        vec![0, 1, 0, 0, 0, 1, 1],                                     // no function
        [&[0, 1, 0, 0, 0, 7, 1][..], &pdu(3, &[0, 1]), &[0]].concat(), // one byte too many
        // A second unit hidden in the length of the first.
        [&[0, 1, 0, 0, 0, 18, 1][..], &pdu(3, &[0, 1]), &adu(2, 1, &pdu(6, &[40, 1]))].concat(),
        adu(1, 1, &pdu(3, &[0, 0])),
        adu(1, 1, &pdu(3, &[0, 126])),
        adu(1, 1, &pdu(3, &[0xFFFF, 2])),
        adu(1, 1, &pdu(5, &[0, 1])),
        adu(1, 1, &[&pdu(16, &[0, 2])[..], &[2, 0, 1, 0, 2]].concat()), // byte count
        adu(1, 1, &pdu(0, &[0, 1])),
        adu(1, 1, &pdu(0x83, &[0, 1])),
        adu(1, 1, &[41, 2, 3, 0, 0, 0, 1]),
        [&[0, 1, 0, 0, 1, 4, 1, 3][..], &[0; 258]].concat(), // longer than a unit can be
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
    ];
    for (port, bytes) in (40_001..).zip(broken) {
        let mut talk = Talk::open(wire, HMI, PRESS, port);
        talk.send(wire, &bytes);
        talk.send(wire, &adu(9, 1, &pdu(3, &[0, 1]))); // what follows is judged again, or not
    }
}

/// A conversation that was there before the box, with `on_unsynchronised` saying what to do.
pub(crate) fn midstream(wire: &mut Wire) {
    let mut talk = Talk::running(HMI, PRESS, 40_001);
    talk.answer(wire, 1, &[3, 4, 0, 1, 0, 2]);
    talk.ask(wire, 1, &pdu(3, &[0, 2]));
    talk.answer(wire, 1, &[3, 4, 0, 1, 0, 2]);
    talk.ask(wire, 1, &pdu(6, &[0, 2]));
}

/// Writes faster than their rate, then slower.
pub(crate) fn rate(wire: &mut Wire) {
    let mut talk = Talk::open(wire, HMI, PRESS, 40_001);
    for value in 0..4 {
        talk.ask(wire, 1, &pdu(6, &[40, value]));
    }
    wire.wait(500);
    talk.ask(wire, 1, &pdu(6, &[40, 5]));
    talk.ask(wire, 1, &pdu(6, &[40, 6]));
    wire.wait(1_000);
    talk.ask(wire, 1, &pdu(6, &[40, 7]));
    talk.ask(wire, 1, &pdu(6, &[40, 8]));
}

/// The device opens a conversation with a server in the plant.
pub(crate) fn device_as_client(wire: &mut Wire) {
    let mut talk = Talk::open(wire, PRESS, HMI, 40_001);
    talk.ask(wire, 1, &pdu(16, &[0, 1])[..5]);
    talk.ask(wire, 1, &write_registers(0, &[1]));
    talk.answer(wire, 1, &pdu(16, &[0, 1]));
}
