//! MMS. Answers over two TPDUs are reported with the first, which names the service; the dissector lists the frame with the
//! second, and not that the first one carried it.

use super::Scored;

const PUT_TOGETHER: &str = "the first of two TPDUs has the service";

pub(crate) const SCORED: Scored = Scored {
    folders: &["mms"],
    names: &["mms"],
    totals: true,
    disagreements: &[
        ("icsnpp-cotp__cotp.pcap", "frame 322: extra response mms function 1", PUT_TOGETHER),
        ("icsnpp-cotp__cotp.pcap", "frame 324: missing response mms function 1", PUT_TOGETHER),
        ("icsnpp-cotp__cotp.pcap", "frame 1016: extra response mms function 1", PUT_TOGETHER),
        ("icsnpp-cotp__cotp.pcap", "frame 1018: missing response mms function 1", PUT_TOGETHER),
        ("icsnpp-cotp__cotp.pcap", "frame 1802: extra response mms function 1", PUT_TOGETHER),
        ("icsnpp-cotp__cotp.pcap", "frame 1804: missing response mms function 1", PUT_TOGETHER),
        ("icsnpp-cotp__cotp.pcap", "frame 2588: extra response mms function 1", PUT_TOGETHER),
        ("icsnpp-cotp__cotp.pcap", "frame 2590: missing response mms function 1", PUT_TOGETHER),
        ("icsnpp-cotp__cotp.pcap", "frame 3374: extra response mms function 1", PUT_TOGETHER),
        ("icsnpp-cotp__cotp.pcap", "frame 3376: missing response mms function 1", PUT_TOGETHER),
    ],
};
