//! Rates of rules: so many operations per time, by the generic cell rate algorithm (ITU-T I.371 A.1): one number of state,
//! no timer.

/// Takes one operation out of the budget. `state` is the theoretical arrival time of the next operation, `now` the boot
/// time, both in nanoseconds; `interval` lies between two operations at the rate, `burst` of them may come at once.
/// The compiler of policies keeps `interval * burst` far below 2^64. False, and nothing taken, when the budget is used up.
#[inline(always)]
pub fn admit(state: &mut u64, now: u64, interval: u64, burst: u32) -> bool {
    let due = (*state).max(now);
    let tolerance = interval.wrapping_mul(burst.saturating_sub(1) as u64);
    if due.wrapping_sub(now) > tolerance {
        return false;
    }
    *state = due.saturating_add(interval);
    true
}

#[cfg(test)]
mod tests {
    use super::admit;

    #[test]
    fn five_a_second_lets_five_through_and_then_one_every_fifth() {
        let (mut state, interval) = (0, 200_000_000);
        let passed = (0..10).filter(|_| admit(&mut state, 1_000, interval, 5)).count();
        assert_eq!(passed, 5);
        assert!(!admit(&mut state, 100_000_000, interval, 5));
        assert!(admit(&mut state, 200_001_000, interval, 5));
        assert!(!admit(&mut state, 200_002_000, interval, 5));
    }
}
