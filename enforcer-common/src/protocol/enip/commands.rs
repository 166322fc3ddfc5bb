//! The commands of PCCC: 256 * command + function, manual's name, class, technique. Rockwell 1770-6.5.16, "DF1 protocol and
//! command set", chapters 6 and 7.

use core::hint::black_box;

use crate::operation::Access;
use crate::protocol::tables::{Form, Function, Member, NONE, Space, Tables};

/// Data file 0; file n is this plus n. Objects are elements, their members sub-elements.
pub const FILE: u32 = 0x0002_0000;

/// All that policies and reports need.
pub const TABLES: Tables =
    Tables { functions: FUNCTIONS, spaces: SPACES, last_function: 0xffff, last_unit: u32::MAX, ..NONE };

/// The words in front of the colon in a rule's `objects`.
pub const SPACES: &[Space] = &[Space {
    space: FILE,
    name: "file",
    last: 0xffff,
    form: Form::Numbered { last: 0xffff },
    member: Some(Member { name: "sub-element", bits: 16 }),
}];

/// Every command with a name. Of commands without function the second byte is 0.
pub const FUNCTIONS: &[Function] = &[
    Function::new(0x0000, "protected_write", Access::Write, "T0836", false),
    Function::new(0x0100, "unprotected_read", Access::Read, "T0801", false),
    Function::new(0x0200, "protected_bit_write", Access::Write, "T0836", false),
    Function::new(0x0300, "physical_write", Access::Program, "T0843", true),
    Function::new(0x0400, "physical_read", Access::Program, "T0845", false),
    Function::new(0x0500, "unprotected_bit_write", Access::Write, "T0836", false),
    Function::new(0x0800, "unprotected_write", Access::Write, "T0836", false),
    Function::new(0x0600, "echo", Access::Diagnose, "T0888", false),
    Function::new(0x0601, "read_diagnostic_counters", Access::Diagnose, "T0888", false),
    Function::new(0x0602, "set_variables", Access::Write, "T0836", true),
    Function::new(0x0603, "diagnostic_status", Access::Diagnose, "T0888", false),
    Function::new(0x0604, "set_timeout", Access::Write, "T0836", true),
    Function::new(0x0605, "set_naks", Access::Write, "T0836", true),
    Function::new(0x0606, "set_enqs", Access::Write, "T0836", true),
    Function::new(0x0607, "reset_diagnostic_counters", Access::Diagnose, "T0872", false),
    Function::new(0x0608, "set_data_table_size", Access::Program, "T0843", true),
    Function::new(0x0609, "read_link_parameters", Access::Diagnose, "T0888", false),
    Function::new(0x060a, "set_link_parameters", Access::Write, "T0836", true),
    Function::new(0x0700, "disable_outputs", Access::Control, "T0831", true),
    Function::new(0x0701, "enable_outputs", Access::Control, "T0831", true),
    Function::new(0x0703, "enable_scanning", Access::Control, "T0858", true),
    Function::new(0x0704, "enter_download_mode", Access::Program, "T0843", true),
    Function::new(0x0705, "exit_download_upload_mode", Access::Program, "T0843", true),
    Function::new(0x0706, "enter_upload_mode", Access::Program, "T0845", true),
    Function::new(0x0f00, "word_range_write", Access::Write, "T0836", false),
    Function::new(0x0f01, "word_range_read", Access::Read, "T0801", false),
    Function::new(0x0f02, "bit_write", Access::Write, "T0836", false),
    Function::new(0x0f03, "file_write", Access::Write, "T0836", false),
    Function::new(0x0f04, "file_read", Access::Read, "T0801", false),
    Function::new(0x0f05, "download_request", Access::Program, "T0843", true),
    Function::new(0x0f06, "upload", Access::Program, "T0845", true),
    Function::new(0x0f07, "shutdown", Access::Control, "T0858", true),
    Function::new(0x0f0a, "restart_request", Access::Control, "T0816", true),
    Function::new(0x0f11, "get_edit_resource", Access::Program, "T0843", true),
    Function::new(0x0f12, "return_edit_resource", Access::Program, "T0843", true),
    Function::new(0x0f17, "read_bytes_physical", Access::Read, "T0801", false),
    Function::new(0x0f18, "write_bytes_physical", Access::Program, "T0843", true),
    Function::new(0x0f26, "read_modify_write", Access::Write, "T0836", false),
    Function::new(0x0f29, "read_section_size", Access::Read, "T0801", false),
    Function::new(0x0f3a, "set_cpu_mode", Access::Control, "T0858", true),
    Function::new(0x0f41, "disable_forces", Access::Control, "T0835", true),
    Function::new(0x0f50, "download_all_request", Access::Program, "T0843", true),
    Function::new(0x0f52, "download_completed", Access::Program, "T0843", true),
    Function::new(0x0f53, "upload_all_request", Access::Program, "T0845", true),
    Function::new(0x0f55, "upload_completed", Access::Program, "T0845", true),
    Function::new(0x0f57, "initialize_memory", Access::Firmware, "T0809", true),
    Function::new(0x0f5e, "modify_plc2_compatibility_file", Access::Program, "T0843", true),
    Function::new(0x0f67, "typed_write", Access::Write, "T0836", false),
    Function::new(0x0f68, "typed_read", Access::Read, "T0801", false),
    Function::new(0x0f79, "read_modify_write_n", Access::Write, "T0836", false),
    Function::new(0x0f80, "change_mode", Access::Control, "T0858", true),
    Function::new(0x0f81, "open_file", Access::Program, "T0843", true),
    Function::new(0x0f82, "close_file", Access::Program, "T0843", true),
    Function::new(0x0f8f, "apply_port_configuration", Access::Program, "T0839", true),
    Function::new(0x0f90, "restore_port_configuration", Access::Program, "T0839", true),
    Function::new(0x0fa1, "protected_typed_logical_read_two_fields", Access::Read, "T0801", false),
    Function::new(0x0fa2, "protected_typed_logical_read_three_fields", Access::Read, "T0801", false),
    Function::new(0x0fa7, "protected_typed_file_read", Access::Program, "T0845", false),
    Function::new(0x0fa9, "protected_typed_logical_write_two_fields", Access::Write, "T0836", false),
    Function::new(0x0faa, "protected_typed_logical_write_three_fields", Access::Write, "T0836", false),
    Function::new(0x0fab, "protected_typed_logical_write_with_mask", Access::Write, "T0836", false),
    Function::new(0x0faf, "protected_typed_file_write", Access::Program, "T0843", true),
];

