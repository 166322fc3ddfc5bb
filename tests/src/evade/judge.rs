//! What came of a vector: from what the servers took and what the device's cable carried, never from the enforcer's log.

use std::collections::{BTreeMap, HashMap};
use std::net::{Ipv4Addr, SocketAddrV4};

use super::engine::reached;
use super::field::Field;
use super::operation::{Operation, units};
use super::packet::{ACK, Packet, RST, SYN};
use super::scene::Scene;
use super::servers::{Heard, PUPPET};
use crate::Frame;

/// Checks that what a server took of each client is a beginning of what the client was allowed to say.
pub(super) fn taken(field: &Field, server: Ipv4Addr, promised: &BTreeMap<SocketAddrV4, Vec<u8>>) -> Vec<String> {
    if server == PUPPET {
        return Vec::new();
    }
    let mut leaks = Vec::new();
    for (client, promised) in promised {
        let beyond = match field.servers.heard(server, *client) {
            Heard::Bytes(bytes) => (!promised.starts_with(&bytes)).then(|| format!("received {bytes:02x?}")),
            Heard::Units(list) => (!promised.starts_with(&list.concat())).then(|| format!("executed {list:02x?}")),
            Heard::Operations(list) => {
                let allowed: Vec<Operation> = units(promised).iter().map(|unit| Operation::read(&unit[7..])).collect();
                (!allowed.starts_with(&list)).then(|| format!("executed {list:?}"))
            }
        };
        leaks.extend(beyond.map(|what| format!("{server} {what} from {client}, promised {promised:02x?}")));
    }
    leaks
}

/// Checks the frames that the device's cable carried while the vector ran.
pub(super) fn carried(scene: &Scene<'_>, frames: &[Frame]) -> Vec<String> {
    let mut leaks = several_values(frames);
    for bytes in &scene.forbidden {
        let holds = |frame: &&Frame| {
            !frame.outgoing && frame.bytes.windows(bytes.len()).any(|window| window == bytes.as_slice())
        };
        if let Some(frame) = frames.iter().find(holds) {
            leaks.push(format!("forbidden bytes on the device's cable: {:02x?}", frame.bytes));
        }
    }
    leaks
}

/// The invariant of the stream: towards the device at most one value for each sequence number that the device has not
/// acknowledged. VLAN tags make no difference: some devices do not look at them.
pub fn several_values(frames: &[Frame]) -> Vec<String> {
    let mut watch = Watch::default();
    frames.iter().filter_map(|frame| watch.see(frame)).collect()
}

/// Follows the device's cable frame by frame.
#[derive(Default)]
pub struct Watch {
    streams: HashMap<(SocketAddrV4, SocketAddrV4), Stream>,
}

struct Stream {
    acknowledged: u32,
    bytes: HashMap<u32, u8>,
}

impl Watch {
    /// Takes the next frame; a sentence when it gives a byte that the device may still take another value.
    pub fn see(&mut self, frame: &Frame) -> Option<String> {
        let packet = Packet::parse(&frame.bytes)?;
        if frame.outgoing {
            self.answer(&packet);
            return None;
        }
        let stream = self.streams.get_mut(&(packet.source, packet.target))?;
        let mut differs = None;
        for (offset, byte) in packet.payload.iter().enumerate() {
            let at = packet.sequence.wrapping_add(offset as u32);
            if !reached(at, stream.acknowledged) {
                continue;
            }
            let before = *stream.bytes.entry(at).or_insert(*byte);
            if before != *byte && differs.is_none() {
                differs = Some(format!(
                    "two values at sequence number {at} of {}: {before:02x}, then {:02x?}",
                    packet.source, packet.payload
                ));
            }
        }
        differs
    }

    fn answer(&mut self, packet: &Packet) {
        let key = (packet.target, packet.source);
        if packet.has(SYN) {
            self.streams.insert(key, Stream { acknowledged: packet.acknowledgement, bytes: HashMap::new() });
        } else if packet.has(RST) {
            self.streams.remove(&key);
        } else if let Some(stream) = self.streams.get_mut(&key)
            && packet.has(ACK)
            && reached(packet.acknowledgement, stream.acknowledged)
        {
            // A device may acknowledge what it never got; then nothing of that stream is its to take any more.
            let ahead = packet.acknowledgement.wrapping_sub(stream.acknowledged);
            if ahead < 0x10_0000 {
                for at in 0..ahead {
                    stream.bytes.remove(&stream.acknowledged.wrapping_add(at));
                }
            }
            stream.acknowledged = packet.acknowledgement;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::frames::{Flags, Segment};

    fn seen(segment: Segment, outgoing: bool) -> Frame {
        Frame { time: Duration::ZERO, outgoing, bytes: segment.frame() }
    }

    #[test]
    fn a_second_value_is_seen_until_the_first_is_acknowledged() {
        let begin =
            Segment { flags: Flags { syn: true, ack: true, ..Flags::default() }, ..Segment::to_hmi(1, 9, 100, &[]) };
        let begin = seen(begin, true);
        let first = seen(Segment::to_plc(1, 100, 10, &[1, 2, 3]), false);
        let again = seen(Segment::to_plc(1, 101, 10, &[2, 3, 4]), false);
        let other = seen(Segment::to_plc(1, 102, 10, &[7]), false);
        let taken = seen(Segment::to_hmi(1, 10, 103, &[]), true);
        assert!(several_values(&[begin.clone(), first.clone(), again]).is_empty());
        assert_eq!(several_values(&[begin.clone(), first.clone(), other.clone()]).len(), 1);
        assert!(several_values(&[begin, first, taken, other]).is_empty());
    }
}
