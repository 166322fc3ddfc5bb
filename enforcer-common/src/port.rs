//! The port a frame entered by: the one fact about it that a sender cannot forge.

/// The two sides of the box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Side {
    /// Towards the plant.
    Network = 0,
    /// Towards the protected device.
    Device = 1,
}

impl Side {
    /// The side that `code` stands for; anything but 1 is the network side, the untrusted one.
    #[must_use]
    #[inline(always)]
    pub const fn from_code(code: u8) -> Self {
        if code == 1 { Self::Device } else { Self::Network }
    }

    /// The side across the box.
    #[must_use]
    #[inline(always)]
    pub const fn other(self) -> Self {
        match self {
            Self::Network => Self::Device,
            Self::Device => Self::Network,
        }
    }

    /// The word used in configuration, events and `status`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Device => "device",
        }
    }
}
