//! A metric with its samples.

use super::{Definition, Kind};

/// The number of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// Exact, however large.
    Whole(u64),
    Real(f64),
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Whole(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Whole(value.into())
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

/// One line of the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sample {
    /// Behind the family's name: `_bucket`, `_sum`, `_count` of histograms.
    pub(super) suffix: &'static str,
    pub(super) labels: Vec<(&'static str, String)>,
    pub(super) value: Value,
}

/// A metric with its samples, which must differ in their labels.
#[derive(Clone, Debug)]
pub struct Family {
    pub(super) definition: &'static Definition,
    pub(super) samples: Vec<Sample>,
}

impl Family {
    /// Without samples.
    #[must_use]
    pub fn new(definition: &'static Definition) -> Self {
        Self { definition, samples: Vec::new() }
    }

    /// With one sample that has no labels.
    #[must_use]
    pub fn of(definition: &'static Definition, value: impl Into<Value>) -> Self {
        let mut family = Self::new(definition);
        family.add(&[], value);
        family
    }

    /// Adds a sample; `labels` are the values of the definition's labels, in its order.
    pub fn add(&mut self, labels: &[&str], value: impl Into<Value>) {
        self.push("", labels, None, value.into());
    }

    /// Adds a histogram: how many were observed up to each bound, the last bound infinite and so all of them, and the sum
    /// of what was observed.
    pub fn add_histogram(&mut self, labels: &[&str], buckets: &[(f64, u64)], sum: f64) {
        debug_assert_eq!(self.definition.kind, Kind::Histogram);
        for (bound, count) in buckets {
            let bound = if bound.is_infinite() { "+Inf".to_owned() } else { bound.to_string() };
            self.push("_bucket", labels, Some(("le", bound)), (*count).into());
        }
        self.push("_sum", labels, None, sum.into());
        self.push("_count", labels, None, buckets.last().map_or(0, |(_, count)| *count).into());
    }

    fn push(&mut self, suffix: &'static str, labels: &[&str], more: Option<(&'static str, String)>, value: Value) {
        debug_assert_eq!(labels.len(), self.definition.labels.len(), "{}", self.definition.name);
        let named = self.definition.labels.iter().copied().zip(labels.iter().map(|value| (*value).to_owned()));
        self.samples.push(Sample { suffix, labels: named.chain(more).collect(), value });
    }
}
