//! The commands of the encapsulation: command, standard's name, class, technique. CIP volume 2, 2-3.2 and table 2-3.2.

use core::hint::black_box;

use crate::network::protocol::{TCP, UDP};
use crate::operation::Access;
use crate::protocol::Protocol;
use crate::protocol::tables::{Function, NONE, Tables};

/// Commands that the walk tells apart.
pub mod command {
    /// No operation.
    pub const NOP: u16 = 0x00;
    /// Which services a target has.
    pub const LIST_SERVICES: u16 = 0x04;
    /// Who is there.
    pub const LIST_IDENTITY: u16 = 0x63;
    /// Which interfaces a target has.
    pub const LIST_INTERFACES: u16 = 0x64;
    /// Opens a session.
    pub const REGISTER_SESSION: u16 = 0x65;
    /// Closes it.
    pub const UNREGISTER_SESSION: u16 = 0x66;
    /// Carries an unconnected message.
    pub const SEND_RR_DATA: u16 = 0x6f;
    /// Carries a message of a connection.
    pub const SEND_UNIT_DATA: u16 = 0x70;
}

/// All that policies and reports need.
pub const TABLES: Tables = Tables {
    transports: &[TCP, UDP],
    ports: &[44818, 2222],
    functions: FUNCTIONS,
    last_function: 0xffff,
    last_unit: u32::MAX,
    inner: &[Protocol::Cip, Protocol::CipIo, Protocol::Pccc],
    rows_of_objects: true,
    lone_answers: true,
    ..NONE
};

/// Implicit I/O: data of a connection, without a service.
pub const IMPLICIT: Tables = Tables {
    functions: &[Function::new(0, "implicit_io", Access::Write, "T0855", false)],
    last_unit: u32::MAX,
    ..NONE
};

/// Every command with a name.
pub const FUNCTIONS: &[Function] = &[
    Function::new(0x00, "nop", Access::Session, "", false),
    Function::new(0x04, "list_services", Access::Discover, "T0846", false),
    Function::new(0x63, "list_identity", Access::Discover, "T0846", false),
    Function::new(0x64, "list_interfaces", Access::Discover, "T0846", false),
    Function::new(0x65, "register_session", Access::Session, "", false),
    Function::new(0x66, "unregister_session", Access::Session, "", false),
    Function::new(0x6f, "send_rr_data", Access::Session, "", false),
    Function::new(0x70, "send_unit_data", Access::Session, "", false),
    Function::new(0x72, "indicate_status", Access::Unknown, "", true),
    Function::new(0x73, "cancel", Access::Unknown, "", true),
];

static COMMANDS: [u8; 128] = {
    let mut classes = [Access::Unknown as u8; 128];
    let mut row = 0;
    while row < FUNCTIONS.len() {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
        {
            classes[FUNCTIONS[row].code as usize] = FUNCTIONS[row].access as u8;
        }
        row = row.wrapping_add(1);
    }
    classes
};

/// Class of a command.
#[must_use]
#[inline(always)]
pub fn access(command: u16) -> u8 {
    if command >= 128 {
        return Access::Unknown as u8;
    }
    // The mask must stay where the verifier sees it.
    match COMMANDS.get(black_box(command) as usize & 127) {
        Some(class) => *class,
        None => Access::Unknown as u8,
    }
}

#[cfg(test)]
mod tests {
    use super::access;
    use crate::operation::Access;

    #[test]
    fn classes_come_from_the_table() {
        assert_eq!(access(0x63), Access::Discover as u8);
        assert_eq!(access(0x65), Access::Session as u8);
        assert_eq!(access(0x71), Access::Unknown as u8);
        assert_eq!(access(0x0463), Access::Unknown as u8);
    }
}
