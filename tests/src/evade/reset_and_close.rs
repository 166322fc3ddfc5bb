use super::Class;
pub(super) const CLASS: Class = Class { name: "reset_and_close", held: "", vectors: &[] };
