//! What a link message of the kernel says, in the words the data plane uses. Pure: messages in, values out.

use rtnetlink::packet_route::link::{
    InfoBridge, InfoBridgePort, InfoData, InfoKind, InfoPortData, LinkAttribute, LinkFlags, LinkInfo, LinkLayerType,
    LinkMessage, LinkXdp, XdpAttached,
};

use super::port::{XdpMode, XdpProgram};

/// The link's name; empty only if the kernel did not send one.
pub(super) fn name(link: &LinkMessage) -> String {
    first(link, |attribute| if let LinkAttribute::IfName(name) = attribute { Some(name.clone()) } else { None })
        .unwrap_or_default()
}

/// The alias an administrator, or we, gave the link.
pub(super) fn alias(link: &LinkMessage) -> Option<String> {
    first(link, |attribute| if let LinkAttribute::IfAlias(alias) = attribute { Some(alias.clone()) } else { None })
}

/// The MAC address, for links that have one of six bytes.
pub(super) fn mac(link: &LinkMessage) -> Option<[u8; 6]> {
    first(
        link,
        |attribute| {
            if let LinkAttribute::Address(bytes) = attribute { bytes.as_slice().try_into().ok() } else { None }
        },
    )
}

/// The largest packet the link carries, without the Ethernet header.
pub(super) fn mtu(link: &LinkMessage) -> u32 {
    first(link, |attribute| if let LinkAttribute::Mtu(mtu) = attribute { Some(*mtu) } else { None }).unwrap_or(0)
}

/// The index of the bridge or bond the link belongs to.
pub(super) fn controller(link: &LinkMessage) -> Option<u32> {
    first(link, |attribute| if let LinkAttribute::Controller(index) = attribute { Some(*index) } else { None })
        .filter(|index| *index != 0)
}

/// Whether the administrator has the link up.
pub(super) fn is_up(link: &LinkMessage) -> bool {
    link.header.flags.contains(LinkFlags::Up)
}

/// Whether a cable partner is there.
pub(super) fn has_carrier(link: &LinkMessage) -> bool {
    first(link, |attribute| if let LinkAttribute::Carrier(carrier) = attribute { Some(*carrier) } else { None })
        .is_some_and(|carrier| carrier != 0)
}

/// How often a cable partner came or went since the link was made.
pub(super) fn carrier_changes(link: &LinkMessage) -> u32 {
    first(link, |attribute| if let LinkAttribute::CarrierChanges(count) = attribute { Some(*count) } else { None })
        .unwrap_or(0)
}

/// Frames that left by the link, by any way.
pub(super) fn transmitted(link: &LinkMessage) -> u64 {
    first(link, |attribute| if let LinkAttribute::Stats64(counts) = attribute { Some(counts.tx_packets) } else { None })
        .unwrap_or(0)
}

/// Whether the link carries Ethernet frames from a cable (not loopback, not a point-to-point tunnel).
pub(super) fn is_ethernet(link: &LinkMessage) -> bool {
    link.header.link_layer_type == LinkLayerType::Ether && !link.header.flags.contains(LinkFlags::Loopback)
}

/// Whether the link is a bridge.
pub(super) fn is_bridge(link: &LinkMessage) -> bool {
    info(link).any(|info| *info == LinkInfo::Kind(InfoKind::Bridge))
}

/// The bridge's settings; empty for anything that is not a bridge.
pub(super) fn bridge_settings(link: &LinkMessage) -> &[InfoBridge] {
    info(link)
        .find_map(
            |info| {
                if let LinkInfo::Data(InfoData::Bridge(settings)) = info { Some(settings.as_slice()) } else { None }
            },
        )
        .unwrap_or(&[])
}

/// The settings of a link as a port of its bridge; empty for anything that is not one.
pub(super) fn port_settings(link: &LinkMessage) -> &[InfoBridgePort] {
    info(link)
        .find_map(|info| {
            if let LinkInfo::PortData(InfoPortData::BridgePort(settings)) = info {
                Some(settings.as_slice())
            } else {
                None
            }
        })
        .unwrap_or(&[])
}

