//! Ethernet II and 802.3, up to two VLAN tags.
//!
//! Enters: the frame. Leaves: addresses, tags, innermost ethertype and the offset behind them in
//! [`Frame`]; or the reason why the frame cannot be located. IEEE 802.3 3.2, 802.1Q 9.3.

use crate::bytes::{Bytes, part};
use crate::scratch::Frame;
use crate::verdict::Reason;

/// Ethertypes that the stages themselves look at.
pub mod ethertype {
    /// IPv4.
    pub const IPV4: u16 = 0x0800;
    /// ARP.
    pub const ARP: u16 = 0x0806;
    /// IPv6.
    pub const IPV6: u16 = 0x86dd;
    /// 802.1Q customer tag.
    pub const VLAN: u16 = 0x8100;
    /// 802.1ad service tag.
    pub const SERVICE_VLAN: u16 = 0x88a8;
    /// Service tag of equipment older than 802.1ad.
    pub const OLD_SERVICE_VLAN: u16 = 0x9100;
    /// Values below are lengths: an 802.3 frame with an LLC header.
    pub const FIRST_TYPE: u16 = 0x0600;
}

/// LLC service access point that announces a SNAP header, which hides an ethertype from parsers of ethertypes.
const LLC_SNAP: u8 = 0xaa;

#[inline(always)]
const fn is_tag(ethertype: u16) -> bool {
    matches!(ethertype, ethertype::VLAN | ethertype::SERVICE_VLAN | ethertype::OLD_SERVICE_VLAN)
}

/// The two bits that [`Frame::tag_types`] keeps of a tag's type.
#[inline(always)]
const fn type_bits(ethertype: u16) -> u8 {
    match ethertype {
        ethertype::SERVICE_VLAN => 1,
        ethertype::OLD_SERVICE_VLAN => 2,
        _ => 0,
    }
}

/// Type of the outer (0) or the inner (1) tag of a frame that has one.
#[must_use]
pub const fn tag_type(frame: &Frame, index: u8) -> u16 {
    let bits = if index == 0 { frame.tag_types } else { frame.tag_types >> 2 };
    match bits & 3 {
        1 => ethertype::SERVICE_VLAN,
        2 => ethertype::OLD_SERVICE_VLAN,
        _ => ethertype::VLAN,
    }
}

/// Reads the link header into `frame`.
///
/// # Errors
/// `truncated`, `vlan_depth` (a third tag), `malformed_link` (SNAP).
#[inline(always)]
pub fn parse<B: Bytes + ?Sized>(bytes: &B, frame: &mut Frame) -> Result<(), Reason> {
    let header = bytes.read::<14>(0).ok_or(Reason::Truncated)?;
    frame.destination_mac = part(&header, 0);
    frame.source_mac = part(&header, 6);
    frame.ethertype = u16::from_be_bytes(part(&header, 12));
    frame.network = 14;
    frame.tags = 0;
    frame.vlan = [0, 0];
    frame.tag_types = 0;

    if B::PLAIN {
        frame.ethertype = ethertype::IPV4;
        return Ok(());
    }
    if is_tag(frame.ethertype) {
        let (tag, inner) = tag(bytes, 14)?;
        frame.vlan = [tag, 0];
        frame.tag_types = type_bits(frame.ethertype);
        frame.ethertype = inner;
        frame.network = 18;
        frame.tags = 1;
        if is_tag(inner) {
            let (second, inner) = self::tag(bytes, 18)?;
            frame.vlan = [tag, second];
            frame.tag_types |= type_bits(frame.ethertype) << 2;
            frame.ethertype = inner;
            frame.network = 22;
            frame.tags = 2;
            if is_tag(inner) {
                return Err(Reason::VlanDepth);
            }
        }
    }
    if frame.ethertype < ethertype::FIRST_TYPE {
        let access_point = bytes.u8(frame.network).ok_or(Reason::Truncated)?;
        if access_point == LLC_SNAP {
            return Err(Reason::MalformedLink);
        }
        frame.ethertype = access_point as u16;
    }
    Ok(())
}

#[inline(always)]
fn tag<B: Bytes + ?Sized>(bytes: &B, offset: u32) -> Result<(u16, u16), Reason> {
    let [a, b, c, d] = bytes.read::<4>(offset).ok_or(Reason::Truncated)?;
    Ok((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
}
