//! Ranges of numbers as people write them: `7`, `0-199`, `0x10-0x1f`, `-5-10`.

/// Reads one number or one range, both ends included. Numbers are decimal or `0x`, with a sign where `low` is negative.
///
/// The error says what is wrong in words that follow the quoted text, such as `"9-3" ends before it begins`.
pub(super) fn parse(text: &str, low: i64, high: i64) -> Result<(i64, i64), String> {
    let trimmed = text.trim();
    // A minus in first place is a sign, any later one may be the dash.
    let dash = trimmed.char_indices().skip(1).find(|(_, c)| *c == '-').map(|(at, _)| at);
    let (first, last) = match dash {
        Some(at) => (&trimmed[..at], &trimmed[at + 1..]),
        None => (trimmed, trimmed),
    };
    let unreadable = || format!("\"{text}\" is not a range; write a number or two with a dash, such as \"0-199\"");
    let first = number(first).ok_or_else(unreadable)?;
    let last = number(last).ok_or_else(unreadable)?;
    if first > last {
        return Err(format!("\"{text}\" ends before it begins"));
    }
    if first < low || last > high {
        return Err(format!("\"{text}\" is out of range; possible are {low} to {high}"));
    }
    Ok((first, last))
}

/// A whole number, decimal or `0x`; `None` when it is none or does not fit.
pub(super) fn number(text: &str) -> Option<i64> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let value = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) if hex.chars().all(|c| c.is_ascii_hexdigit()) => i64::from_str_radix(hex, 16).ok()?,
        None if digits.chars().all(|c| c.is_ascii_digit()) => digits.parse().ok()?,
        _ => return None,
    };
    value.checked_mul(sign)
}

/// Sorts ranges and joins those that overlap or touch.
pub(super) fn merge<T: Copy + Ord>(mut ranges: Vec<(T, T)>, next: impl Fn(T) -> Option<T>) -> Vec<(T, T)> {
    ranges.sort_unstable();
    let mut merged: Vec<(T, T)> = Vec::new();
    for (first, last) in ranges {
        match merged.last_mut() {
            Some(before) if next(before.1).is_none_or(|after| first <= after) => before.1 = before.1.max(last),
            _ => merged.push((first, last)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::{merge, parse};

    #[test]
    fn numbers_and_ranges_read() {
        assert_eq!(parse("7", 0, 10), Ok((7, 7)));
        assert_eq!(parse("0-199", 0, 65535), Ok((0, 199)));
        assert_eq!(parse("0x10-0x1F", 0, 65535), Ok((16, 31)));
        assert_eq!(parse("-5-10", -100, 100), Ok((-5, 10)));
        assert_eq!(parse("-5--1", -100, 100), Ok((-5, -1)));
        assert_eq!(parse("-5", -100, 100), Ok((-5, -5)));
        assert_eq!(parse(" 3 - 4 ", 0, 9), Ok((3, 4)));
    }

    #[test]
    fn what_is_no_range_says_why() {
        assert_eq!(parse("9-3", 0, 10).unwrap_err(), "\"9-3\" ends before it begins");
        let shape = "is not a range; write a number or two with a dash, such as \"0-199\"";
        for text in ["a-b", "", "-", "1-", "0x", "1-2-3", "+1", "1_0", "99999999999999999999"] {
            assert_eq!(parse(text, 0, 10).unwrap_err(), format!("\"{text}\" {shape}"));
        }
        assert_eq!(parse("0-65536", 0, 65535).unwrap_err(), "\"0-65536\" is out of range; possible are 0 to 65535");
        assert_eq!(parse("-1", 0, 65535).unwrap_err(), "\"-1\" is out of range; possible are 0 to 65535");
    }

    #[test]
    fn touching_and_overlapping_ranges_become_one() {
        let next = |end: u32| end.checked_add(1);
        assert_eq!(merge(vec![(8, 9), (0, 3), (4, 5), (2, 4)], next), [(0, 5), (8, 9)]);
        assert_eq!(merge(vec![(0, u32::MAX), (5, 6)], next), [(0, u32::MAX)]);
        assert_eq!(merge(Vec::<(u32, u32)>::new(), next), []);
    }
}
