//! The words of a policy that come from the decision core's tables: protocols, functions, classes. Nothing about a protocol
//! stands here; it is looked up.

use enforcer_common::network::protocol as ip;
use enforcer_common::operation::Access;
use enforcer_common::protocol::{self, Protocol};

use super::range;
use super::valid::{Conduit, Function, Functions, Objects};
use crate::document::nearest;

/// Names that the policy language knows, with what this version has to say about those it does not inspect.
const NOT_YET: &[&str] = &["ads"];

/// True when the payload is dissected, so that rules about functions make sense.
pub(super) fn inspected(protocol: Protocol) -> bool {
    protocol.is_inspected()
}

/// True for a protocol that the policy language knows and this version does not inspect.
pub(super) fn not_yet(name: &str) -> bool {
    NOT_YET.contains(&name)
}

/// Protocols that a conduit can name.
fn protocols() -> impl Iterator<Item = Protocol> {
    let plain = [Protocol::Tcp, Protocol::Udp, Protocol::Icmp, Protocol::Ip];
    let all = Protocol::ALL.iter().copied();
    let own = |protocol: &Protocol| protocol.outer().is_none() && protocol.tables().ethertype.is_none();
    all.filter(move |protocol| inspected(*protocol) && own(protocol) || plain.contains(protocol))
}

/// The protocol a conduit names. The error is a sentence of its own.
pub(super) fn protocol(name: &str) -> Result<Protocol, String> {
    if let Some(found) = protocols().find(|protocol| protocol.as_str() == name) {
        return Ok(found);
    }
    if not_yet(name) {
        return Err(format!("protocol \"{name}\" is not in this version"));
    }
    let within = Protocol::ALL.iter().find(|inner| inner.as_str() == name).and_then(|inner| inner.outer());
    if let Some(outer) = within.map(Protocol::as_str) {
        return Err(format!("protocol \"{name}\" is inspected within \"{outer}\"; write protocol = \"{outer}\""));
    }
    let known: Vec<&str> = protocols().map(Protocol::as_str).collect();
    let end = match nearest(name, known.iter().chain(NOT_YET).copied()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("possible are {}", known.join(", ")),
    };
    Err(format!("unknown protocol \"{name}\"; {end}"))
}

/// The inspected protocol of this name.
///
/// # Errors
/// A sentence.
pub fn inspected_protocol(name: &str) -> Result<Protocol, String> {
    let found = protocol(name)?;
    if inspected(found) { Ok(found) } else { Err(format!("protocol \"{name}\" is not inspected inside")) }
}

/// The numbers that a word of `functions` stands for; `@any` is every function with a name.
///
/// # Errors
/// A sentence.
pub fn function_codes(protocol: Protocol, word: &str) -> Result<Vec<u32>, String> {
    let list = match functions(protocol, word)? {
        Functions::These { list, .. } => list,
        Functions::Any => {
            let classes =
                Access::NAMED.iter().filter_map(|class| functions(protocol, &format!("@{}", class.as_str())).ok());
            classes
                .filter_map(|one| if let Functions::These { list, .. } = one { Some(list) } else { None })
                .flatten()
                .collect()
        }
    };
    Ok(list.into_iter().map(|function| function.code).collect())
}

/// IP protocol numbers that a conduit's protocol travels on; an ip conduit lists its own. ICMPv6 counts as ICMP.
pub(super) fn transports(protocol: Protocol) -> &'static [u8] {
    let plain: [(Protocol, &'static [u8]); 3] =
        [(Protocol::Tcp, &[ip::TCP]), (Protocol::Udp, &[ip::UDP]), (Protocol::Icmp, &[ip::ICMP])];
    // Tables of what is not inspected name no transport.
    plain.iter().find(|(one, _)| *one == protocol).map_or(protocol.tables().transports, |(_, transports)| transports)
}

/// What a conduit claims: IP protocol numbers, each with a port where ports are listed.
pub(super) fn claims(conduit: &Conduit) -> Vec<(u8, Option<u16>)> {
    if conduit.protocol == Protocol::Ip {
        return conduit.ports.iter().filter_map(|number| u8::try_from(*number).ok()).map(|one| (one, None)).collect();
    }
    let mut ports: Vec<Option<u16>> = conduit.ports.iter().copied().map(Some).collect();
    if ports.is_empty() {
        ports.push(None);
    }
    let each = |transport: &u8| ports.iter().map(|port| (*transport, *port)).collect::<Vec<_>>();
    transports(conduit.protocol).iter().flat_map(each).collect()
}

/// Why an ip conduit cannot name this IP protocol; `None` when it can.
pub(super) fn not_to_carry(number: i64) -> Option<&'static str> {
    match u8::try_from(number) {
        Ok(ip::TCP) => Some("is TCP; write protocol = \"tcp\", or a protocol that is inspected"),
        Ok(ip::UDP) => Some("is UDP; write protocol = \"udp\", or a protocol that is inspected"),
        Ok(ip::ICMP | ip::ICMPV6) => Some("is ICMP; write protocol = \"icmp\""),
        Ok(ip::ROUTING | ip::FRAGMENT | ip::DESTINATION_OPTIONS | ip::MOBILITY) => {
            Some("is an extension header of IPv6, which never passes")
        }
        Ok(0) | Err(_) => Some("is out of range; possible are 1 to 255"),
        Ok(_) => None,
    }
}

/// What errors and `explain` call a transport.
pub(super) fn transport_name(transport: u8) -> String {
    match transport {
        ip::TCP => "tcp".to_owned(),
        ip::UDP => "udp".to_owned(),
        ip::ICMP => "icmp".to_owned(),
        other => format!("IP protocol {other}"),
    }
}

