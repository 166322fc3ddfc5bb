//! The layout that kernel and controller must share, as one number.
//!
//! It goes into the image's header and into the name of the directory that the maps are pinned in, so that a controller
//! never adopts maps of another layout.

use core::mem::size_of;

use crate::event::Event;
use crate::flow::{Flow, HalfOpen, Station};
use crate::found::Found;
use crate::health::Counts;
use crate::known::Known;
use crate::observation::{Difference, Observation, ObservationKey};
use crate::policy::grant::{Grant, GrantKey};
use crate::policy::image::{
    AddressesV4, AddressesV6, Candidate, Conduit, Denial, Ethertype, Function, Header, Image, Pair, Rule, Segment,
    Service, Unit,
};
use crate::policy::memo::Memo;
use crate::policy::step::LastKey;
use crate::processing::Processing;
use crate::scratch::Scratch;

pub use crate::settings::{MODE_AS_POLICY, Settings, conduit_cell};

/// Raised when a field changes its meaning but not its size.
pub const VERSION: u64 = 12;

/// Hash over the version and every shared layout.
pub const LAYOUT: u64 = hash(&[
    VERSION,
    size_of::<Image>() as u64,
    size_of::<Header>() as u64,
    size_of::<AddressesV4>() as u64,
    size_of::<AddressesV6>() as u64,
    size_of::<Ethertype>() as u64,
    size_of::<Pair>() as u64,
    size_of::<Service>() as u64,
    size_of::<Conduit>() as u64,
    size_of::<Function>() as u64,
    size_of::<Unit>() as u64,
    size_of::<Segment>() as u64,
    size_of::<Candidate>() as u64,
    size_of::<Denial>() as u64,
    size_of::<Rule>() as u64,
    size_of::<Flow>() as u64,
    size_of::<HalfOpen>() as u64,
    size_of::<Station>() as u64,
    size_of::<Scratch>() as u64,
    size_of::<Event>() as u64,
    size_of::<ObservationKey>() as u64,
    size_of::<Observation>() as u64,
    size_of::<Settings>() as u64,
    size_of::<Difference>() as u64,
    size_of::<GrantKey>() as u64,
    size_of::<Grant>() as u64,
    size_of::<LastKey>() as u64,
    size_of::<Memo>() as u64,
    size_of::<Known>() as u64,
    size_of::<Found>() as u64,
    size_of::<Counts>() as u64,
    size_of::<Processing>() as u64,
]);

/// FNV-1a over words.
const fn hash(words: &[u64]) -> u64 {
    let mut state: u64 = 0xcbf2_9ce4_8422_2325;
    let mut rest = words;
    while let [word, tail @ ..] = rest {
        state = (state ^ *word).wrapping_mul(0x0000_0100_0000_01b3);
        rest = tail;
    }
    state
}

/// Cells of the array of policy images.
pub mod place {
    /// The policy in force.
    pub const ACTIVE: u32 = 0;
    /// The policy that is tried beside it.
    pub const CANDIDATE: u32 = 1;
    /// The policy that comes back when the active one is not confirmed.
    pub const PREVIOUS: u32 = 2;
    /// Size of the array.
    pub const COUNT: usize = 3;
}

/// Slots of the program array, one per stage and one per inspected protocol.
pub mod slot {
    use crate::protocol::Protocol;

    /// Link, network, transport of frames from the network; and flow and stream where they are known.
    pub const WALK_NETWORK: u32 = 0;
    /// The same of frames from the device.
    pub const WALK_DEVICE: u32 = 1;
    /// Judge, act, commit.
    pub const JUDGE: u32 = 2;
    /// Turns a denied segment into a reset for its sender.
    pub const RESET: u32 = 3;
    /// Events and observations.
    pub const REPORT: u32 = 4;
    /// Conduit, from the policy.
    pub const CONDUIT: u32 = 5;
    /// Nothing: the program that benchmarks compare with. No stage calls it.
    pub const EMPTY: u32 = 6;
    /// TCP options.
    pub const OPTIONS: u32 = 13;
    /// ICMP.
    pub const ICMP: u32 = 14;
    /// ARP and neighbour discovery.
    pub const NEIGHBOUR: u32 = 15;
    /// What the benchmark's program goes on with; empty in the product.
    pub const BENCH: u32 = 7;
    /// Checksums, and the hash of the payload.
    pub const DIGEST: u32 = 8;
    /// A TCP segment without flow.
    pub const HANDSHAKE: u32 = 9;
    /// Bytes that were sent again.
    pub const COMPARE: u32 = 10;
    /// A flow for a TCP segment.
    pub const CLAIM: u32 = 11;
    /// Lays carry and payload behind each other.
    pub const ASSEMBLE: u32 = 12;
    /// Values of Modbus writes in the frame.
    pub const MODBUS_VALUES: u32 = 16;
    /// Values of Modbus writes in carry + payload.
    pub const MODBUS_VALUES_ASSEMBLED: u32 = 17;
    /// Flow and stream of TCP, behind another stage than the first.
    pub const STREAM: u32 = 18;
    /// Judges what must be searched for in the policy.
    pub const SEARCH: u32 = 19;
    /// The candidate policy's conduit for a frame that is decided.
    pub const CANDIDATE: u32 = 20;
    /// What the candidate policy says of a frame that is decided.
    pub const COMPARE_POLICY: u32 = 21;
    /// Writes down where the two differ.
    pub const DIFFERENCES: u32 = 22;
    /// Counts the devices' health.
    pub const HEALTH: u32 = 23;
    /// Notes how long the frame took, and lets it go.
    pub const MEASURE: u32 = 24;
    /// Keeps a request that was judged, for when it comes again.
    pub const KEEP: u32 = 25;
    /// Lets a request pass that is known.
    pub const KNOWN: u32 = 26;
    /// Size of the array.
    pub const COUNT: u32 = 128;

