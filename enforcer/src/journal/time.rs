//! Wall-clock time as the journal keeps it: nanoseconds since 1970 in UTC, as a signed 64-bit integer (good to 2262).

use std::time::{SystemTime, UNIX_EPOCH};

use crate::replay::time::Timestamp;

/// Nanoseconds of a second, a minute and an hour.
pub const SECOND: i64 = 1_000_000_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;

/// The time of day.
#[must_use]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// The hour that `nanoseconds` falls in, counted from 1970. Never below 1: hour 0 stands for merged hours.
#[must_use]
pub fn hour(nanoseconds: i64) -> i64 {
    nanoseconds.div_euclid(HOUR).max(1)
}

/// RFC 3339 with nanoseconds: `2026-11-23T06:00:00.123456789Z`.
#[must_use]
pub fn text(nanoseconds: i64) -> String {
    let part = u64::try_from(nanoseconds.rem_euclid(SECOND)).unwrap_or_default();
    let micros = Timestamp::new(nanoseconds.div_euclid(SECOND), part).to_string();
    format!("{}{:03}Z", micros.trim_end_matches('Z'), part % 1000)
}

/// Nanoseconds of an RFC 3339 text in UTC (`Z`) with up to nine decimals; `None` for anything else.
#[must_use]
pub fn parse(text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z')?;
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let (date, clock) = whole.split_once('T')?;
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(clock, ':')?;
    let valid = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    if !valid || part.is_empty() || part.len() > 9 {
        return None;
    }
    let part = format!("{part:0<9}").parse::<u32>().ok()?;
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    seconds.checked_mul(SECOND)?.checked_add(i64::from(part))
}

fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let mut parts = text.split(separator).map(|part| part.parse::<u16>().ok().map(i64::from));
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

/// Days from 1970 to a date. Counts in years that begin in March, so that the leap day comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_era = year.rem_euclid(400);
    let day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + (153 * month + 2) / 5 + day - 1;
    year.div_euclid(400) * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::{parse, text};

    #[test]
    fn what_is_written_is_read_back() {
        for moment in [0, 951_782_400_000_000_001, 1_795_413_600_123_456_789, 4_102_444_799_999_999_999] {
            assert_eq!(parse(&text(moment)), Some(moment), "{}", text(moment));
        }
        assert_eq!(text(1_795_413_600_123_456_789), "2026-11-23T06:00:00.123456789Z");
        assert_eq!(parse("2026-11-23T06:00:00.5Z"), Some(1_795_413_600_500_000_000));
        assert_eq!(parse("2026-11-23T06:00:00Z"), Some(1_795_413_600_000_000_000));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for wrong in
            ["", "Z", "2026-11-23", "2026-13-01T00:00:00Z", "2026-11-23T06:00:00", "2026-11-23T06:00:00.Z", "x"]
        {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
