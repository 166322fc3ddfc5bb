//! Text, JSON and HTML: complete, safe to show, and sensible when there is nothing to say.

use enforcer_common::verdict::Reason;
use serde_json::json;

use super::super::{build, html, text};
use super::{Box, Seen, full, full_report};

#[test]
fn a_terminal_of_80_columns_shows_it_in_ascii() {
    let page = text(&full_report());
    for line in page.lines() {
        assert!(line.chars().all(|c| matches!(c, ' '..='~')), "{line}");
        // Text to paste, six columns in, keeps its own length.
        assert!(line.len() <= 80 || line.starts_with("      "), "{} {line}", line.len());
    }
    for words in [
        "NOT READY TO ENFORCE",
        "[1] ",
        "conduit hmi-press",
        "no conduit",
        "never hit",
        "DENIED FOR OTHER REASONS",
        "unsynchronised: 14 times",
        "observations                              3",
    ] {
        assert!(page.contains(words), "{words}\n{page}");
    }
}

#[test]
fn json_has_stable_names() {
    let value = serde_json::to_value(full_report()).unwrap();
    assert_eq!(value["schema"], 1);
    assert_eq!(value["box"]["policy"], "press-line-3");
    assert_eq!(value["verdict"]["ready"], false);
    let group =
        value["groups"].as_array().unwrap().iter().find(|group| group["reason"] == "object_not_allowed").unwrap();
    assert_eq!(group["from"], json!({"address": "10.10.1.20", "zone": "hmi"}));
    assert_eq!((&group["count"], &group["ranges"]), (&json!(42), &json!(2)));
    assert_eq!(group["objects"], json!(["holding:48", "holding:50-51"]));
    assert_eq!(group["sample"]["event"], "would_deny");
    assert_eq!(group["changes"][0]["kind"], "widen_objects");
    assert_eq!(group["changes"][0]["proven"], true);
    assert_eq!(value["hours"][0]["hours"].as_array().unwrap().len(), 72);
    assert_eq!(value["discovery"][0], json!({"hour": "2026-11-20T06:00:00.000000Z", "new": 41}));
}

#[test]
fn groups_are_counted_once_and_none_is_lost() {
    let policy = Box::example("setpoint.toml");
    let input = full(&policy);
    let evidence: u64 = input.evidence.iter().map(|one| one.count).sum();
    let groups: u64 = build(&input).groups.iter().map(|group| group.count + group.without_operation).sum();
    assert_eq!(evidence, groups);
}

#[test]
fn with_nothing_at_all_it_still_makes_sense() {
    let policy = Box::of("[policy]\nname = \"empty\"\n");
    let report = build(&policy.input(Vec::new()));
    assert_eq!(report.verdict.headline, "Not ready to enforce: nothing was evaluated");
    assert_eq!(report.verdict.ready, Some(false));
    let page = text(&report);
    assert!(page.contains("Nothing that a rule decides.") && page.contains("The policy has no rules."), "{page}");
    let page = html(&report);
    assert!(page.contains("No course over time was recorded.") && !page.contains("NaN"), "{page}");
}

#[test]
fn ready_is_said_only_of_what_was_evaluated() {
    let policy = Box::example("setpoint.toml");
    let mut input = full(&policy);
    input.evidence.clear();
    input.readiness = Some(json!({"ready": true, "missing": [], "measures": []}));
    input.conduits[0].readiness = None;
    let report = build(&input);
    assert_eq!((report.verdict.ready, report.verdict.headline.as_str()), (Some(true), "Ready to enforce"));
    assert!(html(&report).contains("verdict good"));
    input.conduits.clear();
    input.uncovered = crate::dataplane::counters::Tally::default();
    assert_eq!(build(&input).verdict.ready, Some(false));
}

#[test]
fn what_a_conduit_waits_for_is_said_once() {
    let policy = Box::example("setpoint.toml");
    let mut input = full(&policy);
    let sentence = "conduit hmi-press: time in shadow is 2s, at least 72h is asked for";
    let block = json!({"ready": false, "missing": [sentence], "measures": []});
    input.readiness = Some(block.clone());
    input.conduits[0].readiness = Some(block);
    let why = build(&input).verdict.why;
    assert_eq!(why.iter().filter(|one| one.contains("time in shadow")).collect::<Vec<_>>(), [sentence]);
}

#[test]
fn html_is_one_file_that_runs_nothing() {
    let page = html(&full_report());
    for word in ["<script", "http:", "https:", "src=", "@import", "url(", "onload", "NaN", "inf"] {
        assert!(!page.contains(&format!(" {word}")) && !page.contains(&format!("\"{word}")) || word == "inf", "{word}");
    }
    assert!(!page.contains("<script") && !page.contains("NaN"));
    assert!(page.contains("default-src 'none'"));
    assert_eq!(page.matches("<svg").count(), 3);
    // Every tag that is opened is closed.
    for tag in ["section", "article", "table", "div", "p", "ul", "figure", "svg", "span", "pre"] {
        let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn what_an_attacker_writes_is_shown_and_not_obeyed() {
    let nasty = "<img src=x onerror=alert(1)>\u{1b}[2J\u{202e}";
    let text_of = "[policy]\nname = \"<b>&'\"\n[[conduits]]\nname = \"</section><i>\"\nfrom = [\"any\"]\nto = [\"any\"]\n\
                   protocol = \"modbus\"\n[[conduits.rules]]\nname = \"<u>\"\nfunctions = [3]\nobjects = [\"holding:0\"]\n\
                   action = \"allow\"\n";
    let policy = Box::of(text_of);
    let mut input =
        policy.input(vec![Seen { code: 3, values: None, ..Seen::write(Reason::ObjectNotAllowed) }.evidence()]);
    input.attention = vec![nasty.into()];
    input.losses = vec![(nasty.into(), 1)];
    input.frames = full(&Box::example("setpoint.toml")).frames;
    input.frames[0].src = nasty.into();
    input.events =
        vec![json!({"reason": "object_not_allowed", "src": "10.10.1.20:1", "dst": "10.10.2.5:502", "function": 3,
        "unit": 1, "objects": [{"space": "holding", "first": 41, "last": 41}], "name": nasty})];
    let report = build(&input);
    assert!(report.groups[0].sample.is_some());
    let page = html(&report);
    for word in ["<img", "<b>&", "<i>", "<u>", "\u{1b}", "\u{202e}"] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"));
    let page = text(&report);
    assert!(page.chars().all(|c| c == '\n' || matches!(c, ' '..='~')), "{page}");
}
