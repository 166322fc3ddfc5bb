//! Formats written byte by byte, in all their variants, and every way to break them.

use std::path::Path;

use super::{Capture, CaptureError, Frame};

/// Writes numbers in one byte order.
#[derive(Clone, Copy)]
struct Writer {
    big: bool,
}

const BOTH: [Writer; 2] = [Writer { big: true }, Writer { big: false }];

impl Writer {
    fn u16(self, value: u16) -> Vec<u8> {
        if self.big { value.to_be_bytes().into() } else { value.to_le_bytes().into() }
    }

    fn u32(self, value: u32) -> Vec<u8> {
        if self.big { value.to_be_bytes().into() } else { value.to_le_bytes().into() }
    }

    fn words(self, values: &[u32]) -> Vec<u8> {
        values.iter().flat_map(|value| self.u32(*value)).collect()
    }

    fn pcap(self, magic: u32, link: u32) -> Vec<u8> {
        [self.u32(magic), self.u16(2), self.u16(4), self.words(&[0, 0, 64, link])].concat()
    }

    fn record(self, time: [u32; 2], original: u32, bytes: &[u8]) -> Vec<u8> {
        [self.words(&[time[0], time[1], bytes.len() as u32, original]), bytes.to_vec()].concat()
    }

    fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let mut body = body.to_vec();
        body.resize(body.len().next_multiple_of(4), 0);
        let length = self.u32(body.len() as u32 + 12);
        [self.u32(kind), length.clone(), body, length].concat()
    }

    fn section(self) -> Vec<u8> {
        let body = [self.u32(0x1A2B_3C4D), self.u16(1), self.u16(0), vec![0xFF; 8]].concat();
        self.block(0x0A0D_0D0A, &body)
    }

    fn interface(self, link: u16, snap: u32, options: &[u8]) -> Vec<u8> {
        self.block(1, &[self.u16(link), self.u16(0), self.u32(snap), options.to_vec()].concat())
    }

    fn option(self, code: u16, value: &[u8]) -> Vec<u8> {
        let mut value = value.to_vec();
        let length = self.u16(value.len() as u16);
        value.resize(value.len().next_multiple_of(4), 0);
        [self.u16(code), length, value].concat()
    }

    fn enhanced(self, interface: u32, ticks: u64, original: u32, bytes: &[u8]) -> Vec<u8> {
        let fields = self.words(&[interface, (ticks >> 32) as u32, ticks as u32, bytes.len() as u32, original]);
        self.block(6, &[fields, bytes.to_vec()].concat())
    }
}

fn read(bytes: &[u8]) -> (Vec<Frame>, Option<CaptureError>) {
    match Capture::read(Path::new("line.pcap"), bytes) {
        Err(error) => (Vec::new(), Some(error)),
        Ok(capture) => {
            let mut frames = Vec::new();
            for item in capture {
                match item {
                    Ok(frame) => frames.push(frame),
                    Err(error) => return (frames, Some(error)),
                }
            }
            (frames, None)
        }
    }
}

fn whole(bytes: &[u8]) -> Vec<Frame> {
    let (frames, error) = read(bytes);
    assert!(error.is_none(), "{error:?}");
    frames
}

fn times(frames: &[Frame]) -> Vec<String> {
    frames.iter().map(|frame| frame.time.map_or("none".to_owned(), |time| time.to_string())).collect()
}

#[test]
fn pcap_in_both_orders_and_resolutions() {
    for order in BOTH {
        let micro = [order.pcap(0xA1B2_C3D4, 1), order.record([1, 250_000], 3, &[1, 2, 3])].concat();
        let nano = [order.pcap(0xA1B2_3C4D, 1), order.record([1, 250_000_999], 3, &[1, 2, 3])].concat();
        for file in [micro, nano] {
            let frames = whole(&file);
            assert_eq!(times(&frames), ["1970-01-01T00:00:01.250000Z"]);
            let [frame] = frames.as_slice() else { panic!("{frames:?}") };
            assert_eq!((frame.number, frame.bytes.as_slice(), frame.is_truncated()), (1, &[1, 2, 3][..], false));
        }
    }
}