    /// A protocol's dissector in the frame.
    #[must_use]
    pub const fn dissector(protocol: Protocol) -> u32 {
        (protocol as u32).wrapping_mul(2)
    }

    /// A protocol's dissector in carry + payload.
    #[must_use]
    pub const fn assembled(protocol: Protocol) -> u32 {
        dissector(protocol).wrapping_add(1)
    }

    const _: () = assert!(dissector(Protocol::Modbus) == 32 && Protocol::FIRST_INSPECTED == 16);
}

/// What a map cell is indexed by, and how many there are. A size is part of [`LAYOUT`] through the image's capacities.
pub mod cell {
    use core::hint::black_box;

    use crate::policy::capacity;
    use crate::verdict::{REASONS, Reason};

    /// Counters of one conduit: per reason, carried out or not.
    pub const PER_CONDUIT: usize = REASONS * 2;
    /// Counters of one function node: per reason a rule can have, carried out or not.
    pub const PER_FUNCTION: usize = 16;

    /// Budgets: those of the rules of both banks, and the one that all echo requests from the network share.
    pub const BUDGETS: usize = capacity::RULES * 2 + 1;

    /// Counter of a conduit.
    #[must_use]
    #[inline(always)]
    pub const fn of_conduit(reason: Reason, acted: bool) -> usize {
        ((reason as usize) << 1 | acted as usize) & (PER_CONDUIT - 1)
    }

    /// Counter of a function node; `None` for reasons that no rule gives.
    #[must_use]
    #[inline(always)]
    pub fn of_function(reason: Reason, acted: bool) -> Option<usize> {
        if reason as u8 == Reason::RuleAllow as u8 {
            // What nearly all are: where that is known beforehand nothing is looked up.
            const _: () = assert!(matches!(NODE_REASONS, [Reason::RuleAllow, ..]));
            return Some(acted as usize);
        }
        // The mask must stay where the verifier sees it, though the compiler knows how far reasons go.
        let place = *PLACES.get(black_box(reason as usize) & (REASONS - 1))? as usize;
        if place == 0 {
            return None;
        }
        Some((place.wrapping_sub(1) << 1 | acted as usize) & (PER_FUNCTION - 1))
    }

    /// Place of each reason in [`NODE_REASONS`], counted from 1; 0 for the others.
    static PLACES: [u8; REASONS] = {
        let mut places = [0; REASONS];
        let mut place = 0u8;
        let mut rest: &[Reason] = &NODE_REASONS;
        while let [reason, tail @ ..] = rest {
            place = place.wrapping_add(1);
            #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
            {
                places[*reason as usize] = place;
            }
            rest = tail;
        }
        places
    };

    /// Reasons that a function node counts, in the order of its cells.
    pub const NODE_REASONS: [Reason; 8] = [
        Reason::RuleAllow,
        Reason::RuleLog,
        Reason::RuleDeny,
        Reason::UnitNotAllowed,
        Reason::ObjectNotAllowed,
        Reason::ValueNotAllowed,
        Reason::RateExceeded,
        Reason::StepTooLarge,
    ];
}

/// Key of the counter for outcomes of functions that no node counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct FunctionReason {
    /// Function, or [`crate::operation::NO_FUNCTION`].
    pub function: u32,
    /// Conduit id.
    pub conduit: u16,
    /// [`crate::verdict::Reason`] code.
    pub reason: u8,
    /// Counter bank in bit 1, carried out in bit 0.
    pub flags: u8,
}

/// Losses that are counted because nothing may be lost silently. Index into the map `LOST`.
pub mod loss {
    /// Events that found the ring buffer full.
    pub const EVENTS: u32 = 0;
    /// Operations that found the observation table full.
    pub const OBSERVATIONS: u32 = 1;
    /// Outcomes that found the function counter table full (the conduit's counters have them).
    pub const FUNCTIONS: u32 = 2;
    /// Conversations that found the flow table full.
    pub const FLOWS: u32 = 3;
    /// Frames that met an empty slot of the program array.
    pub const STAGES: u32 = 4;
    /// SYN that found no room to wait for their answer.
    pub const HALF_OPEN: u32 = 5;
    /// Operations whose verdict under the candidate was not found out: of another protocol there, or no room in the table.
    pub const COMPARISONS: u32 = 6;
    /// Size of the map.
    pub const COUNT: usize = 8;
}

/// IPv4 flows have a key of their own: a third of the bytes to hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct FlowKeyV4 {
    /// Address on the network side.
    pub network: [u8; 4],
    /// Address on the device side.
    pub device: [u8; 4],
    /// Port on the network side.
    pub network_port: u16,
    /// Port on the device side.
    pub device_port: u16,
}

/// Conversations that the box can follow at once, unless its configuration says otherwise.
pub const FLOWS: usize = 16384;
/// SYN that can wait for their answers, unless the configuration says otherwise.
pub const HALF_OPEN: usize = 4096;
/// Stations whose connections are counted.
pub const STATIONS: usize = 4096;
/// Operations that observation can tell apart.
pub const OBSERVATIONS: usize = 32768;
/// Operations about which active and candidate policy may differ.
pub const DIFFERENCES: usize = 4096;
/// Devices whose health is counted.
pub const HEALTH: usize = 1024;
/// Keys that grants may take.
pub const GRANTS: usize = 4096;
/// Objects whose last value is remembered.
pub const LAST_VALUES: usize = 16384;
/// Bytes of the event ring.
pub const EVENT_RING: usize = 1 << 20;
/// Bytes of the assembly buffer: carry, payload, and room for reads beyond the end.
pub const ASSEMBLY: usize = 4096;
