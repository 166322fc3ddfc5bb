//! PROFINET: DCP and connections.

use super::Scored;

pub(crate) const SCORED: Scored =
    Scored { folders: &["profinet"], names: &["profinet_dcp", "profinet_cm"], totals: true, disagreements: &[] };
