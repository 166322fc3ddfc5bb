//! The words for objects: `holding:0-199`, `DB10:0-99`, `g12v1:0-7`, `0x6B/1/3`, `analog-output:1-8/85`.
//!
//! A kind of object, then behind a colon or a slash a range of them, then behind a slash a range of their members where
//! the kind has any. What is left out means all. Kinds are looked up in the protocol's tables.

use enforcer_common::protocol::tables::{name_number, text_number};
use enforcer_common::protocol::{Form, Protocol, Space};

use super::range;
use super::valid::Objects;
use crate::document::nearest;

/// Objects that one entry may name one by one, because it names some of their members.
const MOST: i64 = 256;

/// One entry of `objects`.
pub(super) fn parse(protocol: Protocol, text: &str) -> Result<Vec<Objects>, String> {
    let (word, rest) = match text.split_once([':', '/']) {
        Some((word, rest)) => (word.trim(), Some(rest)),
        None => (text.trim(), None),
    };
    let Some((number, space)) = find(protocol, word)? else {
        return Err(unknown(protocol, word, text));
    };
    if let (Form::Identified { .. }, Some(identifier)) = (space.form, rest) {
        return identified(number, identifier).map(|one| vec![one]).map_err(|cause| format!("in \"{text}\", {cause}"));
    }
    let cause = |cause: String| format!("in \"{text}\", {cause}");
    if let (Form::Named { divider }, Some(name)) = (space.form, rest)
        && range::parse(name, 0, i64::from(space.last)).is_err()
    {
        let known = name_number(name.trim().as_bytes(), divider);
        return Ok(vec![Objects { space: number, first: known, last: known }]);
    }
    let (span, members) = match rest.map(|rest| rest.split_once('/').map_or((rest, None), |(a, b)| (a, Some(b)))) {
        Some((span, members)) => (range::parse(span, 0, i64::from(space.last)).map_err(cause)?, members),
        None => ((0, i64::from(space.last)), None),
    };
    let bits = space.member_bits();
    let top = (1i64 << bits) - 1;
    let (low, high) = match (members, space.member) {
        (None, _) => (0, top),
        (Some(text), Some(_)) => range::parse(text, 0, top).map_err(cause)?,
        (Some(_), None) => return Err(format!("in \"{text}\", {} has nothing behind a second slash", space.name)),
    };
    // Everything lies between 0 and a u32, so nothing is cut off.
    let number_of = |object: i64, member: i64| u32::try_from(object << bits | member).unwrap_or(u32::MAX);
    let piece = |first: u32, last: u32| Objects { space: number, first, last };
    if (low, high) == (0, top) {
        return Ok(vec![piece(number_of(span.0, 0), number_of(span.1, top))]);
    }
    if span.1 - span.0 >= MOST {
        return Err(format!("in \"{text}\", at most {MOST} objects may be named together with their members"));
    }
    Ok((span.0..=span.1).map(|object| piece(number_of(object, low), number_of(object, high))).collect())
}

/// An identifier as devices write it, or behind `#` the number that stands for it, or a range of such numbers.
fn identified(space: u32, identifier: &str) -> Result<Objects, String> {
    if let Some(number) = identifier.strip_prefix('#') {
        let (first, last) = range::parse(number, 0, i64::from(u32::MAX))?;
        // Everything lies between 0 and a u32, so nothing is cut off.
        let number = |number| u32::try_from(number).unwrap_or(u32::MAX);
        return Ok(Objects { space, first: number(first), last: number(last) });
    }
    let number = text_number(identifier.as_bytes());
    Ok(Objects { space, first: number, last: number })
}

fn unknown(protocol: Protocol, word: &str, text: &str) -> String {
    let known: Vec<&str> = spaces(protocol).map(|space| space.name.trim_end()).collect();
    let end = match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("possible are {}", known.join(", ")),
    };
    format!("unknown kind of object \"{word}\" in \"{text}\"; {end}")
}

fn spaces(protocol: Protocol) -> impl Iterator<Item = &'static Space> {
    protocol.outer().unwrap_or(protocol).family().flat_map(|one| one.tables().spaces)
}

