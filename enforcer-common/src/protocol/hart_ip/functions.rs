//! The function table of HART-IP: commands of the HART Universal and Common Practice Command Specifications (HCF_SPEC-127 and
//! 151), messages of the HART-IP specification (HCF_SPEC-085) behind them.
//!
//! Three functions carry commands inside them. Each command in such a list is an operation of the carrying function, on the
//! object that bears the command's number; the table has a row for each, with the command's own name and class, so that a rule
//! which names a command means it wherever it stands.

use crate::network::protocol::{TCP, UDP};
use crate::operation::Access;
use crate::protocol::tables::{self, Function, FunctionObject, NONE, Space, Tables};

/// Kinds of objects.
pub mod space {
    /// Commands in a list, by number.
    pub const COMMAND: u32 = 0;
}

/// Commands that are looked through.
pub mod command {
    /// A command number of two bytes follows.
    pub const EXTENDED: u8 = 31;
    /// A command for a device behind this one.
    pub const TO_SUB_DEVICE: u32 = 77;
    /// A list of commands.
    pub const AGGREGATED: u32 = 78;
}

/// Functions that are no commands: message ids behind this number.
pub const MESSAGE: u32 = 0x1_0000;

/// Message ids.
pub mod message {
    /// Opens a session.
    pub const INITIATE: u8 = 0;
    /// Closes it.
    pub const CLOSE: u8 = 1;
    /// Keeps it.
    pub const KEEP_ALIVE: u8 = 2;
    /// A token-passing protocol data unit: one command.
    pub const TOKEN: u8 = 3;
    /// A direct protocol data unit: a list of commands.
    pub const DIRECT: u8 = 4;
    /// Reads the audit log.
    pub const AUDIT: u8 = 5;
}

/// All that policies and reports need.
pub const TABLES: Tables = Tables {
    transports: &[TCP, UDP],
    ports: &[5094],
    functions: &FUNCTIONS,
    spaces: &[Space::plain(space::COMMAND, "command", 0xffff)],
    last_function: 0x1_00ff,
    last_unit: u32::MAX,
    lone_answers: true,
    ..NONE
};

/// Functions that carry others, and messages that are no commands.
const OTHERS: [Function; 8] = [
    Function::new(command::TO_SUB_DEVICE, "send_command_to_sub_device", Access::Unknown, "", true),
    Function::new(command::AGGREGATED, "read_aggregated_commands", Access::Unknown, "", true),
    Function::new(MESSAGE.wrapping_add(4), "direct_pdu", Access::Unknown, "", true),
    Function::new(MESSAGE, "session_initiate", Access::Session, "", false),
    Function::new(MESSAGE.wrapping_add(1), "session_close", Access::Session, "", false),
    Function::new(MESSAGE.wrapping_add(2), "keep_alive", Access::Session, "", false),
    Function::new(MESSAGE.wrapping_add(5), "read_audit_log", Access::Diagnose, "T0888", false),
    Function::new(MESSAGE.wrapping_add(128), "discovery", Access::Discover, "T0846", false),
];

/// Functions that carry a list.
const CARRIERS: [u32; 3] = [command::TO_SUB_DEVICE, command::AGGREGATED, MESSAGE.wrapping_add(4)];

