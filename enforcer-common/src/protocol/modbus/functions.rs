//! The function table of Modbus: code, standard's name, class, technique. MB 5 and 6; names of codes outside the public
//! standard are the ones in common use.

use core::hint::black_box;

use crate::network::protocol::{TCP, UDP};
use crate::operation::Access;
use crate::protocol::Protocol;
use crate::protocol::tables::{Function, FunctionObject, NONE, Space, Tables, classes};

/// Function code of UMAS, Schneider's programming protocol.
pub const UMAS: u8 = 0x5a;

/// Kinds of objects: the four tables (MB 4.3), sub-functions, MEI types and files.
pub mod space {
    /// Coils, read and write bits.
    pub const COIL: u32 = 0;
    /// Discrete inputs, read-only bits.
    pub const DISCRETE: u32 = 1;
    /// Input registers, read-only words.
    pub const INPUT: u32 = 2;
    /// Holding registers, read and write words.
    pub const HOLDING: u32 = 3;
    /// FIFO queues, by pointer address.
    pub const FIFO: u32 = 4;
    /// Sub-functions of function 8.
    pub const DIAGNOSTIC: u32 = 5;
    /// MEI types of function 43.
    pub const MEI: u32 = 6;
    /// File 0; file n is this plus n. Objects are record numbers.
    pub const FILE: u32 = 0x0001_0000;
}

/// All that policies and reports need.
pub const TABLES: Tables = Tables {
    transports: &[TCP, UDP],
    ports: &[502],
    functions: FUNCTIONS,
    spaces: SPACES,
    last_function: 255,
    last_unit: 255,
    inner: &[Protocol::Umas],
    reads_then_writes: &[23],
    lone_answers: true,
    ..NONE
};

/// The words in front of the colon in a rule's `objects`.
pub const SPACES: &[Space] = &[
    Space::plain(space::COIL, "coil", 65535),
    Space::plain(space::DISCRETE, "discrete", 65535),
    Space::plain(space::INPUT, "input", 65535),
    Space::plain(space::HOLDING, "holding", 65535),
    Space::plain(space::FIFO, "fifo", 65535),
    Space::plain(space::DIAGNOSTIC, "diagnostic", 65535),
    Space::plain(space::MEI, "mei", 255),
    Space::numbered(space::FILE, "file", 65535, 65535),
];

const fn sub(
    code: u32,
    space: u32,
    first: u32,
    last: u32,
    name: &'static str,
    access: Access,
    technique: &'static str,
) -> Function {
    let object = Some(FunctionObject { space, first, last });
    let dangerous = matches!(access, Access::Control | Access::Write);
    Function { code, object, name, access, technique, dangerous }
}

const fn diagnostic(first: u32, last: u32, name: &'static str, access: Access, technique: &'static str) -> Function {
    sub(8, space::DIAGNOSTIC, first, last, name, access, technique)
}

