//! Values of a written property, 20.2.3 to 20.2.11.
//!
//! Boolean, unsigned, signed and enumerated numbers are what they are. A real number lies between two whole ones: its
//! record spans both, so that a rule's range must hold the number and not only its whole part. NULL, which takes a
//! command back (19.2), and everything that is no number have no value: no rule with values covers them.

use core::hint::black_box;

use super::tag::Element;
use crate::bytes::Bytes;
use crate::operation::Operation;

/// Tag numbers of application class.
mod kind {
    pub(super) const BOOLEAN: u32 = 1;
    pub(super) const UNSIGNED: u32 = 2;
    pub(super) const SIGNED: u32 = 3;
    pub(super) const REAL: u32 = 4;
    pub(super) const DOUBLE: u32 = 5;
    pub(super) const ENUMERATED: u32 = 9;
}

/// Puts the value of one primitive into the record.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, element: &Element, operation: &mut Operation) {
    let size = element.size;
    let number = element.number();
    if !element.is_primitive_value() {
        return;
    }
    if number == kind::BOOLEAN {
        let value = (element.head & 7) as i64;
        if value <= 1 {
            set(operation, value, value);
        }
        return;
    }
    if size == 0 || size > 8 {
        return;
    }
    // The octets in front of it lie in the message: headers come before.
    let word = u64::from_be_bytes(black_box(bytes.read::<8>(element.next.wrapping_sub(8)).unwrap_or([0; 8])));
    let unused = 8u32.wrapping_sub(size).wrapping_mul(8) & 63;
    let left = word << unused;
    let whole = left >> unused;
    match number {
        kind::UNSIGNED | kind::ENUMERATED if whole <= i64::MAX as u64 => {
            set(operation, whole.cast_signed(), whole.cast_signed());
        }
        kind::SIGNED => {
            let value = left.cast_signed() >> unused;
            set(operation, value, value);
        }
        kind::REAL if size == 4 => {
            real(operation, whole & 0x7f_ffff, (whole >> 23 & 0xff) as u32, FLOAT, whole >> 31 != 0);
        }
        kind::DOUBLE if size == 8 => {
            real(operation, whole & 0xf_ffff_ffff_ffff, (whole >> 52 & 0x7ff) as u32, DOUBLE, whole >> 63 != 0);
        }
        _ => {}
    }
}

#[inline(always)]
const fn set(operation: &mut Operation, min: i64, max: i64) {
    operation.value_min = min;
    operation.value_max = max;
    operation.flags |= Operation::HAS_VALUE;
}

/// A format of IEEE 754.
#[derive(Clone, Copy)]
struct Format {
    /// Bits of the fraction.
    fraction: u32,
    /// The exponent with which the fraction, read as a whole number, is the value.
    whole: u32,
    /// The exponent of what is no number.
    none: u32,
}

const FLOAT: Format = Format { fraction: 23, whole: 150, none: 255 };
const DOUBLE: Format = Format { fraction: 52, whole: 1075, none: 2047 };

/// The whole numbers below and above. Numbers beyond 2^62 stay without value.
#[inline(always)]
fn real(operation: &mut Operation, fraction: u64, exponent: u32, format: Format, negative: bool) {
    let digits = if exponent == 0 { fraction } else { fraction | 1 << (format.fraction & 63) };
    let exponent = exponent.max(1);
    let (below, above) = if exponent >= format.whole {
        let shift = exponent.wrapping_sub(format.whole);
        if exponent == format.none || shift > 62u32.wrapping_sub(format.fraction).wrapping_sub(1) {
            return;
        }
        let value = digits << (shift & 63);
        (value, value)
    } else {
        let shift = format.whole.wrapping_sub(exponent).min(63);
        let whole = digits >> shift;
        (whole, whole.wrapping_add((whole << shift != digits) as u64))
    };
    let (below, above) = (below.cast_signed(), above.cast_signed());
    if negative {
        set(operation, above.wrapping_neg(), below.wrapping_neg());
    } else {
        set(operation, below, above);
    }
}
