//! One event that shows a group.

use enforcer_common::operation::NO_FUNCTION;
use enforcer_common::protocol::Protocol;
use serde_json::Value;

use super::heap::Heap;
use super::model::End;

/// The newest event of the same reason, peers, function and unit.
pub(super) fn of(events: &[Value], heap: &Heap, from: &End, to: &End) -> Option<Value> {
    let key = &heap.key;
    let function = (key.function != NO_FUNCTION).then_some(Protocol::standard(key.function));
    let fits = |event: &&Value| {
        event["reason"] == heap.reason.as_str()
            && is_of(&event["src"], &from.address)
            && is_of(&event["dst"], &to.address)
            && function.is_none_or(|function| event["function"] == function && event["unit"] == key.unit)
            && touches(event, heap)
    };
    events.iter().rev().find(fits).cloned()
}

/// Events name an end as `10.0.0.1:502`, `[fd00::1]:502`, or by its address alone.
fn is_of(end: &Value, address: &str) -> bool {
    let Some(end) = end.as_str() else { return false };
    let bare = match end.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None if end.matches(':').count() == 1 => end.split(':').next().unwrap_or_default(),
        None => end,
    };
    bare == address
}

/// Some object of the event is one of the group's; an event without objects fits a group without.
fn touches(event: &Value, heap: &Heap) -> bool {
    let Some(objects) = event["objects"].as_array().filter(|list| !list.is_empty()) else {
        return heap.objects.is_empty();
    };
    let bits = super::heap::protocol(&heap.key)
        .and_then(|protocol| crate::policy::space_of(protocol, heap.key.space))
        .map_or(0, |space| space.member_bits());
    objects.iter().any(|object| {
        let number = |key: &str| object[key].as_u64().and_then(|number| u32::try_from(number).ok());
        let (Some(first), Some(last)) = (number("first"), number("last")) else { return false };
        heap.objects.iter().any(|one| first <= one.last >> bits && last >= one.first >> bits)
    })
}
