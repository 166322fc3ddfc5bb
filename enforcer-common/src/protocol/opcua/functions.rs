//! The function table of OPC UA: services by the NodeId of their binary encoding (OPC 10000-6 Annex A), class, technique.
//!
//! Names are those of OPC 10000-4 in lower case. An answer bears the number of its own encoding, three above that of its
//! request, and has no name. What is no service has a number below that of the first data type's encoding.

use super::channel::policy;
use crate::network::protocol::TCP;
use crate::operation::Access;
use crate::protocol::tables::{Form, Function, FunctionObject, NONE, Space, Tables};

/// Kinds of objects.
pub mod space {
    /// Nodes with a number, of namespace 0; those of namespace n are this plus n. OPC 10000-3 8.2.
    pub const NUMERIC: u32 = 0;
    /// Nodes with a string, by the number of its text.
    pub const STRING: u32 = 0x1_0000;
    /// Nodes with a GUID, by the number of its bytes.
    pub const GUID: u32 = 0x2_0000;
    /// Nodes with a byte string.
    pub const OPAQUE: u32 = 0x3_0000;
    /// Nodes of a reading request behind those that are walked.
    pub const UNLISTED: u32 = 0x4_0000;
    /// Security policy of a channel.
    pub const POLICY: u32 = 0x4_0001;
    /// Largest namespace index.
    pub const LAST_NAMESPACE: u32 = 0xffff;
}

/// Functions that are read further, by number.
pub mod code {
    /// Hello, Acknowledge, Error: OPC 10000-6 7.1.2.
    pub const HELLO: u32 = 0;
    /// ReverseHello: OPC 10000-6 7.1.2.6.
    pub const REVERSE_HELLO: u32 = 1;
    /// A message of which nothing can be read: its channel encrypts.
    pub const SECURED: u32 = 2;
    /// Any service may answer with it.
    pub const SERVICE_FAULT: u32 = 397;
    /// Opens a channel.
    pub const OPEN: u32 = 446;
    /// Its answer.
    pub const OPENED: u32 = 449;
    /// Closes one.
    pub const CLOSE: u32 = 452;
    /// Reads attributes.
    pub const READ: u32 = 631;
    /// Writes attributes.
    pub const WRITE: u32 = 673;
    /// The same of other attributes than the value.
    pub const WRITE_ATTRIBUTE: u32 = 0x1_0000 | WRITE;
    /// Calls methods.
    pub const CALL: u32 = 712;
    /// Subscribes to attributes.
    pub const MONITOR: u32 = 751;
}

/// All that policies and reports need.
pub const TABLES: Tables = Tables {
    transports: &[TCP],
    ports: &[4840],
    functions: FUNCTIONS,
    spaces: SPACES,
    last_function: 0x1_ffff,
    streams: true,
    ..NONE
};

const fn nodes(space: u32, name: &'static str) -> Space {
    Space { space, name, last: u32::MAX, form: Form::Identified { last: space::LAST_NAMESPACE }, member: None }
}

/// The words in front of the colon in a rule's `objects`.
pub const SPACES: &[Space] = &[
    Space::numbered(space::NUMERIC, "node", space::LAST_NAMESPACE, u32::MAX),
    nodes(space::STRING, "string"),
    nodes(space::GUID, "guid"),
    nodes(space::OPAQUE, "opaque"),
    Space::plain(space::UNLISTED, "unlisted", 0),
    Space::plain(space::POLICY, "policy", policy::OTHER),
];

const fn read(code: u32, name: &'static str) -> Function {
    Function::new(code, name, Access::Read, "T0801", false)
}

/// Reads by subscription.
const fn subscription(code: u32, name: &'static str) -> Function {
    Function::new(code, name, Access::Read, "", false)
}

const fn discover(code: u32, name: &'static str, technique: &'static str) -> Function {
    Function::new(code, name, Access::Discover, technique, false)
}

const fn session(code: u32, name: &'static str, technique: &'static str) -> Function {
    Function::new(code, name, Access::Session, technique, false)
}

const fn program(code: u32, name: &'static str, technique: &'static str) -> Function {
    Function::new(code, name, Access::Program, technique, true)
}

/// A channel under one security policy.
const fn under(policy: u32, name: &'static str) -> Function {
    let object = Some(FunctionObject { space: space::POLICY, first: policy, last: policy });
    Function { object, ..session(code::OPEN, name, "") }
}

/// Every service of OPC 10000-4, and what is none.
pub const FUNCTIONS: &[Function] = &[
    session(code::HELLO, "hello", ""),
    Function::new(code::REVERSE_HELLO, "reverse_hello", Access::Session, "T0886", true),
    Function::new(code::SECURED, "secured_message", Access::Unknown, "", true),
    discover(422, "find_servers", "T0846"),
    discover(428, "get_endpoints", "T0888"),
    Function::new(437, "register_server", Access::Write, "T0849", true),
    session(code::OPEN, "open_secure_channel", ""),
    under(policy::NONE, "open_secure_channel_none"),
    under(policy::BASIC128RSA15, "open_secure_channel_basic128rsa15"),
    under(policy::BASIC256, "open_secure_channel_basic256"),
    under(policy::BASIC256SHA256, "open_secure_channel_basic256sha256"),
    under(policy::AES128_SHA256_RSAOAEP, "open_secure_channel_aes128_sha256_rsaoaep"),
    under(policy::AES256_SHA256_RSAPSS, "open_secure_channel_aes256_sha256_rsapss"),
    under(policy::OTHER, "open_secure_channel_other"),
    session(code::CLOSE, "close_secure_channel", ""),
    session(461, "create_session", ""),
    session(467, "activate_session", "T0859"),
    session(473, "close_session", ""),
    session(479, "cancel", ""),
    program(488, "add_nodes", "T0889"),
    program(494, "add_references", "T0889"),
    program(500, "delete_nodes", "T0889"),
    program(506, "delete_references", "T0889"),
    discover(527, "browse", "T0861"),
    discover(533, "browse_next", "T0861"),
    discover(554, "translate_browse_paths_to_node_ids", "T0861"),
    session(560, "register_nodes", ""),
    session(566, "unregister_nodes", ""),
    discover(615, "query_first", "T0861"),
    discover(621, "query_next", "T0861"),
    read(code::READ, "read"),
    read(664, "history_read"),
    Function::new(code::WRITE, "write", Access::Write, "T0855", false),
    program(code::WRITE_ATTRIBUTE, "write_attribute", "T0836"),
    Function::new(700, "history_update", Access::Write, "T0872", true),
    Function::new(code::CALL, "call", Access::Control, "T0858", true),
    read(code::MONITOR, "create_monitored_items"),
    subscription(763, "modify_monitored_items"),
    subscription(769, "set_monitoring_mode"),
    subscription(775, "set_triggering"),
    subscription(781, "delete_monitored_items"),
    subscription(787, "create_subscription"),
    subscription(793, "modify_subscription"),
    subscription(799, "set_publishing_mode"),
    subscription(826, "publish"),
    subscription(832, "republish"),
    subscription(841, "transfer_subscriptions"),
    subscription(847, "delete_subscriptions"),
    discover(12208, "find_servers_on_network", "T0846"),
    Function::new(12211, "register_server2", Access::Write, "T0849", true),
];
