//! Reports on our own captures, judged by the core as on the wire.

use std::collections::HashMap;
use std::path::Path;

use enforcer_common::observation::ObservationKey;
use enforcer_common::operation::Operation;
use enforcer_common::verdict::{Mode, Reason, Verdict};

use super::super::{build, html, reasons, text};
use super::{Box, Evidence, Timestamp};
use crate::replay::capture::Capture;
use crate::replay::run::{Options, Run};

/// Evidence as the journal has it: every denied operation of a capture, by key and reason.
fn evidence(policy: &Box, capture: &Path) -> Vec<Evidence> {
    let options = Options { mode: Some(Mode::Shadow), ..Options::default() };
    let mut run = Run::new(&policy.compiled, &options);
    let mut all: HashMap<(ObservationKey, Reason), Evidence> = HashMap::new();
    for frame in Capture::open(capture).unwrap() {
        let Ok(frame) = frame else { break };
        run.frame(&frame);
        let scratch = run.scratch();
        let time = Timestamp::new(0, frame.time.map_or(0, |time| time.as_nanos()));
        let operations = (0..scratch.count).filter_map(|index| Some((index, scratch.operation(index)?)));
        let whole = (scratch.count == 0).then_some((None, scratch.outcome, None));
        let found = operations.map(|(index, one)| (Some(index), one.reason, Some(*one))).chain(whole);
        for (index, reason, operation) in found {
            let Some(reason) = Reason::from_code(reason).filter(|reason| reason.verdict() == Verdict::Deny) else {
                continue;
            };
            let mut key = ObservationKey::EMPTY;
            if !key.fill(scratch, index) {
                continue;
            }
            let valued = operation.filter(|one| one.has(Operation::HAS_VALUE));
            let (value_min, value_max) = valued.map_or((i64::MAX, i64::MIN), |one| (one.value_min, one.value_max));
            let entry = all.entry((key, reason)).or_insert(Evidence {
                key,
                reason,
                count: 0,
                first: time,
                last: time,
                value_min,
                value_max,
            });
            entry.count += 1;
            entry.last = time;
            entry.value_min = entry.value_min.min(value_min);
            entry.value_max = entry.value_max.max(value_max);
        }
    }
    let mut list: Vec<Evidence> = all.into_values().collect();
    list.sort_by_key(|one| (one.key.function, one.key.first, one.reason));
    list
}

/// Every golden capture: no group is lost, all pages can be written, and each change that is shown is proven.
#[test]
fn the_golden_captures_give_reports() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/modbus");
    let (mut groups, mut changes) = (0, 0);
    for folder in std::fs::read_dir(golden).unwrap() {
        let folder = folder.unwrap().path();
        let files = || std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
        let ends = |path: &Path, ends: &[&str]| path.extension().is_some_and(|end| ends.iter().any(|one| end == *one));
        let Some(policy) = files().find(|path| ends(path, &["toml"])) else { continue };
        let Some(capture) = files().find(|path| ends(path, &["pcap", "pcapng"])) else { continue };
        let policy = Box::of(&std::fs::read_to_string(policy).unwrap());
        let evidence = evidence(&policy, &capture);
        let report = build(&policy.input(evidence.clone()));
        let wanted: u64 = evidence.iter().map(|one| one.count).sum();
        let told: u64 = report.groups.iter().map(|one| one.count + one.without_operation).sum();
        let frames: u64 = report.frames.iter().map(|one| one.count).sum();
        assert_eq!(wanted, told + frames, "{}", folder.display());
        assert!(text(&report).contains("SHADOW REPORT") && html(&report).contains("</html>"));
        for group in &report.groups {
            assert!(group.changes.iter().all(|one| one.proven || one.kind == "raise_rate"), "{group:#?}");
            assert!(!group.why.is_empty() && !group.title.is_empty());
        }
        groups += report.groups.len();
        changes += report.groups.iter().filter(|group| !group.changes.is_empty()).count();
    }
    assert!(groups >= 20 && changes >= 10, "{groups} groups, {changes} with a change");
}

#[test]
fn every_reason_that_no_rule_decides_has_advice() {
    for reason in Reason::ALL.iter().filter(|reason| reason.verdict() == Verdict::Deny) {
        assert!(!reasons::meaning(*reason).is_empty());
        assert_eq!(reasons::is_policy(*reason), reasons::advice(*reason).is_empty(), "{reason:?}");
    }
}