/// Every code with a name. A row with an object is a sub-function; the row without one names the whole code.
pub const FUNCTIONS: &[Function] = &[
    Function::new(1, "read_coils", Access::Read, "T0801", false),
    Function::new(2, "read_discrete_inputs", Access::Read, "T0801", false),
    Function::new(3, "read_holding_registers", Access::Read, "T0801", false),
    Function::new(4, "read_input_registers", Access::Read, "T0801", false),
    Function::new(5, "write_single_coil", Access::Write, "T0855", false),
    Function::new(6, "write_single_register", Access::Write, "T0836", false),
    Function::new(7, "read_exception_status", Access::Diagnose, "T0888", false),
    Function::new(8, "diagnostics", Access::Diagnose, "T0888", false),
    diagnostic(0, 0, "return_query_data", Access::Diagnose, "T0888"),
    diagnostic(1, 1, "restart_communications_option", Access::Control, "T0816"),
    diagnostic(2, 2, "return_diagnostic_register", Access::Diagnose, "T0888"),
    diagnostic(3, 3, "change_ascii_input_delimiter", Access::Write, "T0836"),
    diagnostic(4, 4, "force_listen_only_mode", Access::Control, "T0814"),
    diagnostic(10, 10, "clear_counters_and_diagnostic_register", Access::Diagnose, "T0872"),
    diagnostic(11, 11, "return_bus_message_count", Access::Diagnose, "T0888"),
    diagnostic(12, 12, "return_bus_communication_error_count", Access::Diagnose, "T0888"),
    diagnostic(13, 13, "return_bus_exception_error_count", Access::Diagnose, "T0888"),
    diagnostic(14, 14, "return_server_message_count", Access::Diagnose, "T0888"),
    diagnostic(15, 15, "return_server_no_response_count", Access::Diagnose, "T0888"),
    diagnostic(16, 16, "return_server_nak_count", Access::Diagnose, "T0888"),
    diagnostic(17, 17, "return_server_busy_count", Access::Diagnose, "T0888"),
    diagnostic(18, 18, "return_bus_character_overrun_count", Access::Diagnose, "T0888"),
    diagnostic(20, 20, "clear_overrun_counter_and_flag", Access::Diagnose, "T0872"),
    diagnostic(21, 21, "get_clear_modbus_plus_statistics", Access::Diagnose, "T0888"),
    Function::new(9, "program_484", Access::Program, "T0843", true),
    Function::new(10, "poll_484", Access::Program, "T0845", true),
    Function::new(11, "get_comm_event_counter", Access::Diagnose, "T0888", false),
    Function::new(12, "get_comm_event_log", Access::Diagnose, "T0888", false),
    Function::new(13, "program_584_984", Access::Program, "T0843", true),
    Function::new(14, "poll_584_984", Access::Program, "T0845", true),
    Function::new(15, "write_multiple_coils", Access::Write, "T0855", false),
    Function::new(16, "write_multiple_registers", Access::Write, "T0836", false),
    Function::new(17, "report_server_id", Access::Discover, "T0888", false),
    Function::new(18, "program_884", Access::Program, "T0843", true),
    Function::new(19, "reset_communication_link", Access::Control, "T0814", true),
    Function::new(20, "read_file_record", Access::Read, "T0801", false),
    Function::new(21, "write_file_record", Access::Write, "T0836", true),
    Function::new(22, "mask_write_register", Access::Write, "T0836", false),
    Function::new(23, "read_write_multiple_registers", Access::Write, "T0836", false),
    Function::new(24, "read_fifo_queue", Access::Read, "T0801", false),
    Function::new(40, "program_concept", Access::Program, "T0843", true),
    Function::new(41, "multiple_function_codes", Access::Unknown, "", true),
    Function::new(43, "encapsulated_interface_transport", Access::Discover, "T0888", false),
    sub(43, space::MEI, 13, 13, "canopen_general_reference", Access::Write, "T0836"),
    sub(43, space::MEI, 14, 14, "read_device_identification", Access::Discover, "T0888"),
    Function::new(90, "umas", Access::Program, "T0843", true),
    Function::new(91, "object_messaging", Access::Unknown, "", true),
    Function::new(125, "firmware_replacement", Access::Firmware, "T0857", true),
    Function::new(126, "program", Access::Program, "T0843", true),
    Function::new(127, "report_local_address", Access::Discover, "T0888", false),
];

/// Class of each sub-function of `space` below 32.
const fn by_object(space: u32) -> [u8; 32] {
    let mut classes = [Access::Unknown as u8; 32];
    let mut row = 0;
    while row < FUNCTIONS.len() {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
        let function = &FUNCTIONS[row];
        if let Some(object) = function.object
            && object.space == space
        {
            #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
            {
                classes[object.first as usize] = function.access as u8;
            }
        }
        row = row.wrapping_add(1);
    }
    classes
}

/// Class of each code, made from the table: the kernel can't search a table of strings.
static CODES: [u8; 128] = classes(FUNCTIONS);
static DIAGNOSTICS: [u8; 32] = by_object(space::DIAGNOSTIC);
static MEI_TYPES: [u8; 32] = by_object(space::MEI);

/// Class of a function code, exception bit removed.
#[must_use]
#[inline(always)]
pub fn access(code: u8) -> u8 {
    match CODES.get((code & 0x7f) as usize) {
        Some(class) => *class,
        None => Access::Unknown as u8,
    }
}

/// Class of a sub-function of function 8.
#[must_use]
#[inline(always)]
pub fn diagnostic_access(number: u32) -> u8 {
    sub_access(&DIAGNOSTICS, number)
}

/// Class of a MEI type of function 43.
#[must_use]
#[inline(always)]
pub fn mei_access(number: u32) -> u8 {
    sub_access(&MEI_TYPES, number)
}

#[inline(always)]
fn sub_access(classes: &[u8; 32], number: u32) -> u8 {
    if number >= 32 {
        return Access::Unknown as u8;
    }
    // The mask must stay where the verifier sees it.
    match classes.get(black_box(number) as usize & 31) {
        Some(class) => *class,
        None => Access::Unknown as u8,
    }
}

#[cfg(test)]
mod tests {
    use super::{FUNCTIONS, access, diagnostic_access};
    use crate::operation::Access;

    #[test]
    fn names_are_unique_and_codes_fit() {
        for (index, row) in FUNCTIONS.iter().enumerate() {
            assert!(row.code < 128, "{}", row.name);
            assert!(FUNCTIONS.iter().skip(index + 1).all(|other| other.name != row.name), "{}", row.name);
        }
    }

    #[test]
    fn classes_come_from_the_table() {
        assert_eq!(access(3), Access::Read as u8);
        assert_eq!(access(0x86), Access::Write as u8);
        assert_eq!(access(100), Access::Unknown as u8);
        assert_eq!(diagnostic_access(4), Access::Control as u8);
        assert_eq!(diagnostic_access(19), Access::Unknown as u8);
        assert_eq!(diagnostic_access(70_000), Access::Unknown as u8);
    }
}
