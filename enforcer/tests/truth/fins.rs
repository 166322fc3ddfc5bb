//! Omron FINS.

use super::Scored;

pub(crate) const SCORED: Scored = Scored { folders: &["fins"], names: &["fins"], totals: true, disagreements: &[] };