const fn by_command(command: u32) -> [u8; 256] {
    let mut classes = [Access::Unknown as u8; 256];
    let mut row = 0;
    while row < FUNCTIONS.len() {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
        let function = &FUNCTIONS[row];
        if function.code >> 8 == command {
            #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
            {
                classes[function.code as usize & 0xff] = function.access as u8;
            }
        }
        row = row.wrapping_add(1);
    }
    classes
}

/// Classes of the commands without function, by command; all of them begin with function 0.
static PLAIN: [u8; 16] = {
    let mut classes = [Access::Unknown as u8; 16];
    let mut row = 0;
    while row < FUNCTIONS.len() {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
        let function = &FUNCTIONS[row];
        if function.code & 0xff == 0 {
            #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
            {
                classes[function.code as usize >> 8 & 15] = function.access as u8;
            }
        }
        row = row.wrapping_add(1);
    }
    classes
};

static EXTENDED: [u8; 256] = by_command(0x0f);
static DIAGNOSTIC: [u8; 256] = by_command(0x06);
static MODE: [u8; 256] = by_command(0x07);

/// True for commands that have a function.
#[must_use]
#[inline(always)]
pub const fn has_function(command: u8) -> bool {
    matches!(command, 0x06 | 0x07 | 0x0f)
}

/// Class of a command and its function.
#[must_use]
#[inline(always)]
pub fn access(command: u8, function: u8) -> u8 {
    // The masks must stay where the verifier sees them.
    let function = black_box(function) as usize & 0xff;
    let class = match command {
        0x06 => DIAGNOSTIC.get(function),
        0x07 => MODE.get(function),
        0x0f => EXTENDED.get(function),
        0x00..=0x05 | 0x08 => PLAIN.get(black_box(command) as usize & 15),
        _ => None,
    };
    match class {
        Some(class) => *class,
        None => Access::Unknown as u8,
    }
}

#[cfg(test)]
mod tests {
    use super::{FUNCTIONS, access, has_function};

    #[test]
    fn classes_come_from_the_table() {
        for row in FUNCTIONS {
            let [.., command, function] = row.code.to_be_bytes();
            assert!(has_function(command) || function == 0, "{}", row.name);
            assert_eq!(access(command, function), row.access as u8, "{}", row.name);
        }
        assert_eq!(access(0x0f, 0x99), 0);
        assert_eq!(access(0x10, 0), 0);
    }
}
