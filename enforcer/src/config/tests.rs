//! Every field of the configuration wrong in turn, and the reference file right.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Attach, BoxMode, Forwarding, OnBoot, OnDeadman, load, parse};

const MINIMAL: &str = "[ports]\nnetwork = \"a\"\ndevice = \"b\"\n[policy]\nfile = \"p.toml\"\n";

/// The sentences for `text`, one per line.
fn errors(text: &str) -> String {
    parse("enforcer.toml", text).map(|_| String::new()).unwrap_or_else(|errors| errors.to_string())
}

/// MINIMAL with `line` behind `[section]`.
fn with(section: &str, line: &str) -> String {
    match MINIMAL.contains(&format!("[{section}]")) {
        true => MINIMAL.replace(&format!("[{section}]\n"), &format!("[{section}]\n{line}\n")),
        false => format!("{MINIMAL}[{section}]\n{line}\n"),
    }
}

#[test]
fn the_reference_file_is_right_and_says_the_defaults() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/enforcer.toml");
    let reference = load(&path).unwrap();
    let text = "[ports]\nnetwork = \"eth0\"\ndevice = \"eth1\"\n[policy]\nfile = \"/etc/enforcer/policy.toml\"\n";
    assert_eq!(reference, parse("minimal", text).unwrap());
    assert_eq!(reference.ports.bridge, "br0");
    assert_eq!((reference.ports.forwarding, reference.ports.attach), (Forwarding::Auto, Attach::Auto));
    assert_eq!(reference.policy.mode, BoxMode::Learn);
    assert_eq!(reference.control.socket, PathBuf::from("/run/enforcer/control.sock"));
    assert_eq!(reference.failure.deadman, Duration::from_secs(30));
    assert_eq!((reference.failure.on_deadman, reference.failure.on_boot), (OnDeadman::Hold, OnBoot::LastConfirmed));
}

#[test]
fn a_missing_file_is_one_sentence() {
    let error = load(Path::new("no/such/enforcer.toml")).unwrap_err();
    assert_eq!(error.to_string(), "no/such/enforcer.toml: no such file");
}

#[test]
fn an_empty_file_misses_the_required_keys() {
    assert_eq!(
        errors(""),
        "enforcer.toml:1: [ports]: the key \"network\" is missing\n\
         enforcer.toml:1: [ports]: the key \"device\" is missing\n\
         enforcer.toml:1: [policy]: the key \"file\" is missing"
    );
}

#[test]
fn unknown_keys_and_sections_are_all_named() {
    let text = format!("{MINIMAL}moed = \"learn\"\nextra = 1\n[contrl]\nsocket = \"x\"\n");
    assert_eq!(
        errors(&text),
        "enforcer.toml:6: [policy]: unknown key \"moed\"; did you mean \"mode\"?\n\
         enforcer.toml:7: [policy]: unknown key \"extra\"; possible are file, mode\n\
         enforcer.toml:8: unknown section \"contrl\"; did you mean \"control\"?"
    );
}

#[test]
fn a_wrong_word_is_named_with_what_is_possible() {
    let cases = [
        ("ports", "forwarding = \"fsat\"", "2: \"forwarding\": unknown word \"fsat\"; did you mean \"fast\"?"),
        ("ports", "attach = \"generc\"", "2: \"attach\": unknown word \"generc\"; did you mean \"generic\"?"),
        ("policy", "mode = \"enforced\"", "5: \"mode\": unknown word \"enforced\"; did you mean \"enforce\"?"),
        ("failure", "on_deadman = \"x\"", "7: \"on_deadman\": unknown word \"x\"; possible are hold, shadow, block"),
        ("failure", "on_boot = \"x\"", "7: \"on_boot\": unknown word \"x\"; possible are last_confirmed, open, closed"),
    ];
    for (section, line, sentence) in cases {
        assert_eq!(errors(&with(section, line)), format!("enforcer.toml:{sentence}"), "{line}");
    }
}

#[test]
fn a_wrong_type_is_named() {
    assert_eq!(
        errors(&with("failure", "deadman = 30")),
        "enforcer.toml:7: [failure]: \"deadman\": a text in quotes is wanted here, not the number 30"
    );
    assert_eq!(
        errors("ports = 3\n[policy]\nfile = \"x\"\n"),
        "enforcer.toml:1: \"ports\" must be a section: write [ports]"
    );
}

#[test]
fn a_bad_duration_is_named() {
    assert_eq!(
        errors(&with("failure", "deadman = \"half an hour\"")),
        "enforcer.toml:7: \"deadman\": \"half an hour\" is not a duration; write a number and a unit, such as \"30s\", \
         \"10m\" or \"2h\""
    );
    assert_eq!(errors(&with("failure", "deadman = \"0s\"")), "enforcer.toml:7: \"deadman\": must be between 1s and 1d");
}

#[test]
fn ports_must_differ_and_have_possible_names() {
    assert_eq!(
        errors("[ports]\nnetwork = \"eth0\"\ndevice = \"eth0\"\n[policy]\nfile = \"x\"\n"),
        "enforcer.toml:3: [ports]: network and device are the same interface \"eth0\""
    );
    assert_eq!(
        errors("[ports]\nnetwork = \"eth0\"\ndevice = \"br0\"\n[policy]\nfile = \"x\"\n"),
        "enforcer.toml:3: [ports]: device and bridge have the same name \"br0\""
    );
    assert_eq!(
        errors("[ports]\nnetwork = \"a b\"\ndevice = \"a-name-that-is-too-long\"\n[policy]\nfile = \"x\"\n"),
        "enforcer.toml:2: \"network\": \"a b\" cannot be the name of an interface\n\
         enforcer.toml:3: \"device\": \"a-name-that-is-too-long\" cannot be the name of an interface"
    );
}

#[test]
fn a_socket_path_must_fit_the_kernel() {
    let text = with("control", &format!("socket = \"/{}\"", "x".repeat(120)));
    assert_eq!(errors(&text), "enforcer.toml:7: \"socket\": the path is longer than the 107 bytes of a Unix socket");
}

#[test]
fn broken_toml_and_repeated_keys_name_their_line() {
    assert!(errors("[ports\n").starts_with("enforcer.toml:1: not valid TOML: "), "{}", errors("[ports\n"));
    let text = with("ports", "network = \"c\"");
    assert_eq!(errors(&text), "enforcer.toml:3: \"network\" is there twice");
}
