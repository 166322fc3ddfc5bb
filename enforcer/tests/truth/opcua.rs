//! OPC UA binary.

use super::Scored;

pub(crate) const SCORED: Scored = Scored { folders: &["opcua"], names: &["opcua"], totals: true, disagreements: &[] };
