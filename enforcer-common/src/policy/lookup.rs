//! Searches in the address, ethertype and service tables.

use super::image::{ANY_ZONE, Ethertype, Image, Run, Service, UNCOVERED, capacity};
use crate::verdict::Reason;

/// Zone of an address, and whether it is a device's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Zone id.
    pub zone: u16,
    /// The address belongs to a device.
    pub device: bool,
}

impl Place {
    const NOWHERE: Self = Self { zone: ANY_ZONE, device: false };
}

/// Steps that find an entry among 3, among 31, and among 131,071.
const HANDFUL: u32 = 2;
const FEW: u32 = 5;
const MANY: u32 = 17;

/// MAC addresses that are compared one after the other.
const FEW_MACS: u32 = 4;

/// Index of the last entry of `run` for which `at_or_below` holds, in a table sorted so that it holds for a prefix.
///
/// The index is masked with the table's size, a power of two: the mask is what proves the access in the kernel, and it
/// changes nothing while the compiler keeps runs inside their tables. Every step leaves `low` as unknown to the verifier as
/// `run.first` was, so the paths through the steps join again; halving an interval would give each its own bounds.
#[inline(always)]
pub(crate) fn last_at_or_below<T, const N: usize>(
    table: &[T; N],
    run: Run,
    at_or_below: impl Fn(&T) -> bool,
) -> Option<u32> {
    let low = if run.count >> HANDFUL == 0 {
        search::<HANDFUL, T, N>(table, run, at_or_below)
    } else if run.count >> FEW == 0 {
        search::<FEW, T, N>(table, run, at_or_below)
    } else {
        search::<MANY, T, N>(table, run, at_or_below)
    };
    if low == run.first { None } else { Some(low.wrapping_sub(1)) }
}

/// No index or count is larger. Masked with it, an index has the same bounds before and after a step.
const INDEX: u32 = 0x3_ffff;

/// The first index of `run` that is not known to be at or below, after as many steps as bits.
#[inline(always)]
fn search<const STEPS: u32, T, const N: usize>(table: &[T; N], run: Run, at_or_below: impl Fn(&T) -> bool) -> u32 {
    let end = run.first.wrapping_add(run.count) & INDEX;
    let mut low = run.first & INDEX;
    for step in 0..STEPS {
        let width = 1u32 << (STEPS.wrapping_sub(1).wrapping_sub(step) & 31);
        let next = low.wrapping_add(width) & INDEX;
        if next <= end
            && let Some(entry) = get(table, next.wrapping_sub(1))
            && at_or_below(entry)
        {
            low = next;
        }
    }
    low
}

/// The entry at `index`, masked.
#[inline(always)]
pub(crate) fn get<T, const N: usize>(table: &[T; N], index: u32) -> Option<&T> {
    table.get(index as usize & const { N - 1 })
}

/// The number that stands for a MAC address in [`Image::macs`]: its bytes as they lie, which takes two loads.
#[must_use]
#[inline(always)]
pub const fn mac_number(mac: [u8; 6]) -> u64 {
    let [a, b, c, d, e, f] = mac;
    u32::from_le_bytes([a, b, c, d]) as u64 | (u16::from_le_bytes([e, f]) as u64) << 32
}

impl Image {
    /// How many entries of the function table are in use.
    #[must_use]
    pub fn functions_in_use(&self) -> u32 {
        let ends = self.conduits.iter().map(|conduit| conduit.functions.first.saturating_add(conduit.functions.count));
        ends.max().unwrap_or(0)
    }

    /// Zone of an address in the core's 16-byte form.
    #[must_use]
    #[inline(always)]
    pub fn place(&self, address: &[u8; 16]) -> Place {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *address;
        let high = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        let low = u64::from_be_bytes([i, j, k, l, m, n, o, p]);
        if high == 0 && low >> 32 == 0xffff {
            self.place_v4(u32::from_be_bytes([m, n, o, p]))
        } else {
            self.place_v6(high, low)
        }
    }

    #[inline(always)]
    fn place_v4(&self, address: u32) -> Place {
        let run = self.header.addresses_v4;
        let Some(index) = last_at_or_below(&self.addresses_v4, run, |range| range.first <= address) else {
            return Place::NOWHERE;
        };
        match get(&self.addresses_v4, index) {
            Some(range) if address <= range.last => Place { zone: range.zone, device: range.device != 0 },
            _ => Place::NOWHERE,
        }
    }

