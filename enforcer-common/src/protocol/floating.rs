//! Floating-point numbers (IEEE 754) as the whole numbers around them: what rules with values compare.

use super::framing;
use crate::operation::Operation;

/// Single precision as double precision, IEEE 754. Numbers below the smallest normal one become 0 or the smallest normal
/// one: what is asked is which whole numbers they lie between.
#[inline(always)]
pub(crate) const fn widen(bits: u32) -> u64 {
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
pub(crate) fn bounds(bits: u64, operation: &mut Operation) {
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
        framing::values(operation, high.wrapping_neg(), low.wrapping_neg());
    } else {
        framing::values(operation, low, high);
    }
}

#[cfg(test)]
mod tests {
    use super::{bounds, widen};
    use crate::operation::Operation;

    fn around(bits: u64) -> Option<(i64, i64)> {
        let mut operation = Operation::EMPTY;
        bounds(bits, &mut operation);
        operation.has(Operation::HAS_VALUE).then_some((operation.value_min, operation.value_max))
    }

    #[test]
    fn floating_point_lies_between_whole_numbers() {
        for value in [0.0, -0.0, 1.0, -1.0, 0.5, -0.25, 3.75, -3.75, 123_456_789.0, -4.0e18, 65536.5, 1.0e15 + 0.5] {
            #[allow(clippy::cast_possible_truncation)]
            let expected = Some((f64::floor(value) as i64, f64::ceil(value) as i64));
            assert_eq!(around(value.to_bits()), expected, "{value}");
            #[allow(clippy::cast_possible_truncation)]
            let single = value as f32;
            #[allow(clippy::cast_possible_truncation)]
            let expected = Some((single.floor() as i64, single.ceil() as i64));
            assert_eq!(around(widen(single.to_bits())), expected, "{single}");
        }
        assert_eq!(around(f64::INFINITY.to_bits()), Some((i64::MAX, i64::MAX)));
        assert_eq!(around(f64::NEG_INFINITY.to_bits()), Some((-i64::MAX, -i64::MAX)));
        assert_eq!(around(1.0e30f64.to_bits()), Some((i64::MAX, i64::MAX)));
        assert_eq!(around(f64::NAN.to_bits()), None);
        assert_eq!(around(widen(f32::NAN.to_bits())), None);
        assert_eq!(around(widen(1)), Some((0, 1)));
    }
}
