//! Evidence put together to what an engineer would call one thing: the same peers, operation and reason, on objects that
//! lie near each other.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

use enforcer_common::network::protocol as ip;
use enforcer_common::observation::ObservationKey;
use enforcer_common::operation::{NO_FUNCTION, NO_OBJECT, Operation};
use enforcer_common::policy::{Image, UNCOVERED};
use enforcer_common::protocol::Protocol;
use enforcer_common::verdict::{Reason, Verdict};

use super::input::Evidence;
use crate::policy::valid::Objects;
use crate::policy::{space_of, trial};
use crate::replay::time::Timestamp;

/// Objects between two ranges that still belong together: a block of a device has gaps of a few registers.
const NEAR: u32 = 16;

/// One group of evidence. `key` is that of its first entry.
#[derive(Clone, Debug)]
pub(super) struct Heap {
    pub conduit: u16,
    pub reason: Reason,
    pub key: ObservationKey,
    /// Merged.
    pub objects: Vec<Objects>,
    /// Different ranges before merging.
    pub ranges: usize,
    pub values: Option<(i64, i64)>,
    /// What is judged: one operation per entry. Empty for frames that hold none.
    pub parts: Vec<Operation>,
    pub count: u64,
    pub first: Timestamp,
    pub last: Timestamp,
    /// Denials of the same conversations that carry no operation.
    pub without_operation: u64,
}

/// Everything but the objects and values.
type Same = (u16, Reason, [u8; 16], [u8; 16], (u8, u16, u8), u32, u32, u32);

/// Groups the evidence by what `image` makes of it.
pub(super) fn heaps(image: &Image, evidence: &[Evidence]) -> Vec<Heap> {
    let mut alike: BTreeMap<Same, Vec<&Evidence>> = BTreeMap::new();
    for one in evidence {
        let key = &one.key;
        let service = (key.transport, key.port, key.protocol);
        let same =
            (conduit(image, key), one.reason, key.client, key.server, service, key.function, key.unit, key.space);
        alike.entry(same).or_default().push(one);
    }
    let mut heaps = Vec::new();
    for ((conduit, reason, ..), mut list) in alike {
        list.sort_by_key(|one| (one.key.first, one.key.last));
        let mut open: Option<Heap> = None;
        for one in list {
            match &mut open {
                Some(heap) if heap.is_near(one) => heap.add(one),
                _ => heaps.extend(open.replace(Heap::of(conduit, reason, one))),
            }
        }
        heaps.extend(open);
    }
    fold(heaps)
}

impl Heap {
    fn of(conduit: u16, reason: Reason, one: &Evidence) -> Self {
        let mut heap = Self {
            conduit,
            reason,
            key: one.key,
            objects: Vec::new(),
            ranges: 0,
            values: None,
            parts: Vec::new(),
            count: 0,
            first: one.first,
            last: one.last,
            without_operation: 0,
        };
        heap.add(one);
        heap
    }

    fn is_near(&self, one: &Evidence) -> bool {
        let Some(last) = self.objects.last() else { return true };
        let bits = protocol(&self.key)
            .and_then(|protocol| space_of(protocol, last.space))
            .map_or(0, |space| space.member_bits());
        (one.key.first >> bits) <= (last.last >> bits).saturating_add(NEAR)
    }

    fn add(&mut self, one: &Evidence) {
        let key = &one.key;
        if key.space != NO_OBJECT {
            self.objects.push(Objects { space: key.space, first: key.first, last: key.last });
            self.objects = Objects::merged(std::mem::take(&mut self.objects));
            self.ranges = self.ranges.saturating_add(1);
        }
        let values = (one.value_min <= one.value_max).then_some((one.value_min, one.value_max));
        self.values = match (self.values, values) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (known, new) => known.or(new),
        };
        if key.function != NO_FUNCTION {
            self.parts.push(operation(key, values));
        }
        self.count = self.count.saturating_add(one.count);
        self.first = self.first.min(one.first);
        self.last = self.last.max(one.last);
    }

    /// The first refusal of the core, or what lets the last part pass.
    pub(super) fn judge(&self, image: &Image) -> Reason {
        let conduit = conduit(image, &self.key);
        if conduit == UNCOVERED || self.parts.is_empty() {
            return self.whole(image, conduit);
        }
        let mut last = Reason::BeyondInspection;
        for part in &self.parts {
            last = trial::judge(image, conduit, std::slice::from_ref(part))
                .map_or(Reason::BeyondInspection, |outcome| outcome.reason);
            if last.verdict() == Verdict::Deny {
                break;
            }
        }
        last
    }

    /// What the policy says without looking inside.
    fn whole(&self, image: &Image, conduit: u16) -> Reason {
        if is_ethernet(&self.key) {
            return image.ethernet(self.key.port).0;
        }
        match (conduit, self.key.transport) {
            (UNCOVERED, ip::TCP | ip::UDP | ip::ICMP | ip::ICMPV6) => image.uncovered(),
            (UNCOVERED, _) => Reason::UnknownTransport,
            _ => Reason::Conduit,
        }
    }

    /// True when both belong to conversations of one client with one service.
    fn is_beside(&self, other: &Self) -> bool {
        let (one, other) = (&self.key, &other.key);
        (one.client, one.server, one.transport, one.port) == (other.client, other.server, other.transport, other.port)
    }

    /// True for what looks like the answer to `call`: nobody covers it, so the box can't tell who asks.
    fn answers(&self, call: &Self) -> bool {
        let (one, call) = (&self.key, &call.key);
        (one.client, one.server, one.transport) == (call.server, call.client, call.transport)
            && one.port >= 1024
            && call.port < one.port
    }
}

