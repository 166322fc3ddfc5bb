//! The services of CIP: code, standard's name, class, technique. CIP volume 1, appendix A (common services), 3-5.5
//! (connection manager), 5-42 (file object); services of Logix: Rockwell 1756-PM020, "Logix5000 data access".
//!
//! What a code above 0x31 means depends on the class of object that it is for: each such meaning is a row of its own, and
//! the row without object is the code on every other class. Rules for those name the class.

use core::hint::black_box;

use crate::operation::Access;
use crate::protocol::tables::{Form, Function, FunctionObject, Member, NONE, Space, Tables, classes};

/// Services that the walk tells apart.
pub mod service {
    /// Some attributes, each named.
    pub const GET_ATTRIBUTE_LIST: u8 = 0x03;
    /// Resets; a byte may say how.
    pub const RESET: u8 = 0x05;
    /// Several services in one.
    pub const MULTIPLE_SERVICE_PACKET: u8 = 0x0a;
    /// One attribute.
    pub const SET_ATTRIBUTE_SINGLE: u8 = 0x10;
    /// On [`super::class::PCCC`].
    pub const EXECUTE_PCCC: u8 = 0x4b;
    /// On tags.
    pub const READ_TAG: u8 = 0x4c;
    /// On tags.
    pub const WRITE_TAG: u8 = 0x4d;
    /// On tags.
    pub const READ_MODIFY_WRITE_TAG: u8 = 0x4e;
    /// On [`super::class::CONNECTION_MANAGER`].
    pub const FORWARD_CLOSE: u8 = 0x4e;
    /// On tags.
    pub const READ_TAG_FRAGMENTED: u8 = 0x52;
    /// On [`super::class::CONNECTION_MANAGER`].
    pub const UNCONNECTED_SEND: u8 = 0x52;
    /// On tags.
    pub const WRITE_TAG_FRAGMENTED: u8 = 0x53;
    /// On [`super::class::CONNECTION_MANAGER`].
    pub const FORWARD_OPEN: u8 = 0x54;
    /// On [`super::class::CONNECTION_MANAGER`].
    pub const LARGE_FORWARD_OPEN: u8 = 0x5b;
}

/// Classes of objects that the walk tells apart, and what stands beside them in `space`.
pub mod class {
    /// Message router.
    pub const MESSAGE_ROUTER: u32 = 0x02;
    /// Connection manager.
    pub const CONNECTION_MANAGER: u32 = 0x06;
    /// File object.
    pub const FILE: u32 = 0x37;
    /// PCCC object of Rockwell.
    pub const PCCC: u32 = 0x67;
    /// Symbol object of Logix: tags by number.
    pub const SYMBOL: u32 = 0x6b;
    /// Template object of Logix: structures.
    pub const TEMPLATE: u32 = 0x6c;
    /// Tags by name: objects are the numbers that [`crate::protocol::tables::name_number`] makes of the names.
    pub const TAG: u32 = 0x0001_0000;
    /// Paths with more than one class, by a number of the same kind.
    pub const PATH: u32 = 0x0001_0001;
}

/// Largest class, instance and attribute that operations hold.
pub const LARGEST: u32 = 0xffff;

/// All that policies and reports need.
pub const TABLES: Tables =
    Tables { functions: FUNCTIONS, spaces: SPACES, last_function: 127, last_unit: u32::MAX, ..NONE };

/// The words in front of the colon or slash in a rule's `objects`.
pub const SPACES: &[Space] = &[
    Space {
        space: 0,
        name: "class",
        last: LARGEST,
        form: Form::Number { last: LARGEST },
        member: Some(Member { name: "attribute", bits: 16 }),
    },
    Space { space: class::TAG, name: "tag", last: u32::MAX, form: Form::Named { divider: Some(b'.') }, member: None },
    Space { space: class::PATH, name: "path", last: u32::MAX, form: Form::Plain, member: None },
];

/// A service of one class of objects.
const fn of(
    code: u32,
    space: u32,
    name: &'static str,
    access: Access,
    technique: &'static str,
    dangerous: bool,
) -> Function {
    let object = Some(FunctionObject { space, first: 0, last: u32::MAX });
    Function { code, object, name, access, technique, dangerous }
}

/// A code whose meaning is the class's or the vendor's own. Logix loads and edits its programs with such services, and
/// shows them to its tools with others; rules, learned ones too, name the class.
const fn specific(code: u32, name: &'static str) -> Function {
    Function::new(code, name, Access::Program, "T0843", false)
}

