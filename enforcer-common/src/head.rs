//! The headers of a plain frame: Ethernet without tags, IPv4 without options, and what follows. Nearly every frame of a
//! control network is one, and where everything stands in it is known before it is read: the stages that read headers read
//! this instead of the frame, and half of what they ask is answered when the program is compiled.

use crate::bytes::Bytes;
use crate::link::ethertype;
use crate::scratch::Frame;

/// Bytes of it: Ethernet, IPv4, TCP without options.
pub const LENGTH: u32 = 54;
/// Version 4, five words of header: RFC 791 3.1.
pub(crate) const NO_OPTIONS: u8 = 0x45;

/// Where the IP header begins, and what is behind it.
const NETWORK: u32 = 14;
pub(crate) const TRANSPORT: u32 = 34;

/// Offset of the IP header in bytes like `B`.
#[must_use]
#[inline(always)]
pub const fn network<B: Bytes + ?Sized>(frame: &Frame) -> u32 {
    if B::PLAIN { NETWORK } else { frame.network }
}

/// Offset of the transport's header in bytes like `B`.
#[must_use]
#[inline(always)]
pub const fn transport<B: Bytes + ?Sized>(frame: &Frame) -> u32 {
    if B::PLAIN { TRANSPORT } else { frame.transport }
}

/// The first bytes of a plain frame.
pub struct Head<'a, B: ?Sized>(&'a B);

impl<'a, B: Bytes + ?Sized> Head<'a, B> {
    /// Those of any frame that has so many: the caller sees to it that it is a plain one.
    #[must_use]
    #[inline(always)]
    pub(crate) fn in_front_of(bytes: &'a B) -> Option<Self> {
        let _ = bytes.read::<{ LENGTH as usize }>(0)?;
        Some(Self(bytes))
    }

    /// `None` for every other frame, and for a shorter one.
    #[must_use]
    #[inline(always)]
    pub fn of(bytes: &'a B) -> Option<Self> {
        let head = Self::in_front_of(bytes)?;
        let plain = head.u16(12)? == ethertype::IPV4 && head.u8(14)? == NO_OPTIONS;
        if plain { Some(head) } else { None }
    }
}

impl<B: Bytes + ?Sized> Bytes for Head<'_, B> {
    const PLAIN: bool = true;

    #[inline(always)]
    fn length(&self) -> u32 {
        LENGTH
    }

    #[inline(always)]
    fn read<const N: usize>(&self, offset: u32) -> Option<[u8; N]> {
        if (offset as usize).saturating_add(N) > LENGTH as usize { None } else { self.0.again::<N>(offset) }
    }
}
