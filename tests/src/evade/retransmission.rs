use super::Class;
pub(super) const CLASS: Class = Class { name: "retransmission", held: "", vectors: &[] };