/// Every service with a name.
pub const FUNCTIONS: &[Function] = &[
    Function::new(0x01, "get_attributes_all", Access::Read, "T0801", false),
    Function::new(0x02, "set_attributes_all", Access::Write, "T0836", false),
    Function::new(0x03, "get_attribute_list", Access::Read, "T0801", false),
    Function::new(0x04, "set_attribute_list", Access::Write, "T0836", false),
    Function::new(0x05, "reset", Access::Control, "T0816", true),
    Function::new(0x06, "start", Access::Control, "T0858", true),
    Function::new(0x07, "stop", Access::Control, "T0858", true),
    Function::new(0x08, "create", Access::Program, "T0843", true),
    Function::new(0x09, "delete", Access::Program, "T0843", true),
    Function::new(0x0a, "multiple_service_packet", Access::Session, "", false),
    Function::new(0x0d, "apply_attributes", Access::Write, "T0836", false),
    Function::new(0x0e, "get_attribute_single", Access::Read, "T0801", false),
    Function::new(0x10, "set_attribute_single", Access::Write, "T0836", false),
    Function::new(0x11, "find_next_object_instance", Access::Discover, "T0888", false),
    Function::new(0x15, "restore", Access::Firmware, "T0839", true),
    Function::new(0x16, "save", Access::Firmware, "T0839", true),
    Function::new(0x17, "no_operation", Access::Session, "", false),
    Function::new(0x18, "get_member", Access::Read, "T0801", false),
    Function::new(0x19, "set_member", Access::Write, "T0836", false),
    Function::new(0x1a, "insert_member", Access::Write, "T0836", false),
    Function::new(0x1b, "remove_member", Access::Write, "T0836", false),
    Function::new(0x1c, "group_sync", Access::Session, "", false),
    Function::new(0x1d, "get_connection_point_member_list", Access::Discover, "T0888", false),
    specific(0x32, "vendor_service_32"),
    specific(0x33, "vendor_service_33"),
    specific(0x34, "vendor_service_34"),
    specific(0x35, "vendor_service_35"),
    specific(0x36, "vendor_service_36"),
    specific(0x37, "vendor_service_37"),
    specific(0x38, "vendor_service_38"),
    specific(0x39, "vendor_service_39"),
    specific(0x3a, "vendor_service_3a"),
    specific(0x3b, "vendor_service_3b"),
    specific(0x3c, "vendor_service_3c"),
    specific(0x3d, "vendor_service_3d"),
    specific(0x3e, "vendor_service_3e"),
    specific(0x3f, "vendor_service_3f"),
    specific(0x40, "vendor_service_40"),
    specific(0x41, "vendor_service_41"),
    specific(0x42, "vendor_service_42"),
    specific(0x43, "vendor_service_43"),
    specific(0x44, "vendor_service_44"),
    specific(0x45, "vendor_service_45"),
    specific(0x46, "vendor_service_46"),
    specific(0x47, "vendor_service_47"),
    specific(0x48, "vendor_service_48"),
    specific(0x49, "vendor_service_49"),
    specific(0x4a, "vendor_service_4a"),
    specific(0x4b, "class_service_4b"),
    specific(0x4c, "class_service_4c"),
    specific(0x4d, "class_service_4d"),
    specific(0x4e, "class_service_4e"),
    specific(0x4f, "class_service_4f"),
    specific(0x50, "class_service_50"),
    specific(0x51, "class_service_51"),
    specific(0x52, "class_service_52"),
    specific(0x53, "class_service_53"),
    specific(0x54, "class_service_54"),
    specific(0x55, "class_service_55"),
    specific(0x56, "class_service_56"),
    specific(0x57, "class_service_57"),
    specific(0x58, "class_service_58"),
    specific(0x59, "class_service_59"),
    specific(0x5a, "class_service_5a"),
    specific(0x5b, "class_service_5b"),
    specific(0x5c, "class_service_5c"),
    specific(0x5d, "class_service_5d"),
    specific(0x5e, "class_service_5e"),
    specific(0x5f, "class_service_5f"),
    specific(0x60, "class_service_60"),
    specific(0x61, "class_service_61"),
    specific(0x62, "class_service_62"),
    specific(0x63, "class_service_63"),
    of(0x4b, class::FILE, "initiate_upload", Access::Program, "T0845", false),
    of(0x4c, class::FILE, "initiate_download", Access::Firmware, "T0843", true),
    of(0x4d, class::FILE, "initiate_partial_read", Access::Program, "T0845", false),
    of(0x4e, class::FILE, "initiate_partial_write", Access::Firmware, "T0843", true),
    of(0x4f, class::FILE, "upload_transfer", Access::Program, "T0845", false),
    of(0x50, class::FILE, "download_transfer", Access::Firmware, "T0843", true),
    of(0x51, class::FILE, "clear_file", Access::Firmware, "T0809", true),
    of(0x4b, class::PCCC, "execute_pccc", Access::Session, "", false),
    of(0x4c, class::TAG, "read_tag", Access::Read, "T0801", false),
    of(0x4d, class::TAG, "write_tag", Access::Write, "T0836", false),
    of(0x4e, class::TAG, "read_modify_write_tag", Access::Write, "T0836", false),
    of(0x52, class::TAG, "read_tag_fragmented", Access::Read, "T0801", false),
    of(0x53, class::TAG, "write_tag_fragmented", Access::Write, "T0836", false),
    of(0x55, class::TAG, "list_program_symbols", Access::Discover, "T0861", false),
    of(0x4c, class::SYMBOL, "read_symbol", Access::Read, "T0801", false),
    of(0x4d, class::SYMBOL, "write_symbol", Access::Write, "T0836", false),
    of(0x4e, class::SYMBOL, "read_modify_write_symbol", Access::Write, "T0836", false),
    of(0x52, class::SYMBOL, "read_symbol_fragmented", Access::Read, "T0801", false),
    of(0x53, class::SYMBOL, "write_symbol_fragmented", Access::Write, "T0836", false),
    of(0x55, class::SYMBOL, "get_instance_attribute_list", Access::Discover, "T0861", false),
    of(0x4c, class::TEMPLATE, "read_template", Access::Discover, "T0861", false),
    of(0x4e, class::CONNECTION_MANAGER, "forward_close", Access::Session, "", false),
    of(0x52, class::CONNECTION_MANAGER, "unconnected_send", Access::Session, "", false),
    of(0x54, class::CONNECTION_MANAGER, "forward_open", Access::Session, "T0848", false),
    of(0x5b, class::CONNECTION_MANAGER, "large_forward_open", Access::Session, "T0848", false),
    of(0x56, class::CONNECTION_MANAGER, "get_connection_data", Access::Diagnose, "T0888", false),
    of(0x57, class::CONNECTION_MANAGER, "search_connection_data", Access::Diagnose, "T0888", false),
    of(0x5a, class::CONNECTION_MANAGER, "get_connection_owner", Access::Diagnose, "T0888", false),
];

