//! Which port of the box each frame of a capture would have entered by.
//!
//! Enters: a frame's headers as the core reads them. Leaves: a [`Side`]. On the wire the port tells; a capture has
//! forgotten it. Who is behind the device port is said by the policy's `[devices]` and by `--device`; for anyone else the
//! server of a conversation is taken as the device. The server is the receiver of the SYN, else the end whose port
//! the policy's conduits name, else the end with a well-known port; it is remembered for the rest of the conversation.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use enforcer_common::bytes::Bytes;
use enforcer_common::link::{self, ethertype};
use enforcer_common::network::{self, protocol};
use enforcer_common::policy::Image;
use enforcer_common::port::Side;
use enforcer_common::protocol::Protocol;
use enforcer_common::scratch::Frame;
use enforcer_common::transport::{self, flag};

use crate::policy::trial::core_address;

/// Conversations remembered at a time; a capture with more starts over with what ports tell.
const LIMIT: usize = 1 << 20;

/// One end of a conversation. IP addresses are in the core's 16-byte form.
type End = ([u8; 16], u16);

/// Both ends in ascending order and the transport, so that both directions have one key.
type Conversation = (End, End, u8);

/// The server of a conversation, and whether its opening was seen.
#[derive(Clone, Copy)]
struct Server {
    end: End,
    certain: bool,
}

/// Who is behind the device port, as far as the capture has told.
pub struct Sides {
    devices: HashSet<[u8; 16]>,
    device_macs: HashSet<[u8; 6]>,
    /// Ports that conduits name, with the transport in the upper half as the policy has them.
    services: Vec<(u32, u32)>,
    servers: HashMap<Conversation, Server>,
    /// Hosts that were the server in some conversation: they answer for traffic without ports.
    hosts: HashSet<[u8; 16]>,
    /// Where frames with this source address came from last.
    learned: HashMap<[u8; 6], Side>,
}

impl Sides {
    /// `devices` is what `--device` says, beside the policy.
    pub fn new(image: &Image, devices: &[IpAddr]) -> Self {
        let macs = image.macs.iter().take(image.header.macs.count as usize);
        Self {
            devices: policy_devices(image).chain(devices.iter().map(|address| core_address(*address))).collect(),
            device_macs: macs.map(|mac| low_six(*mac)).collect(),
            services: services(image),
            servers: HashMap::new(),
            hosts: HashSet::new(),
            learned: HashMap::new(),
        }
    }

    /// The port that the frame entered by.
    pub fn side(&mut self, bytes: &[u8]) -> Side {
        let frame = headers(bytes);
        let side = if frame.version == 0 { self.by_mac(bytes, &frame) } else { self.by_address(&frame) };
        if self.learned.len() >= LIMIT {
            self.learned.clear();
        }
        self.learned.insert(frame.source_mac, side);
        side
    }

    /// Frames that are not IP: the sender's hardware address, or the protocol address in an ARP.
    fn by_mac(&self, bytes: &[u8], frame: &Frame) -> Side {
        if self.device_macs.contains(&frame.source_mac) {
            return Side::Device;
        }
        if self.device_macs.contains(&frame.destination_mac) {
            return Side::Network;
        }
        if frame.ethertype == ethertype::ARP
            && let Some(sender) = bytes.read::<4>(frame.network.saturating_add(14)).map(network::mapped)
            && (self.devices.contains(&sender) || self.hosts.contains(&sender))
        {
            return Side::Device;
        }
        self.learned.get(&frame.source_mac).copied().unwrap_or(Side::Network)
    }

    fn by_address(&mut self, frame: &Frame) -> Side {
        match (self.devices.contains(&frame.source), self.devices.contains(&frame.destination)) {
            (true, false) => return Side::Device,
            (false, true) => return Side::Network,
            // Two devices talk to each other, or nobody is a device: the conversation tells.
            (true, true) | (false, false) => {}
        }
        let (source, destination) = ((frame.source, frame.source_port), (frame.destination, frame.destination_port));
        if !matches!(frame.transport_protocol, protocol::TCP | protocol::UDP) || source.1 == 0 && destination.1 == 0 {
            return self.without_ports(frame);
        }
        let key = (source.min(destination), source.max(destination), frame.transport_protocol);
        // Once its opening was seen, no later flag turns a conversation round.
        let server = match (self.servers.get(&key), opened(frame)) {
            (Some(server @ Server { certain: true, .. }), _) => *server,
            (_, Some(true)) => Server { end: destination, certain: true },
            (_, Some(false)) => Server { end: source, certain: true },
            (Some(server), None) => *server,
            (None, None) => Server { end: self.guess(frame, source, destination), certain: false },
        };
        if self.servers.len() >= LIMIT {
            self.servers.clear();
        }
        self.servers.insert(key, server);
        self.hosts.insert(server.end.0);
        if server.end == source { Side::Device } else { Side::Network }
    }

