//! IEC 61850 GOOSE.

use super::Scored;

pub(crate) const SCORED: Scored = Scored { folders: &["goose"], names: &["goose"], totals: true, disagreements: &[] };
