//! IEC 60870-5-104: no disagreement.

use super::Scored;

pub(crate) const SCORED: Scored = Scored { folders: &["iec104"], names: &["iec104"], totals: true, disagreements: &[] };