#[test]
fn pcap_reads_what_the_library_refuses() {
    let order = Writer { big: false };
    let file = [
        order.pcap(0xA1B2_C3D4, 0x1400_0001), // a frame check sequence announced in the link type's upper half
        order.record([1, 0], 1514, &[0; 60]), // cut by the snap length, which the original length exceeds
        order.record([1, 0], 90, &[0; 90]),   // longer than the snap length
        order.record([1, 0], 4, &[0; 8]),     // longer than the original
        order.record([1, 1_500_000], 8, &[0; 8]),
    ]
    .concat();
    let frames = whole(&file);
    let lengths: Vec<_> = frames.iter().map(|f| (f.captured_length(), f.original_length, f.is_truncated())).collect();
    assert_eq!(lengths, [(60, 1514, true), (90, 90, false), (8, 4, false), (8, 8, false)]);
    assert_eq!(times(&frames).last().map(String::as_str), Some("1970-01-01T00:00:02.500000Z"));
}

#[test]
fn pcapng_with_interfaces_of_their_own() {
    for order in BOTH {
        let zone = order.option(10, &[0; 4]); // the library wants one byte; and no end mark follows
        let nanos = [order.option(2, b"\xFFeth"), order.option(9, &[9]), zone].concat();
        let mut shifted = order.option(14, &if order.big { 3600_i64.to_be_bytes() } else { 3600_i64.to_le_bytes() });
        shifted.extend(order.option(0, &[]));
        let obsolete = [order.u16(1), order.u16(7), order.words(&[0, 2_000_000, 5, 9]), vec![6; 5]].concat();
        let simple = [order.u32(9), vec![7; 9]].concat();
        let file = [
            order.section(),
            order.interface(1, 6, &[]),
            order.enhanced(0, 2_000_000, 3, &[1, 2, 3]),
            order.interface(1, 0, &nanos),
            order.block(4, &[0; 8]),
            order.enhanced(1, 2_000_000_000, 3, &[4, 5, 6]),
            order.block(2, &obsolete),
            order.block(3, &simple),
            order.block(0xBAD, b"someone's own block"),
            order.interface(101, 0, &shifted),
            order.enhanced(2, 2_000_000, 1, &[0x45]),
        ]
        .concat();
        let frames = whole(&file);
        assert_eq!(frames.iter().map(|frame| frame.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        let two = "1970-01-01T00:00:02.000000Z";
        let fine = "1970-01-01T00:00:00.002000Z"; // 2,000,000 ticks of a nanosecond
        assert_eq!(times(&frames), [two, two, fine, "none", "1970-01-01T01:00:02.000000Z"]);
        let lengths: Vec<_> = frames.iter().map(|f| (f.captured_length(), f.original_length)).collect();
        assert_eq!(lengths, [(3, 3), (3, 3), (5, 9), (6, 9), (15, 15)]);
    }
}

#[test]
fn a_new_section_may_change_the_order_and_forgets_interfaces() {
    let [big, little] = BOTH;
    let first = [big.section(), big.interface(1, 0, &[]), big.enhanced(0, 1, 1, &[1])].concat();
    let second = [little.section(), little.interface(1, 0, &[]), little.enhanced(0, 1, 1, &[2])].concat();
    let file = [first.clone(), second, first.clone()].concat();
    assert_eq!(whole(&file).iter().map(|frame| frame.bytes.clone()).collect::<Vec<_>>(), [[1], [2], [1]]);

    let forgotten = [first, little.section(), little.enhanced(0, 1, 1, &[2])].concat();
    let (frames, error) = read(&forgotten);
    assert_eq!(frames.len(), 1);
    let text = error.map(|error| error.to_string());
    assert_eq!(
        text.as_deref(),
        Some("line.pcap: frame 2: the packet names interface 0, but 0 were described before it")
    );
}

#[test]
fn a_broken_capture_keeps_what_came_before_and_names_frame_and_cause() {
    let order = Writer { big: false };
    let pcap = [order.pcap(0xA1B2_C3D4, 1), order.record([1, 0], 3, &[1, 2, 3])].concat();
    let ng = [order.section(), order.interface(1, 0, &[]), order.enhanced(0, 1, 3, &[1, 2, 3])].concat();
    let packet = order.enhanced(0, 1, 8, &[0; 8]);
    let other_end: Vec<u8> = packet.iter().copied().take(packet.len() - 4).chain([0; 4]).collect();
    let mut beyond = packet.clone();
    beyond[20..24].copy_from_slice(&100_u32.to_le_bytes());
    let cases: Vec<(Vec<u8>, &str)> = vec![
        ([&pcap[..], &[0; 5]].concat(), "the record header is cut off: 16 bytes expected, 5 left in the file"),
        (
            [pcap.clone(), order.words(&[1, 0, 60, 60]), vec![0; 9]].concat(),
            "the record is cut off: 76 bytes expected, 25 left in the file",
        ),
        (
            [pcap, order.words(&[1, 0, u32::MAX, 60])].concat(),
            "the length field claims 4294967295 bytes, more than any packet has: the file is damaged",
        ),
        ([&ng[..], &packet[..20]].concat(), "the block is cut off: 40 bytes expected, 20 left in the file"),
        ([&ng[..], &packet[..7]].concat(), "the block is cut off: 12 bytes expected, 7 left in the file"),
        ([&ng[..], &other_end].concat(), "the file has a wrong field (Block: initial_length != trailer_length)"),
        ([&ng[..], &beyond].concat(), "the file has a packet longer than its block"),
        ([ng.clone(), order.words(&[6, 4, 0])].concat(), "the file has a block shorter than its own header"),
        (
            [ng.clone(), order.words(&[6, 0x7FFF_FFF0, 0])].concat(),
            "the length field claims 2147483632 bytes, more than any packet has: the file is damaged",
        ),
        (
            [ng.clone(), order.block(6, &[0; 8])].concat(),
            "the file has an enhanced packet block shorter than its fields",
        ),
        ([ng.clone(), order.block(3, &[])].concat(), "the file has a simple packet block without a length"),
        (
            [ng.clone(), order.block(1, &[0; 4])].concat(),
            "the file has an interface description shorter than its fields",
        ),
        (
            [ng.clone(), order.words(&[0x0A0D_0D0A, 28, 7])].concat(),
            "the file has a section header without its byte-order magic",
        ),
        (
            [ng, order.interface(105, 0, &[]), order.enhanced(1, 1, 1, &[1])].concat(),
            "link type 105 is not supported (supported: Ethernet 1, BSD loopback 0 and 108, raw IP 12, 14, 101, 228, 229, Linux cooked 113 and 276)",
        ),
    ];
    for (file, cause) in cases {
        let (frames, error) = read(&file);
        assert_eq!(frames.len(), 1, "{cause}");
        assert_eq!(error.map(|error| error.to_string()), Some(format!("line.pcap: frame 2: {cause}")));
    }
}

#[test]
fn what_is_no_capture_is_refused_at_once() {
    for (file, cause) in [
        (&b""[..], "this is neither pcap nor pcapng (the file is empty)"),
        (b"\x1F\x8B\x08\x00", "this is neither pcap nor pcapng (it is compressed with gzip, unpack it first)"),
        (
            b"\xA1\xB2\xCD\x34",
            "this is neither pcap nor pcapng (it is Kuznetzov's variant of pcap, convert it with editcap -F pcap)",
        ),
        (b"[policy]", "this is neither pcap nor pcapng (its first bytes are no known magic number)"),
        (b"\xD4\xC3\xB2\xA1\x02\x00", "the file header is cut off: 24 bytes expected, 6 left in the file"),
    ] {
        let (frames, error) = read(file);
        assert!(frames.is_empty());
        assert_eq!(error.map(|error| error.to_string()), Some(format!("line.pcap: {cause}")));
    }
    let missing = Capture::open(Path::new("no/such.pcap")).err().map(|error| error.to_string());
    assert_eq!(missing.as_deref(), Some("no/such.pcap: No such file or directory (os error 2)"));
}

/// Any prefix of a capture gives a prefix of its frames and no panic.
#[test]
fn every_prefix_is_read_as_far_as_it_goes() {
    for order in BOTH {
        let pcap = [order.pcap(0xA1B2_3C4D, 1), order.record([1, 0], 3, &[1, 2, 3]), order.record([2, 0], 2, &[4, 5])];
        let ng = [order.section(), order.interface(1, 0, &[]), order.enhanced(0, 1, 3, &[1, 2, 3])];
        for file in [pcap.concat(), ng.concat()] {
            let all = whole(&file);
            for end in 0..file.len() {
                let (frames, _) = read(&file[..end]);
                assert_eq!(frames.as_slice(), &all[..frames.len()], "prefix of {end} bytes");
            }
        }
    }
}
