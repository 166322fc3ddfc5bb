//! A capture's clock: a moment in UTC, read from a record, written as RFC 3339.
//!
//! Enters: seconds and nanoseconds, or a pcapng tick count with its resolution. Leaves: text with microseconds, or the
//! nanoseconds that the core's clock counts. Nothing here can fail: a record with an absurd time still has its bytes.

use std::fmt;

const NANOS_PER_SECOND: i128 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// A moment in UTC, to the nanosecond, from year 0 to 9999 (clamped beyond).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    nanos: i128,
}

impl Timestamp {
    /// From seconds since 1970 and a part of a second. A part of more than a second is carried, as Wireshark does.
    pub fn new(seconds: i64, nanos: u64) -> Self {
        Self { nanos: i128::from(seconds) * NANOS_PER_SECOND + i128::from(nanos) }
    }

    /// From a pcapng tick count: `resolution` is the option if_tsresol (top bit: power of two, else of ten), `offset`
    /// the option if_tsoffset in seconds.
    pub fn from_ticks(ticks: u64, resolution: u8, offset: i64) -> Self {
        let exponent = u32::from(resolution & 0x7F);
        let ticks = i128::from(ticks);
        let nanos = if resolution & 0x80 != 0 {
            // 64 bits of ticks times 10^9 fit in i128; a finer tick than 2^-127 can't be written in the option.
            ticks.saturating_mul(NANOS_PER_SECOND) >> exponent
        } else if exponent <= 9 {
            ticks.saturating_mul(10_i128.pow(9 - exponent))
        } else {
            10_i128.checked_pow(exponent - 9).map_or(0, |unit| ticks / unit)
        };
        Self { nanos: nanos.saturating_add(i128::from(offset) * NANOS_PER_SECOND) }
    }

    /// Nanoseconds since 1970 for a clock that only runs forward; before 1970 it is 0.
    pub fn as_nanos(self) -> u64 {
        u64::try_from(self.nanos.max(0)).unwrap_or(u64::MAX)
    }
}

impl fmt::Display for Timestamp {
    /// `2026-11-23T06:00:00.123456Z`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Years 0000 to 9999: outside of it RFC 3339 has no notation.
        let seconds = i64::try_from(self.nanos.div_euclid(NANOS_PER_SECOND)).unwrap_or(i64::MAX);
        let seconds = seconds.clamp(-62_167_219_200, 253_402_300_799);
        let micros = self.nanos.rem_euclid(NANOS_PER_SECOND) / 1_000;
        let (year, month, day) = civil(seconds.div_euclid(SECONDS_PER_DAY));
        let of_day = seconds.rem_euclid(SECONDS_PER_DAY);
        let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
    }
}

/// Year, month, day of a day counted from 1970-01-01, in the proleptic Gregorian calendar. The year is taken to begin
/// in March, so that the leap day is its last day and needs no case of its own.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_rfc3339() {
        assert_eq!(Timestamp::new(0, 0).to_string(), "1970-01-01T00:00:00.000000Z");
        assert_eq!(Timestamp::new(1_709_164_800, 123_456_789).to_string(), "2024-02-29T00:00:00.123456Z");
        assert_eq!(Timestamp::new(1_795_413_600, 1_500_000_000).to_string(), "2026-11-23T06:00:01.500000Z");
        assert_eq!(Timestamp::new(-1, 999_999_000).to_string(), "1969-12-31T23:59:59.999999Z");
    }

    #[test]
    fn reads_every_resolution() {
        let at = |ticks, resolution, offset| Timestamp::from_ticks(ticks, resolution, offset).to_string();
        assert_eq!(at(1_500_000, 6, 0), "1970-01-01T00:00:01.500000Z");
        assert_eq!(at(1_500_000_000, 9, 0), "1970-01-01T00:00:01.500000Z");
        assert_eq!(at(15, 1, 0), "1970-01-01T00:00:01.500000Z");
        assert_eq!(at(1_500_000_000_000, 12, 0), "1970-01-01T00:00:01.500000Z");
        assert_eq!(at(3 << 19, 0x80 | 20, 0), "1970-01-01T00:00:01.500000Z");
        assert_eq!(at(1_500_000, 6, 86_400), "1970-01-02T00:00:01.500000Z");
        assert_eq!(at(u64::MAX, 127, 0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(at(u64::MAX, 0, i64::MAX), "9999-12-31T23:59:59.000000Z");
        assert_eq!(at(0, 6, i64::MIN), "0000-01-01T00:00:00.000000Z");
    }
}
