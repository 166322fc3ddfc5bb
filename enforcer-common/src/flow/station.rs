//! What is remembered of a station.

/// What is remembered of a station that opens connections to a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Station {
    /// State of its connection rate, see [`crate::policy::rate`].
    pub budget: u64,
    /// Boot time at which the connections that were reset began to be counted, nanoseconds.
    pub resets_since: u64,
    /// No new connection before this boot time, nanoseconds.
    pub held_until: u64,
    /// Connections reset since then.
    pub resets: u64,
}
