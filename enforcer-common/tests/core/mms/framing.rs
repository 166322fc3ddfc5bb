//! Lengths and prefixes of every layer.

use enforcer_common::protocol::Protocol;
use enforcer_common::verdict::Reason;

use super::{fault, read};
use crate::support::cotp::{data, job};
use crate::support::dissect;
use crate::support::mms::{INITIATE, ask, associate, carried, connect, finish, pdu, request, seq, tlv, write};

fn sample() -> Vec<u8> {
    crate::support::mms::read(&[("peerLD1", "GGIO1$MX$AnIn1$mag$f")])
}

#[test]
fn a_length_that_is_not_exact_is_a_mismatch_wherever_it_stands() {
    let sound = carried(&request(9, &sample()));
    assert_eq!(fault(&data(&sound)), None);
    // Every octet that is a length: one more, one less, and forms that are not the shortest.
    let mut lengths = Vec::new();
    let mut at = 4;
    // Each element in turn, from the outermost to the name: all of one octet.
    for tag in [0x61u8, 0x30, 0x02, 0xa0, 0xa0, 0x02, 0xa4, 0xa1, 0xa0, 0x30, 0xa0, 0xa1, 0x1a, 0x1a] {
        at = (at..sound.len()).find(|at| sound[*at] == tag).expect("in the order of the tags");
        lengths.push(at + 1);
        at += if matches!(tag, 0x02) { 3 } else { 2 };
        if tag == 0x1a && lengths.len() == 13 {
            at += 7;
        }
    }
    for at in lengths {
        for add in [1u8, 0xff] {
            let mut bad = sound.clone();
            bad[at] = bad[at].wrapping_add(add);
            let found = fault(&data(&bad));
            assert!(found.is_some(), "length at {at}, {add}: {bad:02x?}");
        }
        for form in [&[0x81][..], &[0x82, 0], &[0x83, 0, 0], &[0x84, 0, 0, 0]] {
            let mut bad = sound.clone();
            bad.splice(at..at, form.iter().copied());
            assert!(fault(&data(&bad)).is_some(), "long form at {at}");
        }
        let mut open = sound.clone();
        open[at] = 0x80;
        open.extend([0, 0]);
        assert!(matches!(fault(&data(&open)), Some(Reason::MalformedFraming | Reason::LengthMismatch)), "at {at}");
    }
}

#[test]
fn indefinite_and_longer_forms_are_no_framing() {
    let inner = request(9, &sample());
    let value = |tag: &[u8]| {
        let list = seq(0x30, &[tlv(0x02, &[3]), tlv(0xa0, &inner)]);
        data(&[&[1, 0, 1, 0][..], tag, &list].concat())
    };
    let size = seq(0x30, &[tlv(0x02, &[3]), tlv(0xa0, &inner)]).len() as u8;
    assert_eq!(fault(&value(&[0x61, size])), None);
    for form in
        [&[0x61, 0x80][..], &[0x61, 0x81, size], &[0x61, 0x82, 0, size], &[0x61, 0x83, 0, 0, size], &[0x61, 0xff]]
    {
        assert_eq!(fault(&value(form)), Some(Reason::MalformedFraming), "{form:02x?}");
    }
}

#[test]
fn session_and_presentation_have_one_prefix() {
    // Vector 33: prefix altered.
    let inner = request(9, &sample());
    let list = |parts: &[Vec<u8>]| data(&[vec![1, 0, 1, 0], tlv(0x61, &parts.concat())].concat());
    let value = |tag: u8, more: &[Vec<u8>]| seq(0x30, &[&[tlv(0x02, &[3])], more, &[tlv(tag, &inner)]].concat());
    assert_eq!(fault(&list(&[value(0xa0, &[])])), None);
    assert_eq!(fault(&list(&[value(0xa0, &[]), value(0xa0, &[])])), Some(Reason::LengthMismatch), "two values");
    assert_eq!(fault(&list(&[value(0x81, &[])])), Some(Reason::MalformedFraming));
    assert_eq!(fault(&list(&[value(0xa0, &[tlv(0x06, &[0x51, 1])])])), Some(Reason::MalformedFraming));
    for prefix in [&[1u8, 0, 1, 1, 0][..], &[1, 1, 0, 1, 0], &[1, 0, 2, 0], &[1, 0, 1], &[1, 0], &[1]] {
        let bytes = data(&[prefix, &carried(&inner)[4..]].concat());
        assert!(fault(&bytes).is_some(), "{prefix:02x?}");
    }
    assert_eq!(fault(&data(&[1, 0, 1, 0])), Some(Reason::LengthMismatch));
    // Any context: what is said there is judged as MMS.
    let other = seq(0x30, &[tlv(0x02, &[1]), tlv(0xa0, &inner)]);
    assert_eq!(fault(&data(&[vec![1, 0, 1, 0], tlv(0x61, &other)].concat())), None);
    let context = seq(0x30, &[tlv(0x02, &[0, 3]), tlv(0xa0, &inner)]);
    assert_eq!(fault(&data(&[vec![1, 0, 1, 0], tlv(0x61, &context)].concat())), Some(Reason::MalformedFraming));
}

#[test]
fn other_protocols_of_the_port_are_none_of_this_conduit() {
    assert_eq!(fault(&job(&[4, 0], &[])), Some(Reason::MalformedFraming));
    assert_eq!(fault(&data(b"GET /")), Some(Reason::MalformedFraming));
    let mixed = [ask(&sample()), job(&[0x29, 0, 0, 0, 0, 0, 9], b"")].concat();
    assert_eq!(fault(&mixed), Some(Reason::ProtocolChanged));
    // Without a session it is named, and refused.
    let bare = read(&data(&request(9, &sample())));
    assert_eq!((bare[0].function, bare[0].fault), (4, Reason::MalformedFraming as u8));
}

#[test]
fn whatever_is_cut_or_altered_is_read_to_an_end() {
    let value = vec![0x83, 1, 1];
    let control = write(&[("LD1", "GGIO1$CO$SPCSO1$Oper")], &[seq(0xa2, &[value.clone(), value.clone()])]);
    for bytes in [
        ask(&sample()),
        ask(&control),
        ask(&write(&[("A", "b"), ("C", "d$SP$e")], &[value.clone(), value])),
        connect(&associate(INITIATE)),
        finish(&[0x80, 1, 0]),
        pdu(&[0x8b, 0]),
        ask(&crate::support::mms::long(0xbf, 72, &tlv(0xa0, &tlv(0x19, b"file")))),
    ] {
        assert_eq!(fault(&bytes), None);
        dissect::mutilate(Protocol::Mms, &bytes);
    }
}
