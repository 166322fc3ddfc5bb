//! The functions of S7comm-plus, by the function field of requests and responses. Names are those of the dissectors and
//! drivers in common use; the protocol has no public standard.

use crate::network::protocol::TCP;
use crate::operation::Access;
use crate::protocol::tables::{Function, FunctionObject, NONE, Space, Tables};

/// Functions that are read further.
pub mod code {
    /// Lists objects and reads what they are.
    pub const EXPLORE: u16 = 0x04bb;
    /// Creates an object: a session, a subscription, a block.
    pub const CREATE_OBJECT: u16 = 0x04ca;
    /// Deletes one.
    pub const DELETE_OBJECT: u16 = 0x04d4;
    /// Sets an attribute.
    pub const SET_VARIABLE: u16 = 0x04f2;
    /// Reads an attribute.
    pub const GET_VARIABLE: u16 = 0x04fc;
    /// Adds a link.
    pub const ADD_LINK: u16 = 0x0506;
    /// Removes a link.
    pub const REMOVE_LINK: u16 = 0x051a;
    /// Reads a link.
    pub const GET_LINK: u16 = 0x0524;
    /// Sets several attributes, or variables by their address.
    pub const SET_MULTI_VARIABLES: u16 = 0x0542;
    /// Reads several.
    pub const GET_MULTI_VARIABLES: u16 = 0x054c;
    /// Begins a sequence of changes.
    pub const BEGIN_SEQUENCE: u16 = 0x0556;
    /// Ends it.
    pub const END_SEQUENCE: u16 = 0x0560;
    /// Calls a method.
    pub const INVOKE: u16 = 0x056b;
    /// Writes a long attribute piece by piece.
    pub const SET_VARIABLE_SUBSTREAMED: u16 = 0x057c;
    /// Reads one.
    pub const GET_VARIABLE_SUBSTREAMED: u16 = 0x0586;
    /// From here on the conversation is TLS.
    pub const INIT_SSL: u16 = 0x05b3;
}

/// Kinds of objects.
pub mod space {
    /// Objects by their identifier.
    pub const OBJECT: u32 = 0x0400_0000;
    /// What belongs to a client's own session: the session itself, its subscriptions, objects that clients created.
    pub const SESSION: u32 = 0x0400_0001;
    /// The CPU's execution unit, whose attribute is the operating state: run and stop.
    pub const EXECUTION_UNIT: u32 = 0x0400_0002;
}

/// Identifiers of objects that every device has.
pub mod object {
    /// The CPU's execution unit.
    pub const EXECUTION_UNIT: u32 = 52;
    /// What sessions are created in.
    pub const SESSION_CONTAINER: u32 = 285;
    /// A session that is not there yet.
    pub const NO_SESSION: u32 = 288;
}

/// All that policies and reports need.
pub const TABLES: Tables =
    Tables { transports: &[TCP], functions: FUNCTIONS, spaces: SPACES, last_function: 0xffff, ..NONE };

const SPACES: &[Space] = &[
    Space::plain(space::OBJECT, "object", u32::MAX),
    Space::plain(space::SESSION, "own_session", 0),
    Space::plain(space::EXECUTION_UNIT, "execution_unit", 0),
];

const fn on(
    code: u16,
    (space, first, last): (u32, u32, u32),
    name: &'static str,
    access: Access,
    technique: &'static str,
    dangerous: bool,
) -> Function {
    let object = Some(FunctionObject { space, first, last });
    Function { code: code as u32, object, name, access, technique, dangerous }
}

const fn whole(code: u16, name: &'static str, access: Access, technique: &'static str, dangerous: bool) -> Function {
    Function::new(code as u32, name, access, technique, dangerous)
}

const ANY: (u32, u32, u32) = (space::OBJECT, 0, u32::MAX);
const CONTAINER: (u32, u32, u32) = (space::OBJECT, object::SESSION_CONTAINER, object::SESSION_CONTAINER);
const OWN: (u32, u32, u32) = (space::SESSION, 0, 0);
const CPU: (u32, u32, u32) = (space::EXECUTION_UNIT, 0, 0);

