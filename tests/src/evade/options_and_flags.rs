use super::Class;
pub(super) const CLASS: Class = Class { name: "options_and_flags", held: "", vectors: &[] };
