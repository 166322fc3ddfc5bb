//! Sessions and associations: opened, ended, cut off.

use enforcer_common::operation::Access;
use enforcer_common::protocol::mms::functions::unit;
use enforcer_common::verdict::Reason;

use super::{fault, fields, read};
use crate::support::cotp::data;
use crate::support::mms::{INITIATE, associate, connect, finish, parameter, request, spdu, tlv, write};

#[test]
fn an_association_is_opened_with_initiate_and_nothing_else() {
    let seen = fields(&connect(&associate(INITIATE)));
    assert_eq!(seen.iter().map(|one| (one.0, one.1)).collect::<Vec<_>>(), [(unit::INITIATE, Access::Session)]);
    // Servers in use run any request that stands here.
    let operate = request(1, &write(&[("LD1", "GGIO1$CO$a$Oper")], &[vec![0x83, 1, 1]]));
    assert_eq!(fault(&connect(&associate(&operate))), Some(Reason::MalformedFraming));
    let both = [INITIATE, &operate].concat();
    assert_eq!(fault(&connect(&associate(&both))), Some(Reason::LengthMismatch));
    let wrapped = tlv(0xa0, INITIATE);
    assert_eq!(fault(&connect(&associate(&wrapped))), Some(Reason::MalformedFraming));
    // Nothing asked for at all.
    let empty = tlv(0x60, &tlv(0xa1, &tlv(0x06, &[0x28, 0xca, 0x22, 2, 3])));
    assert_eq!(fault(&connect(&empty)), Some(Reason::LengthMismatch));
    let behind = [associate(INITIATE), associate(&operate)].concat();
    assert_eq!(fault(&connect(&behind)), Some(Reason::LengthMismatch));
}

#[test]
fn the_parameters_of_a_session_are_walked_to_their_end() {
    let user = parameter(0xc1, &[0x31, 0]);
    let version = parameter(5, &[0x13, 1, 0]);
    let unit = |parameters: &[Vec<u8>]| data(&spdu(13, parameters));
    assert_eq!(fault(&unit(&[])), Some(Reason::LengthMismatch));
    assert_eq!(fault(&unit(std::slice::from_ref(&version))), Some(Reason::LengthMismatch), "no user data");
    assert_eq!(fault(&unit(&[user.clone(), version.clone()])), Some(Reason::LengthMismatch), "not the last one");
    assert_eq!(fault(&unit(&[vec![version; 11], vec![user]].concat())), Some(Reason::BeyondInspection));
    for length in [0u8, 3, 200] {
        assert!(fault(&data(&[13, length, 5, 1, 0])).is_some_and(|one| one == Reason::LengthMismatch), "{length}");
    }
    assert_eq!(fault(&data(&[13, 0xff, 0, 3, 5, 1, 0])), Some(Reason::MalformedFraming), "not the shortest form");
    // Extended lengths where they belong.
    let name = vec![b'x'; 300];
    let long = [INITIATE].concat();
    let association = [&tlv(0xa2, &tlv(0x80, &name))[..], &associate(&long)[2..]].concat();
    assert_eq!(fault(&connect(&tlv(0x60, &association))), None);
}

#[test]
fn sessions_end() {
    let function = |bytes: &[u8]| {
        let found = read(bytes);
        let [one] = found[..] else { panic!("{found:?}") };
        (one.function, Access::from_code(one.access), Reason::from_code(one.fault))
    };
    let session = |identifier: u32| unit::SESSION + identifier;
    assert_eq!(function(&finish(&[0x80, 1, 0])), (session(9), Access::Session, None));
    assert_eq!(function(&finish(&[])), (session(9), Access::Session, None));
    let hidden = tlv(0xbe, &tlv(0x28, &tlv(0xa0, &request(1, &tlv(0x82, &[])))));
    assert_eq!(function(&finish(&hidden)).2, Some(Reason::BeyondInspection));
    assert_eq!(function(&data(&spdu(25, &[parameter(17, &[11])]))), (session(25), Access::Session, None));
    let user = parameter(0xc1, &tlv(0xa0, &[0xa0, 0]));
    assert_eq!(function(&data(&spdu(25, &[parameter(17, &[11]), user]))).2, None);
    assert_eq!(function(&data(&spdu(26, &[]))), (session(26), Access::Session, None));
    assert_eq!(function(&data(&spdu(25, &[parameter(0xc1, &[0xa0, 5, 0])]))).2, Some(Reason::LengthMismatch));
    // Only a server accepts or refuses.
    for identifier in [12, 14, 8] {
        assert_eq!(function(&data(&spdu(identifier, &[]))).2, Some(Reason::InvalidFunction));
    }
}
