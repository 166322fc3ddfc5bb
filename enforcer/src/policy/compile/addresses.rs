//! Addresses of zones and devices, MAC addresses, ethertypes.

use std::net::IpAddr;

use enforcer_common::policy::{AddressesV4, AddressesV6, Ethertype, Image, UNCOVERED, mac_number};
use enforcer_common::verdict::{Reason, Verdict};

use super::super::address::AddressRange;
use super::super::valid::{Party, Policy};
use super::{Full, conduit_id, place, zone_id};

pub(super) fn fill(policy: &Policy, image: &mut Image) -> Result<(), Full> {
    let mut v4: Vec<AddressesV4> = Vec::new();
    let mut v6: Vec<AddressesV6> = Vec::new();
    for piece in pieces(policy) {
        let device = u16::from(piece.device);
        match piece.range {
            AddressRange::V4(first, last) => v4.push(AddressesV4 { first, last, zone: piece.zone, device }),
            AddressRange::V6(first, last) => {
                let (first, last) = (halves(first), halves(last));
                v6.push(AddressesV6 { first, last, zone: piece.zone, device, padding: [0; 4] });
            }
        }
    }
    v4.sort_unstable_by_key(|range| range.first);
    v6.sort_unstable_by_key(|range| range.first);
    image.header.addresses_v4 = place(&mut image.addresses_v4, &v4, "IPv4 address ranges")?;
    image.header.addresses_v6 = place(&mut image.addresses_v6, &v6, "IPv6 address ranges")?;

    let mut macs: Vec<u64> = policy.devices.iter().filter_map(|device| device.mac).map(mac_number).collect();
    macs.sort_unstable();
    macs.dedup();
    image.header.macs = place(&mut image.macs, &macs, "MAC addresses of devices")?;

    let mut types: Vec<Ethertype> = Vec::new();
    for entry in &policy.ethernet {
        let reason = match entry.action {
            Verdict::Allow => Reason::EthernetAllow,
            Verdict::Log => Reason::EthernetLog,
            Verdict::Deny => Reason::EthernetDeny,
        } as u8;
        let conduit = entry.conduit.map_or(Ok(UNCOVERED), conduit_id)?;
        types.extend(entry.types.iter().map(|ethertype| Ethertype {
            ethertype: *ethertype,
            reason,
            padding: 0,
            conduit,
        }));
    }
    types.sort_unstable_by_key(|entry| entry.ethertype);
    image.header.ethertypes = place(&mut image.ethertypes, &types, "ethernet types")?;
    Ok(())
}

/// A range of the image: wholly in one zone, and wholly a device or not.
struct Piece {
    range: AddressRange,
    zone: u16,
    device: bool,
}

/// The ranges of all zones, with each device's address cut out as a range of its own.
fn pieces(policy: &Policy) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for (index, zone) in policy.zones.iter().enumerate() {
        let zone_id = zone_id(Party::Zone(index));
        pieces.extend(zone.ranges.iter().map(|range| Piece { range: *range, zone: zone_id, device: false }));
    }
    for address in policy.devices.iter().filter_map(|device| device.address) {
        let single = match address {
            IpAddr::V4(address) => AddressRange::V4(address.to_bits(), address.to_bits()),
            IpAddr::V6(address) => AddressRange::V6(address.to_bits(), address.to_bits()),
        };
        match pieces.iter().position(|piece| piece.range.contains(address)) {
            None => pieces.push(Piece { range: single, zone: zone_id(Party::Any), device: true }),
            Some(position) => {
                let around = pieces.swap_remove(position);
                for rest in without(around.range, single) {
                    pieces.push(Piece { range: rest, ..around });
                }
                pieces.push(Piece { range: single, zone: around.zone, device: true });
            }
        }
    }
    pieces
}

/// What is left and right of a single address in a range.
fn without(range: AddressRange, hole: AddressRange) -> Vec<AddressRange> {
    let mut rest = Vec::new();
    match (range, hole) {
        (AddressRange::V4(first, last), AddressRange::V4(at, _)) => {
            rest.extend(at.checked_sub(1).filter(|end| *end >= first).map(|end| AddressRange::V4(first, end)));
            rest.extend(at.checked_add(1).filter(|start| *start <= last).map(|start| AddressRange::V4(start, last)));
        }
        (AddressRange::V6(first, last), AddressRange::V6(at, _)) => {
            rest.extend(at.checked_sub(1).filter(|end| *end >= first).map(|end| AddressRange::V6(first, end)));
            rest.extend(at.checked_add(1).filter(|start| *start <= last).map(|start| AddressRange::V6(start, last)));
        }
        (AddressRange::V4(..), AddressRange::V6(..)) | (AddressRange::V6(..), AddressRange::V4(..)) => rest.push(range),
    }
    rest
}

fn halves(address: u128) -> [u64; 2] {
    let [a, b, c, d, e, f, g, h, rest @ ..] = address.to_be_bytes();
    [u64::from_be_bytes([a, b, c, d, e, f, g, h]), u64::from_be_bytes(rest)]
}
