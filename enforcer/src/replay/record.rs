//! The line of one reported event: the same fields as replay, made by the same code.

use enforcer_common::scratch::Scratch;

use super::capture::Frame;
use super::line::{Line, lines};
use super::time::Timestamp;
use crate::policy::Names;

/// The line for the operation or frame in `scratch`, which happened `nanos` nanoseconds after 1970.
pub fn of<'a>(scratch: &Scratch, names: &'a Names, nanos: i128) -> Option<Line<'a>> {
    let seconds = i64::try_from(nanos.div_euclid(1_000_000_000)).unwrap_or_default();
    let rest = u64::try_from(nanos.rem_euclid(1_000_000_000)).unwrap_or_default();
    let frame = Frame { number: 0, time: Some(Timestamp::new(seconds, rest)), bytes: Vec::new(), original_length: 0 };
    lines(&frame, scratch, names).into_iter().next()
}