/// Number of a kind of object and its row; `None` when there is no such word.
fn find(protocol: Protocol, word: &str) -> Result<Option<(u32, &'static Space)>, String> {
    for space in spaces(protocol) {
        let name = space.name.trim_end();
        let found = match space.form {
            Form::Plain | Form::Named { .. } if name == word => Some(0),
            Form::Plain | Form::Named { .. } => None,
            Form::Number { last } => match range::number(word) {
                Some(number) => Some(within(number, last, || {
                    format!("\"{word}\" is out of range; {name} numbers are 0 to {last}")
                })?),
                None => None,
            },
            Form::Numbered { last } | Form::Identified { last } => match word.strip_prefix(name).map(str::trim_start) {
                Some(digits) if digits.chars().all(|c| c.is_ascii_digit()) => {
                    let wrong =
                        || format!("\"{word}\" needs a number from 0 to {last}, such as \"{}1:0-99\"", space.name);
                    Some(within(range::number(digits).unwrap_or(-1), last, wrong)?)
                }
                _ => None,
            },
            Form::NumberedFrom { first, last } => match word.strip_prefix(name).map(str::trim_start) {
                Some(digits) if digits.chars().all(|c| c.is_ascii_digit()) => {
                    let wrong = || {
                        format!(
                            "\"{word}\" needs a number from {first} to {last}, such as \"{}{first}:0-99\"",
                            space.name
                        )
                    };
                    let number = within(range::number(digits).unwrap_or(-1), last, wrong)?;
                    Some(number.checked_sub(first).ok_or_else(wrong)?)
                }
                _ => None,
            },
            Form::Variation => match word.strip_prefix(name).map(|rest| rest.split_once('v')) {
                Some(Some((group, variation))) => {
                    let wrong = || format!("\"{word}\" needs two numbers from 0 to 255, such as \"{name}12v1\"");
                    let number = |text| within(range::number(text).unwrap_or(-1), 255, wrong);
                    Some(number(group)? << 8 | number(variation)?)
                }
                _ => None,
            },
        };
        if let Some(offset) = found {
            return Ok(Some((space.space.saturating_add(offset), space)));
        }
    }
    Ok(None)
}

fn within(number: i64, last: u32, wrong: impl Fn() -> String) -> Result<u32, String> {
    match u32::try_from(number) {
        Ok(number) if number <= last => Ok(number),
        _ => Err(wrong()),
    }
}

/// The row for the number of a kind of object.
pub fn space_of(protocol: Protocol, number: u32) -> Option<&'static Space> {
    spaces(protocol).find(|space| {
        let (first, last) = space.numbers();
        (first..=last).contains(&number)
    })
}

/// The word for the number of a kind of object: `holding`, `file3`; the number itself when no word fits.
pub fn space_name(protocol: Protocol, number: u32) -> String {
    let Some(space) = space_of(protocol, number) else { return number.to_string() };
    let offset = number.saturating_sub(space.space);
    match space.form {
        Form::Plain | Form::Named { .. } => space.name.to_owned(),
        Form::Numbered { .. } | Form::Identified { .. } => format!("{}{offset}", space.name),
        Form::NumberedFrom { first, .. } => format!("{}{}", space.name, first.saturating_add(offset)),
        Form::Number { .. } => format!("0x{offset:02X}"),
        Form::Variation => format!("{}{}v{}", space.name, offset >> 8, offset & 0xff),
    }
}

/// Objects as rules write them, in as many entries as it takes.
pub fn object_words(protocol: Protocol, objects: Objects) -> Vec<String> {
    let separator = match space_of(protocol, objects.space).map(|space| space.form) {
        Some(Form::Number { .. }) => "/",
        Some(Form::Identified { .. }) => ":#",
        Some(
            Form::Plain | Form::Named { .. } | Form::Numbered { .. } | Form::NumberedFrom { .. } | Form::Variation,
        )
        | None => ":",
    };
    let word = space_name(protocol, objects.space);
    numbers(protocol, objects).into_iter().map(|numbers| format!("{word}{separator}{numbers}")).collect()
}

/// What stands behind the word: `0-199`, `1/3`.
pub(super) fn numbers(protocol: Protocol, objects: Objects) -> Vec<String> {
    let bits = space_of(protocol, objects.space).map_or(0, Space::member_bits);
    let top = (1u32 << bits) - 1;
    let (mut first, last) = (objects.first >> bits, objects.last >> bits);
    let (low, high) = (objects.first & top, objects.last & top);
    if first == last && (low, high) != (0, top) {
        return vec![format!("{first}/{}", range(low, high))];
    }
    let mut words = Vec::new();
    if low != 0 {
        words.push(format!("{first}/{}", range(low, top)));
        first += 1;
    }
    let whole = if high == top { last } else { last.saturating_sub(1) };
    if first <= whole {
        words.push(range(first, whole));
    }
    if high != top {
        words.push(format!("{last}/{}", range(0, high)));
    }
    words
}

