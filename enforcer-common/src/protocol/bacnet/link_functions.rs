//! What BACnet says below its application layer, as a protocol of its own: functions of the virtual link (annex J.2:
//! 0 to 255; annex U.2 for IPv6: 512 and more) and messages of the network layer (6.4: 256 and more).

use core::hint::black_box;

use crate::network::protocol::UDP;
use crate::operation::Access;
use crate::protocol::tables::{Function, NONE, Tables};

/// All that policies and reports need.
pub const TABLES: Tables =
    Tables { transports: &[UDP], functions: FUNCTIONS, last_function: 767, last_unit: 65535, ..NONE };

/// Added to the type of a network layer message.
pub const NETWORK: u32 = 256;

/// Added to a function of the virtual link over IPv6.
pub const IPV6: u32 = 512;

/// Every code with a name.
pub const FUNCTIONS: &[Function] = &[
    Function::new(0, "bvlc_result", Access::Diagnose, "", false),
    Function::new(1, "write_broadcast_distribution_table", Access::Write, "T0836", true),
    Function::new(2, "read_broadcast_distribution_table", Access::Discover, "T0846", false),
    Function::new(3, "read_broadcast_distribution_table_ack", Access::Discover, "", false),
    Function::new(4, "forwarded_npdu", Access::Session, "", false),
    Function::new(5, "register_foreign_device", Access::Session, "T0859", false),
    Function::new(6, "read_foreign_device_table", Access::Discover, "T0846", false),
    Function::new(7, "read_foreign_device_table_ack", Access::Discover, "", false),
    Function::new(8, "delete_foreign_device_table_entry", Access::Write, "T0803", true),
    Function::new(9, "distribute_broadcast_to_network", Access::Session, "", false),
    Function::new(10, "original_unicast_npdu", Access::Session, "", false),
    Function::new(11, "original_broadcast_npdu", Access::Session, "", false),
    Function::new(12, "secure_bvll", Access::Session, "", false),
    Function::new(256, "who_is_router_to_network", Access::Discover, "T0846", false),
    Function::new(257, "i_am_router_to_network", Access::Discover, "T0846", false),
    Function::new(258, "i_could_be_router_to_network", Access::Discover, "T0846", false),
    Function::new(259, "reject_message_to_network", Access::Diagnose, "T0814", false),
    Function::new(260, "router_busy_to_network", Access::Diagnose, "T0814", false),
    Function::new(261, "router_available_to_network", Access::Diagnose, "", false),
    Function::new(262, "initialize_routing_table", Access::Write, "T0836", true),
    Function::new(263, "initialize_routing_table_ack", Access::Diagnose, "", false),
    Function::new(264, "establish_connection_to_network", Access::Control, "T0803", true),
    Function::new(265, "disconnect_connection_to_network", Access::Control, "T0803", true),
    Function::new(266, "challenge_request", Access::Session, "T0859", true),
    Function::new(267, "security_payload", Access::Session, "T0859", true),
    Function::new(268, "security_response", Access::Session, "T0859", true),
    Function::new(269, "request_key_update", Access::Session, "T0892", true),
    Function::new(270, "update_key_set", Access::Session, "T0892", true),
    Function::new(271, "update_distribution_key", Access::Session, "T0892", true),
    Function::new(272, "request_master_key", Access::Session, "T0892", true),
    Function::new(273, "set_master_key", Access::Session, "T0892", true),
    Function::new(274, "what_is_network_number", Access::Discover, "T0846", false),
    Function::new(275, "network_number_is", Access::Discover, "T0846", false),
    Function::new(512, "bvlc6_result", Access::Diagnose, "", false),
    Function::new(513, "bvlc6_original_unicast_npdu", Access::Session, "", false),
    Function::new(514, "bvlc6_original_broadcast_npdu", Access::Session, "", false),
    Function::new(515, "address_resolution", Access::Discover, "T0846", false),
    Function::new(516, "forwarded_address_resolution", Access::Discover, "T0846", false),
    Function::new(517, "address_resolution_ack", Access::Discover, "", false),
    Function::new(518, "virtual_address_resolution", Access::Discover, "T0846", false),
    Function::new(519, "virtual_address_resolution_ack", Access::Discover, "", false),
    Function::new(520, "bvlc6_forwarded_npdu", Access::Session, "", false),
    Function::new(521, "bvlc6_register_foreign_device", Access::Session, "T0859", false),
    Function::new(522, "bvlc6_delete_foreign_device_table_entry", Access::Write, "T0803", true),
    Function::new(523, "bvlc6_secure_bvll", Access::Session, "", false),
    Function::new(524, "bvlc6_distribute_broadcast_to_network", Access::Session, "", false),
];

/// Numbers of each of the three kinds that the kernel's tables hold; more are of unknown class.
const NUMBERS: usize = 32;

const fn classes(base: u32) -> [u8; NUMBERS] {
    let mut classes = [Access::Unknown as u8; NUMBERS];
    let mut row = 0;
    while row < FUNCTIONS.len() {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
        let function = &FUNCTIONS[row];
        if function.code >> 8 == base >> 8 {
            #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
            {
                classes[(function.code & 0xff) as usize] = function.access as u8;
            }
        }
        row = row.wrapping_add(1);
    }
    classes
}

static LINK: [u8; NUMBERS] = classes(0);
static MESSAGES: [u8; NUMBERS] = classes(NETWORK);
static LINK_IPV6: [u8; NUMBERS] = classes(IPV6);

/// Class of a function of this table.
#[must_use]
#[inline(always)]
pub fn access(function: u32) -> u8 {
    let classes = match function >> 8 {
        0 => &LINK,
        1 => &MESSAGES,
        _ => &LINK_IPV6,
    };
    let number = function & 0xff;
    if number as usize >= NUMBERS {
        return Access::Unknown as u8;
    }
    // The mask must stay where the verifier sees it.
    match classes.get(black_box(number) as usize & const { NUMBERS - 1 }) {
        Some(class) => *class,
        None => Access::Unknown as u8,
    }
}
