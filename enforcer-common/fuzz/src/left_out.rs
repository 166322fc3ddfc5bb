//! What a dissector says no decision hangs on, changed at will: what is found is the same, but for the transaction's number.
//!
//! Requests that come again are known by all other bits, see [`enforcer_common::known`].

use enforcer_common::network::protocol::{TCP, UDP};
use enforcer_common::operation::Operation;
use enforcer_common::protocol::Protocol;
use enforcer_common::scratch::{Scratch, Stream};

use crate::support::dissect::{CLIENT, From, run};

/// What dissectors know of the units before, among them what OPC UA and IEC 104 must know to go on.
const CONTEXTS: [u32; 3] = [0, 1, 9];

/// The number of bits that were left out; what hangs on them is asserted.
pub fn check(protocol: Protocol, bytes: &[u8]) -> u32 {
    let mut most = 0;
    for transport in [TCP, UDP] {
        for context in CONTEXTS {
            let from = From { transport, context: (context, 0), ..CLIENT };
            let first = run(protocol, from, bytes);
            most = most.max(first.wanted.left_out.iter().map(|bits| bits.bits.count_ones()).sum());
            for pattern in [u64::MAX, 0x5555_5555_5555_5555, 0x8000_0000_0000_0001, 0x00ff_0100_7fff_80fe] {
                let mut other = bytes.to_vec();
                for left_out in &first.wanted.left_out {
                    let changed = (left_out.bits & pattern).to_le_bytes();
                    for (byte, changed) in other.iter_mut().skip(left_out.at as usize).zip(changed) {
                        *byte ^= changed;
                    }
                }
                let second = run(protocol, from, &other);
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
