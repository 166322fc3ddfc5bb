//! User data of a link frame, read as if there were no checksums in between.

use core::hint::black_box;

use crate::bytes::Bytes;
use crate::protocol::dnp3::limits;
use crate::scratch::Scratch;

/// Bytes of a link frame with this much user data: blocks of 16 bytes and the rest, each with a checksum of two, 9.2.4.2.
#[inline(always)]
pub(super) const fn size(length: u32) -> u32 {
    let blocks = length.wrapping_add(15) >> 4;
    limits::HEADER.wrapping_add(length).wrapping_add(blocks << 1)
}

/// The link frame at hand.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    /// Offset of its first byte.
    pub at: u32,
    /// Offset behind the last byte of it that is here.
    pub end: u32,
    /// Bytes of user data.
    pub length: u32,
}

impl Frame {
    /// The frame that `scratch` is in.
    #[inline(always)]
    pub(super) fn of(scratch: &Scratch) -> Self {
        let length = scratch.walking.end;
        let at = scratch.stream.start;
        let whole = at.wrapping_add(size(length));
        // The smaller of both, without a branch, whose two outcomes would be followed through all that is read.
        let missing = whole.wrapping_sub(scratch.stream.end).cast_signed();
        let missing = (missing & !black_box(missing >> 31)).cast_unsigned();
        Self { at, end: whole.wrapping_sub(missing), length }
    }

    /// Where a byte of the user data lies.
    #[inline(always)]
    pub(super) const fn place(&self, offset: u32) -> u32 {
        let checksums = offset >> 4 << 1;
        self.at.wrapping_add(limits::HEADER).wrapping_add(offset).wrapping_add(checksums)
    }

    /// Eight bytes of user data from `offset` on, the first one lowest, of which the last may be a checksum's; those behind
    /// the end mean nothing. `None` where there is no frame. Without a branch: each would double the paths behind it.
    #[inline(always)]
    fn load<B: Bytes + ?Sized>(&self, bytes: &B, offset: u32) -> Option<u64> {
        let place = self.place(offset);
        // Never behind the frame: it has ten bytes at least.
        let beyond = place.wrapping_sub(self.end.wrapping_sub(8)).cast_signed();
        let beyond = (beyond & !black_box(beyond >> 31)).cast_unsigned();
        let eight = bytes.read::<8>(place.wrapping_sub(beyond))?;
        Some(u64::from_le_bytes(eight) >> (beyond << 3 & 63))
    }

    /// Six bytes of user data from `offset` on, the first one lowest; those behind the end mean nothing. One load: its last
    /// two bytes are a checksum that lies between, or are not wanted.
    #[inline(always)]
    pub(super) fn six<B: Bytes + ?Sized>(&self, bytes: &B, offset: u32) -> Option<u64> {
        let eight = self.load(bytes, offset)?;
        // Bytes before the checksum.
        let mask = match BEFORE.get(black_box(offset) as usize & 15) {
            Some(mask) => *mask,
            None => 0,
        };
        Some((eight & mask | eight >> 16 & !mask) & 0xffff_ffff_ffff)
    }

    /// Four of them.
    #[inline(always)]
    pub(super) fn four<B: Bytes + ?Sized>(&self, bytes: &B, offset: u32) -> Option<u32> {
        let six = self.six(bytes, offset)?;
        Some((six & 0xffff_ffff) as u32)
    }
}

/// Which of six bytes lie before the next checksum, by the first one's place in its block.
static BEFORE: [u64; 16] = {
    let mut masks = [u64::MAX; 16];
    let mut place = 11usize;
    while place < 16 {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
        {
            masks[place] = u64::MAX >> (64usize.wrapping_sub(16usize.wrapping_sub(place) << 3));
        }
        place = place.wrapping_add(1);
    }
    masks
};

/// Addresses and control octet of the link header, 9.2.4.1.
#[derive(Clone, Copy)]
pub(super) struct Addresses {
    /// Control octet.
    pub control: u32,
    /// Destination address.
    pub destination: u32,
    /// Source address.
    pub source: u32,
}

impl Addresses {
    /// Of the frame at hand.
    #[inline(always)]
    pub(super) fn of<B: Bytes + ?Sized>(bytes: &B, scratch: &Scratch) -> Option<Self> {
        let [control, d0, d1, s0, s1] = bytes.read::<5>(scratch.stream.start.wrapping_add(3))?;
        Some(Self {
            control: control as u32,
            destination: u16::from_le_bytes([d0, d1]) as u32,
            source: u16::from_le_bytes([s0, s1]) as u32,
        })
    }

    /// DIR: sent by a master, 9.2.4.1.3.1.
    #[inline(always)]
    pub(super) const fn is_from_master(&self) -> bool {
        self.control & 0x80 != 0
    }
}
