//! The core's records as map values.

use aya::Pod;
use enforcer_common::abi::{FlowKeyV4, FunctionReason, Settings, cell};
use enforcer_common::digest::Key;
use enforcer_common::flow::{Flow, FlowKey, HalfOpen, Station};
use enforcer_common::health::Counts;
use enforcer_common::observation::{Difference, Observation, ObservationKey};
use enforcer_common::policy::Image;
use enforcer_common::policy::grant::{Grant, GrantKey};
use enforcer_common::policy::step::LastKey;
use enforcer_common::processing::Processing;
use enforcer_common::scratch::Scratch;

/// A record of the core, laid out as the kernel has it.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Plain<T>(pub T);

macro_rules! plain {
    ($($record:ty),* $(,)?) => {
        $(
            // SAFETY: `repr(C)` integers and arrays of integers without padding bytes: any bit pattern is a value.
            unsafe impl Pod for Plain<$record> {}
        )*
    };
}

plain! {
    Settings,
    FlowKeyV4,
    FlowKey,
    Flow,
    HalfOpen,
    Station,
    Key,
    FunctionReason,
    Observation,
    ObservationKey,
    Difference,
    Counts,
    Processing,
    GrantKey,
    Grant,
    LastKey,
    Image,
    Scratch,
    [u64; cell::PER_CONDUIT],
    [u64; cell::PER_FUNCTION],
}

/// The image behind `image` as a map value, without copying it.
#[must_use]
pub fn image(image: &Image) -> &Plain<Image> {
    // SAFETY: `Plain` is transparent.
    unsafe { &*std::ptr::from_ref(image).cast::<Plain<Image>>() }
}

/// The bytes of an image as the kernel holds them.
#[must_use]
pub fn bytes(image: &Image) -> &[u8] {
    // SAFETY: integers without padding, in one piece, borrowed for as long as the image is.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(image).cast(), size_of::<Image>()) }
}
