//! Where stages are that go through a list or a nest of things step by step.

/// Where a stage is that walks a list: of options, of a protocol's objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Walking {
    /// Offset of the next option.
    pub at: u32,
    /// Offset behind the last one.
    pub end: u32,
    /// What was seen, a bit for each kind that may stand there once.
    pub seen: u32,
    /// What a step found, to be read back by the next one.
    pub found: u32,
}

/// Where a dissector is that reads units inside a unit, and what it keeps of the ones around.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Nesting {
    /// Bytes of the part at hand, the first one lowest. The last word is always 0.
    pub window: [u64; 5],
    /// What is under way, in the dissector's own way; 0 before the first unit and between units.
    pub state: u32,
    /// Steps that were taken.
    pub steps: u32,
    /// First byte of the part that is read next.
    pub at: u32,
    /// Behind its last byte, as the lengths around it say.
    pub end: u32,
    /// First byte of a list of parts.
    pub list: u32,
    /// Behind its last byte.
    pub list_end: u32,
    /// Parts in the list.
    pub count: u32,
    /// Which of them comes next.
    pub index: u32,
    /// Unit of the operations inside.
    pub unit: u32,
    /// Transaction of the operations inside.
    pub transaction: u32,
    /// Behind the last byte of a path, while it is read.
    pub path_end: u32,
    /// What the path has named so far.
    pub seen: u32,
    /// Number that stands for a name, while it is read.
    pub name: u32,
    /// The same of the name that is at hand.
    pub number: u32,
    /// Characters of it that are left.
    pub left: u32,
    /// What the name that is at hand is for, in the dissector's own way.
    pub purpose: u32,
    /// Size of the part at hand.
    pub size: u32,
    /// Where the bytes in `window` are taken from.
    pub from: u32,
    /// Behind the last byte that may be taken.
    pub until: u32,
}