/// Every command with a name.
pub const COMMANDS: [Function; 106] = [
    Function::new(0, "read_unique_identifier", Access::Discover, "T0888", false),
    Function::new(1, "read_primary_variable", Access::Read, "T0801", false),
    Function::new(2, "read_loop_current_and_percent_of_range", Access::Read, "T0801", false),
    Function::new(3, "read_dynamic_variables_and_loop_current", Access::Read, "T0801", false),
    Function::new(6, "write_polling_address", Access::Write, "T0836", false),
    Function::new(7, "read_loop_configuration", Access::Read, "T0801", false),
    Function::new(8, "read_dynamic_variable_classifications", Access::Read, "T0801", false),
    Function::new(9, "read_device_variables_with_status", Access::Read, "T0801", false),
    Function::new(11, "read_unique_identifier_associated_with_tag", Access::Discover, "T0888", false),
    Function::new(12, "read_message", Access::Read, "T0801", false),
    Function::new(13, "read_tag_descriptor_date", Access::Discover, "T0888", false),
    Function::new(14, "read_primary_variable_transducer_information", Access::Read, "T0801", false),
    Function::new(15, "read_device_information", Access::Read, "T0801", false),
    Function::new(16, "read_final_assembly_number", Access::Read, "T0801", false),
    Function::new(17, "write_message", Access::Write, "T0836", false),
    Function::new(18, "write_tag_descriptor_date", Access::Write, "T0836", false),
    Function::new(19, "write_final_assembly_number", Access::Write, "T0836", false),
    Function::new(20, "read_long_tag", Access::Discover, "T0888", false),
    Function::new(21, "read_unique_identifier_associated_with_long_tag", Access::Discover, "T0888", false),
    Function::new(22, "write_long_tag", Access::Write, "T0836", false),
    Function::new(33, "read_device_variables", Access::Read, "T0801", false),
    Function::new(34, "write_primary_variable_damping_value", Access::Write, "T0836", false),
    Function::new(35, "write_primary_variable_range_values", Access::Write, "T0836", false),
    Function::new(36, "set_primary_variable_upper_range_value", Access::Write, "T0836", false),
    Function::new(37, "set_primary_variable_lower_range_value", Access::Write, "T0836", false),
    Function::new(38, "reset_configuration_changed_flag", Access::Diagnose, "T0872", false),
    Function::new(39, "eeprom_control", Access::Control, "T0836", true),
    Function::new(40, "enter_exit_fixed_current_mode", Access::Control, "T0836", true),
    Function::new(41, "perform_self_test", Access::Control, "T0836", true),
    Function::new(42, "perform_device_reset", Access::Control, "T0816", true),
    Function::new(43, "set_primary_variable_zero", Access::Control, "T0836", true),
    Function::new(44, "write_primary_variable_units", Access::Write, "T0836", false),
    Function::new(45, "trim_loop_current_zero", Access::Control, "T0836", true),
    Function::new(46, "trim_loop_current_gain", Access::Control, "T0836", true),
    Function::new(47, "write_primary_variable_transfer_function", Access::Write, "T0836", false),
    Function::new(48, "read_additional_device_status", Access::Diagnose, "T0888", false),
    Function::new(49, "write_primary_variable_transducer_serial_number", Access::Write, "T0836", false),
    Function::new(50, "read_dynamic_variable_assignments", Access::Read, "T0801", false),
    Function::new(51, "write_dynamic_variable_assignments", Access::Write, "T0836", false),
    Function::new(52, "set_device_variable_zero", Access::Control, "T0836", true),
    Function::new(53, "write_device_variable_units", Access::Write, "T0836", false),
    Function::new(54, "read_device_variable_information", Access::Read, "T0801", false),
    Function::new(55, "write_device_variable_damping_value", Access::Write, "T0836", false),
    Function::new(56, "write_device_variable_transducer_serial_number", Access::Write, "T0836", false),
    Function::new(57, "read_unit_tag_descriptor_date", Access::Read, "T0801", false),
    Function::new(58, "write_unit_tag_descriptor_date", Access::Write, "T0836", false),
    Function::new(59, "write_number_of_response_preambles", Access::Write, "T0836", false),
    Function::new(60, "read_analog_channel_and_percent_of_range", Access::Read, "T0801", false),
    Function::new(61, "read_dynamic_variables_and_primary_variable_analog_channel", Access::Read, "T0801", false),
    Function::new(62, "read_analog_channels", Access::Read, "T0801", false),
    Function::new(63, "read_analog_channel_information", Access::Read, "T0801", false),
    Function::new(64, "write_analog_channel_additional_damping_value", Access::Write, "T0836", false),
    Function::new(65, "write_analog_channel_range_values", Access::Write, "T0836", false),
    Function::new(66, "enter_exit_fixed_analog_channel_mode", Access::Control, "T0836", true),
    Function::new(67, "trim_analog_channel_zero", Access::Control, "T0836", true),
    Function::new(68, "trim_analog_channel_gain", Access::Control, "T0836", true),
    Function::new(69, "write_analog_channel_transfer_function", Access::Write, "T0836", false),
    Function::new(70, "read_analog_channel_endpoint_values", Access::Read, "T0801", false),
    Function::new(71, "lock_device", Access::Control, "T0836", true),
    Function::new(72, "squawk", Access::Diagnose, "T0888", false),
    Function::new(73, "find_device", Access::Diagnose, "T0888", false),
    Function::new(74, "read_io_system_capabilities", Access::Discover, "T0888", false),
    Function::new(75, "poll_sub_device", Access::Read, "T0801", false),
    Function::new(76, "read_lock_device_state", Access::Read, "T0801", false),
    Function::new(79, "write_device_variable", Access::Write, "T0835", true),
    Function::new(80, "read_device_variable_trim_points", Access::Read, "T0801", false),
    Function::new(81, "read_device_variable_trim_guidelines", Access::Read, "T0801", false),
    Function::new(82, "write_device_variable_trim_point", Access::Control, "T0836", true),
    Function::new(83, "reset_device_variable_trim", Access::Control, "T0836", true),
    Function::new(84, "read_sub_device_identity_summary", Access::Discover, "T0888", false),
    Function::new(85, "read_io_channel_statistics", Access::Diagnose, "T0888", false),
    Function::new(86, "read_sub_device_statistics", Access::Diagnose, "T0888", false),
    Function::new(87, "write_io_system_master_mode", Access::Write, "T0836", false),
    Function::new(88, "write_io_system_retry_count", Access::Write, "T0836", false),
    Function::new(89, "set_real_time_clock", Access::Write, "T0836", false),
    Function::new(90, "read_real_time_clock", Access::Read, "T0801", false),
    Function::new(91, "read_trend_configuration", Access::Read, "T0801", false),
    Function::new(92, "write_trend_configuration", Access::Write, "T0836", false),
    Function::new(93, "read_trend", Access::Read, "T0801", false),
    Function::new(94, "read_io_system_client_side_communication_statistics", Access::Diagnose, "T0888", false),
    Function::new(95, "read_device_communication_statistics", Access::Diagnose, "T0888", false),
    Function::new(96, "read_synchronous_action", Access::Read, "T0801", false),
    Function::new(97, "configure_synchronous_action", Access::Write, "T0836", true),
    Function::new(98, "read_command_action", Access::Read, "T0801", false),
    Function::new(99, "configure_command_action", Access::Write, "T0836", true),
    Function::new(101, "read_sub_device_to_burst_message_map", Access::Read, "T0801", false),
    Function::new(102, "map_sub_device_to_burst_message", Access::Write, "T0836", false),
    Function::new(103, "write_burst_period", Access::Write, "T0836", false),
    Function::new(104, "write_burst_trigger", Access::Write, "T0836", false),
    Function::new(105, "read_burst_mode_configuration", Access::Read, "T0801", false),
    Function::new(106, "flush_delayed_responses", Access::Diagnose, "T0888", false),
    Function::new(107, "write_burst_device_variables", Access::Write, "T0836", false),
    Function::new(108, "write_burst_mode_command_number", Access::Write, "T0836", false),
    Function::new(109, "burst_mode_control", Access::Write, "T0836", false),
    Function::new(110, "read_all_dynamic_variables", Access::Read, "T0801", false),
    Function::new(111, "transfer_service_control", Access::Firmware, "T0857", true),
    Function::new(112, "transfer_service", Access::Firmware, "T0857", true),
    Function::new(113, "catch_device_variable", Access::Write, "T0836", false),
    Function::new(114, "read_caught_device_variable", Access::Read, "T0801", false),
    Function::new(115, "read_event_notification_summary", Access::Read, "T0801", false),
    Function::new(116, "write_event_notification_bit_mask", Access::Write, "T0836", false),
    Function::new(117, "write_event_notification_timing", Access::Write, "T0836", false),
    Function::new(118, "event_notification_control", Access::Write, "T0836", false),
    Function::new(119, "acknowledge_event_notification", Access::Write, "T0836", false),
    Function::new(512, "read_country_code", Access::Read, "T0801", false),
    Function::new(513, "write_country_code", Access::Write, "T0836", false),
];

