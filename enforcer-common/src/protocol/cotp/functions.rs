//! The function table of COTP: TPDU types of class 0 by the code in their upper four bits, and what travels in data TPDUs
//! that nothing can be read of. Clauses cited as "8073" are of ISO/IEC 8073 (ITU-T X.224).

use crate::network::protocol::TCP;
use crate::operation::Access;
use crate::protocol::tables::{Function, NONE, Space, Tables};

/// TPDU types, 8073 13.1: the upper four bits of the code.
pub mod code {
    /// Connection request.
    pub const CONNECTION_REQUEST: u8 = 0xe0;
    /// Connection confirm.
    pub const CONNECTION_CONFIRM: u8 = 0xd0;
    /// Disconnect request.
    pub const DISCONNECT_REQUEST: u8 = 0x80;
    /// Disconnect confirm.
    pub const DISCONNECT_CONFIRM: u8 = 0xc0;
    /// Error.
    pub const ERROR: u8 = 0x70;
    /// Data.
    pub const DATA: u8 = 0xf0;
    /// No TPDU: TLS records in data TPDUs.
    pub const TLS: u32 = 256;
}

/// Kinds of objects.
pub mod space {
    /// Called transport selector of two bytes, as one number: for S7 the kind of connection (1 PG, 2 OP, 3 other) in the
    /// upper byte, rack and slot in the lower one.
    pub const TSAP: u32 = 0x0300_0000;
    /// Called transport selectors that are names.
    pub const TSAP_NAME: u32 = 0x0300_0001;
}

/// Names of transport selectors that S7-1200 and S7-1500 listen to, and their numbers.
pub mod name {
    /// What engineering connects to.
    pub const ENGINEERING: &[u8; 15] = b"SIMATIC-ROOT-ES";
    /// What operator panels connect to.
    pub const OPERATOR: &[u8; 16] = b"SIMATIC-ROOT-HMI";
    /// Object number of [`ENGINEERING`].
    pub const ENGINEERING_NUMBER: u32 = 1;
    /// Object number of [`OPERATOR`].
    pub const OPERATOR_NUMBER: u32 = 2;
}

/// All that policies and reports need.
pub const TABLES: Tables =
    Tables { transports: &[TCP], functions: FUNCTIONS, spaces: SPACES, last_function: code::TLS, ..NONE };

const SPACES: &[Space] =
    &[Space::plain(space::TSAP, "tsap", 0xffff), Space::plain(space::TSAP_NAME, "tsap_name", name::OPERATOR_NUMBER)];

/// Connections are sessions. What TLS hides may be anything, so its class is the one that may do most.
pub const FUNCTIONS: &[Function] = &[
    Function::new(code::CONNECTION_REQUEST as u32, "connection_request", Access::Session, "", false),
    Function::new(code::CONNECTION_CONFIRM as u32, "connection_confirm", Access::Session, "", false),
    Function::new(code::DISCONNECT_REQUEST as u32, "disconnect_request", Access::Session, "", false),
    Function::new(code::DISCONNECT_CONFIRM as u32, "disconnect_confirm", Access::Session, "", false),
    Function::new(code::ERROR as u32, "tpdu_error", Access::Session, "", false),
    Function::new(code::TLS, "tls", Access::Program, "", false),
];
