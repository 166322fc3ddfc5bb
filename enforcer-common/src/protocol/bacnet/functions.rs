//! The function table of BACnet: 256 * PDU type + service choice, standard's name, class, technique. Services stand in
//! clauses 13 to 17 and 21 of ASHRAE 135-2020 (BACnetConfirmedServiceChoice, BACnetUnconfirmedServiceChoice).
//!
//! An answer is a function of its own. Its rows say its name; rules judge requests only, so it belongs to no class.

use core::hint::black_box;

use super::spaces;
use crate::network::protocol::UDP;
use crate::operation::Access;
use crate::protocol::Protocol;
use crate::protocol::tables::{Function, FunctionObject, NONE, Tables};

/// All that policies and reports need.
pub const TABLES: Tables = Tables {
    transports: &[UDP],
    ports: &[47808],
    functions: FUNCTIONS,
    spaces: spaces::SPACES,
    last_function: 0x7ff,
    last_unit: 65535,
    inner: &[Protocol::Bvlc],
    lone_answers: true,
    ..NONE
};

/// PDU types, 20.1.
pub mod pdu {
    /// Confirmed-Request.
    pub const CONFIRMED: u32 = 0;
    /// Unconfirmed-Request.
    pub const UNCONFIRMED: u32 = 1;
    /// SimpleACK.
    pub const SIMPLE_ACK: u32 = 2;
    /// ComplexACK.
    pub const COMPLEX_ACK: u32 = 3;
    /// SegmentACK.
    pub const SEGMENT_ACK: u32 = 4;
    /// Error.
    pub const ERROR: u32 = 5;
    /// Reject.
    pub const REJECT: u32 = 6;
    /// Abort.
    pub const ABORT: u32 = 7;
}

const fn sub(
    code: u32,
    space: u32,
    number: u32,
    name: &'static str,
    access: Access,
    technique: &'static str,
) -> Function {
    let object = Some(FunctionObject { space, first: number, last: number });
    let dangerous = matches!(access, Access::Control);
    Function { code, object, name, access, technique, dangerous }
}

const fn reinitialize(state: u32, name: &'static str, access: Access, technique: &'static str) -> Function {
    sub(20, spaces::REINITIALIZE, state, name, access, technique)
}

const fn communication(asked: u32, name: &'static str) -> Function {
    sub(17, spaces::COMMUNICATION, asked, name, Access::Control, "T0803")
}

const fn answer(code: u32, name: &'static str) -> Function {
    Function::new(code, name, Access::Unknown, "", false)
}

/// A confirmed service: its request, its answer and its error.
macro_rules! confirmed {
    ($($code:literal $name:literal $access:ident $technique:literal $dangerous:ident $acknowledgement:ident;)*) => {
        &[
            $(Function::new($code, $name, Access::$access, $technique, $dangerous),)*
            $(answer(pdu::$acknowledgement << 8 | $code, concat!($name, "_ack")),)*
            $(answer(pdu::ERROR << 8 | $code, concat!($name, "_error")),)*
        ]
    };
}

/// Confirmed services and their answers.
const CONFIRMED: &[Function] = confirmed! {
    0 "acknowledge_alarm" Write "T0878" false SIMPLE_ACK;
    1 "confirmed_cov_notification" Read "T0856" false SIMPLE_ACK;
    2 "confirmed_event_notification" Diagnose "T0856" false SIMPLE_ACK;
    3 "get_alarm_summary" Diagnose "T0888" false COMPLEX_ACK;
    4 "get_enrollment_summary" Diagnose "T0888" false COMPLEX_ACK;
    5 "subscribe_cov" Session "T0801" false SIMPLE_ACK;
    6 "atomic_read_file" Program "T0845" false COMPLEX_ACK;
    7 "atomic_write_file" Firmware "T0857" true COMPLEX_ACK;
    8 "add_list_element" Write "T0836" true SIMPLE_ACK;
    9 "remove_list_element" Write "T0836" true SIMPLE_ACK;
    10 "create_object" Write "T0836" true COMPLEX_ACK;
    11 "delete_object" Write "T0809" true SIMPLE_ACK;
    12 "read_property" Read "T0801" false COMPLEX_ACK;
    13 "read_property_conditional" Read "T0801" false COMPLEX_ACK;
    14 "read_property_multiple" Read "T0801" false COMPLEX_ACK;
    15 "write_property" Write "T0855" false SIMPLE_ACK;
    16 "write_property_multiple" Write "T0855" false SIMPLE_ACK;
    17 "device_communication_control" Control "T0803" true SIMPLE_ACK;
    18 "confirmed_private_transfer" Unknown "" true COMPLEX_ACK;
    19 "confirmed_text_message" Diagnose "" false SIMPLE_ACK;
    20 "reinitialize_device" Control "T0816" true SIMPLE_ACK;
    21 "vt_open" Session "T0886" true COMPLEX_ACK;
    22 "vt_close" Session "T0886" true SIMPLE_ACK;
    23 "vt_data" Session "T0886" true COMPLEX_ACK;
    24 "authenticate" Session "T0859" false COMPLEX_ACK;
    25 "request_key" Session "T0859" false SIMPLE_ACK;
    26 "read_range" Read "T0801" false COMPLEX_ACK;
    27 "life_safety_operation" Control "T0878" true SIMPLE_ACK;
    28 "subscribe_cov_property" Session "T0801" false SIMPLE_ACK;
    29 "get_event_information" Diagnose "T0888" false COMPLEX_ACK;
    30 "subscribe_cov_property_multiple" Session "T0801" false SIMPLE_ACK;
    31 "confirmed_cov_notification_multiple" Read "T0856" false SIMPLE_ACK;
    32 "confirmed_audit_notification" Diagnose "T0856" false SIMPLE_ACK;
    33 "audit_log_query" Diagnose "T0888" false COMPLEX_ACK;
    34 "auth_request" Session "T0859" false COMPLEX_ACK;
};

