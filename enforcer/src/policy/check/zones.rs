//! `[zones]`: named sets of addresses, none of which is in two of them.

use std::ops::Range;

use toml::Spanned;

use super::super::address::AddressRange;
use super::super::range;
use super::super::valid::Zone;
use super::{Check, name_fault};
use crate::document::{Piece, nearest};

/// The zones that are right, and the names of all that were written: a conduit that names a zone with a mistake in it
/// must not be told that the zone is unknown.
pub(super) struct Zones {
    pub list: Vec<Zone>,
    pub written: Vec<String>,
}

impl<'s> Check<'s> {
    pub(super) fn zones(&mut self, root: &mut Piece<'s>) -> Zones {
        let mut zones = Zones { list: Vec::new(), written: Vec::new() };
        let Some(piece) = self.reader.table(root, "zones") else { return zones };
        // Every range with its zone and its place, to find overlaps.
        let mut placed: Vec<(AddressRange, usize, Range<usize>)> = Vec::new();
        for (key, value) in piece.entries() {
            let name = key.get_ref();
            let label = format!("zone \"{name}\"");
            zones.written.push(name.clone());
            if name == "any" {
                self.reader.report(&key.span(), "zone \"any\": this name is taken, it stands for every address");
                continue;
            }
            if let Some(fault) = name_fault(name) {
                self.reader.report(&key.span(), format!("{label}: {fault}"));
                continue;
            }
            let Some(entries) = self.reader.value::<Vec<Spanned<String>>>(&label, value) else { continue };
            if entries.is_empty() {
                self.reader.report(&key.span(), format!("{label} is empty; a zone needs at least one address"));
                continue;
            }
            let mut ranges = Vec::new();
            for entry in entries {
                match AddressRange::parse(entry.get_ref()) {
                    Ok(range) => {
                        self.overlap(&placed, range, &zones, name, &entry.span());
                        placed.push((range, zones.list.len(), entry.span()));
                        ranges.push(range);
                    }
                    Err(cause) => self.reader.report(&entry.span(), format!("{label}: {cause}")),
                }
            }
            let line = self.reader.source.line(&key.span());
            zones.list.push(Zone { name: name.clone(), ranges: merged(&ranges), line });
        }
        zones
    }

    /// Reports an address that an earlier zone has as well; two entries of one zone may overlap.
    fn overlap(
        &mut self,
        placed: &[(AddressRange, usize, Range<usize>)],
        range: AddressRange,
        zones: &Zones,
        name: &str,
        at: &Range<usize>,
    ) {
        let here = zones.list.len();
        let hit = placed.iter().filter(|(_, zone, _)| *zone != here).find_map(|(other, zone, place)| {
            let address = other.overlap(&range)?;
            Some((address, zones.list.get(*zone)?.name.clone(), self.reader.source.line(place)))
        });
        if let Some((address, other, line)) = hit {
            let text = format!(
                "zone \"{name}\": {address} is in zone \"{other}\" already (line {line}); an address can be in one zone only"
            );
            self.reader.report(at, text);
        }
    }
}

impl Zones {
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.list.iter().position(|zone| zone.name == name)
    }

    /// A zone that is likely meant by a wrong name.
    pub(super) fn nearest(&self, name: &str) -> Option<&str> {
        nearest(name, self.written.iter().map(String::as_str).chain(["any"]))
    }
}

/// Sorted, disjoint and not adjacent, IPv4 first.
fn merged(ranges: &[AddressRange]) -> Vec<AddressRange> {
    let mut v4 = Vec::new();
    let mut v6 = Vec::new();
    for range in ranges {
        match *range {
            AddressRange::V4(first, last) => v4.push((first, last)),
            AddressRange::V6(first, last) => v6.push((first, last)),
        }
    }
    let v4 = range::merge(v4, |end| end.checked_add(1)).into_iter().map(|(first, last)| AddressRange::V4(first, last));
    let v6 = range::merge(v6, |end| end.checked_add(1)).into_iter().map(|(first, last)| AddressRange::V6(first, last));
    v4.chain(v6).collect()
}
