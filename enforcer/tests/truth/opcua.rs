//! OPC UA binary: every operation of the dissector's is found, and some that it does not list.

use super::Scored;

const GAP: &str = "the rest of the answer is not in the capture, so that the dissector does not list it; its head is read";
const HIDDEN: &str = "an encrypted channel: the dissector names no service where none can be read, a conduit judges it all \
                      the same";
const ENCRYPTED: &str = "icsnpp-opcua-binary__open62541_client-server_encrypted.pcapng";

/// The totals count what the dissector does not list against us.
pub(crate) const SCORED: Scored = Scored {
    folders: &["opcua"],
    names: &["opcua"],
    totals: false,
    disagreements: &[
        ("icsnpp-opcua-binary__opcua_with-gap.pcap", "frame 12: extra response opcua function 464", GAP),
        ("icsnpp-opcua-binary__opcua_with-gap_with-handshake.pcapng", "frame 12: extra response opcua function 464", GAP),
        (ENCRYPTED, "frame 31: extra request opcua function 446", HIDDEN),
        (ENCRYPTED, "frame 33: extra response opcua function 449", HIDDEN),
        (ENCRYPTED, "frame 35: extra request opcua function 2", HIDDEN),
        (ENCRYPTED, "frame 37: extra response opcua function 2", HIDDEN),
        (ENCRYPTED, "frame 39: extra request opcua function 2", HIDDEN),
        (ENCRYPTED, "frame 41: extra response opcua function 2", HIDDEN),
        (ENCRYPTED, "frame 43: extra request opcua function 2", HIDDEN),
        (ENCRYPTED, "frame 45: extra response opcua function 2", HIDDEN),
        (ENCRYPTED, "frame 47: extra request opcua function 2", HIDDEN),
        (ENCRYPTED, "frame 49: extra response opcua function 2", HIDDEN),
        (ENCRYPTED, "frame 51: extra request opcua function 452", HIDDEN),
    ],
};
