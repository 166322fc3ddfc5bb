//! The operations of PROFINET's remote procedure calls (IEC 61158-6-10, 4.10 and annex on DCE/RPC).

use crate::network::protocol::UDP;
use crate::operation::Access;
use crate::protocol::tables::{Function, NONE, Space, Tables};

/// Kinds of objects: which interface is called.
pub mod space {
    /// Interfaces of PROFINET by the last digit of their identifier: 1 device, 2 controller, 3 supervisor, 4 parameter server.
    pub const INTERFACE: u32 = 0;
}

/// Added to the numbers of the endpoint mapper's procedures (DCE 1.1, annex O).
pub const MAPPER: u32 = 0x1_0000;

/// All that policies and reports need.
pub const TABLES: Tables = Tables {
    transports: &[UDP],
    ports: &[34964],
    functions: &[
        Function::new(0, "connect", Access::Session, "T0886", false),
        Function::new(1, "release", Access::Session, "T0814", false),
        Function::new(2, "read", Access::Read, "T0801", false),
        Function::new(3, "write", Access::Write, "T0836", true),
        Function::new(4, "control", Access::Session, "", false),
        Function::new(5, "read_implicit", Access::Read, "T0888", false),
        Function::new(MAPPER, "mapper_insert", Access::Write, "", true),
        Function::new(MAPPER.wrapping_add(2), "mapper_lookup", Access::Discover, "T0888", false),
        Function::new(MAPPER.wrapping_add(3), "mapper_map", Access::Discover, "T0888", false),
        Function::new(MAPPER.wrapping_add(4), "mapper_lookup_handle_free", Access::Discover, "", false),
    ],
    spaces: &[Space::plain(space::INTERFACE, "interface", 255)],
    last_function: 0x1_ffff,
    ..NONE
};
