//! What link, network and transport leave.

/// Headers of the frame. Written by the link, network and transport stages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Frame {
    /// IPv6 address, or an IPv4 address mapped into IPv6 (`::ffff:a.b.c.d`).
    pub source: [u8; 16],
    /// See `source`.
    pub destination: [u8; 16],
    /// Offset of the bytes behind the Ethernet header and its tags.
    pub network: u32,
    /// Offset of the TCP, UDP or ICMP header.
    pub transport: u32,
    /// Offset of the transport's payload.
    pub payload: u32,
    /// Offset behind the transport's payload, from the IP length: Ethernet padding is not payload.
    pub payload_end: u32,
    /// Bytes in the frame.
    pub length: u32,
    /// TCP sequence number.
    pub sequence: u32,
    /// TCP acknowledgement number.
    pub acknowledgement: u32,
    /// TCP window as on the wire.
    pub window: u16,
    /// TCP or UDP port, 0 for other transports.
    pub source_port: u16,
    /// See `source_port`.
    pub destination_port: u16,
    /// Innermost ethertype; below 0x600 the DSAP of an 802.3 frame.
    pub ethertype: u16,
    /// VLAN tags, outermost first, as on the wire (priority, DEI, VLAN id).
    pub vlan: [u16; 2],
    /// Ethernet source address.
    pub source_mac: [u8; 6],
    /// Ethernet destination address.
    pub destination_mac: [u8; 6],
    /// VLAN tags in the frame, 0 to 2.
    pub tags: u8,
    /// IP version, 4 or 6; 0 when the frame is not IP.
    pub version: u8,
    /// IP protocol number of the transport.
    pub transport_protocol: u8,
    /// TCP flags.
    pub tcp_flags: u8,
    /// [`crate::port::Side`] code of the ingress port.
    pub side: u8,
    /// Which checksums are wrong: the bits below.
    pub wrong_checksum: u8,
    /// Non-zero: something about addresses, length or TCP header is out of the ordinary, see [`crate::admission`].
    pub suspect: u8,
    /// Types of the tags, see [`crate::link::tag_type`].
    pub tag_types: u8,
}

impl Frame {
    /// The checksum of the IPv4 header.
    pub const WRONG_NETWORK: u8 = 1;
    /// The checksum of the transport.
    pub const WRONG_TRANSPORT: u8 = 2;

    /// Nothing known.
    pub const EMPTY: Self = Self {
        source: [0; 16],
        destination: [0; 16],
        network: 0,
        transport: 0,
        payload: 0,
        payload_end: 0,
        length: 0,
        sequence: 0,
        acknowledgement: 0,
        window: 0,
        source_port: 0,
        destination_port: 0,
        ethertype: 0,
        vlan: [0; 2],
        source_mac: [0; 6],
        destination_mac: [0; 6],
        tags: 0,
        version: 0,
        transport_protocol: 0,
        tcp_flags: 0,
        side: 0,
        wrong_checksum: 0,
        suspect: 0,
        tag_types: 0,
    };
}