/// Class of each service, whatever it is for.
static SERVICES: [u8; 128] = classes(FUNCTIONS);

/// Class of the services from 0x4B to 0x5B on the objects of `space`.
const fn on(space: u32) -> [u8; 32] {
    let mut classes = [Access::Program as u8; 32];
    let mut row = 0;
    while row < FUNCTIONS.len() {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
        let function = &FUNCTIONS[row];
        if let Some(object) = function.object
            && object.space == space
        {
            #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
            {
                classes[function.code as usize & 31] = function.access as u8;
            }
        }
        row = row.wrapping_add(1);
    }
    classes
}

static ON_CONNECTION_MANAGER: [u8; 32] = on(class::CONNECTION_MANAGER);
static ON_FILE: [u8; 32] = on(class::FILE);
static ON_PCCC: [u8; 32] = on(class::PCCC);
static ON_SYMBOL: [u8; 32] = on(class::SYMBOL);
static ON_TEMPLATE: [u8; 32] = on(class::TEMPLATE);
static ON_TAG: [u8; 32] = on(class::TAG);

/// Class of a service, reply bit removed, on objects of `space`.
#[must_use]
#[inline(always)]
pub fn access(service: u8, space: u32) -> u8 {
    let rows = if (0x4b..=0x5b).contains(&service) {
        match space {
            class::CONNECTION_MANAGER => Some(&ON_CONNECTION_MANAGER),
            class::FILE => Some(&ON_FILE),
            class::PCCC => Some(&ON_PCCC),
            class::SYMBOL => Some(&ON_SYMBOL),
            class::TEMPLATE => Some(&ON_TEMPLATE),
            class::TAG => Some(&ON_TAG),
            _ => None,
        }
    } else {
        None
    };
    // The masks must stay where the verifier sees them.
    let class = match rows {
        Some(rows) => rows.get(black_box(service) as usize & 31),
        None => SERVICES.get(black_box(service) as usize & 127),
    };
    match class {
        Some(class) => *class,
        None => Access::Unknown as u8,
    }
}

#[cfg(test)]
mod tests {
    use super::{FUNCTIONS, access, class};

    #[test]
    fn classes_come_from_the_table() {
        for row in FUNCTIONS {
            let code = u8::try_from(row.code).unwrap_or(u8::MAX);
            let space = row.object.map_or(0x8e, |object| object.space);
            assert_eq!(access(code, space), row.access as u8, "{}", row.name);
            assert!(row.object.is_none() || (0x4b..=0x5b).contains(&row.code), "{}", row.name);
        }
        assert_eq!(access(0x64, class::TAG), 0);
    }
}
