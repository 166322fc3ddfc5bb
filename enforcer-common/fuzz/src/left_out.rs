//! What a dissector says no decision hangs on, changed at will: what is found is the same, but for the transaction's number.
//!
//! Requests that come again are known by all other bits, see [`enforcer_common::known`].

use enforcer_common::network::protocol::{TCP, UDP};
use enforcer_common::operation::{Operation, Role};
use enforcer_common::port::Side;
use enforcer_common::protocol::{self, Protocol};
use enforcer_common::scratch::{Scratch, Stream};

/// What dissectors know of the units before, among them what OPC UA and IEC 104 must know to go on.
const CONTEXTS: [u32; 3] = [0, 1, 9];
/// Most steps of one segment.
const STEPS: usize = 64;

/// The bytes of every record of an input, read as a client's request in every way.
pub fn check_records(protocol: Protocol, mut input: &[u8]) {
    while let [_, _, a, b, tail @ ..] = input {
        let (bytes, tail) = tail.split_at(usize::from(u16::from_le_bytes([*a, *b])).min(tail.len()));
        input = tail;
        check(protocol, bytes);
    }
}

/// The number of bits that were left out; what hangs on them is asserted.
pub fn check(protocol: Protocol, bytes: &[u8]) -> u32 {
    let mut most = 0;
    for transport in [TCP, UDP] {
        for context in CONTEXTS {
            let first = read(protocol, transport, context, bytes);
            most = most.max(first.wanted.left_out.iter().map(|bits| bits.bits.count_ones()).sum());
            for pattern in [u64::MAX, 0x5555_5555_5555_5555, 0x8000_0000_0000_0001, 0x00ff_0100_7fff_80fe] {
                let mut other = bytes.to_vec();
                for left_out in &first.wanted.left_out {
                    let changed = (left_out.bits & pattern).to_le_bytes();
                    let from = usize::try_from(left_out.at).unwrap_or(usize::MAX);
                    for (byte, changed) in other.iter_mut().skip(from).zip(changed) {
                        *byte ^= changed;
                    }
                }
                let second = read(protocol, transport, context, &other);
                assert_eq!(found(&first), found(&second), "{bytes:02x?}\n{other:02x?}");
            }
        }
    }
    most
}

/// All that is gone by behind the dissector, without the transaction's number, and how it went.
fn found(scratch: &Scratch) -> (Vec<Operation>, Stream) {
    let operations = scratch.operations.get(..scratch.count as usize).expect("no more than there is room for");
    // What is not kept may hang on anything.
    if operations.is_empty() || operations.iter().any(|operation| operation.fault != 0) {
        return (Vec::new(), Stream::default());
    }
    (operations.iter().map(|operation| Operation { transaction: 0, ..*operation }).collect(), scratch.stream)
}

fn read(protocol: Protocol, transport: u8, context: u32, bytes: &[u8]) -> Scratch {
    let mut scratch = Scratch::new();
    scratch.frame.transport_protocol = transport;
    scratch.frame.side = Side::Network as u8;
    scratch.path.protocol = protocol as u8;
    scratch.path.role = Role::Request as u8;
    scratch.stream.whole = 1;
    scratch.stream.end = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    scratch.stream.context = context;
    for _ in 0..STEPS {
        if !protocol::dissect(Some(protocol), bytes, &mut scratch) {
            return scratch;
        }
    }
    panic!("{protocol:?} does not come to an end over {bytes:02x?}");
}
