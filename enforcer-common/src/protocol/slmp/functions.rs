//! The function table of SLMP: commands and device codes as the SLMP Reference Manual (Mitsubishi SH-080956ENG) names them.

use core::hint::black_box;

use crate::network::protocol::{TCP, UDP};
use crate::operation::Access;
use crate::protocol::tables::{self, Form, Function, NONE, Space, Tables};

/// Commands that are read further.
pub mod command {
    /// Read of consecutive devices.
    pub const READ: u32 = 0x0401;
    /// Read of scattered devices.
    pub const READ_RANDOM: u32 = 0x0403;
    /// Read of several blocks of devices.
    pub const READ_BLOCK: u32 = 0x0406;
    /// Write of consecutive devices.
    pub const WRITE: u32 = 0x1401;
    /// Write of scattered devices.
    pub const WRITE_RANDOM: u32 = 0x1402;
    /// Write of several blocks of devices.
    pub const WRITE_BLOCK: u32 = 0x1406;
    /// Registers the devices that `monitor` reads.
    pub const ENTRY_MONITOR: u32 = 0x0801;
    /// Reads them.
    pub const MONITOR: u32 = 0x0802;
    /// Read of an intelligent function module's buffer memory.
    pub const MODULE_READ: u32 = 0x0601;
    /// Write of it.
    pub const MODULE_WRITE: u32 = 0x1601;
    /// Read of the own buffer memory.
    pub const MEMORY_READ: u32 = 0x0613;
    /// Write of it.
    pub const MEMORY_WRITE: u32 = 0x1613;
    /// A station that reports of its own accord.
    pub const ON_DEMAND: u32 = 0x2101;
}

/// Kinds of objects: device codes as they stand on the wire, and others behind them.
pub mod space {
    /// Device code 0; code n is this plus n.
    pub const DEVICE: u32 = 0;
    /// Own buffer memory, in words.
    pub const BUFFER: u32 = 0x1_0000;
    /// Buffer memory of module 0, in bytes; module n is this plus n.
    pub const MODULE: u32 = 0x2_0000;
}

/// All that policies and reports need.
pub const TABLES: Tables = Tables {
    transports: &[TCP, UDP],
    ports: &[],
    functions: FUNCTIONS,
    spaces: SPACES,
    last_function: 0xffff,
    last_unit: u32::MAX,
    lone_answers: true,
    ..NONE
};

const fn device(code: u32, name: &'static str) -> Space {
    Space::plain(space::DEVICE.wrapping_add(code), name, u32::MAX)
}

/// The words in front of the colon in a rule's `objects`: devices by their symbols (SLMP 5.2), device numbers as they stand on
/// the wire, so that X, Y, B, W and others whose numbers people write in hexadecimal are best written with 0x.
pub const SPACES: &[Space] = &[
    device(0x91, "SM"),
    device(0xa9, "SD"),
    device(0x9c, "X"),
    device(0x9d, "Y"),
    device(0x90, "M"),
    device(0x92, "L"),
    device(0x93, "F"),
    device(0x94, "V"),
    device(0xa0, "B"),
    device(0xa8, "D"),
    device(0xb4, "W"),
    device(0xc1, "TS"),
    device(0xc0, "TC"),
    device(0xc2, "TN"),
    device(0x51, "LTS"),
    device(0x50, "LTC"),
    device(0x52, "LTN"),
    device(0xc7, "STS"),
    device(0xc6, "STC"),
    device(0xc8, "STN"),
    device(0x59, "LSTS"),
    device(0x58, "LSTC"),
    device(0x5a, "LSTN"),
    device(0xc4, "CS"),
    device(0xc3, "CC"),
    device(0xc5, "CN"),
    device(0x55, "LCS"),
    device(0x54, "LCC"),
    device(0x56, "LCN"),
    device(0xa1, "SB"),
    device(0xb5, "SW"),
    device(0x98, "S"),
    device(0xa2, "DX"),
    device(0xa3, "DY"),
    device(0xcc, "Z"),
    device(0x62, "LZ"),
    device(0xaf, "R"),
    device(0xb0, "ZR"),
    device(0x2c, "RD"),
    Space::plain(space::BUFFER, "buffer", u32::MAX),
    Space { space: space::MODULE, name: "module", last: u32::MAX, form: Form::Numbered { last: 0xffff }, member: None },
];

/// How far a number of words must be shifted to count objects: 4 for devices of single bits, of which a word access takes 16.
#[inline(always)]
pub(super) fn shift(code: u32) -> u32 {
    match SHIFTS.get(black_box(code) as usize & 255) {
        Some(shift) => *shift as u32,
        None => 0,
    }
}

static SHIFTS: [u8; 256] = {
    let mut shifts = [0; 256];
    let mut code = 0;
    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
    while code < shifts.len() {
        let bit = matches!(
            code,
            0x50 | 0x51 | 0x54 | 0x55 | 0x58 | 0x59 | 0x90..=0x94 | 0x98 | 0x9c | 0x9d | 0xa0..=0xa3 | 0xc0 | 0xc1
                | 0xc3 | 0xc4 | 0xc6 | 0xc7
        );
        shifts[code] = if bit { 4 } else { 0 };
        code = code.wrapping_add(1);
    }
    shifts
};

