//! Comparing what went in with what came out.

use std::collections::BTreeMap;

use etherparse::{NetSlice, SlicedPacket, TransportSlice};

use crate::Frame;

/// Panics unless both sides hold the same frames, byte for byte, and in the same order within each conversation.
///
/// Order between conversations is not compared: two processors that send at the same moment are
/// seen by a capture in either order, with nothing in between but a cable.
pub fn assert_same(sent: &[Frame], received: &[Frame]) {
    if let Some(difference) = difference(sent, received) {
        panic!("{difference}");
    }
}

/// The first difference that [`assert_same`] would panic about.
pub fn difference(sent: &[Frame], received: &[Frame]) -> Option<String> {
    let (sent, mut received) = (conversations(sent), conversations(received));
    for (conversation, frames) in sent {
        let arrived = received.remove(&conversation).unwrap_or_default();
        let first = frames.iter().zip(&arrived).position(|(a, b)| a != b);
        if first.is_some() || frames.len() != arrived.len() {
            return Some(format!(
                "{conversation}: {} frames sent, {} received, first difference at {first:?}\nsent     {:02x?}\nreceived {:02x?}",
                frames.len(),
                arrived.len(),
                first.map(|n| frames[n]),
                first.map(|n| arrived[n]),
            ));
        }
    }
    (!received.is_empty()).then(|| format!("received but never sent: {received:02x?}"))
}

/// The frames of each conversation in their order.
pub fn conversations(frames: &[Frame]) -> BTreeMap<String, Vec<&[u8]>> {
    let mut map = BTreeMap::<String, Vec<&[u8]>>::new();
    for frame in frames {
        map.entry(conversation(&frame.bytes)).or_default().push(&frame.bytes);
    }
    map
}

/// Who speaks to whom, in which tags, as far as the frame tells; what cannot be parsed goes by its first bytes. A vector
/// sends the same conversation in a tag and without at the same moment.
fn conversation(frame: &[u8]) -> String {
    let head = frame.get(..14).unwrap_or(frame);
    let Ok(packet) = SlicedPacket::from_ethernet(frame) else {
        return format!("{head:02x?}");
    };
    let tags: String = packet.vlan_ids().iter().map(|id| format!("in {} ", id.value())).collect();
    let addresses = match packet.net {
        Some(NetSlice::Ipv4(ip)) => {
            let header = ip.header();
            format!("{} > {}", header.source_addr(), header.destination_addr())
        }
        Some(NetSlice::Ipv6(ip)) => {
            let header = ip.header();
            format!("{} > {}", header.source_addr(), header.destination_addr())
        }
        Some(NetSlice::Arp(_)) | None => format!("{head:02x?}"),
    };
    let ports = match packet.transport {
        Some(TransportSlice::Tcp(tcp)) => {
            format!(" tcp {} > {}", tcp.source_port(), tcp.destination_port())
        }
        Some(TransportSlice::Udp(udp)) => {
            format!(" udp {} > {}", udp.source_port(), udp.destination_port())
        }
        Some(TransportSlice::Icmpv4(_) | TransportSlice::Icmpv6(_)) => " icmp".to_owned(),
        Some(TransportSlice::Igmp(_)) => " igmp".to_owned(),
        None => String::new(),
    };
    tags + &addresses + &ports
}