/// Every function with a name. What is created, deleted or set depends on the object: sessions are everyday business,
/// blocks and the operating state are not.
pub const FUNCTIONS: &[Function] = &[
    whole(code::EXPLORE, "explore", Access::Discover, "T0888", false),
    whole(code::CREATE_OBJECT, "create_object", Access::Program, "T0843", true),
    on(code::CREATE_OBJECT, CONTAINER, "create_session", Access::Session, "", false),
    on(code::CREATE_OBJECT, OWN, "create_subscription", Access::Session, "", false),
    whole(code::DELETE_OBJECT, "delete_object", Access::Program, "T0809", true),
    on(code::DELETE_OBJECT, OWN, "delete_session", Access::Session, "", false),
    whole(code::SET_VARIABLE, "set_variable", Access::Write, "T0855", false),
    on(code::SET_VARIABLE, ANY, "set_object_variable", Access::Write, "T0855", false),
    on(code::SET_VARIABLE, OWN, "set_session_variable", Access::Session, "", false),
    on(code::SET_VARIABLE, CPU, "set_operating_state", Access::Control, "T0858", true),
    whole(code::GET_VARIABLE, "get_variable", Access::Read, "T0801", false),
    whole(code::ADD_LINK, "add_link", Access::Program, "T0843", true),
    whole(code::REMOVE_LINK, "remove_link", Access::Program, "T0843", true),
    whole(code::GET_LINK, "get_link", Access::Read, "T0801", false),
    whole(code::SET_MULTI_VARIABLES, "set_multi_variables", Access::Write, "T0855", false),
    on(code::SET_MULTI_VARIABLES, ANY, "set_multi_object_variables", Access::Write, "T0855", false),
    on(code::SET_MULTI_VARIABLES, OWN, "set_multi_session_variables", Access::Session, "", false),
    on(code::SET_MULTI_VARIABLES, CPU, "set_multi_operating_state", Access::Control, "T0858", true),
    whole(code::GET_MULTI_VARIABLES, "get_multi_variables", Access::Read, "T0801", false),
    whole(code::BEGIN_SEQUENCE, "begin_sequence", Access::Program, "T0843", true),
    whole(code::END_SEQUENCE, "end_sequence", Access::Program, "T0843", true),
    whole(code::INVOKE, "invoke", Access::Control, "T0871", true),
    whole(code::SET_VARIABLE_SUBSTREAMED, "set_variable_substreamed", Access::Program, "T0843", true),
    whole(code::GET_VARIABLE_SUBSTREAMED, "get_variable_substreamed", Access::Program, "T0845", false),
    whole(code::INIT_SSL, "init_ssl", Access::Session, "", false),
];

/// Class of a function on a kind of object.
#[must_use]
#[inline(always)]
pub const fn access(function: u16, kind: u32, number: u32) -> Access {
    let own = kind == space::SESSION;
    match function {
        code::EXPLORE => Access::Discover,
        code::CREATE_OBJECT if own || (kind == space::OBJECT && number == object::SESSION_CONTAINER) => Access::Session,
        code::DELETE_OBJECT | code::SET_VARIABLE | code::SET_MULTI_VARIABLES if own => Access::Session,
        code::SET_VARIABLE | code::SET_MULTI_VARIABLES if kind == space::EXECUTION_UNIT => Access::Control,
        code::SET_VARIABLE | code::SET_MULTI_VARIABLES => Access::Write,
        code::GET_VARIABLE | code::GET_LINK | code::GET_MULTI_VARIABLES => Access::Read,
        code::INVOKE => Access::Control,
        code::INIT_SSL => Access::Session,
        code::CREATE_OBJECT
        | code::DELETE_OBJECT
        | code::ADD_LINK
        | code::REMOVE_LINK
        | code::BEGIN_SEQUENCE
        | code::END_SEQUENCE
        | code::SET_VARIABLE_SUBSTREAMED
        | code::GET_VARIABLE_SUBSTREAMED => Access::Program,
        _ => Access::Unknown,
    }
}
