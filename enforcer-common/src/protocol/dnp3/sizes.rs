//! How many bytes an object of a group and variation has: IEEE 1815 A.2 to A.45.

use core::hint::black_box;

/// A size that is none: one bit for each object, rounded up to bytes.
pub(super) const ONE_BIT: u32 = 0xf1;
/// Two bits for each object.
pub(super) const TWO_BITS: u32 = 0xf2;
/// The object says how long it is: a device attribute, A.1.
pub(super) const ATTRIBUTE: u32 = 0xf3;
/// Nothing here knows the size.
pub(super) const UNKNOWN: u32 = 0;

const BIT: u8 = 0xf1;
const PAIR: u8 = 0xf2;

/// Group, then the sizes of its variations from 1 on.
const SIZES: &[(usize, &[u8])] = &[
    (1, &[BIT, 1]),
    (2, &[1, 7, 3]),
    (3, &[PAIR, 1]),
    (4, &[1, 7, 3]),
    (10, &[BIT, 1]),
    (11, &[1, 7]),
    (12, &[11, 11, BIT]),
    (13, &[1, 7]),
    (20, &[5, 3, 5, 3, 4, 2, 4, 2]),
    (21, &[5, 3, 5, 3, 11, 9, 11, 9, 4, 2, 4, 2]),
    (22, &[5, 3, 5, 3, 11, 9, 11, 9]),
    (23, &[5, 3, 5, 3, 11, 9, 11, 9]),
    (30, &[5, 3, 4, 2, 5, 9]),
    (31, &[5, 3, 11, 9, 4, 2, 5, 9]),
    (32, &[5, 3, 11, 9, 5, 9, 11, 15]),
    (33, &[5, 3, 11, 9, 5, 9, 11, 15]),
    (34, &[2, 4, 4]),
    (40, &[5, 3, 5, 9]),
    (41, &[5, 3, 5, 9]),
    (42, &[5, 3, 11, 9, 5, 9, 11, 15]),
    (43, &[5, 3, 11, 9, 5, 9, 11, 15]),
    (50, &[6, 10, 6, 11]),
    (51, &[6, 6]),
    (52, &[2, 2]),
    (80, &[BIT]),
    (101, &[2, 4, 8]),
    (102, &[1]),
    (120, &[0, 0, 6, 2]),
];

static TABLE: [[u8; 16]; 128] = {
    let mut table = [[0; 16]; 128];
    let mut row = 0;
    while row < SIZES.len() {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
        let (group, sizes) = SIZES[row];
        let mut variation = 0;
        while variation < sizes.len() {
            #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
            {
                table[group][variation.wrapping_add(1)] = sizes[variation];
            }
            variation = variation.wrapping_add(1);
        }
        row = row.wrapping_add(1);
    }
    table
};

/// Size of an object, or one of the sizes that are none.
#[inline(always)]
pub(super) fn of(group: u32, variation: u32) -> u32 {
    if group == 0 {
        return ATTRIBUTE;
    }
    // Octet strings and virtual terminals: the variation is the length, A.42 to A.45.
    if group.wrapping_sub(110) < 4 {
        return if variation < ONE_BIT { variation } else { UNKNOWN };
    }
    if group >= 128 || variation >= 16 {
        return UNKNOWN;
    }
    // The masks must stay where the verifier sees them.
    let (row, column) = (black_box(group) as usize & 127, black_box(variation) as usize & 15);
    match TABLE.get(row).and_then(|row| row.get(column)) {
        Some(size) => *size as u32,
        None => UNKNOWN,
    }
}
