//! The function table of GE-SRTP: service request codes. GE publishes no standard; codes are those of the DFRWS 2017 paper on the
//! protocol (Denton et al.) and of public drivers.

use core::hint::black_box;

use crate::network::protocol::TCP;
use crate::operation::Access;
use crate::protocol::tables::{self, Function, NONE, Space, Tables};

/// Services that name memory.
pub mod service {
    /// Read of system memory.
    pub const READ: u32 = 0x04;
    /// Read of task memory.
    pub const READ_TASK: u32 = 0x05;
    /// Read of program block memory.
    pub const READ_BLOCK: u32 = 0x06;
    /// Write of system memory.
    pub const WRITE: u32 = 0x07;
    /// Write of task memory.
    pub const WRITE_TASK: u32 = 0x08;
}

/// Kinds of objects: memory by its segment selector. A number of a table of bits counts bits, whatever selector names it.
pub mod space {
    /// Selector 0; selector n is this plus n.
    pub const SELECTOR: u32 = 0;
    /// Registers.
    pub const REGISTER: u32 = 0x08;
    /// Analog inputs.
    pub const ANALOG_INPUT: u32 = 0x0a;
    /// Analog outputs.
    pub const ANALOG_OUTPUT: u32 = 0x0c;
    /// Discrete inputs.
    pub const INPUT: u32 = 0x46;
    /// Discrete outputs.
    pub const OUTPUT: u32 = 0x48;
    /// Internal bits.
    pub const INTERNAL: u32 = 0x4c;
    /// Temporary bits.
    pub const TEMPORARY: u32 = 0x4a;
    /// System bits, three tables.
    pub const SYSTEM_A: u32 = 0x4e;
    /// See `SYSTEM_A`.
    pub const SYSTEM_B: u32 = 0x50;
    /// See `SYSTEM_A`.
    pub const SYSTEM_C: u32 = 0x52;
    /// Genius global bits.
    pub const GLOBAL: u32 = 0x56;
    /// Selector 0 of memory that is no system memory (tasks and blocks); selector n is this plus n.
    pub const OTHER: u32 = 0x100;
}

/// All that policies and reports need.
pub const TABLES: Tables = Tables {
    transports: &[TCP],
    ports: &[18245],
    functions: FUNCTIONS,
    spaces: SPACES,
    last_function: 255,
    last_unit: u32::MAX,
    lone_answers: true,
    ..NONE
};

/// The words in front of the colon in a rule's `objects`. Numbers count from 0: `R:0` is %R1.
pub const SPACES: &[Space] = &[
    Space::plain(space::REGISTER, "R", 0xffff),
    Space::plain(space::ANALOG_INPUT, "AI", 0xffff),
    Space::plain(space::ANALOG_OUTPUT, "AQ", 0xffff),
    Space::plain(space::INPUT, "I", 0xf_ffff),
    Space::plain(space::OUTPUT, "Q", 0xf_ffff),
    Space::plain(space::INTERNAL, "M", 0xf_ffff),
    Space::plain(space::TEMPORARY, "T", 0xf_ffff),
    Space::plain(space::SYSTEM_A, "SA", 0xf_ffff),
    Space::plain(space::SYSTEM_B, "SB", 0xf_ffff),
    Space::plain(space::SYSTEM_C, "SC", 0xf_ffff),
    Space::plain(space::GLOBAL, "G", 0xf_ffff),
    Space::numbered(space::OTHER, "segment", 255, 0x1_ffff),
];

/// Every service with a name.
pub const FUNCTIONS: &[Function] = &[
    Function::new(0x00, "plc_short_status_request", Access::Diagnose, "T0868", false),
    Function::new(0x03, "return_control_program_names", Access::Discover, "T0888", false),
    Function::new(service::READ, "read_system_memory", Access::Read, "T0801", false),
    Function::new(service::READ_TASK, "read_task_memory", Access::Read, "T0801", false),
    Function::new(service::READ_BLOCK, "read_program_memory", Access::Program, "T0845", false),
    Function::new(service::WRITE, "write_system_memory", Access::Write, "T0836", false),
    Function::new(service::WRITE_TASK, "write_task_memory", Access::Write, "T0836", false),
    Function::new(0x09, "write_program_block_memory", Access::Program, "T0843", true),
    Function::new(0x20, "programmer_logon", Access::Session, "T0859", false),
    Function::new(0x21, "change_plc_cpu_privilege_level", Access::Session, "T0859", false),
    Function::new(0x22, "set_control_id", Access::Write, "T0836", true),
    Function::new(0x23, "set_plc_run_stop", Access::Control, "T0858", true),
    Function::new(0x24, "set_plc_time_date", Access::Write, "T0836", false),
    Function::new(0x25, "return_plc_time_date", Access::Read, "T0801", false),
    Function::new(0x38, "return_fault_table", Access::Diagnose, "T0888", false),
    Function::new(0x39, "clear_fault_table", Access::Diagnose, "T0872", false),
    Function::new(0x3f, "program_store", Access::Program, "T0845", false),
    Function::new(0x40, "program_load", Access::Program, "T0843", true),
    Function::new(0x43, "return_controller_type_and_id", Access::Discover, "T0888", false),
    Function::new(0x44, "toggle_force_system_memory", Access::Control, "T0835", true),
    Function::new(0x4f, "session_control", Access::Session, "T0859", false),
];

static CLASSES: [u8; 256] = tables::classes(FUNCTIONS);

/// Class of a service.
#[must_use]
#[inline(always)]
pub fn access(service: u8) -> u8 {
    tables::class(&CLASSES, service as u32)
}

/// What a selector names: the space, and how far an offset or length must be shifted to count its objects (a selector of bytes
/// counts eight bits at once).
#[must_use]
#[inline(always)]
pub fn memory(selector: u8) -> (u32, u32) {
    let entry = match SELECTORS.get(black_box(selector) as usize & 255) {
        Some(entry) => *entry as u32,
        None => 0,
    };
    (entry & 0x1ff, entry >> 12)
}

static SELECTORS: [u16; 256] = {
    const BYTES: u16 = 3 << 12;
    let mut selectors = [0; 256];
    let mut selector = 0u8;
    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
    loop {
        selectors[selector as usize] = match selector {
            0x08 => 0x08,
            0x0a => 0x0a,
            0x0c => 0x0c,
            0x10 => 0x46 | BYTES,
            0x12 => 0x48 | BYTES,
            0x14 => 0x4a | BYTES,
            0x16 => 0x4c | BYTES,
            0x18 => 0x4e | BYTES,
            0x1a => 0x50 | BYTES,
            0x1c => 0x52 | BYTES,
            0x38 => 0x56 | BYTES,
            0x46 | 0x48 | 0x4a | 0x4c | 0x4e | 0x50 | 0x52 | 0x56 => selector as u16,
            _ => 0x100 | selector as u16,
        };
        if selector == u8::MAX {
            break;
        }
        selector = selector.wrapping_add(1);
    }
    selectors
};
