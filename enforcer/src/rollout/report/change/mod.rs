//! Ways to change the policy so that it allows a group, smallest first, each proven on the policy's own text.
//!
//! A change is one or more pieces of text, each with its place. The proof puts these very pieces into the text, compiles
//! it, and asks the core again: what a person pastes is what was proven.

mod compose;
mod locate;
mod prove;
mod widen;

use std::ops::Range;

use enforcer_common::policy::Image;
use enforcer_common::verdict::Reason;

use super::closest::Obstacle;
use super::heap::{Heap, is_ethernet};
use super::model::{Change, Piece};
use super::words;
use crate::policy::Loaded;

/// A change before it is proven.
#[derive(Clone, Debug)]
struct Draft {
    kind: &'static str,
    text: String,
    pieces: Vec<(Piece, Splice)>,
}

/// Replaces these bytes of the policy's text; an empty range inserts.
#[derive(Clone, Debug)]
struct Splice {
    at: Range<usize>,
    with: String,
}

/// What can be done about one heap of `heaps`, which have the ids from 1 in their order; `before` is the policy compiled.
pub(super) fn changes(
    loaded: &Loaded,
    before: &Image,
    heaps: &[Heap],
    index: usize,
    obstacle: &Obstacle<'_>,
) -> Vec<Change> {
    let Some(heap) = heaps.get(index) else { return Vec::new() };
    let Some(places) = locate::Places::of(&loaded.text) else { return Vec::new() };
    let place = Place { loaded, places: &places };
    let mut drafts = Vec::new();
    let dangerous = words::function(&heap.key).is_some_and(|function| function.dangerous);
    match (obstacle.conduit, obstacle.closest, obstacle.forbids) {
        (Some(conduit), _, Some(rule)) => drafts.extend(widen::narrow(&place, conduit, rule, heap)),
        (Some(conduit), Some((rule, _)), None) if heap.reason == Reason::RateExceeded => {
            drafts.extend(widen::rate(&place, conduit, rule));
        }
        (Some(conduit), closest, None) if !heap.parts.is_empty() => {
            // A dangerous function gets a rule of its own, which says no more than what was seen.
            if let Some((rule, miss)) = closest.filter(|_| !dangerous) {
                drafts.extend(widen::rule(&place, conduit, rule, miss, heap));
            }
            drafts.extend(compose::rule(&place, conduit, heap));
        }
        _ if is_ethernet(&heap.key) => drafts.extend(compose::ethernet(&place, heap)),
        (None, ..) => drafts.extend(compose::conduit(&place, heap)),
        (Some(_), ..) => {}
    }
    let mut list: Vec<Change> =
        drafts.into_iter().map(|draft| prove::proven(loaded, before, heaps, index, draft)).collect();
    // What does not do what it says is not shown, but for a rate, which only time can prove.
    list.retain(|change| change.proven || change.kind == "raise_rate");
    list
}

/// The policy, and where its parts stand in the text.
struct Place<'p> {
    loaded: &'p Loaded,
    places: &'p locate::Places,
}

impl Draft {
    fn new(kind: &'static str, text: String, place: String, toml: String, splice: Splice) -> Self {
        Self { kind, text, pieces: vec![(Piece { place, toml }, splice)] }
    }
}
