//! What the conduit leaves.

use crate::policy::UNCOVERED;

/// Where the frame goes: written by the conduit stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Path {
    /// Slot of the conversation's flow, or [`crate::flow::NO_FLOW`].
    pub slot: u32,
    /// Generation of the policy that judges this frame.
    pub generation: u32,
    /// Conduit id; [`crate::policy::UNCOVERED`] when no conduit covers the frame.
    pub conduit: u16,
    /// [`crate::protocol::Protocol`] code to inspect the payload with; 0 is none.
    pub protocol: u8,
    /// [`crate::operation::Role`] code of the sender.
    pub role: u8,
    /// [`crate::verdict::Mode`] code: the conduit's mode, capped by the box's.
    pub mode: u8,
    /// Counter bank of the generation.
    pub bank: u8,
    /// [`crate::action::OnDeny`] code that applies to this frame.
    pub on_deny: u8,
    /// Non-zero: segments must begin and end where protocol data units do.
    pub whole: u8,
    /// [`crate::verdict::Reason`] code of what the policy says of operations that no conduit covers; in frames without IP
    /// that is what it says of the ethertype.
    pub uncovered: u8,
    /// Whether a grant names the conversation's two ends, for one that no conduit covers: see [`crate::grant`].
    pub granted: u8,
    /// Non-zero: a segment out of its place is kept from its receiver.
    pub holds: u8,
    /// Always 0.
    pub padding: [u8; 5],
    /// Zones of source and destination, while the conduit is looked up.
    pub zones: [u16; 2],
    /// Conduits found for either direction, while the conduit is looked up.
    pub found: [u16; 2],
    /// Next sequence number that the frame's receiver expects, where a flow is known.
    pub expected: u32,
    /// First and last object whose written values matter, of whatever kind; the first is above the last where none do.
    pub valued: [u32; 2],
}

impl Path {
    /// Nothing known.
    pub const EMPTY: Self = Self {
        slot: u32::MAX,
        generation: 0,
        conduit: 0,
        protocol: 0,
        role: 0,
        mode: 0,
        bank: 0,
        on_deny: 0,
        whole: 0,
        uncovered: 0,
        granted: 0,
        holds: 0,
        padding: [0; 5],
        zones: [0; 2],
        found: [0; 2],
        expected: 0,
        valued: [u32::MAX, 0],
    };

    /// True where a conduit says what is spoken.
    #[must_use]
    #[inline(always)]
    pub const fn is_covered(&self) -> bool {
        self.conduit != UNCOVERED
    }
}
