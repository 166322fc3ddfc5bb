//! `explain` says what the example policies say, and why an operation is refused.

use std::path::{Path, PathBuf};

use super::super::{compile, load};
use super::{Answer, Question, answer, describe};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/policies").join(name)
}

fn question() -> Question {
    Question {
        from: "10.10.1.20".parse().unwrap(),
        to: "10.10.2.5".parse().unwrap(),
        protocol: None,
        port: None,
        udp: false,
        function: "write_single_register".to_owned(),
        unit: 1,
        objects: vec!["holding:41".to_owned()],
        value: Some("1200".to_owned()),
    }
}

fn ask(question: &Question) -> Result<Answer, String> {
    let loaded = load(&example("setpoint.toml")).unwrap();
    let compiled = compile(&loaded.valid, 1, 0).unwrap();
    answer(&loaded.valid, &compiled, question)
}

#[test]
fn every_example_policy_is_good_without_warnings() {
    for name in ["read-only.toml", "setpoint.toml", "engineering-window.toml"] {
        let loaded = load(&example(name)).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(loaded.warnings, [], "{name}");
        compile(&loaded.valid, 1, 0).unwrap_or_else(|errors| panic!("{errors}"));
    }
}

#[test]
fn the_setpoint_policy_in_words() {
    let loaded = load(&example("setpoint.toml")).unwrap();
    assert_eq!(describe(&loaded.valid), include_str!("setpoint.txt"));
}

#[test]
fn a_value_out_of_bounds_names_the_closest_rule() {
    assert_eq!(
        ask(&question()).unwrap().to_string(),
        "deny (value_not_allowed)\n  from 10.10.1.20 (zone hmi) to 10.10.2.5 (zone press), tcp port 502: conduit \"hmi-press\"\n  \
         request: write_single_register (6), unit 1, holding 41, value 1200\n  \
         closest is rule \"setpoint\" (line 37): it covers the objects, but not the values"
    );
}

#[test]
fn what_passes_names_its_rule() {
    let answer = ask(&Question { value: Some("1000".to_owned()), ..question() }).unwrap();
    assert_eq!((answer.verdict, answer.reason, answer.rule.as_deref()), ("log", "rule", Some("setpoint")));
    assert_eq!(answer.why.last().unwrap(), "rule \"setpoint\" (line 37) covers it: log");
}

#[test]
fn a_deny_rule_is_named() {
    let answer =
        ask(&Question { objects: vec!["holding:43-44".to_owned()], value: Some("1".to_owned()), ..question() })
            .unwrap();
    assert_eq!((answer.verdict, answer.rule.as_deref()), ("deny", Some("interlock")));
    assert_eq!(answer.why.last().unwrap(), "rule \"interlock\" (line 46) touches it: deny");
}

#[test]
fn other_refusals_say_what_is_missing() {
    let last = |question: &Question| ask(question).unwrap().why.last().unwrap().clone();
    assert_eq!(
        last(&Question { unit: 2, ..question() }),
        "closest is rule \"setpoint\" (line 37): it names the function, but not this unit"
    );
    assert_eq!(
        last(&Question { objects: vec!["holding:47-48".to_owned()], value: Some("3".to_owned()), ..question() }),
        "closest is rule \"setpoint\" (line 37): it names the function and the unit, but does not cover all objects"
    );
    assert_eq!(last(&Question { function: "0x41".to_owned(), ..question() }), "no rule names this function");
    assert_eq!(
        last(&Question { from: "10.9.9.9".parse().unwrap(), ..question() }),
        "from 10.9.9.9 (in no named zone) to 10.10.2.5 (zone press), tcp port 502: no conduit covers this, and the policy's \
         default is deny"
    );
}

#[test]
fn a_wrong_question_is_one_sentence() {
    let wrong = |question: &Question| ask(question).unwrap_err();
    assert_eq!(
        wrong(&Question { function: "write_singel_register".to_owned(), ..question() }),
        "unknown function \"write_singel_register\"; did you mean \"write_single_register\"?"
    );
    assert_eq!(
        wrong(&Question { function: "@write".to_owned(), ..question() }),
        "\"@write\" is a class; name one function"
    );
    assert_eq!(wrong(&Question { unit: 256, ..question() }), "unit 256 is out of range; possible are 0 to 255");
    assert_eq!(
        wrong(&Question { protocol: Some("dnp3".to_owned()), ..question() }),
        "protocol \"dnp3\" is not in this version"
    );
}