/// One entry of `functions`: `@any`, `@class`, a number, or a name of the standard.
pub(super) fn functions(protocol: Protocol, word: &str) -> Result<Functions, String> {
    if word == "@any" {
        return Ok(Functions::Any);
    }
    if let Some(class) = word.strip_prefix('@') {
        return match Access::NAMED.iter().find(|access| access.as_str() == class) {
            Some(access) => class_members(protocol, *access, word),
            None => Err(unknown_class(word)),
        };
    }
    if let Some(number) = range::number(word) {
        let carries = |inner: &Protocol| carrier(protocol, *inner).is_some_and(|code| i64::from(code) == number);
        return match protocol.tables().inner.iter().find(|inner| carries(inner)) {
            Some(inner) => Ok(whole(*inner, word)),
            None => numbered(protocol, number, word),
        };
    }
    if let Some(inner) = protocol.tables().inner.iter().find(|inner| inner.as_str() == word) {
        return Ok(whole(*inner, word));
    }
    if let Some((inner, text)) = word.split_once(':')
        && let Some(inner) = protocol.tables().inner.iter().find(|one| one.as_str() == inner)
        && let Some(number) = range::number(text)
    {
        return numbered(*inner, number, word);
    }
    let rows = || rows(protocol);
    let named: Vec<Function> = rows().filter(|(_, row)| row.name == word).map(entry).collect();
    if !named.is_empty() {
        return Ok(these(word, named));
    }
    let end = match nearest(word, rows().map(|(_, row)| row.name)) {
        Some(near) => format!("; did you mean \"{near}\"?"),
        None => "; a name of the standard, a number or a class such as \"@read\" is wanted".to_owned(),
    };
    Err(format!("unknown function \"{word}\"{end}"))
}

/// The one function that a word names; `None` when it stands for several.
pub(super) fn function(protocol: Protocol, word: &str) -> Result<Option<Function>, String> {
    let Functions::These { list, .. } = functions(protocol, word)? else { return Ok(None) };
    let several = word.starts_with('@') || rows(protocol).all(|(_, row)| row.name != word) && list.len() > 1;
    let carries = protocol.tables().inner.iter().any(|inner| inner.as_str() == word);
    Ok(if several || carries { None } else { list.first().copied() })
}

/// The function that another protocol travels in: the row that bears that one's name. No operation is of this function,
/// because the inner one stands in its place; a rule that names it means every function of the inner protocol.
fn carrier(protocol: Protocol, inner: Protocol) -> Option<u32> {
    protocol.tables().functions.iter().find(|row| row.name == inner.as_str()).map(|row| row.code)
}

/// Every function that an inner protocol's table names.
fn whole(inner: Protocol, word: &str) -> Functions {
    these(word, inner.tables().functions.iter().map(|row| entry((inner, row))).collect())
}

/// Every row that a conduit of this protocol can name, each with the protocol that it is of.
pub fn rows(protocol: Protocol) -> impl Iterator<Item = (Protocol, &'static protocol::Function)> {
    protocol.family().flat_map(|one| one.tables().functions.iter().map(move |row| (one, row)))
}

/// A function by its number in the protocol's own standard.
fn numbered(protocol: Protocol, number: i64, word: &str) -> Result<Functions, String> {
    let last = protocol.tables().last_function;
    match u32::try_from(number) {
        Ok(code) if code <= last => Ok(these(word, vec![Function { code: operation_code(protocol, code), own: None }])),
        _ => Err(format!("function {word} is out of range; {} has 0 to {last}", protocol.as_str())),
    }
}

/// The number that stands in operations for a function of this protocol.
pub fn operation_code(protocol: Protocol, code: u32) -> u32 {
    if protocol.outer().is_some() { protocol.within(code) } else { code }
}

/// The functions of a class. A code that the table divides into sub-functions belongs to the classes of those: the class
/// of the undivided row would let in the sub-functions of every other class.
fn class_members(protocol: Protocol, access: Access, word: &str) -> Result<Functions, String> {
    let divided = |of: Protocol, code| of.tables().functions.iter().any(|row| row.code == code && row.object.is_some());
    let members =
        rows(protocol).filter(|(of, row)| row.access == access && (row.object.is_some() || !divided(*of, row.code)));
    let list: Vec<Function> = members.map(entry).collect();
    if list.is_empty() {
        return Err(format!("{} has no function of class \"{word}\"", protocol.as_str()));
    }
    Ok(these(word, list))
}

fn unknown_class(word: &str) -> String {
    let classes: Vec<String> = std::iter::once("@any".to_owned())
        .chain(Access::NAMED.iter().map(|access| format!("@{}", access.as_str())))
        .collect();
    let end = match nearest(word, classes.iter().map(String::as_str)) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("possible are {}", classes.join(", ")),
    };
    format!("unknown class \"{word}\"; {end}")
}

fn entry((of, row): (Protocol, &'static protocol::Function)) -> Function {
    let own = row.object.map(|object| Objects { space: object.space, first: object.first, last: object.last });
    Function { code: operation_code(of, row.code), own }
}

fn these(word: &str, list: Vec<Function>) -> Functions {
    Functions::These { written: word.to_owned(), list }
}

/// What a function is called: the row for exactly these objects, else the row for the whole code.
pub fn function_name(protocol: Protocol, function: Function) -> Option<&'static str> {
    rows(protocol).find(|row| entry(*row) == function).map(|(_, row)| row.name)
}
