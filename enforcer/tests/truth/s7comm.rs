//! S7comm, S7comm-plus and the connections that carry them.

use super::Scored;

pub(crate) const SCORED: Scored =
    Scored { folders: &["s7comm", "s7comm-plus", "cotp"], names: &["s7comm", "s7commplus"], totals: true, disagreements: &[] };