    #[inline(always)]
    fn place_v6(&self, high: u64, low: u64) -> Place {
        let run = self.header.addresses_v6;
        let Some(index) = last_at_or_below(&self.addresses_v6, run, |range| {
            let [first_high, first_low] = range.first;
            first_high < high || (first_high == high && first_low <= low)
        }) else {
            return Place::NOWHERE;
        };
        match get(&self.addresses_v6, index) {
            Some(range) => {
                let [last_high, last_low] = range.last;
                if high < last_high || (high == last_high && low <= last_low) {
                    Place { zone: range.zone, device: range.device != 0 }
                } else {
                    Place::NOWHERE
                }
            }
            None => Place::NOWHERE,
        }
    }

    /// True when `mac` belongs to a device.
    #[must_use]
    #[inline(always)]
    pub fn is_device_mac(&self, mac: [u8; 6]) -> bool {
        if self.header.macs.count == 0 {
            return false;
        }
        let number = mac_number(mac);
        let run = self.header.macs;
        if run.count <= FEW_MACS {
            return self.is_one_of_few(run, number);
        }
        match last_at_or_below(&self.macs, run, |entry| *entry <= number) {
            Some(index) => get(&self.macs, index).is_some_and(|entry| *entry == number),
            None => false,
        }
    }

    /// One after the other: with a handful of devices that is less than a search.
    #[inline(always)]
    fn is_one_of_few(&self, run: Run, number: u64) -> bool {
        for step in 0..FEW_MACS {
            if step >= run.count {
                break;
            }
            if get(&self.macs, run.first.wrapping_add(step)).is_some_and(|entry| *entry == number) {
                return true;
            }
        }
        false
    }

    /// What the policy says about frames that are not IP, and the conduit whose rules judge what is inside.
    #[inline(always)]
    pub fn ethernet(&self, ethertype: u16) -> (Reason, u16) {
        let run = self.header.ethertypes;
        let entry: Option<&Ethertype> = last_at_or_below(&self.ethertypes, run, |entry| entry.ethertype <= ethertype)
            .and_then(|index| get(&self.ethertypes, index));
        match entry {
            Some(entry) if entry.ethertype == ethertype => {
                (Reason::from_code(entry.reason).unwrap_or(Reason::EthernetDeny), entry.conduit)
            }
            _ => (self.uncovered(), UNCOVERED),
        }
    }

    /// What the policy says about traffic that no conduit covers.
    #[inline(always)]
    pub fn uncovered(&self) -> Reason {
        match Reason::from_code(self.header.uncovered) {
            Some(reason) => reason,
            None => Reason::UncoveredDeny,
        }
    }

    /// The conduit of a conversation from `client` to `server`, or `None` when no conduit covers it. `service` is the
    /// transport in the upper, the server's port in the lower 16 bits.
    #[must_use]
    #[inline(always)]
    pub fn conduit_of(&self, client: u16, server: u16, service: u32) -> Option<u16> {
        self.service(self.services_between(client, server)?, service)
    }

    /// The services of a pair of zones. A pair without an entry falls back to the next less specific one; an entry holds
    /// what the less specific ones hold, so the first entry found decides.
    #[inline(always)]
    fn services_between(&self, client: u16, server: u16) -> Option<Run> {
        for step in 0..4u32 {
            let from = if step & 2 == 0 { client } else { ANY_ZONE };
            let to = if step & 1 == 0 { server } else { ANY_ZONE };
            let key = ((from as u32) << 16) | to as u32;
            let found = last_at_or_below(&self.pairs, self.header.pairs, |pair| pair.key <= key)
                .and_then(|index| get(&self.pairs, index));
            if let Some(pair) = found
                && pair.key == key
            {
                return Some(pair.services);
            }
        }
        None
    }

    #[inline(always)]
    fn service(&self, run: Run, service: u32) -> Option<u16> {
        let found: &Service = last_at_or_below(&self.services, run, |entry| entry.first <= service)
            .and_then(|index| get(&self.services, index))?;
        if service <= found.last { Some(found.conduit) } else { None }
    }
}

const _: () = assert!(capacity::CANDIDATES < 1 << MANY);
