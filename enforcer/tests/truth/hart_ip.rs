//! HART-IP.

use super::Scored;

/// One operation of 61 is enough to miss the script's totals.
pub(crate) const SCORED: Scored =
    Scored { folders: &["hart_ip"], names: &["hart_ip"], totals: false, disagreements: DISAGREEMENTS };

const DISAGREEMENTS: &[(&str, &str, &str)] = &[(
    "icsnpp-hart-ip__hart-ip.pcapng",
    "frame 27: missing response hart_ip function 65537",
    "an ICMP message (port unreachable, RFC 792) that quotes frame 26, which the dissector reads a second time",
)];