/// Handshakes, and answers that nobody covers, are no groups of their own beside the operations they belong to.
fn fold(heaps: Vec<Heap>) -> Vec<Heap> {
    let bare = |heap: &Heap| heap.conduit == UNCOVERED && heap.parts.is_empty() && !is_ethernet(&heap.key);
    let (bare, mut kept): (Vec<Heap>, Vec<Heap>) = heaps.into_iter().partition(bare);
    let mut left = Vec::new();
    for heap in bare {
        let covered = |kept: &&mut Heap| kept.conduit == UNCOVERED && (heap.is_beside(kept) || heap.answers(kept));
        match kept.iter_mut().find(covered) {
            Some(home) => home.without_operation = home.without_operation.saturating_add(heap.count),
            None => left.push(heap),
        }
    }
    let answer = |index: usize| {
        let heap = left.get(index)?;
        left.iter().position(|call| heap.answers(call))
    };
    let homes: Vec<Option<usize>> = (0..left.len()).map(answer).collect();
    for (index, home) in homes.iter().enumerate() {
        // A call that is itself taken for an answer stays: nothing is hidden.
        let Some(home) = home.filter(|home| homes.get(*home) == Some(&None)) else { continue };
        let count = left.get(index).map_or(0, |heap| heap.count);
        if let Some(home) = left.get_mut(home) {
            home.without_operation = home.without_operation.saturating_add(count);
        }
    }
    let stays = |home: &Option<usize>| home.is_none_or(|home| homes.get(home) != Some(&None));
    kept.extend(left.into_iter().zip(&homes).filter(|(_, home)| stays(home)).map(|(heap, _)| heap));
    kept
}

/// The protocol of its operations, where it holds some.
pub(super) fn protocol(key: &ObservationKey) -> Option<Protocol> {
    Protocol::from_code(key.protocol).filter(|protocol| protocol.is_inspected())
}

/// True for frames that are not IP, whatever is inspected in them.
pub(super) fn is_ethernet(key: &ObservationKey) -> bool {
    key.protocol == Protocol::Ethernet as u8
        || protocol(key).is_some_and(|one| one.outer().unwrap_or(one).tables().ethertype.is_some())
}

/// The address in a key of IP traffic.
pub(super) fn address(octets: [u8; 16]) -> IpAddr {
    let address = Ipv6Addr::from(octets);
    address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4)
}

/// The conduit that `image` finds for the conversation.
pub(in crate::rollout) fn conduit(image: &Image, key: &ObservationKey) -> u16 {
    if is_ethernet(key) {
        return image.ethernet(key.port).1;
    }
    // Conduits name ICMP, and mean ICMPv6 as well; neither has ports.
    let transport = if key.transport == ip::ICMPV6 { ip::ICMP } else { key.transport };
    let port = if matches!(transport, ip::TCP | ip::UDP) { key.port } else { 0 };
    trial::conduit(image, address(key.client), address(key.server), transport, port)
}

fn operation(key: &ObservationKey, values: Option<(i64, i64)>) -> Operation {
    let mut operation = Operation {
        function: key.function,
        unit: key.unit,
        space: key.space,
        first: key.first,
        last: key.last,
        protocol: key.protocol,
        access: key.access,
        ..Operation::EMPTY
    };
    if let Some((min, max)) = values {
        (operation.value_min, operation.value_max) = (min, max);
        operation.flags |= Operation::HAS_VALUE;
    }
    operation
}
