//! The seam between the core and whatever holds the frame: packet memory, a capture, a fuzzer's input.
//!
//! Enters: an offset in bytes from the start of the frame (or of an assembled payload). Leaves: `N` bytes by value, or
//! `None` when any of them lies outside. Nothing here hands out a slice: the kernel's verifier rejects slices over packet
//! memory, and a value can't be indexed wrongly later.

/// Highest offset that can be read. The kernel's verifier wants a constant bound on every packet offset; the host obeys
/// the same one, so both see the same bytes.
pub const MAX_OFFSET: u32 = 0x3fff;

/// A source of bytes with checked reads. Multi-byte reads are big-endian unless the name says otherwise.
pub trait Bytes {
    /// True where all offsets up to the payload are known beforehand, see [`crate::head::Head`].
    const PLAIN: bool = false;

    /// Bytes that can be read, counted from offset 0.
    fn length(&self) -> u32;

    /// The `N` bytes at `offset`, or `None` when they are not all there.
    fn read<const N: usize>(&self, offset: u32) -> Option<[u8; N]>;

    /// The same where the caller has seen that they are all there.
    #[must_use]
    #[inline(always)]
    fn again<const N: usize>(&self, offset: u32) -> Option<[u8; N]> {
        self.read::<N>(offset)
    }

    /// The `N` bytes at an offset that is known when the program is compiled, or `None` when they are not all there.
    #[inline(always)]
    fn fixed<const N: usize, const AT: u32>(&self) -> Option<[u8; N]> {
        self.read::<N>(AT)
    }

    /// One byte.
    #[inline(always)]
    fn u8(&self, offset: u32) -> Option<u8> {
        let [byte] = self.read::<1>(offset)?;
        Some(byte)
    }

    /// A big-endian 16-bit word.
    #[inline(always)]
    fn u16(&self, offset: u32) -> Option<u16> {
        Some(u16::from_be_bytes(self.read::<2>(offset)?))
    }

    /// A big-endian 32-bit word.
    #[inline(always)]
    fn u32(&self, offset: u32) -> Option<u32> {
        Some(u32::from_be_bytes(self.read::<4>(offset)?))
    }

    /// Each sum and its number, modulo 2^64. What was added before is added first: a compiler that adds up in an order of its
    /// own keeps more numbers at once than the kernel's programs have registers.
    #[must_use]
    #[inline(always)]
    fn add_up([a, b, c]: [u64; 3], [x, y, z]: [u64; 3]) -> [u64; 3] {
        [a.wrapping_add(x), b.wrapping_add(y), c.wrapping_add(z)]
    }
}

/// `N` of the bytes that were read, from `at` on, which the caller keeps inside. Taken whole: bytes taken out one by one
/// are also stored one by one, and a later load of all of them waits for the last store.
#[inline(always)]
pub(crate) fn part<const N: usize, const M: usize>(bytes: &[u8; M], at: usize) -> [u8; N] {
    match bytes.get(at..).and_then(|rest| rest.first_chunk::<N>()) {
        Some(part) => *part,
        None => [0; N],
    }
}

impl Bytes for [u8] {
    fn length(&self) -> u32 {
        u32::try_from(self.len()).unwrap_or(u32::MAX)
    }

    fn read<const N: usize>(&self, offset: u32) -> Option<[u8; N]> {
        if offset > MAX_OFFSET {
            return None;
        }
        let start = usize::try_from(offset).ok()?;
        let end = start.checked_add(N)?;
        self.get(start..end)?.try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Bytes;

    #[test]
    fn reads_stop_at_the_end() {
        let bytes: &[u8] = &[1, 2, 3];
        assert_eq!(bytes.u16(1), Some(0x0203));
        assert_eq!(bytes.u16(2), None);
        assert_eq!(bytes.read::<3>(0), Some([1, 2, 3]));
        assert_eq!(bytes.u8(u32::MAX), None);
    }
}
