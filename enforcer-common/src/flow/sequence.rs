//! Arithmetic of sequence numbers: RFC 9293 3.4.

/// 1 where `a` lies before `b` in sequence space, else 0: a bit among others, instead of a branch.
#[must_use]
#[inline(always)]
pub const fn before(a: u32, b: u32) -> u32 {
    a.wrapping_sub(b) >> 31
}

/// How far `a` lies behind `b` in sequence space; negative when before: RFC 9293 3.4.
#[must_use]
#[inline(always)]
pub const fn distance(a: u32, b: u32) -> i32 {
    a.wrapping_sub(b).cast_signed()
}
