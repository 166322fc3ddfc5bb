//! The function table of FINS: command codes and memory areas as the Communications Commands Reference Manual (Omron W342)
//! names them. A function number is 256 times the main request code plus the sub-request code.

use crate::network::protocol::{TCP, UDP};
use crate::operation::Access;
use crate::protocol::tables::{self, Form, Function, Member, NONE, Space, Tables};

/// Command codes that are read further.
pub mod command {
    /// Memory area read.
    pub const MEMORY_READ: u32 = 0x0101;
    /// Memory area write.
    pub const MEMORY_WRITE: u32 = 0x0102;
    /// Memory area fill.
    pub const MEMORY_FILL: u32 = 0x0103;
    /// Multiple memory area read.
    pub const MULTIPLE_READ: u32 = 0x0104;
    /// Memory area transfer.
    pub const TRANSFER: u32 = 0x0105;
    /// Parameter area read.
    pub const PARAMETER_READ: u32 = 0x0201;
    /// Parameter area write.
    pub const PARAMETER_WRITE: u32 = 0x0202;
    /// Parameter area clear.
    pub const PARAMETER_CLEAR: u32 = 0x0203;
    /// Forced set/reset.
    pub const FORCED_SET: u32 = 0x2301;
    /// Multiple forced status read.
    pub const FORCED_STATUS: u32 = 0x230a;
}

/// Kinds of objects: memory areas by what they hold, whatever code names them; and areas without a name by their code.
pub mod space {
    /// Core input and output.
    pub const CIO: u32 = 0;
    /// Work area.
    pub const WORK: u32 = 1;
    /// Holding area.
    pub const HOLDING: u32 = 2;
    /// Auxiliary area.
    pub const AUXILIARY: u32 = 3;
    /// Data memory.
    pub const DATA: u32 = 4;
    /// Present values of timers, and behind 0x8000 of counters.
    pub const TIMER: u32 = 5;
    /// Their completion flags.
    pub const TIMER_FLAG: u32 = 6;
    /// The current bank of the extended memory.
    pub const EXTENDED: u32 = 7;
    /// Bank 0 of the extended memory; bank n is this plus n.
    pub const BANK: u32 = 0x10;
    /// Memory area code 0; code n is this plus n.
    pub const AREA: u32 = 0x100;
    /// Parameter area code 0; code n is this plus n.
    pub const PARAMETER: u32 = 0x1_0000;
}

/// All that policies and reports need.
pub const TABLES: Tables = Tables {
    transports: &[TCP, UDP],
    ports: &[9600],
    functions: FUNCTIONS,
    spaces: SPACES,
    last_function: 0xffff,
    last_unit: 0x00ff_ffff,
    reads_then_writes: &[command::TRANSFER],
    lone_answers: true,
    ..NONE
};

const BIT: Option<Member> = Some(Member { name: "bit", bits: 4 });

const fn words(space: u32, name: &'static str) -> Space {
    Space { space, name, last: 0xffff, form: Form::Plain, member: BIT }
}

const fn banks(space: u32, name: &'static str, last: u32) -> Space {
    Space { space, name, last: 0xffff, form: Form::Numbered { last }, member: BIT }
}

/// The words in front of the colon in a rule's `objects`: words of 16 bits.
pub const SPACES: &[Space] = &[
    words(space::CIO, "cio"),
    words(space::WORK, "w"),
    words(space::HOLDING, "h"),
    words(space::AUXILIARY, "a"),
    words(space::DATA, "d"),
    words(space::TIMER, "t"),
    words(space::TIMER_FLAG, "tf"),
    words(space::EXTENDED, "e"),
    banks(space::BANK, "bank", 24),
    banks(space::AREA, "area", 255),
    Space::numbered(space::PARAMETER, "parameter", 0xffff, 0xffff),
];

