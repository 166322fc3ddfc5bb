//! The tables of PROFINET's frames: services of DCP, options as objects (IEC 61158-6-10, 4.3).

use crate::operation::Access;
use crate::protocol::Protocol;
use crate::protocol::tables::{Function, FunctionObject, NONE, Space, Tables};

/// Numbers of DCP's services.
pub mod service {
    /// Asks for options.
    pub const GET: u8 = 3;
    /// Sets options.
    pub const SET: u8 = 4;
    /// Asks who is there.
    pub const IDENTIFY: u8 = 5;
    /// Says who came.
    pub const HELLO: u8 = 6;
}

/// All that policies and reports need. The number of a kind of object is the option's; objects are its suboptions.
pub const TABLES: Tables = Tables {
    ethertype: Some(0x8892),
    functions: &[
        Function::new(3, "dcp_get", Access::Discover, "T0888", false),
        Function::new(4, "dcp_set", Access::Write, "T0836", true),
        set(1, "dcp_set_ip", Access::Write, "T0836"),
        set(2, "dcp_set_device", Access::Write, "T0836"),
        set(3, "dcp_set_dhcp", Access::Write, "T0836"),
        control(1, 2, "dcp_transaction", Access::Session, "", false),
        control(3, 3, "dcp_signal", Access::Diagnose, "T0888", false),
        control(4, 4, "dcp_response", Access::Session, "", false),
        control(5, 6, "dcp_factory_reset", Access::Firmware, "T0816", true),
        Function::new(5, "dcp_identify", Access::Discover, "T0846", false),
        Function::new(6, "dcp_hello", Access::Discover, "", false),
    ],
    spaces: &[
        Space::plain(1, "ip", 255),
        Space::plain(2, "device", 255),
        Space::plain(3, "dhcp", 255),
        Space::plain(5, "control", 255),
        Space::plain(6, "initiative", 255),
        Space::plain(255, "all", 255),
        Space::numbered(7, "option", 247, 255),
    ],
    last_function: 255,
    inner: &[Protocol::ProfinetRt],
    ..NONE
};

/// Cyclic data and what else bears a frame identifier: the function is the identifier.
pub const REAL_TIME: Tables = Tables { last_function: 0xffff, ..NONE };

const fn set(option: u32, name: &'static str, access: Access, technique: &'static str) -> Function {
    let object = Some(FunctionObject { space: option, first: 0, last: 255 });
    Function { code: 4, object, name, access, technique, dangerous: true }
}

const fn control(
    first: u32,
    last: u32,
    name: &'static str,
    access: Access,
    technique: &'static str,
    dangerous: bool,
) -> Function {
    let object = Some(FunctionObject { space: 5, first, last });
    Function { code: 4, object, name, access, technique, dangerous }
}
