//! What the names of variables make of reads and writes.

use enforcer_common::operation::{Access, Operation};
use enforcer_common::protocol::mms::functions::space;
use enforcer_common::verdict::Reason;

use super::{fault, fields, named, read};
use crate::support::mms::{ask, object, seq, tlv, variable, write};

const TRUE: &[u8] = &[0x83, 1, 0xff];

fn written(item: &str) -> (Access, u32, u32) {
    let seen = fields(&ask(&write(&[("LD1", item)], &[TRUE.to_vec()])));
    let [(5, access, space, number)] = seen[..] else { panic!("{seen:?}") };
    (access, space, number)
}

#[test]
fn the_functional_constraint_says_what_is_written() {
    for (item, access, space) in [
        ("GGIO1$ST$Ind1$stVal", Access::Write, space::VARIABLE),
        ("GGIO1$DC$NamPlt$d", Access::Write, space::VARIABLE),
        ("GGIO1", Access::Write, space::VARIABLE),
        ("controlCommand", Access::Write, space::VARIABLE),
        ("CO", Access::Write, space::VARIABLE),
        ("GGIO1$COX$a", Access::Write, space::VARIABLE),
        ("GGIO1$SP$AnOut1$setMag$f", Access::Write, space::SETTING),
        ("PTOC1$SG$StrVal", Access::Write, space::SETTING),
        ("PTOC1$SE$StrVal", Access::Write, space::SETTING),
        ("LLN0$CF$Mod$ctlModel", Access::Write, space::SETTING),
        ("LLN0$BR$brcb01$RptEna", Access::Write, space::CONTROL_BLOCK),
        ("LLN0$RP$urcb01$GI", Access::Write, space::CONTROL_BLOCK),
        ("LLN0$GO$gcb01$GoEna", Access::Write, space::CONTROL_BLOCK),
        ("LLN0$LG$log", Access::Write, space::CONTROL_BLOCK),
        ("LLN0$MS$msvcb", Access::Write, space::CONTROL_BLOCK),
        ("GGIO1$SV$AnIn1$subVal", Access::Write, space::SUBSTITUTION),
        ("GGIO1$CO$SPCSO1$Oper", Access::Control, space::OPERATE),
        ("GGIO1$CO$SPCSO1$Oper$ctlVal", Access::Control, space::OPERATE),
        ("GGIO1$CO$SPCSO1", Access::Control, space::OPERATE),
        ("GGIO1$CO", Access::Control, space::OPERATE),
        ("ALongerName_GGIO12$CO$SPCSO1$SBOw", Access::Control, space::SELECT_WITH_VALUE),
        ("GGIO1$CO$SPCSO1$Cancel", Access::Control, space::CANCEL),
        ("GGIO1$CO$SPCSO1$xSBOw", Access::Control, space::OPERATE),
        ("GGIO1$co$SPCSO1$sbow", Access::Control, space::SELECT_WITH_VALUE),
    ] {
        assert_eq!(written(item), (access, space, named(&format!("LD1/{item}"))), "{item}");
    }
    // Wherever the first `$` lies in the pieces that are read.
    for length in 1..60 {
        let item = format!("{}$CO$x", "A".repeat(length));
        assert_eq!(written(&item).1, space::OPERATE, "{item}");
    }
}

#[test]
fn who_reads_a_select_selects() {
    let seen = |item: &str| {
        let [(4, access, space, number)] = fields(&ask(&crate::support::mms::read(&[("LD1", item)])))[..] else {
            panic!("one record")
        };
        assert_eq!(number, named(&format!("LD1/{item}")));
        (access, space)
    };
    assert_eq!(seen("GGIO1$CO$SPCSO1$SBO"), (Access::Control, space::SELECT));
    assert_eq!(seen("GGIO1$CO$SPCSO1$SBOw"), (Access::Read, space::VARIABLE));
    assert_eq!(seen("GGIO1$CO$SPCSO1$Oper"), (Access::Read, space::VARIABLE));
    assert_eq!(seen("GGIO1$ST$SPCSO1$SBO"), (Access::Read, space::VARIABLE));
    assert_eq!(seen("GGIO1$MX$AnIn1$mag$f"), (Access::Read, space::VARIABLE));
}

