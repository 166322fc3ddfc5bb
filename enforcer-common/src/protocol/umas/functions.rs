//! The function table of UMAS. Schneider publishes no standard; names are those of its engineering software's log and of the
//! public dissectors. Sources disagree on which of 0x30 and 0x33 begins a transfer toward the controller, so both directions
//! are of class program.

use crate::operation::Access;
use crate::protocol::tables::{self, Function, NONE, Space, Tables};

/// Kinds of objects; beside those of Modbus, with which a conduit names them.
pub mod space {
    /// Memory block 0; block n is this plus n. Objects are byte offsets.
    pub const BLOCK: u32 = 0x0002_0000;
}

/// The wrapper that signs a function.
pub const SIGNED: u8 = 0x38;
/// Answer: done.
pub const DONE: u8 = 0xfe;
/// Answer: refused, with a code.
pub const REFUSED: u8 = 0xfd;

/// All that policies and reports need.
pub const TABLES: Tables = Tables { functions: FUNCTIONS, spaces: SPACES, last_function: 255, last_unit: 255, ..NONE };

/// The words in front of the colon in a rule's `objects`.
pub const SPACES: &[Space] = &[Space::numbered(space::BLOCK, "block", 65535, u32::MAX)];

/// Every function with a name.
pub const FUNCTIONS: &[Function] = &[
    Function::new(0x01, "init_communication", Access::Session, "", false),
    Function::new(0x02, "read_id", Access::Discover, "T0888", false),
    Function::new(0x03, "read_project_info", Access::Discover, "T0888", false),
    Function::new(0x04, "read_plc_info", Access::Diagnose, "T0868", false),
    Function::new(0x05, "read_loader_info", Access::Discover, "T0888", false),
    Function::new(0x06, "read_card_info", Access::Discover, "T0888", false),
    Function::new(0x07, "read_block_info", Access::Discover, "T0888", false),
    Function::new(0x0a, "repeat", Access::Session, "", false),
    Function::new(0x10, "take_plc_reservation", Access::Session, "T0859", false),
    Function::new(0x11, "release_plc_reservation", Access::Session, "T0859", false),
    Function::new(0x12, "keep_alive", Access::Session, "", false),
    Function::new(0x20, "read_memory_block", Access::Read, "T0801", false),
    Function::new(0x21, "write_memory_block", Access::Write, "T0836", true),
    Function::new(0x22, "read_variables", Access::Read, "T0801", false),
    Function::new(0x23, "write_variables", Access::Write, "T0836", false),
    Function::new(0x24, "read_coils_registers", Access::Read, "T0801", false),
    Function::new(0x25, "write_coils_registers", Access::Write, "T0836", false),
    Function::new(0x26, "read_data_dictionary", Access::Read, "T0861", false),
    Function::new(0x27, "preload_data_dictionary", Access::Read, "T0861", false),
    Function::new(0x28, "read_physical_address", Access::Read, "T0801", false),
    Function::new(0x29, "write_physical_address", Access::Write, "T0836", true),
    Function::new(0x2a, "browse_events", Access::Read, "T0801", false),
    Function::new(0x30, "initialize_upload", Access::Program, "T0845", true),
    Function::new(0x31, "upload_block", Access::Program, "T0845", true),
    Function::new(0x32, "end_strategy_upload", Access::Program, "T0845", true),
    Function::new(0x33, "initialize_download", Access::Program, "T0843", true),
    Function::new(0x34, "download_block", Access::Program, "T0843", true),
    Function::new(0x35, "end_strategy_download", Access::Program, "T0843", true),
    Function::new(0x36, "backup_application", Access::Program, "T0843", true),
    Function::new(0x37, "preload_blocks", Access::Program, "T0843", true),
    Function::new(SIGNED as u32, "signed_function", Access::Program, "T0859", true),
    Function::new(0x39, "read_ethernet_master_data", Access::Discover, "T0888", false),
    Function::new(0x40, "start_plc", Access::Control, "T0858", true),
    Function::new(0x41, "stop_plc", Access::Control, "T0858", true),
    Function::new(0x42, "initialize_plc", Access::Control, "T0858", true),
    Function::new(0x43, "swap_plc", Access::Control, "T0858", true),
    Function::new(0x50, "monitor_plc", Access::Read, "T0801", false),
    Function::new(0x51, "monitor_request_1", Access::Read, "T0801", false),
    Function::new(0x52, "monitor_request_2", Access::Read, "T0801", false),
    Function::new(0x53, "monitor_request_3", Access::Read, "T0801", false),
    Function::new(0x58, "check_plc", Access::Diagnose, "T0888", false),
    Function::new(0x60, "set_breakpoint", Access::Control, "T0858", true),
    Function::new(0x61, "delete_breakpoint", Access::Control, "T0858", true),
    Function::new(0x62, "step_over", Access::Control, "T0858", true),
    Function::new(0x63, "step_in", Access::Control, "T0858", true),
    Function::new(0x64, "step_out", Access::Control, "T0858", true),
    Function::new(0x65, "get_call_stack", Access::Diagnose, "T0888", false),
    Function::new(0x66, "check_debug_allowed", Access::Diagnose, "T0888", false),
    Function::new(0x6e, "exchange_nonces", Access::Session, "T0859", false),
    Function::new(0x70, "read_io_object", Access::Read, "T0801", false),
    Function::new(0x71, "write_io_object", Access::Write, "T0835", true),
    Function::new(0x72, "read_rack_configuration", Access::Discover, "T0888", false),
    Function::new(0x73, "get_status_module", Access::Diagnose, "T0888", false),
    Function::new(0x74, "read_device_configuration", Access::Discover, "T0888", false),
    Function::new(REFUSED as u32, "refused", Access::Session, "", false),
    Function::new(DONE as u32, "done", Access::Session, "", false),
];

static CLASSES: [u8; 256] = tables::classes(FUNCTIONS);

/// Class of a function.
#[must_use]
#[inline(always)]
pub fn access(code: u8) -> u8 {
    tables::class(&CLASSES, code as u32)
}
