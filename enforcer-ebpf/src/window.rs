//! The only place that touches packet memory: checked reads for the decision core.

use core::hint::cold_path;

use aya_ebpf::programs::XdpContext;
use enforcer_common::bytes::{Bytes, MAX_OFFSET};

/// Hides from the compiler how `value` came about, so that a check on it stays the check that was written. The verifier
/// follows values through registers, not through the algebra that an optimiser replaces them with.
#[inline(always)]
pub(crate) fn opaque(mut value: usize) -> usize {
    // SAFETY: moves a register to itself.
    unsafe { core::arch::asm!("{0} = {0}", inout(reg) value, options(pure, nomem, nostack, preserves_flags)) };
    value
}

/// The linear part of the frame.
pub(crate) struct Window {
    start: usize,
    end: usize,
}

impl Window {
    /// The window of the frame at hand.
    #[inline(always)]
    pub(crate) fn new(context: &XdpContext) -> Self {
        Self { start: context.data(), end: context.data_end() }
    }
}

impl Bytes for Window {
    #[inline(always)]
    fn length(&self) -> u32 {
        (self.end - self.start) as u32
    }

    #[inline(always)]
    fn read<const N: usize>(&self, offset: u32) -> Option<[u8; N]> {
        if offset > MAX_OFFSET {
            cold_path();
            return None;
        }
        // The mask changes nothing here, and proves the bound in the register that is used.
        let address = self.start + (opaque(offset as usize) & MAX_OFFSET as usize);
        // Else the comparison becomes arithmetic on the end pointer, or `>=` for one byte: the verifier learns from neither.
        let stop = opaque(address + N);
        if stop > self.end {
            cold_path();
            return None;
        }
        // SAFETY: the bytes from `address` to `address + N` lie before the end of the packet; `[u8; N]` has no alignment.
        Some(unsafe { (address as *const [u8; N]).read() })
    }

    #[inline(always)]
    fn fixed<const N: usize, const AT: u32>(&self) -> Option<[u8; N]> {
        let stop = opaque(self.start + AT as usize + N);
        if stop > self.end {
            cold_path();
            return None;
        }
        self.again::<N>(AT)
    }

    #[inline(always)]
    fn again<const N: usize>(&self, offset: u32) -> Option<[u8; N]> {
        // SAFETY: the verifier refuses a program in which these bytes were not found to lie before the end of the packet.
        Some(unsafe { ((self.start + offset as usize) as *const [u8; N]).read() })
    }

    #[inline(always)]
    fn add_up([mut a, mut b, mut c]: [u64; 3], [x, y, z]: [u64; 3]) -> [u64; 3] {
        // SAFETY: adds registers.
        unsafe {
            core::arch::asm!(
                "{0} += {3}",
                "{1} += {4}",
                "{2} += {5}",
                inout(reg) a, inout(reg) b, inout(reg) c, in(reg) x, in(reg) y, in(reg) z,
                options(pure, nomem, nostack),
            );
        }
        [a, b, c]
    }
}

/// Bytes in a map value.
pub(crate) struct Assembled {
    start: *const u8,
    length: u32,
}

/// Offsets that can be read in [`Assembled`]: the mask is what proves them to the verifier.
pub(crate) const ASSEMBLED_MASK: usize = 0x7ff;

impl Assembled {
    /// `length` bytes from `start`, which points to a map value of at least [`ASSEMBLED_MASK`] + 17 bytes.
    #[inline(always)]
    pub(crate) const fn new(start: *const u8, length: u32) -> Self {
        Self { start, length }
    }
}

impl Bytes for Assembled {
    #[inline(always)]
    fn length(&self) -> u32 {
        self.length
    }

    #[inline(always)]
    fn read<const N: usize>(&self, offset: u32) -> Option<[u8; N]> {
        // Compared in registers of their own: what the verifier learns from it would keep the paths behind it apart. And the
        // answer is a number: the compiler may ask twice, and of a number the verifier knows that both answers are the same.
        let inside = opaque((opaque(offset as usize + N) <= opaque(self.length as usize)) as usize);
        if inside == 0 {
            return None;
        }
        let offset = opaque(offset as usize) & ASSEMBLED_MASK;
        // SAFETY: the map value is longer than the mask plus the longest read.
        Some(unsafe { self.start.add(offset).cast::<[u8; N]>().read() })
    }
}

/// The same bytes for a stage that reads only inside units which an earlier stage found whole: no bound to follow.
pub(crate) struct Whole(*const u8);

impl Whole {
    /// `start` points to a map value of at least [`ASSEMBLED_MASK`] + 17 bytes.
    #[inline(always)]
    pub(crate) const fn new(start: *const u8) -> Self {
        Self(start)
    }
}

impl Bytes for Whole {
    #[inline(always)]
    fn length(&self) -> u32 {
        ASSEMBLED_MASK as u32 + 1
    }

    #[inline(always)]
    fn read<const N: usize>(&self, offset: u32) -> Option<[u8; N]> {
        let offset = opaque(offset as usize) & ASSEMBLED_MASK;
        // SAFETY: the map value is longer than the mask plus the longest read.
        Some(unsafe { self.0.add(offset).cast::<[u8; N]>().read() })
    }
}
