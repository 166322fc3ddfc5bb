//! The pieces below a function: unit segments, object segments, candidates and denials.

use std::collections::BTreeSet;

use enforcer_common::policy::{
    self as image, ANY_SPACE, CANDIDATES_PER_SEGMENT, DENIALS_PER_UNIT, Image, Run, capacity,
};
use enforcer_common::verdict::Verdict;

use super::super::valid::{Objects, Rule};
use super::pool::{Pool, key, unkey};
use super::rules::passes;
use super::{Full, place};

/// A rule as it applies to one function.
#[derive(Clone, Debug)]
pub(super) struct Scope<'r> {
    pub id: u16,
    pub rule: &'r Rule,
    /// Merged; `None` covers any object and none.
    pub objects: Option<Vec<Objects>>,
}

/// A candidate as an ordered value. Log sorts before allow, then by rule, as the search expects.
type CandidateKey = (bool, u16, i64, i64, u32, bool);
/// Rule, space, first, last, smallest and largest value, whether there are values.
type DenialKey = (u16, u32, u32, u32, i64, i64, bool);
/// Space, first object, candidates.
type SegmentKey = (u32, u32, (u32, u32));
/// First unit; segments, candidates, denials.
type UnitKey = (u32, (u32, u32), (u32, u32), (u32, u32));

/// The tables below the function table.
#[derive(Debug)]
pub(super) struct Tables {
    units: Pool<UnitKey>,
    segments: Pool<SegmentKey>,
    candidates: Pool<CandidateKey>,
    denials: Pool<DenialKey>,
}

impl Tables {
    pub(super) fn new() -> Self {
        Self {
            units: Pool::new(capacity::UNITS, "unit ranges"),
            segments: Pool::new(capacity::SEGMENTS, "object ranges"),
            candidates: Pool::new(capacity::CANDIDATES, "rules on object ranges"),
            denials: Pool::new(capacity::DENIALS, "denied ranges"),
        }
    }

