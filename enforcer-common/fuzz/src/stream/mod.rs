//! Conversations by script, through the whole core, to a device with any kind of TCP.
//!
//! The input is a script: a few bytes that choose device, policy and limits, then steps. A *hostile* script may send, resend,
//! cut, overlap and forge what it likes; what its device delivers must be a prefix of exactly what was judged, and no denied
//! operation may be complete in it. A *behaved* one is a sound client over a line that loses, repeats and reorders; all that
//! it asks for must arrive in the end.
//!
//! Nothing in here knows how the core follows a stream. `enforcer-common/tests/core` runs the same scripts, made by proptest.

mod behaved;
mod guard;
mod hostile;
mod ledger;
mod receiver;

use crate::support::modbus::{Request, adu};

/// One TCP segment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Segment {
    pub(crate) sequence: u32,
    pub(crate) acknowledgement: u32,
    pub(crate) flags: u8,
    pub(crate) window: u16,
    /// Its checksum is wrong.
    pub(crate) wrong: bool,
    /// Counts what was forwarded.
    pub(crate) serial: u64,
    pub(crate) payload: Vec<u8>,
}

/// The steps still to come.
pub(crate) struct Script<'a>(&'a [u8]);

impl Script<'_> {
    /// The next byte; 0 behind the end.
    pub(crate) fn byte(&mut self) -> u8 {
        self.next().unwrap_or(0)
    }

    /// The next byte, while there is one.
    pub(crate) fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// Any number, small ones of either sign mostly.
    pub(crate) fn shift(&mut self) -> u32 {
        let near = i32::from(self.byte().cast_signed());
        let scale = self.byte();
        let far = if scale < 0xe0 { 0 } else { u32::from(scale & 0x1f).wrapping_mul(0x0843_1c71) };
        far.wrapping_add_signed(near)
    }
}

/// Runs one script.
pub fn run(input: &[u8]) {
    let mut script = Script(input);
    if script.byte() & 1 == 0 { hostile::run(&mut script) } else { behaved::run(&mut script) }
}

/// A unit that the client may want to send.
pub(crate) fn unit(kind: u8, transaction: u16) -> Vec<u8> {
    let forbidden = adu(transaction ^ 0x5a5a, 1, &Request::Register(7, 5000).pdu());
    let request = match kind % 8 {
        0..=2 => Request::Read(3, u16::from(kind), 2),
        3 => Request::Registers(u16::from(kind) % 90, vec![transaction; 2]),
        // What is allowed holds the bytes of what is not.
        4 => {
            let words = forbidden.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            Request::Registers(3, words.collect())
        }
        5 => Request::Registers(200, vec![1, 2]),
        _ => return forbidden,
    };
    adu(transaction, 1, &request.pdu())
}
