//! `explain` says what the example policies say, and why an operation is refused.

use std::path::{Path, PathBuf};

use super::super::{check, compile, load, parse};
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
        unit: Some(1),
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
    for name in ["read-only.toml", "setpoint.toml", "engineering-window.toml", "plant-floor.toml"] {
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

/// Function 23 reads its first range; values bind the second. Function 21 writes all of its ranges.
#[test]
fn requests_with_several_ranges_are_judged_as_one() {
    let text = "[policy]\nname = \"p\"\n[[conduits]]\nname = \"c\"\nfrom = [\"any\"]\nto = [\"any\"]\nprotocol = \"modbus\"\n\
                [[conduits.rules]]\nname = \"r\"\nfunctions = [21, 23]\nvalues = [\"0-9\"]\naction = \"allow\"\n";
    let valid = parse("p", text).unwrap().valid;
    let compiled = compile(&valid, 1, 0).unwrap();
    let asked = |function: &str, space: &str, value: &str| {
        let objects = vec![format!("{space}:0-9"), format!("{space}:20")];
        let question = Question { function: function.to_owned(), objects, value: Some(value.to_owned()), ..question() };
        answer(&valid, &compiled, &question).unwrap().reason
    };
    assert_eq!(asked("23", "holding", "9"), "rule");
    assert_eq!(asked("23", "holding", "10"), "value_not_allowed");
    assert_eq!(asked("write_file_record", "file1", "10"), "value_not_allowed");
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
        last(&Question { unit: Some(2), ..question() }),
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
fn tunnels_are_asked_for_by_their_number() {
    let text = "[policy]\nname = \"p\"\n[[conduits]]\nname = \"vpn\"\nfrom = [\"any\"]\nto = [\"any\"]\nprotocol = \"ip\"\nports = [47]\n";
    let valid = parse("p", text).unwrap().valid;
    assert!(describe(&valid).contains("may open ip conversations to any, IP protocol 47\n"), "{}", describe(&valid));
    let compiled = compile(&valid, 1, 0).unwrap();
    let asked = |port| answer(&valid, &compiled, &Question { protocol: Some("ip".to_owned()), port, ..question() });
    let (reasons, last) =
        ([Some(47), Some(50)].map(|port| asked(port).unwrap().reason), asked(Some(50)).unwrap().to_string());
    assert_eq!(reasons, ["conduit", "unknown_transport"]);
    assert!(
        last.ends_with("IP protocol 50: no conduit carries this, and what is inside cannot be inspected"),
        "{last}"
    );
    assert!(asked(None).is_err() && asked(Some(256)).is_err());
}

/// Verdict, reason and deciding rule of one question to an example.
fn verdict(name: &str, question: &Question) -> (String, String, String) {
    let loaded = check(&example(name)).unwrap();
    let compiled = compile(&loaded.valid, 1, 0).unwrap();
    let answer = answer(&loaded.valid, &compiled, question).unwrap();
    (answer.verdict.to_owned(), answer.reason.to_owned(), answer.rule.or(answer.conduit).unwrap_or_default())
}

/// Asks `from` for `function` on `objects` of unit 1, without a value.
fn simple(from: &str, function: &str, objects: &str) -> Question {
    let objects = if objects.is_empty() { Vec::new() } else { vec![objects.to_owned()] };
    Question { from: from.parse().unwrap(), function: function.to_owned(), objects, value: None, ..question() }
}

#[test]
fn the_read_only_example_does_what_it_says() {
    let cases = [
        ("read_holding_registers", "holding:0-124", "allow", "rule", "poll"),
        ("read_device_identification", "", "log", "rule", "identify"),
        ("write_single_coil", "coil:1", "deny", "function_not_allowed", "hmi-plc"),
        ("read_write_multiple_registers", "holding:1", "deny", "function_not_allowed", "hmi-plc"),
        ("stop_plc", "", "deny", "function_not_allowed", "hmi-plc"),
    ];
    for (function, objects, verdict_word, reason, decider) in cases {
        let expected = (verdict_word.to_owned(), reason.to_owned(), decider.to_owned());
        assert_eq!(verdict("read-only.toml", &simple("10.10.1.20", function, objects)), expected, "{function}");
    }
    let stranger = verdict("read-only.toml", &simple("10.10.1.22", "read_coils", "coil:1"));
    assert_eq!(stranger, ("deny".to_owned(), "not_covered".to_owned(), String::new()));
}

#[test]
fn the_engineering_example_does_what_it_says() {
    let (hmi, eng) = ("10.10.1.20", "10.10.1.70");
    let cases = [
        (hmi, "read_coils", "coil:1", "allow", "poll"),
        (hmi, "write_single_coil", "coil:1", "deny", "operate"),
        (eng, "write_single_coil", "coil:1", "log", "engineering"),
        (eng, "return_query_data", "", "log", "engineering"),
        (eng, "force_listen_only_mode", "", "deny", "never"),
        (eng, "firmware_replacement", "", "deny", "never"),
        (eng, "download_block", "", "log", "engineering"),
        (eng, "umas:0x99", "", "deny", "engineer"),
    ];
    for (from, function, objects, word, decider) in cases {
        let (verdict, _, by) = verdict("engineering-window.toml", &simple(from, function, objects));
        assert_eq!((verdict.as_str(), by.as_str()), (word, decider), "{from} {function}");
    }
    let web = Question { port: Some(80), ..simple(eng, "read_coils", "coil:1") };
    let expected = ("allow".to_owned(), "conduit".to_owned(), "web".to_owned());
    assert_eq!(verdict("engineering-window.toml", &web), expected);
}

#[test]
fn the_plant_floor_example_does_what_it_says() {
    let hmi = "10.10.1.20";
    let cases = [
        (hmi, "10.10.2.11", "s7comm", "read_var", "DB10:0-99", None, "allow", "read the process"),
        (hmi, "10.10.2.11", "s7comm", "write_var", "DB10:44", None, "log", "setpoints"),
        (hmi, "10.10.2.11", "s7comm", "write_var", "DB10:48", None, "deny", "hmi-s7"),
        (hmi, "10.10.2.11", "s7comm", "plc_stop", "", None, "deny", "hmi-s7"),
        ("10.10.1.40", "10.10.2.12", "iec104", "c_dc_na_1", "type 46:1000", None, "log", "breaker 1000"),
        ("10.10.1.40", "10.10.2.12", "iec104", "c_dc_na_1", "type 46:1001", None, "deny", "control-rtu"),
        (hmi, "10.10.2.13", "bacnet", "write_property", "analog-value:3/85", Some("21"), "log", "temperatures"),
        (hmi, "10.10.2.13", "bacnet", "write_property", "analog-value:3/85", Some("30"), "deny", "hmi-building"),
    ];
    for (from, to, protocol, function, objects, value, word, decider) in cases {
        let question = Question {
            to: to.parse().unwrap(),
            protocol: Some(protocol.to_owned()),
            udp: protocol == "bacnet",
            unit: None,
            value: value.map(str::to_owned),
            ..simple(from, function, objects)
        };
        let (verdict, _, by) = verdict("plant-floor.toml", &question);
        assert_eq!((verdict.as_str(), by.as_str()), (word, decider), "{from} {function} {objects}");
    }
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
    assert_eq!(wrong(&Question { unit: Some(256), ..question() }), "unit 256 is out of range; possible are 0 to 255");
    assert_eq!(
        wrong(&Question { protocol: Some("ads".to_owned()), ..question() }),
        "protocol \"ads\" is not in this version"
    );
}