/// The XDP programs on the link; more than one when native and generic are both taken.
pub(super) fn xdp(link: &LinkMessage) -> Vec<XdpProgram> {
    let parts = first(link, |attribute| if let LinkAttribute::Xdp(parts) = attribute { Some(parts) } else { None });
    let Some(parts) = parts else { return Vec::new() };
    let each: Vec<XdpProgram> = parts.iter().filter_map(by_mode).collect();
    if !each.is_empty() {
        return each;
    }
    let attached = parts.iter().find_map(|part| if let LinkXdp::Attached(mode) = part { Some(*mode) } else { None });
    let id = parts.iter().find_map(|part| if let LinkXdp::ProgId(id) = part { Some(*id) } else { None });
    match (attached, id) {
        (Some(mode), Some(id)) if mode != XdpAttached::None => vec![XdpProgram { id, mode: XdpMode::from(mode) }],
        _ => Vec::new(),
    }
}

fn by_mode(part: &LinkXdp) -> Option<XdpProgram> {
    if let LinkXdp::DrvProgId(id) = part {
        return Some(XdpProgram { id: *id, mode: XdpMode::Native });
    }
    if let LinkXdp::SkbProgId(id) = part {
        return Some(XdpProgram { id: *id, mode: XdpMode::Generic });
    }
    if let LinkXdp::HwProgId(id) = part {
        return Some(XdpProgram { id: *id, mode: XdpMode::Hardware });
    }
    None
}

fn first<'a, T>(link: &'a LinkMessage, pick: impl Fn(&'a LinkAttribute) -> Option<T>) -> Option<T> {
    link.attributes.iter().find_map(pick)
}

fn info(link: &LinkMessage) -> impl Iterator<Item = &LinkInfo> {
    link.attributes
        .iter()
        .filter_map(|attribute| if let LinkAttribute::LinkInfo(infos) = attribute { Some(infos) } else { None })
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(attributes: Vec<LinkAttribute>) -> LinkMessage {
        let mut link = LinkMessage::default();
        link.attributes = attributes;
        link
    }

    #[test]
    fn one_program_is_reported_with_its_mode() {
        let parts = vec![LinkXdp::Attached(XdpAttached::Driver), LinkXdp::ProgId(7), LinkXdp::DrvProgId(7)];
        let found = xdp(&link(vec![LinkAttribute::Xdp(parts)]));
        assert_eq!(found, [XdpProgram { id: 7, mode: XdpMode::Native }]);
    }

    #[test]
    fn a_kernel_that_names_only_the_program_still_shows_it() {
        let parts = vec![LinkXdp::Attached(XdpAttached::SocketBuffer), LinkXdp::ProgId(9)];
        let found = xdp(&link(vec![LinkAttribute::Xdp(parts)]));
        assert_eq!(found, [XdpProgram { id: 9, mode: XdpMode::Generic }]);
    }

    #[test]
    fn native_and_generic_together_are_two_programs() {
        let parts = vec![LinkXdp::Attached(XdpAttached::Multiple), LinkXdp::DrvProgId(1), LinkXdp::SkbProgId(2)];
        assert_eq!(xdp(&link(vec![LinkAttribute::Xdp(parts)])).len(), 2);
    }

    #[test]
    fn no_program_is_none() {
        assert_eq!(xdp(&link(vec![LinkAttribute::Xdp(vec![LinkXdp::Attached(XdpAttached::None)])])), []);
        assert_eq!(xdp(&link(Vec::new())), []);
    }

    #[test]
    fn an_index_of_zero_is_no_controller() {
        assert_eq!(controller(&link(vec![LinkAttribute::Controller(0)])), None);
        assert_eq!(controller(&link(vec![LinkAttribute::Controller(4)])), Some(4));
    }
}