#[test]
fn names_of_every_scope_are_objects() {
    let one = |name: &[u8]| {
        let seen = fields(&ask(&tlv(0xa4, &tlv(0xa1, &tlv(0xa0, &variable(name, &[]))))));
        let [(4, Access::Read, space::VARIABLE, number)] = seen[..] else { panic!("{seen:?}") };
        number
    };
    assert_eq!(one(&tlv(0x80, b"Supported_Features")), named("Supported_Features"));
    assert_eq!(one(&object("Bilateral", "Transfer_Set")), named("Bilateral/Transfer_Set"));
    assert_eq!(one(&tlv(0x82, b"mine")), named("@/mine"));
    let long = "x".repeat(64);
    assert_eq!(one(&object(&long, &long)), named(&format!("{long}/{long}")));
    for bad in [object(&"x".repeat(65), "y"), object("x", &"y".repeat(65)), tlv(0x80, &[b'x'; 65])] {
        let bytes = ask(&tlv(0xa4, &tlv(0xa1, &tlv(0xa0, &variable(&bad, &[])))));
        assert_eq!(fault(&bytes), Some(Reason::BeyondInspection));
    }
    for bad in [object("", "y"), object("x", ""), tlv(0x80, b"")] {
        let bytes = ask(&tlv(0xa4, &tlv(0xa1, &tlv(0xa0, &variable(&bad, &[])))));
        assert_eq!(fault(&bytes), Some(Reason::OutOfRange));
    }
}

#[test]
fn named_lists_and_addresses_are_objects_of_their_own() {
    let list = |tag: u8, behind: &[Vec<u8>]| {
        let access = tlv(0xa1, &object("LD1", "LLN0$dataset"));
        let spec = if tag == 0xa4 { tlv(0xa1, &access) } else { access };
        ask(&seq(tag, &[vec![spec], behind.to_vec()].concat()))
    };
    assert_eq!(fields(&list(0xa4, &[])), [(4, Access::Read, space::LIST, named("LD1/LLN0$dataset"))]);
    let data = seq(0xa0, &[TRUE.to_vec(), TRUE.to_vec()]);
    assert_eq!(fields(&list(0xa5, &[data])), [(5, Access::Control, space::LIST, named("LD1/LLN0$dataset"))]);
    let address = seq(0x30, &[tlv(0xa1, &tlv(0x80, &[0, 0, 1, 0]))]);
    let read = ask(&tlv(0xa4, &tlv(0xa1, &tlv(0xa0, &address))));
    assert_eq!(fields(&read), [(4, Access::Read, space::ADDRESS, 0)]);
    let write = ask(&seq(0xa5, &[tlv(0xa0, &address), tlv(0xa0, TRUE)]));
    assert_eq!(fault(&write), Some(Reason::BeyondInspection));
}

#[test]
fn parts_of_a_variable_are_let_be_where_no_control_can_be_among_them() {
    // [5] alternate access: component "CO" of the whole node selects or operates.
    let parts = tlv(0xa5, &tlv(0x30, &tlv(0x81, b"CO")));
    let ask_for = |item: &str| {
        let variables = tlv(0xa0, &variable(&object("LD1", item), &parts));
        let read = ask(&tlv(0xa4, &tlv(0xa1, &variables)));
        let write = ask(&seq(0xa5, &[variables, tlv(0xa0, TRUE)]));
        [fault(&read), fault(&write)]
    };
    assert_eq!(ask_for("GGIO1$MX$HaAmp"), [None; 2]);
    for item in ["GGIO1", "GGIO1$CO", "GGIO1$CO$SPCSO1", "x$y"] {
        assert_eq!(ask_for(item), [Some(Reason::BeyondInspection); 2], "{item}");
    }
    // What another variable's name says does not help.
    let variables = seq(0xa0, &[variable(&object("LD1", "GGIO1$MX$a"), &[]), variable(&tlv(0x80, b"GGIO1"), &parts)]);
    assert_eq!(fault(&ask(&tlv(0xa4, &tlv(0xa1, &variables)))), Some(Reason::BeyondInspection));
    let other = variable(&object("LD1", "a"), &tlv(0xa6, &[]));
    assert_eq!(fault(&ask(&tlv(0xa4, &tlv(0xa1, &tlv(0xa0, &other))))), Some(Reason::MalformedFraming));
}

