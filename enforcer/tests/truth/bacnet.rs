//! BACnet/IP: ASHRAE 135-2020.

use super::Scored;

pub(crate) const SCORED: Scored = Scored { folders: &["bacnet"], names: &["bacnet"], totals: true, disagreements: &[] };
