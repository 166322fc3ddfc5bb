//! One observation in words, and judged again by another policy.

use enforcer_common::observation::ObservationKey;
use enforcer_common::policy::Image;
use enforcer_common::verdict::Reason;
use serde_json::{Value, json};

use super::report::{Evidence, words};
use crate::policy::valid::Objects;
use crate::replay::time::Timestamp;

/// What the policy in `image` says about an operation with these values, by the core's own judge.
#[must_use]
pub fn judge_again(image: &Image, key: &ObservationKey, values: Option<(i64, i64)>) -> Reason {
    let (value_min, value_max) = values.unwrap_or((i64::MAX, i64::MIN));
    let time = Timestamp::new(0, 0);
    let reason = key.reason().unwrap_or(Reason::BeyondInspection);
    super::report::judge(
        image,
        &Evidence { key: *key, reason, count: 1, first: time, last: time, value_min, value_max },
    )
}

/// The conduit that the policy in `image` finds for an operation.
#[must_use]
pub fn conduit_of(image: &Image, key: &ObservationKey) -> u16 {
    super::report::conduit_of(image, key)
}

/// Who, to whom, what, as events name it.
#[must_use]
pub fn described(key: &ObservationKey) -> Value {
    let objects = (key.space != enforcer_common::operation::NO_OBJECT)
        .then(|| words::objects(key, &[Objects { space: key.space, first: key.first, last: key.last }]));
    let has_function = key.function != enforcer_common::operation::NO_FUNCTION;
    let (client, server) = words::stations(key);
    json!({
        "client": client,
        "server": server,
        "port": words::port(key),
        "protocol": words::protocol_name(key),
        "function": has_function.then_some(key.function & ((1 << enforcer_common::operation::FUNCTION_BITS) - 1)),
        "name": has_function.then(|| words::function_words(key)),
        "unit": words::has_units(key).then_some(key.unit),
        "objects": objects,
    })
}
