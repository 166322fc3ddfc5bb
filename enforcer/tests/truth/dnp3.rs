//! DNP3. Clauses are of IEEE 1815-2012.

use super::Scored;

pub(crate) const SCORED: Scored = Scored { folders: &["dnp3"], names: &["dnp3"], totals: true, disagreements: DISAGREEMENTS };

/// Of a datagram nothing is known in the next one: an answer in several is reported at its first segment, which holds its
/// function (8.2, 4.2.2.5), and not at its last.
const DATAGRAMS: &str = "the fragment begins in the frame that ours names and ends in the one that the dissector names; \
    nothing is kept between datagrams";

const DISAGREEMENTS: &[(&str, &str, &str)] = &[
    ("zeek__dnp3_udp_read.pcap", "frame 6: extra response dnp3 function 129", DATAGRAMS),
    ("zeek__dnp3_udp_read.pcap", "frame 14: missing response dnp3 function 129", DATAGRAMS),
    ("zeek__dnp3_udp_read.pcap", "frame 15: extra response dnp3 function 129", DATAGRAMS),
    ("zeek__dnp3_udp_read.pcap", "frame 21: missing response dnp3 function 129", DATAGRAMS),
];
