//! EtherNet/IP and CIP.

use super::Scored;

pub(crate) const SCORED: Scored = Scored { folders: &["enip"], names: &["enip", "cip", "cip_io"], totals: true, disagreements: &[] };
