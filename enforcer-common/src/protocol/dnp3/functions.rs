//! The function table of DNP3: code, standard's name, class, technique. IEEE 1815 4.2.2.5 and 4.4, table 4-1; functions of
//! the link layer, 9.2.4.1.3, behind them.

use core::hint::black_box;

use crate::network::protocol::{TCP, UDP};
use crate::operation::Access;
use crate::protocol::tables::{Form, Function, NONE, Space, Tables};

/// Application functions that the dissector tells apart.
pub mod code {
    /// Confirms a response.
    pub const CONFIRM: u32 = 0;
    /// Reads objects.
    pub const READ: u32 = 1;
    /// Writes objects.
    pub const WRITE: u32 = 2;
    /// The first function that works an output.
    pub const SELECT: u32 = 3;
    /// The last one.
    pub const DIRECT_OPERATE_NO_ACK: u32 = 6;
    /// Freezes counters at a time that an object names.
    pub const FREEZE_AT_TIME: u32 = 11;
    /// The same without answer.
    pub const FREEZE_AT_TIME_NO_ACK: u32 = 12;
    /// The last function of requests.
    pub const LAST_REQUEST: u32 = 33;
    /// Functions from here on are an outstation's.
    pub const FIRST_RESPONSE: u32 = 0x80;
    /// Functions of the link layer are this plus the control octet's PRM and function bits.
    pub const LINK: u32 = 0x100;
}

/// All that policies and reports need.
pub const TABLES: Tables = Tables {
    transports: &[TCP, UDP],
    ports: &[20000],
    functions: FUNCTIONS,
    spaces: &[Space { space: 0, name: "g", last: u32::MAX, form: Form::Variation, member: None }],
    last_function: code::LINK + 0x4f,
    last_unit: 65535,
    ..NONE
};

/// Every code with a name.
pub const FUNCTIONS: &[Function] = &[
    Function::new(0, "confirm", Access::Session, "", false),
    Function::new(1, "read", Access::Read, "T0801", false),
    Function::new(2, "write", Access::Write, "T0836", false),
    Function::new(3, "select", Access::Control, "T0855", false),
    Function::new(4, "operate", Access::Control, "T0855", false),
    Function::new(5, "direct_operate", Access::Control, "T0855", false),
    Function::new(6, "direct_operate_no_ack", Access::Control, "T0855", false),
    Function::new(7, "immediate_freeze", Access::Write, "T0836", false),
    Function::new(8, "immediate_freeze_no_ack", Access::Write, "T0836", false),
    Function::new(9, "freeze_and_clear", Access::Write, "T0836", false),
    Function::new(10, "freeze_and_clear_no_ack", Access::Write, "T0836", false),
    Function::new(11, "freeze_at_time", Access::Write, "T0836", false),
    Function::new(12, "freeze_at_time_no_ack", Access::Write, "T0836", false),
    Function::new(13, "cold_restart", Access::Control, "T0816", true),
    Function::new(14, "warm_restart", Access::Control, "T0816", true),
    Function::new(15, "initialize_data", Access::Control, "T0816", true),
    Function::new(16, "initialize_application", Access::Program, "T0858", true),
    Function::new(17, "start_application", Access::Control, "T0858", true),
    Function::new(18, "stop_application", Access::Control, "T0881", true),
    Function::new(19, "save_configuration", Access::Firmware, "T0836", true),
    Function::new(20, "enable_unsolicited", Access::Write, "T0836", false),
    Function::new(21, "disable_unsolicited", Access::Write, "T0804", false),
    Function::new(22, "assign_class", Access::Write, "T0836", false),
    Function::new(23, "delay_measure", Access::Session, "", false),
    Function::new(24, "record_current_time", Access::Session, "", false),
    Function::new(25, "open_file", Access::Program, "T0843", true),
    Function::new(26, "close_file", Access::Program, "", false),
    Function::new(27, "delete_file", Access::Program, "T0809", true),
    Function::new(28, "get_file_info", Access::Discover, "T0888", false),
    Function::new(29, "authenticate_file", Access::Session, "T0859", false),
    Function::new(30, "abort_file", Access::Program, "", false),
    Function::new(31, "activate_configuration", Access::Firmware, "T0839", true),
    Function::new(32, "authenticate_request", Access::Session, "", false),
    Function::new(33, "authenticate_request_no_ack", Access::Session, "", false),
    Function::new(129, "response", Access::Read, "", false),
    Function::new(130, "unsolicited_response", Access::Read, "", false),
    Function::new(131, "authenticate_response", Access::Session, "", false),
    Function::new(code::LINK, "link_ack", Access::Session, "", false),
    Function::new(code::LINK + 0x01, "link_nack", Access::Session, "", false),
    Function::new(code::LINK + 0x0b, "link_status", Access::Session, "", false),
    Function::new(code::LINK + 0x0e, "link_not_functioning", Access::Session, "", false),
    Function::new(code::LINK + 0x0f, "link_not_supported", Access::Session, "", false),
    Function::new(code::LINK + 0x40, "reset_link_states", Access::Session, "", false),
    Function::new(code::LINK + 0x41, "reset_user_process", Access::Control, "T0816", true),
    Function::new(code::LINK + 0x42, "test_link_states", Access::Session, "", false),
    Function::new(code::LINK + 0x49, "request_link_status", Access::Session, "", false),
];

/// Class of each application function, made from the table: the kernel can't search a table of strings.
static CODES: [u8; 256] = {
    let mut classes = [Access::Unknown as u8; 256];
    let mut row = 0;
    while row < FUNCTIONS.len() {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
        let function = &FUNCTIONS[row];
        if function.code < 256 {
            #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
            {
                classes[function.code as usize] = function.access as u8;
            }
        }
        row = row.wrapping_add(1);
    }
    classes
};

/// Class of an application function.
#[must_use]
#[inline(always)]
pub fn access(function: u32) -> u8 {
    match CODES.get(black_box(function) as usize & 0xff) {
        Some(class) => *class,
        None => Access::Unknown as u8,
    }
}

/// Functions that stand alone: confirmations, restarts, measuring of time. IEEE 1815 4.4.
#[must_use]
#[inline(always)]
pub const fn is_without_objects(function: u32) -> bool {
    // A bit for each, as one question: 0, 13, 14, 23, 24.
    function < 32 && 0x0180_6001u32 >> function & 1 != 0
}

/// Functions that work outputs.
#[must_use]
#[inline(always)]
pub const fn is_control(function: u32) -> bool {
    function >= code::SELECT && function <= code::DIRECT_OPERATE_NO_ACK
}

/// Functions that freeze at a time, which an object names.
#[must_use]
#[inline(always)]
pub const fn freezes_at_time(function: u32) -> bool {
    function == code::FREEZE_AT_TIME || function == code::FREEZE_AT_TIME_NO_ACK
}

#[cfg(test)]
mod tests {
    use super::{FUNCTIONS, access, is_without_objects};
    use crate::operation::Access;

    #[test]
    fn names_are_unique_and_classes_come_from_the_table() {
        for (index, row) in FUNCTIONS.iter().enumerate() {
            assert!(FUNCTIONS.iter().skip(index + 1).all(|other| other.name != row.name && other.code != row.code));
        }
        assert_eq!(access(1), Access::Read as u8);
        assert_eq!(access(5), Access::Control as u8);
        assert_eq!(access(99), Access::Unknown as u8);
        let alone: Vec<u32> = (0..256).filter(|function| is_without_objects(*function)).collect();
        assert_eq!(alone, [0, 13, 14, 23, 24]);
    }
}
