//! Modbus units: sound ones of every public function, near misses of them, and noise.

use super::dice::Dice;

/// A unit with its MBAP header, mostly sound.
pub(crate) fn request(dice: &mut Dice) -> Vec<u8> {
    let code = dice.one_of(&[
        1, 1, 2, 2, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 5, 5, 6, 6, 7, 8, 11, 12, 15, 15, 16, 16, 16, 17, 20, 21, 22, 23, 23,
        24, 43, 90, 41, 0, 9, 100, 125, 0x83,
    ]);
    let data = data(dice, code);
    wrap(dice, code, &data)
}

/// A sound read of what the rules name.
pub(crate) fn read(dice: &mut Dice) -> Vec<u8> {
    let first = u8::try_from(dice.below(100)).expect("small");
    let code = dice.one_of(&[3, 3, 3, 1]);
    [&[0, 0, 0, 0, 0, 6, 1, code], &[0, first, 0, 1 + first % 60][..]].concat()
}

/// An answer, or an exception.
pub(crate) fn response(dice: &mut Dice) -> Vec<u8> {
    let code = dice.one_of(&[1, 2, 3, 3, 4, 5, 6, 7, 8, 11, 12, 15, 16, 17, 20, 22, 23, 24, 43, 90, 0, 0x83, 0x90]);
    let data = match code {
        1..=4 | 12 | 17 | 20 | 23 => {
            let count = dice.one_of(&[0, 1, 2, 10, 100, 250]);
            let stated = if dice.once_in(20) { dice.byte() } else { u8::try_from(count).expect("small") };
            [vec![stated], dice.bytes(count)].concat()
        }
        5 | 6 | 11 | 15 | 16 => dice.bytes(4),
        7 => dice.bytes(1),
        22 => dice.bytes(6),
        0x80.. => dice.bytes(1),
        _ => {
            let count = dice.index(20);
            dice.bytes(count)
        }
    };
    wrap(dice, code, &data)
}

fn wrap(dice: &mut Dice, code: u8, data: &[u8]) -> Vec<u8> {
    let address = dice.one_of(&[0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 5, 255]);
    let mut length = u16::try_from(data.len() + 2).expect("short");
    let mut protocol = 0u16;
    match dice.below(60) {
        0 => length = dice.word() % 300,
        1 => length = length.wrapping_add(1),
        2 => length = length.saturating_sub(1),
        3 => protocol = dice.word(),
        _ => {}
    }
    let head = [dice.word(), protocol, length].map(u16::to_be_bytes).concat();
    [&head[..], &[address, code], data].concat()
}

fn words<const N: usize>(words: [u16; N]) -> Vec<u8> {
    words.map(u16::to_be_bytes).concat()
}

/// An address, mostly among those that rules name.
fn address(dice: &mut Dice) -> u16 {
    match dice.below(8) {
        0 => dice.word(),
        1 => 200 - dice.word() % 3,
        2 | 3 => 40 + dice.word() % 10,
        4 => dice.one_of(&[44, 17, 45, 65535, 65534, 0]),
        _ => dice.word() % 120,
    }
}

fn quantity(dice: &mut Dice, most: u16) -> u16 {
    match dice.below(12) {
        0 => dice.word(),
        1 => most,
        2 => most + 1,
        3 => 0,
        4 | 5 => dice.word() % (most + 1),
        _ => 1 + dice.word() % 8,
    }
}

fn value(dice: &mut Dice) -> u16 {
    if dice.once_in(3) { dice.word() } else { dice.one_of(&[0, 1, 5, 9, 10, 999, 1000, 1001]) }
}

fn data(dice: &mut Dice, code: u8) -> Vec<u8> {
    let first = address(dice);
    match code {
        1 | 2 => words([first, quantity(dice, 2000)]),
        3 | 4 => words([first, quantity(dice, 125)]),
        5 => words([first, dice.one_of(&[0, 0xff00, 0xff00, 0x0100])]),
        6 => words([first, value(dice)]),
        8 => [words([dice.one_of(&[0, 1, 2, 4, 10, 18, 21, 31, 32, 600])]), dice.bytes(2)].concat(),
        15 => {
            let count = quantity(dice, 1968).min(2010);
            let size = usize::from(count.div_ceil(8));
            let fill = dice.one_of(&[0, 0xff, 0x5a]);
            let bits: Vec<u8> = (0..size).map(|_| if dice.once_in(9) { dice.byte() } else { fill }).collect();
            [words([first, count]), vec![stated(dice, size)], bits].concat()
        }
        16 => {
            let count = quantity(dice, 123).min(126);
            let written: Vec<u8> = (0..count).flat_map(|_| value(dice).to_be_bytes()).collect();
            [words([first, count]), vec![stated(dice, written.len())], written].concat()
        }
        20 | 21 => files(dice, code == 21),
        22 => words([first, dice.one_of(&[0, 0xffff, 0x00ff]), dice.word() % 1200]),
        23 => {
            let count = quantity(dice, 121).min(123);
            let written: Vec<u8> = (0..count).flat_map(|_| value(dice).to_be_bytes()).collect();
            let head = words([first, quantity(dice, 125), address(dice), count]);
            [head, vec![stated(dice, written.len())], written].concat()
        }
        24 => words([first]),
        43 => dice.one_of::<&[u8]>(&[&[14, 1, 0], &[14, 4, 0], &[13, 0, 0], &[14], &[], &[40, 1, 2]]).to_vec(),
        90 => {
            let count = dice.one_of(&[0, 1, 2, 10, 100, 252, 253, 900, 1090, 1200]);
            dice.bytes(count)
        }
        _ => {
            let count = dice.index(12);
            dice.bytes(count)
        }
    }
}

fn stated(dice: &mut Dice, size: usize) -> u8 {
    if dice.once_in(25) { dice.byte() } else { u8::try_from(size & 0xff).expect("masked") }
}

/// Functions 20 and 21: groups of reference type, file, record and length.
fn files(dice: &mut Dice, write: bool) -> Vec<u8> {
    let mut groups = Vec::new();
    let most = dice.one_of(&[4, 4, 4, 4, 20]);
    for _ in 0..1 + dice.below(most) {
        let count = dice.one_of(&[1, 2, 5, 10]);
        let kind = if dice.once_in(20) { dice.byte() } else { 6 };
        groups.push(kind);
        groups.extend(words([dice.one_of(&[3, 3, 3, 4, 0]), dice.word() % 110, count]));
        if write {
            groups.extend(dice.bytes(usize::from(count) * 2));
        }
    }
    if dice.once_in(10) {
        // A group that is cut: the last bytes belong to nothing.
        let left = groups.len() - dice.index(7);
        groups.truncate(left);
    }
    [vec![stated(dice, groups.len())], groups].concat()
}
