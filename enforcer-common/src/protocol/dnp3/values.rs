//! The value that an object writes. IEEE 1815 A.7, A.22, A.25, A.27.

use core::hint::black_box;

use super::user::Frame;
use crate::bytes::Bytes;
use crate::operation::Operation;

/// Where a value lies in its object and how it is written.
#[derive(Clone, Copy)]
struct Kind {
    /// Group and variation, as operations hold them.
    space: u32,
    /// Bytes in front of it.
    skipped: u32,
    /// Which of its bits count; 0 for floating point.
    mask: u32,
    /// Which of them is the sign; for floating point whether it has double precision.
    sign: u32,
}

const fn whole(space: u32, skipped: u32, mask: u32, sign: u32) -> Kind {
    Kind { space, skipped, mask, sign }
}

const fn float_of(space: u32, double: bool) -> Kind {
    Kind { space, skipped: 0, mask: 0, sign: double as u32 }
}

/// Every kind, the first of none. Of a binary output its one bit counts, of a relay its control code; the mode in which a
/// file is opened lies 20 bytes into the command.
static KINDS: [Kind; 16] = {
    let none = whole(0, 0, 0, 0);
    [
        none,
        whole(0x0a01, 0, 1, 0),
        whole(0x5001, 0, 1, 0),
        whole(0x0c01, 0, 0xff, 0),
        whole(0x2201, 0, 0xffff, 0),
        whole(0x2202, 0, u32::MAX, 0),
        whole(0x4603, 20, 0xffff, 0),
        whole(0x2902, 0, 0xffff, 0x8000),
        whole(0x2901, 0, u32::MAX, 0x8000_0000),
        float_of(0x2203, false),
        float_of(0x2903, false),
        float_of(0x2904, true),
        none,
        none,
        none,
        none,
    ]
};

/// Index into [`KINDS`] by group, and by variation below eight.
static INDEX: [[u8; 8]; 128] = {
    let mut table = [[0; 8]; 128];
    let mut index = 1usize;
    while index < 12 {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
        {
            let space = KINDS[index].space;
            #[expect(clippy::cast_possible_truncation, reason = "below 12")]
            {
                table[(space >> 8) as usize][(space & 0xff) as usize] = index as u8;
            }
        }
        index = index.wrapping_add(1);
    }
    table
};

/// Writes down the value of an object of kind `space` whose data begin at `at`, where it has one. What the kind is, is
/// loaded: the paths of a choice would multiply those behind it.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, frame: &Frame, space: u32, at: u32, operation: &mut Operation) {
    let (group, variation) = (black_box(space >> 8) as usize & 127, black_box(space) as usize & 7);
    let index = match INDEX.get(group).and_then(|row| row.get(variation)) {
        Some(index) => *index as u32,
        None => 0,
    };
    let Some(kind) = KINDS.get(black_box(index) as usize & 15) else {
        return;
    };
    let Kind { skipped, mask, sign, .. } = *kind;
    if kind.space != space {
        return;
    }
    let Some(low) = frame.four(bytes, at.wrapping_add(skipped)) else {
        return;
    };
    if mask == 0 {
        let Some(high) = frame.four(bytes, at.wrapping_add(4)) else {
            return;
        };
        return float(if sign != 0 { (high as u64) << 32 | low as u64 } else { widen(low) }, operation);
    }
    let unsigned = (low & mask) as i64;
    // The sign bit counts its own weight twice.
    let value = unsigned.wrapping_sub((unsigned & sign as i64) << 1);
    set(operation, value, value);
}

#[inline(always)]
fn set(operation: &mut Operation, min: i64, max: i64) {
    operation.value_min = min;
    operation.value_max = max;
    operation.flags |= Operation::HAS_VALUE;
}

/// Single precision as double precision, IEEE 754. Numbers below the smallest normal one become 0 or the smallest normal
/// one: what is asked is which whole numbers they lie between.
#[inline(always)]
const fn widen(bits: u32) -> u64 {
    let sign = (bits as u64 >> 31) << 63;
    let fraction = (bits as u64 & 0x007f_ffff) << 29;
    let exponent = bits as u64 >> 23 & 0xff;
    let wide = match exponent {
        0 if fraction == 0 => 0,
        0 => 1,
        0xff => 0x7ff,
        _ => exponent.wrapping_add(896),
    };
    sign | wide << 52 | fraction
}

/// The whole numbers below and above a floating-point number; none for what is no number.
#[inline(always)]
fn float(bits: u64, operation: &mut Operation) {
    let exponent = bits >> 52 & 0x7ff;
    let fraction = bits & 0x000f_ffff_ffff_ffff;
    if exponent == 0x7ff && fraction != 0 {
        return;
    }
    let (low, high) = if exponent > 1023 + 62 {
        (i64::MAX, i64::MAX)
    } else if exponent < 1023 {
        (0, (exponent | fraction != 0) as i64)
    } else {
        let significand = (fraction | 1 << 52).cast_signed();
        let shift = exponent.wrapping_sub(1023);
        if shift >= 52 {
            let whole = significand << (shift.wrapping_sub(52) & 63);
            (whole, whole)
        } else {
            let cut = 52u64.wrapping_sub(shift) & 63;
            let whole = significand >> cut;
            (whole, whole.wrapping_add((whole << cut != significand) as i64))
        }
    };
    if bits >> 63 != 0 {
        set(operation, high.wrapping_neg(), low.wrapping_neg());
    } else {
        set(operation, low, high);
    }
}

#[cfg(test)]
mod tests {
    use super::{float, widen};
    use crate::operation::Operation;

    fn bounds(bits: u64) -> Option<(i64, i64)> {
        let mut operation = Operation::EMPTY;
        float(bits, &mut operation);
        operation.has(Operation::HAS_VALUE).then_some((operation.value_min, operation.value_max))
    }

    #[test]
    fn floating_point_lies_between_whole_numbers() {
        for value in [0.0, -0.0, 1.0, -1.0, 0.5, -0.25, 3.75, -3.75, 123_456_789.0, -4.0e18, 65536.5, 1.0e15 + 0.5] {
            #[allow(clippy::cast_possible_truncation)]
            let expected = Some((f64::floor(value) as i64, f64::ceil(value) as i64));
            assert_eq!(bounds(value.to_bits()), expected, "{value}");
            #[allow(clippy::cast_possible_truncation)]
            let single = value as f32;
            #[allow(clippy::cast_possible_truncation)]
            let expected = Some((single.floor() as i64, single.ceil() as i64));
            assert_eq!(bounds(widen(single.to_bits())), expected, "{single}");
        }
        assert_eq!(bounds(f64::INFINITY.to_bits()), Some((i64::MAX, i64::MAX)));
        assert_eq!(bounds(f64::NEG_INFINITY.to_bits()), Some((-i64::MAX, -i64::MAX)));
        assert_eq!(bounds(1.0e30f64.to_bits()), Some((i64::MAX, i64::MAX)));
        assert_eq!(bounds(f64::NAN.to_bits()), None);
        assert_eq!(bounds(widen(f32::NAN.to_bits())), None);
        assert_eq!(bounds(widen(1)), Some((0, 1)));
    }
}
