//! What each type identification holds: size of its information elements, causes it may be sent to a device with, and where
//! its value stands.
//!
//! Sizes are sums over the information elements of IEC 60870-5-101 7.3, with time tags CP24Time2a of three octets and
//! CP56Time2a of seven; causes are those that 7.3 lists for the control direction.

use core::hint::black_box;

/// How the elements of an object are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Form {
    /// Not in the standard: nothing is known of its size.
    Unknown = 0,
    /// Elements without a value that a rule could bound.
    Plain = 1,
    /// Single command SCO, 7.2.6.15: off or on, and S/E.
    Single = 2,
    /// Double command DCO and regulating step command RCO, 7.2.6.16 and 7.2.6.17: 1 or 2, and S/E.
    Double = 3,
    /// Normalized or scaled value, then a qualifier with S/E, 7.2.6.6, 7.2.6.7 and 7.2.6.39.
    Word = 4,
    /// Short floating point number, then a qualifier with S/E, 7.2.6.8.
    Float = 5,
    /// Binary state information of 32 bits, 7.2.6.13.
    Bits = 6,
    /// One octet of qualifier.
    Qualifier = 7,
    /// Normalized or scaled value, then a qualifier of parameters, 7.2.6.24.
    ParameterWord = 8,
    /// Short floating point number, then a qualifier of parameters.
    ParameterFloat = 9,
    /// Qualifier of counter interrogation, 7.2.6.23.
    Counter = 10,
    /// File command, 7.2.6.30.
    File = 11,
    /// Segment of a file: its size is in it, 7.2.6.36.
    Segment = 12,
    /// Secure authentication, IEC 60870-5-7: no object address, size in itself, possibly in pieces.
    Authentication = 13,
    /// Secure authentication around another ASDU.
    Wrapped = 14,
}

/// One type identification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Element {
    /// A bit for each cause of transmission that it may be sent to a device with; none where it comes from devices alone.
    pub causes: u32,
    /// Octets behind the object address.
    pub size: u8,
    /// [`Form`] code.
    pub form: u8,
    /// Non-zero: may be sent to all stations at once, 7.2.4.
    pub global: u8,
    /// Always 0.
    pub padding: u8,
}

/// Causes of transmission, IEC 60870-5-101 7.2.3.
mod cause {
    pub(super) const SPONTANEOUS: u32 = 1 << 3;
    pub(super) const REQUEST: u32 = 1 << 5;
    pub(super) const ACTIVATION: u32 = 1 << 6;
    pub(super) const DEACTIVATION: u32 = 1 << 8;
    pub(super) const FILE_TRANSFER: u32 = 1 << 13;
    /// Authentication, maintenance of session keys and of user roles and update keys.
    pub(super) const SECURITY: u32 = 1 << 14 | 1 << 15 | 1 << 16;
}

const ACT: u32 = cause::ACTIVATION;
const ACT_DEACT: u32 = cause::ACTIVATION | cause::DEACTIVATION;

impl Element {
    const UNKNOWN: Self = Self::new(0, Form::Unknown, 0);

    const fn new(size: u8, form: Form, causes: u32) -> Self {
        Self { causes, size, form: form as u8, global: 0, padding: 0 }
    }

    const fn to_all(self) -> Self {
        Self { global: 1, ..self }
    }
}

const fn monitor(size: u8) -> Element {
    Element::new(size, Form::Plain, 0)
}

const fn element(code: u8) -> Element {
    match code {
        1 | 3 | 70 => monitor(1),
        2 | 4 => monitor(4),
        5 | 21 => monitor(2),
        6 | 15 | 7 | 13 | 20 => monitor(5),
        8 | 14 | 16 | 30 | 31 => monitor(8),
        9 | 11 => monitor(3),
        10 | 12 | 17 => monitor(6),
        18 | 19 => monitor(7),
        32 => monitor(9),
        33 | 36 | 37 => monitor(12),
        34 | 35 | 38 => monitor(10),
        39 | 40 => monitor(11),
        41 => monitor(14),
        45 => Element::new(1, Form::Single, ACT_DEACT),
        46 | 47 => Element::new(1, Form::Double, ACT_DEACT),
        48 | 49 => Element::new(3, Form::Word, ACT_DEACT),
        50 => Element::new(5, Form::Float, ACT_DEACT),
        51 => Element::new(4, Form::Bits, ACT_DEACT),
        58 => Element::new(8, Form::Single, ACT_DEACT),
        59 | 60 => Element::new(8, Form::Double, ACT_DEACT),
        61 | 62 => Element::new(10, Form::Word, ACT_DEACT),
        63 => Element::new(12, Form::Float, ACT_DEACT),
        64 => Element::new(11, Form::Bits, ACT_DEACT),
        83 => Element::new(0, Form::Wrapped, cause::SECURITY),
        81 | 82 | 84..=87 | 90..=95 => Element::new(0, Form::Authentication, cause::SECURITY).to_all(),
        100 => Element::new(1, Form::Qualifier, ACT_DEACT).to_all(),
        101 => Element::new(1, Form::Counter, ACT_DEACT).to_all(),
        102 => Element::new(0, Form::Plain, cause::REQUEST),
        103 => Element::new(7, Form::Plain, ACT).to_all(),
        104 => Element::new(2, Form::Plain, ACT).to_all(),
        105 => Element::new(1, Form::Qualifier, ACT).to_all(),
        106 => Element::new(2, Form::Plain, ACT | cause::SPONTANEOUS).to_all(),
        107 => Element::new(9, Form::Plain, ACT).to_all(),
        110 | 111 => Element::new(3, Form::ParameterWord, ACT),
        112 => Element::new(5, Form::ParameterFloat, ACT),
        113 => Element::new(1, Form::Qualifier, ACT_DEACT),
        120 => Element::new(6, Form::Plain, cause::FILE_TRANSFER),
        121 => Element::new(7, Form::Plain, cause::FILE_TRANSFER),
        122 => Element::new(4, Form::File, cause::FILE_TRANSFER | cause::REQUEST),
        123 => Element::new(5, Form::Plain, cause::FILE_TRANSFER),
        124 => Element::new(4, Form::Plain, cause::FILE_TRANSFER),
        125 => Element::new(4, Form::Segment, cause::FILE_TRANSFER),
        126 => monitor(13),
        127 => Element::new(16, Form::Plain, cause::FILE_TRANSFER | cause::REQUEST),
        _ => Element::UNKNOWN,
    }
}

