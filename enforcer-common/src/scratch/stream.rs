//! What the stream leaves.

use super::LATER;

/// Which bytes to parse, and what to commit when the frame is forwarded: written by the stream and protocol stages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Stream {
    /// Keyed hash of the segment's new bytes.
    pub hash: u64,
    /// First byte to parse, in the frame or, when `assembled`, in carry + payload.
    pub start: u32,
    /// Behind the last byte to parse.
    pub end: u32,
    /// Next sequence number after this segment.
    pub next: u32,
    /// Where the bytes begin that the next segment continues.
    pub save_start: u32,
    /// How many they are.
    pub save_length: u32,
    /// Bytes of the stream that belong to a unit already decided.
    pub skip: u32,
    /// Sequence number of the segment's first new byte, and how many new ones it has.
    pub fresh: u32,
    /// See `fresh`.
    pub fresh_length: u32,
    /// What the dissector has to know of the units before these, and what it leaves for those behind them. See
    /// [`crate::flow::Direction::context`].
    pub context: u32,
    /// What the dissector left in the other direction, to read: what a request asked for, where an answer does not repeat it.
    pub peer_context: u32,
    /// First sequence number still to be compared with what was forwarded, and the one behind the last.
    pub compare: u32,
    /// See `compare`.
    pub compare_end: u32,
    /// Non-zero: parse carry + payload instead of the frame.
    pub assembled: u8,
    /// [`Commit`] code: what changes when the frame is forwarded.
    pub commit: u8,
    /// Non-zero: the bytes must begin and end where units do.
    pub whole: u8,
    /// Non-zero: no exchange has proved where units begin; only what reads may pass.
    pub unproved: u8,
    /// Non-zero: enforce would not have seen these bytes here; what is said of them is what it would say if they came again.
    pub uncertain: u8,
    /// Non-zero: the segment repeats bytes that were forwarded before.
    pub retransmission: u8,
    /// Non-zero: one repetition too many that could not be verified; the conversation is reset.
    pub strike: u8,
    /// Non-zero: bytes were not what the protocol's framing allows.
    pub faulty: u8,
    /// Units of the protocol read so far.
    pub units: u8,
    /// Records whose values are read in a later pass, and how many they are.
    pub later: [u8; LATER],
    /// See `later`.
    pub later_count: u8,
    /// Non-zero: the direction was taken up in the middle, so that its dissector has not seen how it began.
    pub midstream: u8,
    /// Always 0.
    pub padding: [u8; 1],
}

/// What forwarding a frame changes in its conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Commit {
    /// Nothing.
    Nothing = 0,
    /// The direction advances to `stream.next`.
    Advance = 1,
    /// A stretch ahead of the stream is noted.
    Ahead = 2,
    /// Bytes of an unknown conversation are noted.
    Midstream = 3,
}