/// Unconfirmed services, sub-functions, and answers without service.
const OTHERS: &[Function] = &[
    communication(0, "enable_communication"),
    communication(1, "disable_communication"),
    communication(2, "disable_initiation"),
    reinitialize(0, "coldstart", Access::Control, "T0816"),
    reinitialize(1, "warmstart", Access::Control, "T0816"),
    reinitialize(2, "start_backup", Access::Control, "T0845"),
    reinitialize(3, "end_backup", Access::Control, "T0845"),
    reinitialize(4, "start_restore", Access::Control, "T0843"),
    reinitialize(5, "end_restore", Access::Control, "T0843"),
    reinitialize(6, "abort_restore", Access::Control, "T0843"),
    reinitialize(7, "activate_changes", Access::Control, "T0816"),
    Function::new(256, "i_am", Access::Discover, "T0846", false),
    Function::new(257, "i_have", Access::Discover, "T0846", false),
    Function::new(258, "unconfirmed_cov_notification", Access::Read, "T0856", false),
    Function::new(259, "unconfirmed_event_notification", Access::Diagnose, "T0856", false),
    Function::new(260, "unconfirmed_private_transfer", Access::Unknown, "", true),
    Function::new(261, "unconfirmed_text_message", Access::Diagnose, "", false),
    Function::new(262, "time_synchronization", Access::Write, "T0836", true),
    Function::new(263, "who_has", Access::Discover, "T0846", false),
    Function::new(264, "who_is", Access::Discover, "T0846", false),
    Function::new(265, "utc_time_synchronization", Access::Write, "T0836", true),
    Function::new(266, "write_group", Access::Write, "T0855", false),
    Function::new(267, "unconfirmed_cov_notification_multiple", Access::Read, "T0856", false),
    Function::new(268, "unconfirmed_audit_notification", Access::Diagnose, "T0856", false),
    Function::new(269, "who_am_i", Access::Discover, "T0846", false),
    Function::new(270, "you_are", Access::Write, "T0836", true),
    answer(pdu::SEGMENT_ACK << 8, "segment_ack"),
    answer(pdu::REJECT << 8, "reject"),
    answer(pdu::ABORT << 8, "abort"),
];

const ROWS: usize = CONFIRMED.len() + OTHERS.len();

/// Every code with a name.
pub const FUNCTIONS: &[Function] = &{
    let mut rows = [answer(0, ""); ROWS];
    let mut row = 0;
    while row < ROWS {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
        {
            rows[row] = if row < CONFIRMED.len() { CONFIRMED[row] } else { OTHERS[row.wrapping_sub(CONFIRMED.len())] };
        }
        row = row.wrapping_add(1);
    }
    rows
};

/// Services of each kind of request that the kernel's tables hold; more are of unknown class.
const SERVICES: usize = 64;

/// Class of each service of one PDU type, made from the table: the kernel can't search a table of strings.
const fn by_service(kind: u32) -> [u8; SERVICES] {
    let mut classes = [Access::Unknown as u8; SERVICES];
    let mut row = 0;
    while row < FUNCTIONS.len() {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
        let function = &FUNCTIONS[row];
        if function.object.is_none() && function.code >> 8 == kind {
            #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
            {
                classes[(function.code & 0xff) as usize] = function.access as u8;
            }
        }
        row = row.wrapping_add(1);
    }
    classes
}

static CONFIRMED_CLASSES: [u8; SERVICES] = by_service(pdu::CONFIRMED);
static UNCONFIRMED_CLASSES: [u8; SERVICES] = by_service(pdu::UNCONFIRMED);

/// Class of a confirmed service; an answer has that of its request.
#[must_use]
#[inline(always)]
pub fn confirmed_access(service: u32) -> u8 {
    class(&CONFIRMED_CLASSES, service)
}

/// Class of an unconfirmed service.
#[must_use]
#[inline(always)]
pub fn unconfirmed_access(service: u32) -> u8 {
    class(&UNCONFIRMED_CLASSES, service)
}

#[inline(always)]
fn class(classes: &[u8; SERVICES], service: u32) -> u8 {
    if service as usize >= SERVICES {
        return Access::Unknown as u8;
    }
    // The mask must stay where the verifier sees it.
    match classes.get(black_box(service) as usize & const { SERVICES - 1 }) {
        Some(class) => *class,
        None => Access::Unknown as u8,
    }
}

#[cfg(test)]
mod tests {
    use super::{FUNCTIONS, confirmed_access, unconfirmed_access};
    use crate::operation::Access;

    #[test]
    fn codes_of_whole_functions_are_unique() {
        for (index, row) in FUNCTIONS.iter().enumerate().filter(|(_, row)| row.object.is_none()) {
            let again = FUNCTIONS.iter().skip(index + 1).any(|other| other.code == row.code && other.object.is_none());
            assert!(!again && row.code < 0x800, "{}", row.name);
        }
    }

    #[test]
    fn classes_come_from_the_table() {
        assert_eq!(confirmed_access(15), Access::Write as u8);
        assert_eq!(confirmed_access(20), Access::Control as u8);
        assert_eq!(confirmed_access(35), Access::Unknown as u8);
        assert_eq!(confirmed_access(255), Access::Unknown as u8);
        assert_eq!(unconfirmed_access(8), Access::Discover as u8);
        assert_eq!(unconfirmed_access(63), Access::Unknown as u8);
    }
}