static ELEMENTS: [Element; 128] = {
    let mut elements = [Element::UNKNOWN; 128];
    let mut code = 0u8;
    while code < 128 {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
        {
            elements[code as usize] = element(code);
        }
        code = code.wrapping_add(1);
    }
    elements
};

/// The row of a type identification.
#[must_use]
#[inline(always)]
pub fn of(code: u8) -> &'static Element {
    // The mask must stay where the verifier sees it; types above are private ones, of which nothing is known, like type 0.
    let place = if code < 128 { code } else { 0 };
    match ELEMENTS.get(black_box(place) as usize & 127) {
        Some(element) => element,
        None => &Element::UNKNOWN,
    }
}

/// A short floating point number (IEEE 754, 7.2.6.8) as the whole numbers at or below and at or above it, so that a range
/// of whole numbers covers it only when it lies inside. False for what is no number, and for infinities.
#[inline(always)]
pub fn whole(bits: u32, low: &mut i64, high: &mut i64) -> bool {
    let exponent = bits >> 23 & 0xff;
    if exponent == 0xff {
        return false;
    }
    let hidden = if exponent == 0 { 0 } else { 1 << 23 };
    let fraction = (bits & 0x007f_ffff | hidden) as u64;
    // 2 to the power of (exponent - 127) times a fraction with 23 binary places.
    let (below, above) = if exponent >= 150 {
        let shift = exponent.wrapping_sub(150);
        let all = if shift > 39 { i64::MAX.cast_unsigned() } else { fraction << (shift & 63) };
        (all, all)
    } else {
        let shift = 150u32.wrapping_sub(exponent).min(24);
        let all = fraction >> (shift & 63);
        let cut = (fraction & (1u64 << (shift & 63)).wrapping_sub(1) != 0) as u64;
        (all, all.wrapping_add(cut))
    };
    let (below, above) = (below.cast_signed(), above.cast_signed());
    if bits >> 31 == 0 {
        (*low, *high) = (below, above);
    } else {
        (*low, *high) = (above.wrapping_neg(), below.wrapping_neg());
    }
    true
}

#[cfg(test)]
mod tests {
    use super::{Form, of, whole};
    use crate::protocol::iec104::functions::FUNCTIONS;

    #[test]
    fn every_type_with_a_name_has_its_elements_and_no_other() {
        for code in 0..=255u8 {
            let named = FUNCTIONS.iter().any(|row| row.code == u32::from(code));
            assert_eq!(of(code).form != Form::Unknown as u8, named, "{code}");
        }
    }

    #[test]
    fn floats_lie_between_whole_numbers() {
        let bounds = |number: f32| {
            let (mut low, mut high) = (0, 0);
            whole(number.to_bits(), &mut low, &mut high).then_some((low, high))
        };
        let floats =
            [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 100.9, -100.9, 1e-40, -1e-40, 8_388_607.5, 16_777_216.0, 1e18, 9.2e18];
        for number in floats {
            #[expect(clippy::cast_possible_truncation, reason = "whole numbers that fit")]
            let expected = (f64::from(number).floor() as i64, f64::from(number).ceil() as i64);
            assert_eq!(bounds(number), Some(expected), "{number}");
        }
        assert_eq!(bounds(f32::MAX), Some((i64::MAX, i64::MAX)));
        assert_eq!(bounds(f32::MIN), Some((-i64::MAX, -i64::MAX)));
        for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(bounds(number), None);
        }
    }
}
