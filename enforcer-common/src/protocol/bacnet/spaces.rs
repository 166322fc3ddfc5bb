//! Kinds of objects: the object types of BACnet (135-2020, clause 21, BACnetObjectType), and what some services name
//! instead of an object.

use crate::protocol::tables::{Form, Member, Space};

/// Largest instance number, 20.2.14; as an instance it stands for any.
pub const INSTANCES: u32 = 0x3f_ffff;

/// Bits of an object number that hold the property.
pub const PROPERTY_BITS: u32 = 10;

/// The property number that stands for every property from here on.
pub const OTHER_PROPERTIES: u32 = 1023;

/// Groups of a WriteGroup, 15.11.
pub const GROUP: u32 = 0x1000;

/// States of a ReinitializeDevice, 16.4.
pub const REINITIALIZE: u32 = 0x1001;

/// What a DeviceCommunicationControl asks for, 16.1.
pub const COMMUNICATION: u32 = 0x1002;

/// Vendor 0 of a private transfer, 16.2; vendor n is this plus n. Objects are service numbers.
pub const VENDOR: u32 = 0x0001_0000;

const PROPERTY: Option<Member> = Some(Member { name: "property", bits: PROPERTY_BITS });

const fn object(space: u32, name: &'static str) -> Space {
    Space { space, name, last: INSTANCES, form: Form::Plain, member: PROPERTY }
}

/// First object type without a name of its own.
const UNNAMED: u32 = 65;

/// The words in front of the colon in a rule's `objects`.
pub const SPACES: &[Space] = &[
    object(0, "analog-input"),
    object(1, "analog-output"),
    object(2, "analog-value"),
    object(3, "binary-input"),
    object(4, "binary-output"),
    object(5, "binary-value"),
    object(6, "calendar"),
    object(7, "command"),
    object(8, "device"),
    object(9, "event-enrollment"),
    object(10, "file"),
    object(11, "group"),
    object(12, "loop"),
    object(13, "multi-state-input"),
    object(14, "multi-state-output"),
    object(15, "notification-class"),
    object(16, "program"),
    object(17, "schedule"),
    object(18, "averaging"),
    object(19, "multi-state-value"),
    object(20, "trend-log"),
    object(21, "life-safety-point"),
    object(22, "life-safety-zone"),
    object(23, "accumulator"),
    object(24, "pulse-converter"),
    object(25, "event-log"),
    object(26, "global-group"),
    object(27, "trend-log-multiple"),
    object(28, "load-control"),
    object(29, "structured-view"),
    object(30, "access-door"),
    object(31, "timer"),
    object(32, "access-credential"),
    object(33, "access-point"),
    object(34, "access-rights"),
    object(35, "access-user"),
    object(36, "access-zone"),
    object(37, "credential-data-input"),
    object(38, "network-security"),
    object(39, "bitstring-value"),
    object(40, "characterstring-value"),
    object(41, "date-pattern-value"),
    object(42, "date-value"),
    object(43, "datetime-pattern-value"),
    object(44, "datetime-value"),
    object(45, "integer-value"),
    object(46, "large-analog-value"),
    object(47, "octetstring-value"),
    object(48, "positive-integer-value"),
    object(49, "time-pattern-value"),
    object(50, "time-value"),
    object(51, "notification-forwarder"),
    object(52, "alert-enrollment"),
    object(53, "channel"),
    object(54, "lighting-output"),
    object(55, "binary-lighting-output"),
    object(56, "network-port"),
    object(57, "elevator-group"),
    object(58, "escalator"),
    object(59, "lift"),
    object(60, "staging"),
    object(61, "audit-log"),
    object(62, "audit-reporter"),
    object(63, "color"),
    object(64, "color-temperature"),
    Space {
        space: UNNAMED,
        name: "type ",
        last: INSTANCES,
        form: Form::NumberedFrom { first: UNNAMED, last: 1023 },
        member: PROPERTY,
    },
    Space::plain(GROUP, "write-group", u32::MAX),
    Space::plain(REINITIALIZE, "state", 255),
    Space::plain(COMMUNICATION, "communication", 255),
    Space::numbered(VENDOR, "vendor", 65535, u32::MAX),
];
