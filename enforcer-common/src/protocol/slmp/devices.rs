//! Devices: how a request names one, and what a range of them is. SLMP 5.2.

use super::functions::{self, space};
use crate::operation::Operation;
use crate::protocol::framing;

/// How devices stand in a request, as 0 or 1 by its subcommand: the lowest bit says that they are taken bit by bit, the next one that
/// numbers and codes are those of MELSEC iQ-R.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// Single bits instead of words.
    pub bits: u32,
    /// Four bytes of number and two of code, instead of three and one.
    pub wide: u32,
}

impl Form {
    /// Bytes of a device.
    #[inline(always)]
    pub(super) const fn size(self) -> u32 {
        self.wide.wrapping_mul(2).wrapping_add(4)
    }
}

/// Code and number of a device from its first four bytes, of which the last may be part of the number, and from the two bytes
/// that hold the code where it is wide, else the fourth twice.
#[inline(always)]
pub(super) const fn device([a, b, c, d]: [u8; 4], low: u8, high: u8, wide: u32) -> (u32, u32) {
    // Arithmetic instead of branches, which the kernel's verifier would follow in every turn of a list.
    let code = low as u32 | (high as u32).wrapping_mul(wide) << 8;
    let number = u32::from_le_bytes([a, b, c, 0]) | (d as u32).wrapping_mul(wide) << 24;
    (code, number)
}

/// Where the lower byte of a code stands behind the beginning of its device, and where the upper one.
#[inline(always)]
pub(super) const fn code_at(wide: u32) -> (u32, u32) {
    (wide.wrapping_add(3), wide.wrapping_mul(2).wrapping_add(3))
}

/// Sets a range of `count` words, or where `bits` says so of bits, from a device on. A word of a bit device is 16 of them.
#[inline(always)]
pub(super) fn range(operation: &mut Operation, (code, number): (u32, u32), count: u32, bits: u32) {
    let each = count << functions::shift(code).wrapping_mul(bits ^ 1);
    framing::objects(operation, space::DEVICE.wrapping_add(code), number, each, u32::MAX);
}
