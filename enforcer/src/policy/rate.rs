//! Rates as people write them: `5/s`, `30/min`, `100/h`.

use super::valid::Rate;

/// Reads a rate. The error is a sentence of its own.
pub(super) fn parse(text: &str) -> Result<Rate, String> {
    let unreadable =
        || format!("\"{text}\" is not a rate; write a number and s, min or h, such as \"5/s\" or \"30/min\"");
    let (count, unit) = text.trim().split_once('/').ok_or_else(unreadable)?;
    let period = match unit.trim() {
        "s" => 1_000_000_000,
        "m" | "min" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return Err(unreadable()),
    };
    let count = count.trim();
    if count.is_empty() || !count.chars().all(|c| c.is_ascii_digit()) {
        return Err(unreadable());
    }
    match count.parse() {
        Ok(count @ 1..=1_000_000) => Ok(Rate { count, period }),
        _ => Err(format!("\"{text}\" is out of range; possible are 1 to 1000000 in a period")),
    }
}

impl Rate {
    /// As rules write it.
    pub fn text(self) -> String {
        let unit = match self.period {
            1_000_000_000 => "s",
            60_000_000_000 => "min",
            _ => "h",
        };
        format!("{}/{unit}", self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::{Rate, parse};

    #[test]
    fn rates_read() {
        assert_eq!(parse("5/s"), Ok(Rate { count: 5, period: 1_000_000_000 }));
        assert_eq!(parse("30/min"), Ok(Rate { count: 30, period: 60_000_000_000 }));
        assert_eq!(parse("1/h"), Ok(Rate { count: 1, period: 3_600_000_000_000 }));
    }

    #[test]
    fn what_is_no_rate_says_why() {
        for text in ["5", "5/", "/s", "5/d", "-5/s", "5.5/s", "s/5", ""] {
            assert!(parse(text).unwrap_err().contains("is not a rate"), "{text}");
        }
        for text in ["0/s", "1000001/s", "99999999999/s"] {
            assert!(parse(text).unwrap_err().contains("is out of range"), "{text}");
        }
    }
}