/// Commands, what carries them, and the commands again inside each carrier.
static FUNCTIONS: [Function; OTHERS.len() + COMMANDS.len() * (1 + CARRIERS.len())] = {
    let mut rows = [OTHERS[0]; OTHERS.len() + COMMANDS.len() * (1 + CARRIERS.len())];
    let mut row = 0;
    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
    while row < rows.len() {
        rows[row] = if row < COMMANDS.len() {
            COMMANDS[row]
        } else if row < COMMANDS.len().wrapping_add(OTHERS.len()) {
            OTHERS[row.wrapping_sub(COMMANDS.len())]
        } else {
            let mut inner = row.wrapping_sub(COMMANDS.len().wrapping_add(OTHERS.len()));
            let mut carrier = 0usize;
            while inner >= COMMANDS.len() {
                inner = inner.wrapping_sub(COMMANDS.len());
                carrier = carrier.wrapping_add(1);
            }
            let named = COMMANDS[inner];
            let object = FunctionObject { space: space::COMMAND, first: named.code, last: named.code };
            Function { code: CARRIERS[carrier], object: Some(object), ..named }
        };
        row = row.wrapping_add(1);
    }
    rows
};

static CLASSES: [u8; 1024] = tables::classes(&COMMANDS);
static OTHER_CLASSES: [u8; 256] = {
    let mut classes = [Access::Unknown as u8; 256];
    let mut row = 0;
    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
    while row < OTHERS.len() {
        if OTHERS[row].code >= MESSAGE {
            classes[OTHERS[row].code.wrapping_sub(MESSAGE) as usize] = OTHERS[row].access as u8;
        }
        row = row.wrapping_add(1);
    }
    classes
};

/// Class of a command.
#[must_use]
#[inline(always)]
pub fn access(command: u32) -> u8 {
    tables::class(&CLASSES, command)
}

/// Class of a message that is no command.
#[must_use]
#[inline(always)]
pub fn message_access(id: u8) -> u8 {
    tables::class(&OTHER_CLASSES, id as u32)
}
