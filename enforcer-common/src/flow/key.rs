//! What a conversation is found by.

use crate::port::Side;
use crate::scratch::Frame;

/// The two ends of a conversation, by side instead of by sender, so that both directions have one key. VLAN tags are no
/// part of it: whatever tag a segment wears, it is one stream for the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C, align(8))]
pub struct FlowKey {
    /// Address on the network side.
    pub network: [u8; 16],
    /// Address on the device side.
    pub device: [u8; 16],
    /// Port on the network side.
    pub network_port: u32,
    /// Port on the device side.
    pub device_port: u32,
}

impl FlowKey {
    /// No conversation.
    pub const EMPTY: Self = Self { network: [0; 16], device: [0; 16], network_port: 0, device_port: 0 };

    /// The key of the conversation that `frame` belongs to.
    #[must_use]
    #[inline(always)]
    pub const fn of(frame: &Frame) -> Self {
        Self::from(Side::from_code(frame.side), frame)
    }

    /// The same where the side that the frame came from is known.
    #[must_use]
    #[inline(always)]
    pub const fn from(side: Side, frame: &Frame) -> Self {
        match side {
            Side::Network => Self {
                network: frame.source,
                device: frame.destination,
                network_port: frame.source_port as u32,
                device_port: frame.destination_port as u32,
            },
            Side::Device => Self {
                network: frame.destination,
                device: frame.source,
                network_port: frame.destination_port as u32,
                device_port: frame.source_port as u32,
            },
        }
    }

    /// The key of all conversations of one station with one service of a device.
    #[must_use]
    #[inline(always)]
    pub const fn station(&self) -> Self {
        Self { network: self.network, device: self.device, network_port: 0, device_port: self.device_port }
    }
}
