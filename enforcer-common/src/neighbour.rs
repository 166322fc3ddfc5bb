//! Who says that a device's address is his: ARP and neighbour discovery from the network side.
//!
//! Enters: the frame, and the devices of the policy. Leaves: nothing, or the reason. A device lives on the device port, so
//! whatever is said about it from the other one is not the device's. RFC 826, RFC 4861 4, RFC 4862 5.4.

use crate::bytes::{Bytes, part};
use crate::link::ethertype;
use crate::network::{mapped, protocol};
use crate::policy::Image;
use crate::port::Side;
use crate::scratch::{Frame, Scratch, Walking};
use crate::verdict::Reason;

/// Options of one message that are looked at: no message of RFC 4861 has more.
const MOST: u32 = 4;

/// Kinds of messages that are looked at, RFC 4861 4.1, 4.3 and 4.4. Router advertisements and redirects never pass.
mod kind {
    pub(super) const ROUTER_SOLICITATION: u8 = 133;
    pub(super) const NEIGHBOUR_SOLICITATION: u8 = 135;
    pub(super) const NEIGHBOUR_ADVERTISEMENT: u8 = 136;
}

/// True for ARP from the network side.
#[must_use]
#[inline(always)]
pub const fn is_arp(frame: &Frame) -> bool {
    frame.ethertype == ethertype::ARP && frame.side == Side::Network as u8
}

/// True for the messages of neighbour discovery that [`check`] looks at.
#[must_use]
#[inline(always)]
pub fn is_discovery<B: Bytes + ?Sized>(bytes: &B, frame: &Frame) -> bool {
    frame.transport_protocol == protocol::ICMPV6
        && matches!(
            bytes.u8(frame.transport),
            Some(kind::ROUTER_SOLICITATION | kind::NEIGHBOUR_SOLICITATION | kind::NEIGHBOUR_ADVERTISEMENT)
        )
}

/// Does the frame speak in a device's name?
///
/// # Errors
/// `spoofed_device`, `malformed_network`, `beyond_inspection`.
#[inline(always)]
pub fn check<B: Bytes + ?Sized>(bytes: &B, policy: &Image, scratch: &mut Scratch) -> Result<(), Reason> {
    if scratch.frame.version == 0 { arp(bytes, policy, &scratch.frame) } else { discovery(bytes, policy, scratch) }
}

/// Hardware type 1, protocol type IPv4, addresses of 6 and 4 bytes: the only ARP there is between stations on Ethernet.
const ETHERNET_IPV4: [u8; 6] = [0, 1, 8, 0, 6, 4];

#[inline(always)]
fn arp<B: Bytes + ?Sized>(bytes: &B, policy: &Image, frame: &Frame) -> Result<(), Reason> {
    let message = bytes.read::<28>(frame.network).ok_or(Reason::MalformedNetwork)?;
    if part::<6, 28>(&message, 0) != ETHERNET_IPV4 {
        return Err(Reason::MalformedNetwork);
    }
    if policy.is_device_mac(part(&message, 8)) || policy.place(&mapped(part(&message, 14))).device {
        return Err(Reason::SpoofedDevice);
    }
    Ok(())
}

#[inline(always)]
fn discovery<B: Bytes + ?Sized>(bytes: &B, policy: &Image, scratch: &mut Scratch) -> Result<(), Reason> {
    let Frame { transport, payload_end, source, .. } = scratch.frame;
    let kind = bytes.u8(transport).ok_or(Reason::MalformedNetwork)?;
    let fixed = if kind == kind::ROUTER_SOLICITATION { 8 } else { 24 };
    scratch.walking = Walking { at: transport.wrapping_add(fixed), end: payload_end, seen: 0, found: 0 };
    if scratch.walking.at > payload_end {
        return Err(Reason::MalformedNetwork);
    }
    // A solicitation without sender asks whether an address is free; only its owner asks that.
    let claims = kind == kind::NEIGHBOUR_ADVERTISEMENT || (kind == kind::NEIGHBOUR_SOLICITATION && source == [0; 16]);
    if claims {
        let target = bytes.read::<16>(transport.wrapping_add(8)).ok_or(Reason::MalformedNetwork)?;
        if policy.place(&target).device {
            return Err(Reason::SpoofedDevice);
        }
    }
    for _ in 0..MOST {
        if !option(bytes, policy, scratch.anew())? {
            return Ok(());
        }
    }
    let Walking { at, end, .. } = scratch.anew().walking;
    if at < end { Err(Reason::BeyondInspection) } else { Ok(()) }
}

/// One option: kind, length in units of eight bytes, and in kinds 1 and 2 an Ethernet address (RFC 4861 4.6.1). False behind
/// the last.
#[inline(always)]
fn option<B: Bytes + ?Sized>(bytes: &B, policy: &Image, scratch: &mut Scratch) -> Result<bool, Reason> {
    let Walking { at, end, .. } = scratch.walking;
    if at >= end {
        return Ok(false);
    }
    let [kind, length, address @ ..] = bytes.read::<8>(at).ok_or(Reason::MalformedNetwork)?;
    let next = at.wrapping_add((length as u32) << 3);
    if length == 0 || next > end {
        return Err(Reason::MalformedNetwork);
    }
    if matches!(kind, 1 | 2) && policy.is_device_mac(address) {
        return Err(Reason::SpoofedDevice);
    }
    scratch.walking.at = next;
    Ok(true)
}