/// Every command with a name.
pub const FUNCTIONS: &[Function] = &[
    Function::new(0x0101, "read_type_name", Access::Discover, "T0888", false),
    Function::new(0x0201, "read_file_information_without_header", Access::Program, "T0845", false),
    Function::new(0x0202, "read_file_information_with_header", Access::Program, "T0845", false),
    Function::new(0x0203, "read_file_information_number_usage", Access::Program, "T0845", false),
    Function::new(0x0204, "read_drive_use_state", Access::Program, "T0845", false),
    Function::new(0x0205, "search_file", Access::Program, "T0845", false),
    Function::new(0x0206, "read_file_a_compatible", Access::Program, "T0845", false),
    Function::new(command::READ, "device_read", Access::Read, "T0801", false),
    Function::new(command::READ_RANDOM, "device_read_random", Access::Read, "T0801", false),
    Function::new(command::READ_BLOCK, "device_read_block", Access::Read, "T0801", false),
    Function::new(0x041a, "array_label_read", Access::Read, "T0801", false),
    Function::new(0x041c, "label_read_random", Access::Read, "T0801", false),
    Function::new(command::MODULE_READ, "intelligent_function_module_read", Access::Read, "T0801", false),
    Function::new(command::MEMORY_READ, "memory_read", Access::Read, "T0801", false),
    Function::new(0x0619, "self_test", Access::Diagnose, "T0888", false),
    Function::new(command::ENTRY_MONITOR, "entry_monitor_device", Access::Read, "T0801", false),
    Function::new(command::MONITOR, "execute_monitor", Access::Read, "T0801", false),
    Function::new(0x0808, "file_lock", Access::Program, "T0843", true),
    Function::new(0x0e30, "node_search", Access::Discover, "T0846", false),
    Function::new(0x0e31, "ip_address_set", Access::Firmware, "T0836", true),
    Function::new(0x1001, "remote_run", Access::Control, "T0858", true),
    Function::new(0x1002, "remote_stop", Access::Control, "T0858", true),
    Function::new(0x1003, "remote_pause", Access::Control, "T0858", true),
    Function::new(0x1005, "remote_latch_clear", Access::Control, "T0809", true),
    Function::new(0x1006, "remote_reset", Access::Control, "T0816", true),
    Function::new(0x1202, "new_file_a_compatible", Access::Program, "T0843", true),
    Function::new(0x1203, "write_file_a_compatible", Access::Program, "T0843", true),
    Function::new(0x1204, "modify_file_information", Access::Program, "T0843", true),
    Function::new(0x1205, "delete_file_a_compatible", Access::Program, "T0809", true),
    Function::new(0x1206, "copy_file_a_compatible", Access::Program, "T0843", true),
    Function::new(0x1207, "modify_file_creation_date", Access::Program, "T0843", true),
    Function::new(command::WRITE, "device_write", Access::Write, "T0836", false),
    Function::new(command::WRITE_RANDOM, "device_write_random", Access::Write, "T0836", false),
    Function::new(command::WRITE_BLOCK, "device_write_block", Access::Write, "T0836", false),
    Function::new(0x141a, "array_label_write", Access::Write, "T0836", false),
    Function::new(0x141b, "label_write_random", Access::Write, "T0836", false),
    Function::new(command::MODULE_WRITE, "intelligent_function_module_write", Access::Write, "T0836", true),
    Function::new(command::MEMORY_WRITE, "memory_write", Access::Write, "T0836", true),
    Function::new(0x1617, "clear_error", Access::Diagnose, "T0872", false),
    Function::new(0x1619, "clear_error_history", Access::Diagnose, "T0872", false),
    Function::new(0x1630, "remote_password_unlock", Access::Session, "T0859", false),
    Function::new(0x1631, "remote_password_lock", Access::Session, "T0859", false),
    Function::new(0x1810, "read_directory_file", Access::Program, "T0845", false),
    Function::new(0x1811, "search_directory_file", Access::Program, "T0845", false),
    Function::new(0x1820, "new_file", Access::Program, "T0843", true),
    Function::new(0x1822, "delete_file", Access::Program, "T0809", true),
    Function::new(0x1824, "copy_file", Access::Program, "T0843", true),
    Function::new(0x1825, "change_file_state", Access::Program, "T0843", true),
    Function::new(0x1826, "change_file_date", Access::Program, "T0843", true),
    Function::new(0x1827, "open_file", Access::Program, "T0843", true),
    Function::new(0x1828, "read_file", Access::Program, "T0845", false),
    Function::new(0x1829, "write_file", Access::Program, "T0843", true),
    Function::new(0x182a, "close_file", Access::Program, "T0843", true),
    Function::new(command::ON_DEMAND, "on_demand", Access::Read, "", false),
];

static CLASSES: [u8; 4096] = tables::folded_classes(FUNCTIONS);

/// Class of a command.
#[must_use]
#[inline(always)]
pub fn access(command: u32) -> u8 {
    tables::folded_class(&CLASSES, command)
}
