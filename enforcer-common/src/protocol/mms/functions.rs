//! The functions of MMS: confirmed services by their tag (ISO 9506-2 clause 7), the other protocol data units behind them, and
//! what IEC 61850 makes of a read or a write by the name of its variable.

use crate::network::protocol::TCP;
use crate::operation::Access;
use crate::protocol::Protocol;
use crate::protocol::tables::{Form, Function, FunctionObject, NONE, Space, Tables};

/// Confirmed services that are read further.
pub mod service {
    /// Reads variables.
    pub const READ: u32 = 4;
    /// Writes variables.
    pub const WRITE: u32 = 5;
    /// Largest number that is one.
    pub const LAST: u32 = 86;
}

/// Function numbers of what is no confirmed service.
pub mod unit {
    /// Of a protocol data unit: its tag number is added, ISO 9506-2 7.
    pub const PDU: u32 = 0x100;
    /// Of an unconfirmed service: its tag number is added.
    pub const UNCONFIRMED: u32 = 0x120;
    /// Of a session protocol data unit: its identifier is added, ISO 8327-1 8.3.
    pub const SESSION: u32 = 0x180;
    /// An answer that is an error, where nobody asked.
    pub const ERROR: u32 = PDU + 2;
    /// Reject.
    pub const REJECT: u32 = PDU + 4;
    /// Cancels a request.
    pub const CANCEL: u32 = PDU + 5;
    /// Opens the association.
    pub const INITIATE: u32 = PDU + 8;
    /// Says that the association ends.
    pub const CONCLUDE: u32 = PDU + 11;
    /// A report.
    pub const INFORMATION_REPORT: u32 = UNCONFIRMED;
    /// Largest function number.
    pub const LAST: u32 = 0x1ff;
}

/// Kinds of objects. All are named.
pub mod space {
    /// Variables, by domain and item.
    pub const VARIABLE: u32 = 1;
    /// Lists of variables (data sets).
    pub const LIST: u32 = 2;
    /// Variables without a name: addresses, descriptions.
    pub const ADDRESS: u32 = 3;
    /// A control object's `SBO`: whoever reads it selects.
    pub const SELECT: u32 = 4;
    /// Anything else of functional constraint CO: `Oper` above all.
    pub const OPERATE: u32 = 5;
    /// `SBOw`.
    pub const SELECT_WITH_VALUE: u32 = 6;
    /// `Cancel`.
    pub const CANCEL: u32 = 7;
    /// Settings and configuration: functional constraints SP, SG, SE, CF.
    pub const SETTING: u32 = 8;
    /// Control blocks of reports, logs, GOOSE and sampled values: BR, RP, LG, GO, GS, MS, US.
    pub const CONTROL_BLOCK: u32 = 9;
    /// Substituted values: SV.
    pub const SUBSTITUTION: u32 = 10;
    /// Domains.
    pub const DOMAIN: u32 = 11;
    /// Program invocations.
    pub const PROGRAM: u32 = 12;
    /// Files.
    pub const FILE: u32 = 13;
    /// Journals.
    pub const JOURNAL: u32 = 14;
}

/// All that policies and reports need.
pub const TABLES: Tables = Tables {
    transports: &[TCP],
    ports: &[102],
    functions: FUNCTIONS,
    spaces: SPACES,
    last_function: unit::LAST,
    inner: &[Protocol::Cotp],
    streams: true,
    rows_of_objects: true,
    ..NONE
};

/// What stands between a domain and an item.
const OF_DOMAIN: Form = Form::Named { divider: Some(b'/') };
/// Names of one part.
const WHOLE: Form = Form::Named { divider: None };

const fn named(space: u32, name: &'static str, form: Form) -> Space {
    Space { space, name, last: u32::MAX, form, member: None }
}

const SPACES: &[Space] = &[
    named(space::VARIABLE, "variable", OF_DOMAIN),
    named(space::LIST, "list", OF_DOMAIN),
    Space::plain(space::ADDRESS, "address", 0),
    named(space::SELECT, "select", OF_DOMAIN),
    named(space::OPERATE, "operate", OF_DOMAIN),
    named(space::SELECT_WITH_VALUE, "select_with_value", OF_DOMAIN),
    named(space::CANCEL, "cancel", OF_DOMAIN),
    named(space::SETTING, "setting", OF_DOMAIN),
    named(space::CONTROL_BLOCK, "control_block", OF_DOMAIN),
    named(space::SUBSTITUTION, "substitution", OF_DOMAIN),
    named(space::DOMAIN, "domain", WHOLE),
    named(space::PROGRAM, "program", WHOLE),
    named(space::FILE, "file", WHOLE),
    named(space::JOURNAL, "journal", OF_DOMAIN),
];

const fn harmless(code: u32, name: &'static str, access: Access, technique: &'static str) -> Function {
    Function::new(code, name, access, technique, false)
}

