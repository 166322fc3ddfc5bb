//! Boot time, in which the kernel notes what it sees, as the time of day.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Leads from nanoseconds since boot to the time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Nanoseconds from 1970 to the boot.
    boot: u64,
}

impl Clock {
    /// `now` is the time of day at which `boot_nanoseconds` was read from the boot clock.
    pub fn new(now: SystemTime, boot_nanoseconds: u64) -> Self {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let nanoseconds = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        Self { boot: nanoseconds.saturating_sub(boot_nanoseconds) }
    }

    /// The time of day at `boot_nanoseconds`.
    pub fn at(self, boot_nanoseconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_nanos(self.boot.saturating_add(boot_nanoseconds))
    }

    /// The same as text in UTC, to the second: `2026-11-23T06:00:00Z`.
    pub fn text(self, boot_nanoseconds: u64) -> String {
        let seconds = self.boot.saturating_add(boot_nanoseconds) / 1_000_000_000;
        let (days, second) = (seconds / 86_400, seconds % 86_400);
        let (year, month, day) = date(days);
        format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
    }
}

/// Days since 1970 as a date. Counts in years that begin in March, so that the leap day comes last.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day_of_month)
}

#[cfg(test)]
mod tests {
    use super::Clock;

    #[test]
    fn boot_time_is_told_as_the_time_of_day() {
        let at = |seconds: u64| Clock { boot: 0 }.text(seconds * 1_000_000_000);
        assert_eq!(at(0), "1970-01-01T00:00:00Z");
        assert_eq!(at(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(at(1_795_413_599), "2026-11-23T05:59:59Z");
    }
}
