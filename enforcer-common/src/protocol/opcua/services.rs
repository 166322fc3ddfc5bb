//! What the kernel has to know of each service: class, how its request is laid out, and which numbers are answers.

use core::hint::black_box;

use super::functions::{FUNCTIONS, code};
use crate::operation::Access;

/// How what stands behind the request header is read.
pub(super) mod shape {
    /// No service of the standard.
    pub(in super::super) const UNKNOWN: u8 = 0;
    /// An answer.
    pub(in super::super) const ANSWER: u8 = 1;
    /// Not read.
    pub(in super::super) const OPEN_ENDED: u8 = 2;
    /// So many bytes, then a list of elements of a fixed size where there is one.
    pub(in super::super) const SIZED: u8 = 3;
    /// OpenSecureChannel.
    pub(in super::super) const OPEN: u8 = 4;
    /// A list of nodes.
    pub(in super::super) const READ: u8 = 5;
    /// See [`READ`].
    pub(in super::super) const WRITE: u8 = 6;
    /// See [`READ`].
    pub(in super::super) const CALL: u8 = 7;
    /// See [`READ`].
    pub(in super::super) const MONITOR: u8 = 8;
}

/// One service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub(super) struct Service {
    /// [`Access`] code.
    pub(super) access: u8,
    /// One of [`shape`].
    pub(super) shape: u8,
    /// Bytes behind the request header, in front of a list where there is one.
    pub(super) fixed: u8,
    /// Bytes of an element of the list; 0 where there is none.
    pub(super) element: u8,
}

impl Service {
    const UNKNOWN: Self = Self { access: Access::Unknown as u8, shape: shape::UNKNOWN, fixed: 0, element: 0 };
}

/// Layout of the requests that have no part of variable length but one list: OPC 10000-4 5.
const fn layout(number: u32) -> (u8, u8, u8) {
    match number {
        code::OPEN => (shape::OPEN, 0, 0),
        code::READ => (shape::READ, 12, 0),
        code::WRITE => (shape::WRITE, 0, 0),
        code::CALL => (shape::CALL, 0, 0),
        code::MONITOR => (shape::MONITOR, 8, 0),
        code::CLOSE => (shape::SIZED, 0, 0),
        473 => (shape::SIZED, 1, 0),
        479 => (shape::SIZED, 4, 0),
        769 => (shape::SIZED, 8, 4),
        781 => (shape::SIZED, 4, 4),
        787 => (shape::SIZED, 22, 0),
        793 => (shape::SIZED, 25, 0),
        799 => (shape::SIZED, 1, 4),
        826 => (shape::SIZED, 0, 8),
        832 => (shape::SIZED, 8, 0),
        847 => (shape::SIZED, 0, 4),
        _ => (shape::OPEN_ENDED, 0, 0),
    }
}

/// Room for the numbers of services, a power of two.
const ROOM: usize = 1024;

/// Numbers from here on stand at the end of the table.
const LATE: u32 = 12208;

/// Where they stand: no service has a number there.
const LATE_PLACE: u32 = 1000;

/// Where a number stands in the table; 0, which is no service, where it does not.
const fn place(number: u32) -> u32 {
    if number >= LATE && number < LATE.wrapping_add(8) {
        number.wrapping_sub(LATE).wrapping_add(LATE_PLACE)
    } else if number < LATE_PLACE && number > code::SECURED {
        number
    } else {
        0
    }
}

static SERVICES: [Service; ROOM] = {
    let mut services = [Service::UNKNOWN; ROOM];
    let answer = Service { shape: shape::ANSWER, ..Service::UNKNOWN };
    let mut rest = FUNCTIONS;
    while let [rows @ .., row] = rest {
        rest = rows;
        let at = place(row.code);
        if at == 0 {
            continue;
        }
        let (shape, fixed, element) = layout(row.code);
        // The later ones have their answers next to them.
        let behind = if row.code >= LATE { 1 } else { 3 };
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
        {
            services[at as usize] = Service { access: row.access as u8, shape, fixed, element };
            services[at.wrapping_add(behind) as usize] = answer;
        }
    }
    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
    {
        services[code::SERVICE_FAULT as usize] = answer;
    }
    services
};

/// The service of a number.
#[inline(always)]
pub(super) fn of(number: u32) -> &'static Service {
    // The mask must stay where the verifier sees it.
    match SERVICES.get(black_box(place(number)) as usize & const { ROOM.wrapping_sub(1) }) {
        Some(service) => service,
        None => &Service::UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::{of, shape};
    use crate::operation::Access;

    #[test]
    fn services_come_from_the_table() {
        for (number, access, wanted) in [
            (631, Access::Read, shape::READ),
            (673, Access::Write, shape::WRITE),
            (712, Access::Control, shape::CALL),
            (446, Access::Session, shape::OPEN),
            (826, Access::Read, shape::SIZED),
            (488, Access::Program, shape::OPEN_ENDED),
            (12208, Access::Discover, shape::OPEN_ENDED),
            (12211, Access::Write, shape::OPEN_ENDED),
            (634, Access::Unknown, shape::ANSWER),
            (397, Access::Unknown, shape::ANSWER),
            (12209, Access::Unknown, shape::ANSWER),
            (12212, Access::Unknown, shape::ANSWER),
        ] {
            assert_eq!((of(number).access, of(number).shape), (access as u8, wanted), "{number}");
        }
        for number in [0, 1, 2, 3, 421, 630, 632, 1000, 1008, 1011, 12207, 12210, 65536 + 673, u32::MAX] {
            assert_eq!(of(number).shape, shape::UNKNOWN, "{number}");
        }
    }
}
