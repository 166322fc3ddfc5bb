//! Times sorted into buckets that double: the first one ends at a power of two nanoseconds, the last one has no end.

/// How many there are.
pub const BUCKETS: usize = 16;

/// The bucket of a time in nanoseconds, where the first one ends at two to the power of `FIRST`.
#[must_use]
#[inline(always)]
pub const fn bucket<const FIRST: u32>(nanoseconds: u64) -> usize {
    // In powers of two, without a branch: the kernel has no instruction for leading zeros, and its verifier follows loops.
    let mut rest = nanoseconds >> FIRST;
    let long = (rest >> const { BUCKETS - 1 } != 0) as u64;
    rest = (rest | long.wrapping_neg()) & 0x7fff;
    let mut bucket = 0;
    let mut half = 8;
    while half != 0 {
        let step = ((rest >> half != 0) as u64).wrapping_neg() & half;
        bucket |= step;
        rest >>= step;
        half >>= 1;
    }
    let [bucket, ..] = bucket.wrapping_add(rest).to_le_bytes();
    bucket as usize
}

/// Where a bucket begins, nanoseconds; where the last one ends for the number of buckets.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "buckets are few")]
pub const fn start<const FIRST: u32>(bucket: usize) -> u64 {
    if bucket == 0 { 0 } else { 1_u64.unbounded_shl(FIRST.wrapping_add(bucket as u32).wrapping_sub(1)) }
}

#[cfg(test)]
mod tests {
    use super::{BUCKETS, bucket, start};

    #[test]
    fn buckets_double_and_the_last_one_takes_the_rest() {
        fn check<const FIRST: u32>() {
            for index in 0..BUCKETS - 1 {
                assert_eq!(bucket::<FIRST>(start::<FIRST>(index)), index);
                assert_eq!(bucket::<FIRST>(start::<FIRST>(index + 1) - 1), index);
            }
            assert_eq!(bucket::<FIRST>(u64::MAX), BUCKETS - 1);
            assert_eq!(start::<FIRST>(1), 1 << FIRST);
        }
        check::<6>();
        check::<16>();
    }
}
