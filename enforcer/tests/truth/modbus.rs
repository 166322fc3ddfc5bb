//! Modbus and UMAS.
//!
//! MB: MODBUS Application Protocol Specification V1.1b3. TCP: MODBUS Messaging on TCP/IP Implementation Guide V1.0b.

use super::Scored;

pub(crate) const SCORED: Scored = Scored {
    folders: &["modbus", "modbus-umas"],
    names: &["modbus", "umas"],
    totals: true,
    disagreements: DISAGREEMENTS,
};

const DISAGREEMENTS: &[(&str, &str, &str)] = &[
    (
        "Malcolm-Test-Artifacts__Advantech.pcap",
        "frame 127: extra response modbus function 3",
        "MB 6.3: function, byte count 200, 200 bytes, answering frame 125. The file holds the client's acknowledgement \
         (frame 126) before the segment that it acknowledges, so the dissector takes the segment for a spurious \
         retransmission and does not open it; its bytes are in no other frame of this conversation",
    ),
    (
        "Malcolm-Test-Artifacts__Advantech.pcap",
        "frame 245: extra response modbus function 2",
        "MB 6.2: function, byte count 125, 125 bytes, answering frame 243; acknowledged by frame 244, as above",
    ),
    (
        "Malcolm-Test-Artifacts__Advantech.pcap",
        "frame 269: extra response modbus function 2",
        "MB 6.2: function, byte count 125, 125 bytes, answering frame 265; acknowledged by frame 267, as above",
    ),
    (
        "zeek__fuzz-72.pcap",
        "frame 2: extra response modbus function 28",
        "MB 7: function code 0x9C is 28 with its top bit set, exception code 1, length 3 (TCP 3.1.3). Frame 1 is a fuzzed \
         segment with SYN and FIN whose sequence number the dissector believes, so that frame 2 looks old to it",
    ),
    (
        "zeek__fuzz-72.pcap",
        "frame 11: missing request modbus function 37",
        "The segment has PSH without ACK: its receiver must drop it (RFC 9293 3.10.7.4, fifth check), so no unit in it \
         ever arrives (TCP 4.2: units travel in an established connection). Ours: invalid_flags",
    ),
    (
        "zeek__modbusBig.pcap",
        "frame 3150: extra response modbus function 1",
        "MB 6.1: function, byte count 1, 1 byte, answering frame 3147. The file holds the acknowledgement (frame 3149) \
         before the segment, as in Advantech.pcap",
    ),
];