    /// The server of a conversation whose beginning was not seen.
    fn guess(&self, frame: &Frame, source: End, destination: End) -> End {
        let service = |end: End| u32::from(frame.transport_protocol) << 16 | u32::from(end.1);
        let named = |end: End| self.services.iter().any(|(first, last)| (*first..=*last).contains(&service(end)));
        let known = |end: End| Protocol::by_port(frame.transport_protocol, end.1).is_some();
        let reserved = |end: End| end.1 < 1024;
        for is_server in [&named as &dyn Fn(End) -> bool, &known, &reserved] {
            match (is_server(source), is_server(destination)) {
                (true, false) => return source,
                (false, true) => return destination,
                (true, true) | (false, false) => {}
            }
        }
        destination
    }

    /// ICMP, fragments and other transports: a host that serves elsewhere in the capture, else the first receiver.
    fn without_ports(&mut self, frame: &Frame) -> Side {
        match (self.hosts.contains(&frame.source), self.hosts.contains(&frame.destination)) {
            (true, false) => Side::Device,
            (false, true) => Side::Network,
            (true, true) | (false, false) => {
                let (source, destination) = ((frame.source, 0), (frame.destination, 0));
                let key = (source.min(destination), source.max(destination), 0);
                let server = *self.servers.entry(key).or_insert(Server { end: destination, certain: false });
                if server.end == source { Side::Device } else { Side::Network }
            }
        }
    }
}

/// The headers as far as they can be read; what is wrong with them is the core's to say.
pub(super) fn headers(bytes: &[u8]) -> Frame {
    let mut frame = Frame { length: bytes.length(), ..Frame::default() };
    let is_ip = |frame: &Frame| matches!(frame.ethertype, ethertype::IPV4 | ethertype::IPV6);
    let read = link::parse(bytes, &mut frame).is_ok()
        && is_ip(&frame)
        && network::parse(bytes, &mut frame, || true).is_ok()
        && transport::parse(bytes, &mut frame).is_ok();
    // A header that could not be read to its end may have left ports of which one is real: both or none.
    if !read && (frame.source_port == 0 || frame.destination_port == 0) {
        (frame.source_port, frame.destination_port) = (0, 0);
    }
    frame
}

/// True: the sender opens the conversation; false: it answers the opening.
fn opened(frame: &Frame) -> Option<bool> {
    let odd = flag::FIN | flag::RST;
    if frame.transport_protocol != protocol::TCP || frame.tcp_flags & (flag::SYN | odd) != flag::SYN {
        return None;
    }
    Some(frame.tcp_flags & flag::ACK == 0)
}

fn policy_devices(image: &Image) -> impl Iterator<Item = [u8; 16]> {
    let four = image.addresses_v4.iter().take(image.header.addresses_v4.count as usize);
    let six = image.addresses_v6.iter().take(image.header.addresses_v6.count as usize);
    let four = four.filter(|range| range.device != 0).map(|range| network::mapped(range.first.to_be_bytes()));
    let six = six.filter(|range| range.device != 0).map(|range| {
        let [high, low] = range.first;
        (u128::from(high) << 64 | u128::from(low)).to_be_bytes()
    });
    four.chain(six)
}

fn services(image: &Image) -> Vec<(u32, u32)> {
    let pairs = image.pairs.iter().take(image.header.pairs.count as usize);
    let entries = pairs.flat_map(|pair| {
        let run = pair.services;
        image.services.iter().skip(run.first as usize).take(run.count as usize)
    });
    let mut services: Vec<_> = entries.map(|service| (service.first, service.last)).collect();
    services.sort_unstable();
    services.dedup();
    services
}

fn low_six(number: u64) -> [u8; 6] {
    let [a, b, c, d, e, f, _, _] = number.to_le_bytes();
    [a, b, c, d, e, f]
}