    /// The unit segments for these rules, from unit 0 without gap.
    pub(super) fn units(&mut self, scopes: &[Scope<'_>]) -> Result<Run, Full> {
        let ranges = scopes.iter().flat_map(|scope| scope.rule.units.iter().flatten());
        let mut rows = Vec::new();
        for first in cuts(ranges.copied()) {
            let here: Vec<&Scope<'_>> = scopes.iter().filter(|scope| has_unit(scope.rule, first)).collect();
            let passing: Vec<&Scope<'_>> = here.iter().copied().filter(|scope| passes(scope.rule)).collect();
            let segments = self.segments(&passing)?;
            let candidates = self.candidates(&passing, None)?;
            let denials = self.denials(&here)?;
            rows.push((first, key(segments), key(candidates), key(denials)));
        }
        self.units.run(rows)
    }

    /// The segments of every space that some rule names, each from object 0 without gap.
    fn segments(&mut self, passing: &[&Scope<'_>]) -> Result<Run, Full> {
        let named = || passing.iter().flat_map(|scope| scope.objects.iter().flatten());
        let spaces: BTreeSet<u32> = named().map(|objects| objects.space).collect();
        let mut rows = Vec::new();
        for space in spaces {
            let ranges = named().filter(|objects| objects.space == space).map(|objects| (objects.first, objects.last));
            let cuts = cuts(ranges);
            if cuts.len() > capacity::SEGMENTS {
                return Err(Full::of("object ranges", capacity::SEGMENTS));
            }
            for first in cuts {
                let candidates = self.candidates(passing, Some((space, first)))?;
                rows.push((space, first, key(candidates)));
            }
        }
        self.segments.run(rows)
    }

    /// The candidates for the object `at`; for `None`, those of operations without object or in a space nobody names.
    fn candidates(&mut self, passing: &[&Scope<'_>], at: Option<(u32, u32)>) -> Result<Run, Full> {
        let mut rows: Vec<CandidateKey> = Vec::new();
        for scope in passing {
            let last = match (&scope.objects, at) {
                (None, _) => Some(u32::MAX),
                (Some(_), None) => None,
                (Some(list), Some((space, first))) => list
                    .iter()
                    .find(|objects| objects.space == space && (objects.first..=objects.last).contains(&first))
                    .map(|objects| objects.last),
            };
            let Some(last) = last else { continue };
            let allow = scope.rule.action != Verdict::Log;
            rows.extend(values(scope.rule).iter().map(|(min, max, bound)| (allow, scope.id, *min, *max, last, *bound)));
        }
        rows.sort_unstable();
        limit(rows.len(), CANDIDATES_PER_SEGMENT, "rules, each value range counted, cover the same objects")?;
        self.candidates.run(rows)
    }

    fn denials(&mut self, here: &[&Scope<'_>]) -> Result<Run, Full> {
        let any = [Objects { space: ANY_SPACE, first: 0, last: u32::MAX }];
        let mut rows: Vec<DenialKey> = Vec::new();
        for scope in here.iter().filter(|scope| !passes(scope.rule)) {
            for objects in scope.objects.as_deref().unwrap_or(&any) {
                for (min, max, bound) in values(scope.rule) {
                    rows.push((scope.id, objects.space, objects.first, objects.last, min, max, bound));
                }
            }
        }
        rows.sort_unstable();
        limit(rows.len(), DENIALS_PER_UNIT, "ranges are denied, each pair of an object and a value range counted")?;
        self.denials.run(rows)
    }

    /// Writes the tables into the image.
    pub(super) fn place(&self, image: &mut Image) -> Result<(), Full> {
        let units = self.units.rows(|(first, segments, candidates, denials)| image::Unit {
            first: *first,
            segments: unkey(*segments),
            candidates: unkey(*candidates),
            denials: unkey(*denials),
        });
        place(&mut image.units, &units, "unit ranges")?;
        let segments = self.segments.rows(|(space, first, candidates)| image::Segment {
            space: *space,
            first: *first,
            candidates: unkey(*candidates),
        });
        place(&mut image.segments, &segments, "object ranges")?;
        let candidates = self.candidates.rows(|(allow, rule, min, max, last, bound)| image::Candidate {
            value_min: *min,
            value_max: *max,
            last: *last,
            rule: *rule,
            log: u8::from(!*allow),
            has_values: u8::from(*bound),
        });
        place(&mut image.candidates, &candidates, "rules on object ranges")?;
        let denials = self.denials.rows(|(rule, space, first, last, min, max, bound)| image::Denial {
            value_min: *min,
            value_max: *max,
            space: *space,
            first: *first,
            last: *last,
            rule: *rule,
            has_values: u8::from(*bound),
            padding: 0,
        });
        place(&mut image.denials, &denials, "denied ranges")?;
        Ok(())
    }
}

/// 0, and every place where a range begins or has ended.
fn cuts(ranges: impl Iterator<Item = (u32, u32)>) -> BTreeSet<u32> {
    let mut cuts = BTreeSet::from([0]);
    for (first, last) in ranges {
        cuts.insert(first);
        cuts.extend(last.checked_add(1));
    }
    cuts
}

fn has_unit(rule: &Rule, unit: u32) -> bool {
    rule.units.as_ref().is_none_or(|list| list.iter().any(|(first, last)| (*first..=*last).contains(&unit)))
}

/// The value ranges of a rule, and whether it has any; without, one range of everything.
fn values(rule: &Rule) -> Vec<(i64, i64, bool)> {
    match &rule.values {
        None => vec![(i64::MIN, i64::MAX, false)],
        Some(list) => list.iter().map(|(min, max)| (*min, *max, true)).collect(),
    }
}

fn limit(count: usize, most: u32, what: &str) -> Result<(), Full> {
    match u32::try_from(count) {
        Ok(count) if count <= most => Ok(()),
        _ => Err(Full { line: 0, cause: format!("{count} {what}; at most {most} fit") }),
    }
}