#[test]
fn every_variable_of_a_list_is_an_object() {
    let names: Vec<String> = (0..20).map(|index| format!("GGIO1$MX$AnIn{index}$mag$f")).collect();
    let pairs: Vec<(&str, &str)> = names.iter().map(|item| ("peerLD1", item.as_str())).collect();
    let seen = fields(&ask(&crate::support::mms::read(&pairs)));
    assert_eq!(seen.len(), 20);
    for (index, one) in seen.iter().enumerate() {
        assert_eq!(one.3, named(&format!("peerLD1/GGIO1$MX$AnIn{index}$mag$f")));
    }
    // A control among other writes shows.
    let names = [("LD1", "GGIO1$ST$a"), ("LD1", "GGIO1$CO$b$Oper"), ("LD1", "GGIO1$SP$c")];
    let spaces: Vec<u32> =
        fields(&ask(&write(&names, &[TRUE.to_vec(), TRUE.to_vec(), TRUE.to_vec()]))).iter().map(|one| one.2).collect();
    assert_eq!(spaces, [space::VARIABLE, space::OPERATE, space::SETTING]);
    // More than fit are not read, and not let through.
    let many: Vec<(&str, &str)> = (0..41).map(|_| ("D", "I")).collect();
    assert_eq!(fault(&ask(&crate::support::mms::read(&many))), Some(Reason::BeyondInspection));
    assert_eq!(fault(&ask(&crate::support::mms::read(&[]))), Some(Reason::OutOfRange));
    assert_eq!(fault(&ask(&write(&[], &[]))), Some(Reason::OutOfRange));
}

#[test]
fn written_numbers_are_values() {
    let value = |item: &str, data: &[u8]| {
        let records = read(&ask(&write(&[("LD1", item)], &[data.to_vec()])));
        let [one] = records[..] else { panic!("{records:?}") };
        assert_eq!((one.fault, one.value_min), (0, one.value_max), "{data:02x?}");
        one.has(Operation::HAS_VALUE).then_some(one.value_min)
    };
    let plain = "GGIO1$SP$x";
    assert_eq!(value(plain, TRUE), Some(1));
    assert_eq!(value(plain, &[0x83, 1, 0]), Some(0));
    assert_eq!(value(plain, &[0x85, 1, 55]), Some(55));
    assert_eq!(value(plain, &[0x85, 1, 0xff]), Some(-1));
    assert_eq!(value(plain, &[0x85, 4, 0x80, 0, 0, 0]), Some(-0x8000_0000));
    assert_eq!(value(plain, &[0x86, 5, 0, 0xff, 0xff, 0xff, 0xff]), Some(0xffff_ffff));
    assert_eq!(value(plain, &[0x86, 2, 0xff, 0]), Some(0xff00));
    assert_eq!(value(plain, &[0x85, 6, 0, 0, 0, 0, 0, 1]), None, "longer than any in use");
    assert_eq!(value(plain, &[0x87, 5, 8, 0, 0, 0, 0]), None, "floating point");
    let operate = seq(0xa2, &[TRUE.to_vec(), seq(0xa2, &[vec![0x85, 1, 3], vec![0x89, 0]]), vec![0x86, 1, 7]]);
    assert_eq!(value("GGIO1$CO$SPCSO1$Oper", &operate), Some(1));
    assert_eq!(value("GGIO1$CO$SPCSO1$SBOw", &operate), Some(1));
    assert_eq!(value("GGIO1$CO$Pos$Oper", &seq(0xa2, &[vec![0x85, 2, 0xff, 0]])), Some(-256));
    assert_eq!(value("GGIO1$CO$Pos$Oper", &seq(0xa2, &[vec![0xa2, 0], TRUE.to_vec()])), None);
    assert_eq!(value(plain, &operate), None, "a structure is none");
}
