//! Devices: how a request names one, and what a range of them is. SLMP 5.2.

use core::hint::black_box;

use super::functions::{self, space};
use crate::bytes::Bytes;
use crate::operation::Operation;
use crate::protocol::framing;

/// How devices stand in a request, by its subcommand: the lowest bit says that they are taken bit by bit, the next one that
/// numbers and codes are those of MELSEC iQ-R.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// Single bits instead of words.
    pub bits: bool,
    /// Four bytes of number and two of code, instead of three and one.
    pub wide: bool,
}

impl Form {
    /// Bytes of a device.
    #[inline(always)]
    pub(super) const fn size(self) -> u32 {
        if self.wide { 6 } else { 4 }
    }
}

/// Code and number of the device at an offset. Arithmetic instead of branches, which the kernel's verifier would follow in
/// every turn of a list.
#[inline(always)]
pub(super) fn device<B: Bytes + ?Sized>(bytes: &B, at: u32, form: Form) -> (u32, u32) {
    let wide = form.wide as u32;
    let [a, b, c, d] = bytes.read::<4>(at).unwrap_or([0; 4]);
    let low = black_box(bytes.u8(at.wrapping_add(3).wrapping_add(wide)).unwrap_or(0)) as u32;
    let high = black_box(bytes.u8(at.wrapping_add(5)).unwrap_or(0)) as u32;
    let code = low | (high.wrapping_mul(wide)) << 8;
    let number = u32::from_le_bytes([a, b, c, 0]) | (d as u32).wrapping_mul(wide) << 24;
    (code, number)
}

/// Sets a range of `count` words, or where `bits` says so of bits, from a device on. A word of a bit device is 16 of them.
#[inline(always)]
pub(super) fn range(operation: &mut Operation, (code, number): (u32, u32), count: u32, bits: bool) {
    let each = count << functions::shift(code).wrapping_mul(!bits as u32);
    framing::objects(operation, space::DEVICE.wrapping_add(code), number, each, u32::MAX);
}
