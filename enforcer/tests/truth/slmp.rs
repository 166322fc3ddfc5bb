//! SLMP.
//!
//! An answer holds no command. `enforcer replay` gives it that of its request, as its contract says; the script has answers
//! without a command and counts each of ours as one too many, so its totals are not asked for.

use super::Scored;

pub(crate) const SCORED: Scored =
    Scored { folders: &["slmp"], names: &["slmp"], totals: false, disagreements: DISAGREEMENTS };

/// SLMP 4.3: subheader D000 or D400, end code; the answer to the request one or two frames before.
const WHY: &str = "the answer bears its request's command";

const DISAGREEMENTS: &[(&str, &str, &str)] = &[
    ("live__slmp_pymcprotocol.pcap", "frame 6: extra response slmp function 1025", WHY),
    ("live__slmp_pymcprotocol.pcap", "frame 9: extra response slmp function 5121", WHY),
    ("live__slmp_pymcprotocol.pcap", "frame 11: extra response slmp function 1025", WHY),
    ("live__slmp_pymcprotocol.pcap", "frame 13: extra response slmp function 1025", WHY),
    ("live__slmp_pymcprotocol.pcap", "frame 15: extra response slmp function 257", WHY),
    ("live__slmp_pymcprotocol.pcap", "frame 17: extra response slmp function 1027", WHY),
    ("live__slmp_pymcprotocol.pcap", "frame 19: extra response slmp function 4098", WHY),
    ("live__slmp_pymcprotocol.pcap", "frame 21: extra response slmp function 4097", WHY),
    ("live__slmp_pymcprotocol.pcap", "frame 23: extra response slmp function 4101", WHY),
    ("live__slmp_pymcprotocol.pcap", "frame 25: extra response slmp function 5681", WHY),
    ("live__slmp_pymcprotocol.pcap", "frame 27: extra response slmp function 1561", WHY),
    ("live__slmp_pymcprotocol.pcap", "frame 36: extra response slmp function 1025", WHY),
    ("live__slmp_pymcprotocol.pcap", "frame 39: extra response slmp function 5121", WHY),
    ("live__slmp_pymcprotocol.pcap", "frame 41: extra response slmp function 1025", WHY),
    ("live__slmp_pymcprotocol.pcap", "frame 43: extra response slmp function 1025", WHY),
    ("live__slmp_pymcprotocol.pcap", "frame 45: extra response slmp function 257", WHY),
    ("live__slmp_pymcprotocol.pcap", "frame 47: extra response slmp function 1027", WHY),
    ("live__slmp_pymcprotocol.pcap", "frame 49: extra response slmp function 4098", WHY),
    ("live__slmp_pymcprotocol.pcap", "frame 51: extra response slmp function 4097", WHY),
    ("live__slmp_pymcprotocol.pcap", "frame 53: extra response slmp function 4101", WHY),
    ("live__slmp_pymcprotocol.pcap", "frame 55: extra response slmp function 5681", WHY),
    ("live__slmp_pymcprotocol.pcap", "frame 57: extra response slmp function 1561", WHY),
];