const fn dangerous(code: u32, name: &'static str, access: Access, technique: &'static str) -> Function {
    Function::new(code, name, access, technique, true)
}

/// The part of a service that a kind of object makes up.
const fn of(space: u32, function: Function) -> Function {
    let last = if space == space::ADDRESS { 0 } else { u32::MAX };
    Function { object: Some(FunctionObject { space, first: 0, last }), ..function }
}

/// Every function with a name. Read and write are divided by what the names of their variables say: a rule that names
/// `write` lets no control through.
pub const FUNCTIONS: &[Function] = &[
    harmless(0, "status", Access::Diagnose, "T0868"),
    harmless(1, "get_name_list", Access::Discover, "T0861"),
    harmless(2, "identify", Access::Discover, "T0888"),
    dangerous(3, "rename", Access::Write, "T0836"),
    of(space::VARIABLE, harmless(service::READ, "read", Access::Read, "T0801")),
    of(space::LIST, harmless(service::READ, "read_list", Access::Read, "T0801")),
    of(space::ADDRESS, harmless(service::READ, "read_address", Access::Read, "T0801")),
    of(space::SELECT, dangerous(service::READ, "control_select", Access::Control, "T0855")),
    of(space::VARIABLE, harmless(service::WRITE, "write", Access::Write, "T0855")),
    of(space::CONTROL_BLOCK, harmless(service::WRITE, "write_control_block", Access::Write, "T0836")),
    of(space::SETTING, dangerous(service::WRITE, "write_setting", Access::Write, "T0836")),
    of(space::SUBSTITUTION, dangerous(service::WRITE, "write_substitution", Access::Write, "T0835")),
    of(space::LIST, dangerous(service::WRITE, "write_list", Access::Control, "T0806")),
    of(space::OPERATE, dangerous(service::WRITE, "control_operate", Access::Control, "T0855")),
    of(space::SELECT_WITH_VALUE, dangerous(service::WRITE, "control_select_with_value", Access::Control, "T0855")),
    of(space::CANCEL, dangerous(service::WRITE, "control_cancel", Access::Control, "T0855")),
    harmless(6, "get_variable_access_attributes", Access::Discover, "T0861"),
    dangerous(7, "define_named_variable", Access::Write, "T0836"),
    dangerous(8, "define_scattered_access", Access::Write, "T0836"),
    harmless(9, "get_scattered_access_attributes", Access::Discover, "T0861"),
    dangerous(10, "delete_variable_access", Access::Write, "T0836"),
    harmless(11, "define_named_variable_list", Access::Write, "T0836"),
    harmless(12, "get_named_variable_list_attributes", Access::Discover, "T0861"),
    harmless(13, "delete_named_variable_list", Access::Write, "T0836"),
    dangerous(14, "define_named_type", Access::Write, "T0836"),
    harmless(15, "get_named_type_attributes", Access::Discover, "T0861"),
    dangerous(16, "delete_named_type", Access::Write, "T0836"),
    harmless(17, "input", Access::Read, "T0852"),
    dangerous(18, "output", Access::Control, "T0855"),
    dangerous(19, "take_control", Access::Control, "T0855"),
    dangerous(20, "relinquish_control", Access::Control, "T0855"),
    dangerous(21, "define_semaphore", Access::Control, "T0836"),
    dangerous(22, "delete_semaphore", Access::Control, "T0836"),
    harmless(23, "report_semaphore_status", Access::Diagnose, "T0868"),
    harmless(24, "report_pool_semaphore_status", Access::Diagnose, "T0868"),
    harmless(25, "report_semaphore_entry_status", Access::Diagnose, "T0868"),
    dangerous(26, "initiate_download_sequence", Access::Program, "T0843"),
    dangerous(27, "download_segment", Access::Program, "T0843"),
    dangerous(28, "terminate_download_sequence", Access::Program, "T0843"),
    harmless(29, "initiate_upload_sequence", Access::Program, "T0845"),
    harmless(30, "upload_segment", Access::Program, "T0845"),
    harmless(31, "terminate_upload_sequence", Access::Program, "T0845"),
    dangerous(32, "request_domain_download", Access::Program, "T0843"),
    dangerous(33, "request_domain_upload", Access::Program, "T0845"),
    dangerous(34, "load_domain_content", Access::Program, "T0843"),
    dangerous(35, "store_domain_content", Access::Program, "T0845"),
    dangerous(36, "delete_domain", Access::Program, "T0809"),
    harmless(37, "get_domain_attributes", Access::Discover, "T0888"),
    dangerous(38, "create_program_invocation", Access::Program, "T0821"),
    dangerous(39, "delete_program_invocation", Access::Program, "T0809"),
    dangerous(40, "start", Access::Control, "T0858"),
    dangerous(41, "stop", Access::Control, "T0858"),
    dangerous(42, "resume", Access::Control, "T0858"),
    dangerous(43, "reset", Access::Control, "T0858"),
    dangerous(44, "kill", Access::Control, "T0881"),
    harmless(45, "get_program_invocation_attributes", Access::Discover, "T0888"),
    dangerous(46, "obtain_file", Access::Firmware, "T0857"),
    dangerous(47, "define_event_condition", Access::Write, "T0838"),
    dangerous(48, "delete_event_condition", Access::Write, "T0878"),
    harmless(49, "get_event_condition_attributes", Access::Diagnose, "T0861"),
    harmless(50, "report_event_condition_status", Access::Diagnose, "T0861"),
    dangerous(51, "alter_event_condition_monitoring", Access::Write, "T0838"),
    dangerous(52, "trigger_event", Access::Control, "T0856"),
    dangerous(53, "define_event_action", Access::Write, "T0838"),
    dangerous(54, "delete_event_action", Access::Write, "T0878"),
    harmless(55, "get_event_action_attributes", Access::Diagnose, "T0861"),
    harmless(56, "report_event_action_status", Access::Diagnose, "T0861"),
    dangerous(57, "define_event_enrollment", Access::Write, "T0838"),
    dangerous(58, "delete_event_enrollment", Access::Write, "T0878"),
    dangerous(59, "alter_event_enrollment", Access::Write, "T0838"),
    harmless(60, "report_event_enrollment_status", Access::Diagnose, "T0861"),
    harmless(61, "get_event_enrollment_attributes", Access::Diagnose, "T0861"),
    harmless(62, "acknowledge_event_notification", Access::Write, "T0878"),
    harmless(63, "get_alarm_summary", Access::Diagnose, "T0861"),
    harmless(64, "get_alarm_enrollment_summary", Access::Diagnose, "T0861"),
    harmless(65, "read_journal", Access::Read, "T0811"),
    dangerous(66, "write_journal", Access::Write, "T0872"),
    dangerous(67, "initialize_journal", Access::Write, "T0872"),
    harmless(68, "report_journal_status", Access::Diagnose, "T0861"),
    dangerous(69, "create_journal", Access::Write, "T0836"),
    dangerous(70, "delete_journal", Access::Write, "T0872"),
    harmless(71, "get_capability_list", Access::Discover, "T0888"),
    harmless(72, "file_open", Access::Read, "T0811"),
    harmless(73, "file_read", Access::Read, "T0811"),
    harmless(74, "file_close", Access::Read, "T0811"),
    dangerous(75, "file_rename", Access::Program, "T0809"),
    dangerous(76, "file_delete", Access::Program, "T0809"),
    harmless(77, "file_directory", Access::Read, "T0811"),
    dangerous(78, "additional_service", Access::Control, "T0858"),
    harmless(79, "get_data_exchange_attributes", Access::Discover, "T0861"),
    dangerous(80, "exchange_data", Access::Control, "T0855"),
    dangerous(81, "define_access_control_list", Access::Write, "T0892"),
    harmless(82, "get_access_control_list_attributes", Access::Discover, "T0861"),
    harmless(83, "report_access_controlled_objects", Access::Discover, "T0861"),
    dangerous(84, "delete_access_control_list", Access::Write, "T0892"),
    dangerous(85, "change_access_control", Access::Write, "T0892"),
    dangerous(86, "reconfigure_program_invocation", Access::Program, "T0821"),
    harmless(unit::ERROR, "confirmed_error", Access::Session, ""),
    harmless(unit::REJECT, "reject", Access::Session, ""),
    harmless(unit::CANCEL, "cancel", Access::Session, "T0803"),
    harmless(unit::INITIATE, "initiate", Access::Session, ""),
    harmless(unit::CONCLUDE, "conclude", Access::Session, ""),
    dangerous(unit::INFORMATION_REPORT, "information_report", Access::Write, "T0856"),
    dangerous(unit::UNCONFIRMED + 1, "unsolicited_status", Access::Write, "T0856"),
    dangerous(unit::UNCONFIRMED + 2, "event_notification", Access::Write, "T0856"),
    harmless(unit::SESSION + 9, "session_finish", Access::Session, ""),
    harmless(unit::SESSION + 10, "session_disconnect", Access::Session, ""),
    harmless(unit::SESSION + 25, "session_abort", Access::Session, ""),
    harmless(unit::SESSION + 26, "session_abort_accept", Access::Session, ""),
];

/// The class of a read or a write by its kind of object, from the rows above.
pub(super) const fn access_of(code: u32) -> [u8; 16] {
    let mut classes = [Access::Unknown as u8; 16];
    let mut rest = FUNCTIONS;
    while let [row, tail @ ..] = rest {
        if let Some(object) = row.object
            && row.code == code
            && object.space < 16
        {
            #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
            {
                classes[object.space as usize] = row.access as u8;
            }
        }
        rest = tail;
    }
    classes
}
