//! IEC 61850 sampled values.

use super::Scored;

pub(crate) const SCORED: Scored = Scored { folders: &["sv"], names: &["sv"], totals: true, disagreements: &[] };