fn range(first: u32, last: u32) -> String {
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

#[cfg(test)]
mod tests {
    use enforcer_common::protocol::Protocol;

    use super::{object_words, parse};

    #[test]
    fn words_are_read_back_as_they_are_written() {
        let tables: &[(Protocol, &[&str])] = &[
            (Protocol::Modbus, &["holding:0-199", "coil:5", "file3:0-99", "mei:14"]),
            (
                Protocol::S7comm,
                &["DB10:0-99", "DI3:4", "I:0-7", "Q:0", "M:0-15", "C:5", "T:0-2", "P:256-259", "V:10", "syntax:178"],
            ),
            (Protocol::S7comm, &["object:285", "own_session:0", "execution_unit:0"]),
            (Protocol::S7comm, &["tsap:256-511", "tsap_name:1", "block_db:1", "r_id:4294967295", "pi:1-3"]),
            (
                Protocol::Bacnet,
                &["analog-output:1-8", "analog-output:1/85", "device:4194303", "type 130:7/512-1023", "state:0-1"],
            ),
            (Protocol::Bacnet, &["vendor260:5", "write-group:4294967295"]),
            (Protocol::Dnp3, &["g12v1:0-7", "g60v2:0-4294967295", "g110v255:9", "g1v0:0"]),
            (Protocol::Modbus, &["block19:0-99"]),
            (Protocol::Fins, &["d:100-199", "cio:3/0-7", "bank12:0-9", "t:5", "parameter32784:0-9", "area27:1"]),
            (Protocol::Slmp, &["D:100-199", "SM:400", "X:0-31", "buffer:0-9", "module3:0-99"]),
            (Protocol::HartIp, &["command:0-3", "command:42"]),
            (Protocol::GeSrtp, &["R:0-99", "AI:3", "segment34:0-9"]),
            (
                Protocol::Enip,
                &["0x6B/1/3", "0x6B/1-9", "0x01/0-65535", "tag:305419896", "path:5", "file7:0-9", "file4:2/1"],
            ),
            (
                Protocol::Mms,
                &[
                    "variable:305419896",
                    "list:1",
                    "operate:5",
                    "select_with_value:0-4294967295",
                    "address:0",
                    "file:7",
                    "tsap:1",
                ],
            ),
            (
                Protocol::Iec104,
                &["type 45:1000-1099", "type 46:7/1", "type 100:0", "counter-freeze:0", "file-delete:0-16777215"],
            ),
            (
                Protocol::Opcua,
                &["node0:2256-2260", "node65535:4294967295", "string2:#305419896", "guid3:#0", "opaque4:#1-2"],
            ),
            (Protocol::Opcua, &["unlisted:0", "policy:0-6"]),
        ];
        for (protocol, words) in tables {
            for word in *words {
                let objects = parse(*protocol, word).expect("a word of the protocol");
                let again: Vec<String> = objects.iter().flat_map(|one| object_words(*protocol, *one)).collect();
                assert_eq!(again, [*word]);
            }
        }
    }

    #[test]
    fn tags_are_named_by_name() {
        let number = |text| parse(Protocol::Enip, text).expect("a tag")[0].first;
        assert_eq!(number("tag:Program:Main.Speed"), number("tag: program:main.speed"));
        assert_ne!(number("tag:Speed"), number("tag:Speed2"));
        assert_eq!(number("tag:Speed"), enforcer_common::protocol::tables::name_number(b"speed", Some(b'.')));
    }

    #[test]
    fn variables_are_named_by_domain_and_item() {
        let number = |text| parse(Protocol::Mms, text).expect("an object")[0].first;
        let name = enforcer_common::protocol::tables::name_number;
        assert_eq!(number("operate:LD1/GGIO1$CO$SPCSO1$Oper"), name(b"LD1/GGIO1$CO$SPCSO1$Oper", Some(b'/')));
        assert_ne!(number("variable:LD1/GGIO1$MX$a"), name(b"LD1/GGIO1$MX$a", None));
        assert_eq!(number("file:COMTRADE/fault 1.dat"), name(b"COMTRADE/fault 1.dat", None));
        assert_eq!(number("variable:Supported_Features"), name(b"supported_features", Some(b'/')));
    }

    #[test]
    fn nodes_are_named_as_devices_name_them() {
        let number = |text: &str| parse(Protocol::Opcua, text).expect("a node")[0].first;
        let of = |text: &[u8]| enforcer_common::protocol::tables::text_number(text);
        assert_eq!(number("string2:Machine.Speed"), of(b"Machine.Speed"));
        assert_ne!(number("string2:Machine.Speed"), number("string2:machine.speed"), "case counts");
        for text in ["\"DB1\".\"x/y\"", "a:b/c", "1001", " spaced "] {
            assert_eq!(number(&format!("string3:{text}")), of(text.as_bytes()), "{text}");
        }
        let all = parse(Protocol::Opcua, "string2").expect("every string of the namespace");
        assert_eq!((all[0].first, all[0].last), (0, u32::MAX));
        for wrong in ["string2:#x", "string70000:a", "node2:Speed", "string:a"] {
            parse(Protocol::Opcua, wrong).expect_err(wrong);
        }
    }

    #[test]
    fn what_is_no_object_is_told() {
        for (word, cause) in [
            ("holdin:3", "did you mean \"holding\"?"),
            ("file:0-9", "needs a number from 0 to 65535"),
            ("holding:3/1", "has nothing behind a second slash"),
            ("holding:70000", "out of range"),
        ] {
            let error = parse(Protocol::Modbus, word).expect_err(word);
            assert!(error.contains(cause), "{error}");
        }
    }
}
