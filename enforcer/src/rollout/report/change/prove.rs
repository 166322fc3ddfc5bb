//! A change is proven on the policy's text: put in, compiled, judged.

use enforcer_common::policy::Image;
use enforcer_common::verdict::Verdict;

use super::super::heap::Heap;
use super::super::model::Change;
use super::{Draft, Splice};
use crate::policy::{self, Loaded};

/// Judges `heaps[index]` by the changed policy, and notes which of the others, denied by the image `before`, pass as well.
pub(super) fn proven(loaded: &Loaded, before: &Image, heaps: &[Heap], index: usize, draft: Draft) -> Change {
    let (pieces, splices): (Vec<_>, Vec<_>) = draft.pieces.into_iter().unzip();
    let mut change = Change { kind: draft.kind, proven: false, text: draft.text, pieces, also_allows: Vec::new() };
    let Some(image) = spliced(&loaded.text, splices).and_then(|text| image(&loaded.valid.file, &text)) else {
        return change;
    };
    let passes = |heap: &Heap| heap.judge(&image).verdict() != Verdict::Deny;
    change.proven = change.kind != "raise_rate" && heaps.get(index).is_some_and(passes);
    if change.proven {
        let others = (1..)
            .zip(heaps)
            .enumerate()
            .filter(|(at, (_, heap))| *at != index && heap.judge(before).verdict() == Verdict::Deny && passes(heap));
        change.also_allows = others.map(|(_, (id, _))| id).collect();
    }
    change
}

fn image(file: &str, text: &str) -> Option<Box<Image>> {
    let loaded = policy::parse(file, text).ok()?;
    policy::compile(&loaded.valid, 1, 0).ok().map(|compiled| compiled.image)
}

/// The text with every splice carried out; `None` where one lies outside of it.
fn spliced(text: &str, mut splices: Vec<Splice>) -> Option<String> {
    // From the end, so that the places before stay right; of several at one place the later one goes in first.
    splices.sort_by_key(|splice| splice.at.start);
    let mut text = text.to_owned();
    for splice in splices.into_iter().rev() {
        text.get(splice.at.clone())?;
        text.replace_range(splice.at, &splice.with);
    }
    Some(text)
}