/// Every command code with a name.
pub const FUNCTIONS: &[Function] = &[
    Function::new(0x0101, "memory_area_read", Access::Read, "T0801", false),
    Function::new(0x0102, "memory_area_write", Access::Write, "T0836", false),
    Function::new(0x0103, "memory_area_fill", Access::Write, "T0836", false),
    Function::new(0x0104, "multiple_memory_area_read", Access::Read, "T0801", false),
    Function::new(0x0105, "memory_area_transfer", Access::Write, "T0836", false),
    Function::new(0x0201, "parameter_area_read", Access::Program, "T0845", false),
    Function::new(0x0202, "parameter_area_write", Access::Firmware, "T0836", true),
    Function::new(0x0203, "parameter_area_clear", Access::Firmware, "T0836", true),
    Function::new(0x0220, "data_link_table_read", Access::Read, "T0801", false),
    Function::new(0x0221, "data_link_table_write", Access::Firmware, "T0836", true),
    Function::new(0x0304, "program_area_protect", Access::Session, "T0859", true),
    Function::new(0x0305, "program_area_protect_clear", Access::Session, "T0859", true),
    Function::new(0x0306, "program_area_read", Access::Program, "T0845", false),
    Function::new(0x0307, "program_area_write", Access::Program, "T0843", true),
    Function::new(0x0308, "program_area_clear", Access::Program, "T0809", true),
    Function::new(0x0401, "run", Access::Control, "T0858", true),
    Function::new(0x0402, "stop", Access::Control, "T0858", true),
    Function::new(0x0403, "reset", Access::Control, "T0816", true),
    Function::new(0x0501, "controller_data_read", Access::Discover, "T0888", false),
    Function::new(0x0502, "connection_data_read", Access::Discover, "T0888", false),
    Function::new(0x0601, "controller_status_read", Access::Diagnose, "T0868", false),
    Function::new(0x0602, "network_status_read", Access::Diagnose, "T0888", false),
    Function::new(0x0603, "data_link_status_read", Access::Diagnose, "T0888", false),
    Function::new(0x0620, "cycle_time_read", Access::Diagnose, "T0888", false),
    Function::new(0x0701, "clock_read", Access::Read, "T0801", false),
    Function::new(0x0702, "clock_write", Access::Write, "T0836", false),
    Function::new(0x0801, "internode_echo_test", Access::Diagnose, "T0888", false),
    Function::new(0x0802, "broadcast_test_results_read", Access::Diagnose, "T0888", false),
    Function::new(0x0803, "broadcast_test_data_send", Access::Diagnose, "T0888", false),
    Function::new(0x0920, "message_read_clear", Access::Diagnose, "T0888", false),
    Function::new(0x0c01, "access_right_acquire", Access::Session, "T0859", false),
    Function::new(0x0c02, "access_right_forced_acquire", Access::Session, "T0859", true),
    Function::new(0x0c03, "access_right_release", Access::Session, "T0859", false),
    Function::new(0x2101, "error_clear", Access::Control, "T0872", false),
    Function::new(0x2102, "error_log_read", Access::Diagnose, "T0888", false),
    Function::new(0x2103, "error_log_clear", Access::Diagnose, "T0872", false),
    Function::new(0x2201, "file_name_read", Access::Program, "T0845", false),
    Function::new(0x2202, "single_file_read", Access::Program, "T0845", false),
    Function::new(0x2203, "single_file_write", Access::Program, "T0843", true),
    Function::new(0x2204, "file_memory_format", Access::Firmware, "T0809", true),
    Function::new(0x2205, "file_delete", Access::Program, "T0809", true),
    Function::new(0x2206, "volume_label_create_delete", Access::Program, "T0809", true),
    Function::new(0x2207, "file_copy", Access::Program, "T0843", true),
    Function::new(0x2208, "file_name_change", Access::Program, "T0843", true),
    Function::new(0x2209, "file_data_check", Access::Program, "T0845", false),
    Function::new(0x220a, "memory_area_file_transfer", Access::Program, "T0843", true),
    Function::new(0x220b, "parameter_area_file_transfer", Access::Program, "T0843", true),
    Function::new(0x220c, "program_area_file_transfer", Access::Program, "T0843", true),
    Function::new(0x220f, "file_memory_index_read", Access::Program, "T0845", false),
    Function::new(0x2210, "file_memory_read", Access::Program, "T0845", false),
    Function::new(0x2211, "file_memory_write", Access::Program, "T0843", true),
    Function::new(0x2215, "create_delete_directory", Access::Program, "T0843", true),
    Function::new(0x2220, "memory_cassette_transfer", Access::Program, "T0843", true),
    Function::new(0x2301, "forced_set_reset", Access::Control, "T0835", true),
    Function::new(0x2302, "forced_set_reset_cancel", Access::Control, "T0835", true),
    Function::new(0x230a, "multiple_forced_status_read", Access::Read, "T0801", false),
    Function::new(0x2601, "name_set", Access::Write, "T0836", false),
    Function::new(0x2602, "name_delete", Access::Write, "T0836", false),
    Function::new(0x2603, "name_read", Access::Discover, "T0888", false),
];

static CLASSES: [u8; 4096] = tables::folded_classes(FUNCTIONS);

/// Class of a command code.
#[must_use]
#[inline(always)]
pub fn access(code: u32) -> u8 {
    tables::folded_class(&CLASSES, code)
}
