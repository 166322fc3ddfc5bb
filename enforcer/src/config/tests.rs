//! Every field of the configuration wrong in turn, and the reference file right.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{
    Attach, BoxMode, Eve, EveTarget, Exports, Facility, Forwarding, Metrics, OnBoot, OnDeadman, Server, Syslog,
    SyslogTransport, Tls, load, parse,
};

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
fn metrics_and_exports_are_off_unless_written_and_read_whole() {
    let off = parse("enforcer.toml", MINIMAL).unwrap();
    assert_eq!((off.metrics, off.exports), (None, Exports::default()));
    let text = format!(
        "{MINIMAL}[metrics]\nlisten = \"[fd00::9]:9464\"\n[exports.eve]\nfile = \"-\"\nrotate_mib = 0\n\
         [exports.syslog]\nserver = \"log.plant:6514\"\ntransport = \"tls\"\nca = \"/ca.pem\"\n\
         client_certificate = \"/box.pem\"\nclient_key = \"/box.key\"\nfacility = \"auth\"\nqueue = 100\n"
    );
    let on = parse("enforcer.toml", &text).unwrap();
    assert_eq!(on.metrics, Some(Metrics { listen: "[fd00::9]:9464".parse().unwrap(), sample: 1024 }));
    assert_eq!(on.exports.eve, Some(Eve { target: EveTarget::Output, rotate: None, keep: 5, queue: 4096 }));
    assert_eq!(
        on.exports.syslog,
        Some(Syslog {
            server: Server { host: "log.plant".into(), port: 6514 },
            transport: SyslogTransport::Tls,
            tls: Some(Tls { ca: "/ca.pem".into(), client: Some(("/box.pem".into(), "/box.key".into())) }),
            facility: Facility::Auth,
            queue: 100,
        })
    );
    let file = parse("enforcer.toml", &format!("{MINIMAL}[exports.eve]\n")).unwrap().exports.eve.unwrap();
    assert_eq!(file.target, EveTarget::File("/var/log/enforcer/eve.json".into()));
    assert_eq!(file.rotate, Some(64 << 20));
    let server = |server: &str| {
        let text = format!("{MINIMAL}[exports.syslog]\nserver = \"{server}\"\n");
        parse("enforcer.toml", &text).unwrap().exports.syslog.unwrap().server.to_string()
    };
    assert_eq!((server("10.0.0.20:514"), server("[fd00::1]:514")), ("10.0.0.20:514".into(), "[fd00::1]:514".into()));
}

#[test]
fn mistakes_in_metrics_and_exports_are_named() {
    let cases = [
        ("metrics", "", "6: [metrics]: the key \"listen\" is missing"),
        ("metrics", "listen = \"10.0.0.9:1\"\nsample = -1", "8: \"sample\": must be between 0 and 1073741824"),
        (
            "metrics",
            "listen = \"9464\"",
            "7: \"listen\": \"9464\" is not an address and a port, such as \"10.0.0.9:9464\"",
        ),
        (
            "metrics",
            "listen = \"0.0.0.0:9464\"",
            "7: \"listen\": \"0.0.0.0:9464\" must be one address of the box, not all of them: metrics are for the \
             management network alone",
        ),
        ("metrics", "listen = \"10.0.0.9:0\"", "7: \"listen\": \"10.0.0.9:0\" the port is missing"),
        ("exports", "eev = 1", "7: unknown key \"eev\"; did you mean \"eve\"?"),
        ("exports.eve", "keep = 0", "7: \"keep\": must be between 1 and 1000"),
        ("exports.eve", "queue = 1", "7: \"queue\": must be between 16 and 65536"),
        ("exports.eve", "fiel = \"x\"", "7: [exports.eve]: unknown key \"fiel\"; did you mean \"file\"?"),
        ("exports.syslog", "", "6: [exports.syslog]: the key \"server\" is missing"),
        (
            "exports.syslog",
            "server = \"10.0.0.20\"",
            "7: \"server\": \"10.0.0.20\" is not a host and a port, such as \"10.0.0.20:6514\"",
        ),
        (
            "exports.syslog",
            "server = \"fd00::1:514\"",
            "7: \"server\": \"fd00::1:514\" is not a host and a port, such as \"10.0.0.20:6514\"",
        ),
        (
            "exports.syslog",
            "server = \"a:1\"\ntransport = \"tsl\"",
            "8: \"transport\": unknown word \"tsl\"; did you mean \"tls\"?",
        ),
        (
            "exports.syslog",
            "server = \"a:1\"\ntransport = \"tls\"",
            "6: [exports.syslog]: transport \"tls\" needs the key \"ca\"",
        ),
        ("exports.syslog", "server = \"a:1\"\nca = \"x\"", "8: \"ca\": is for transport = \"tls\" only"),
        (
            "exports.syslog",
            "server = \"a:1\"\ntransport = \"tls\"\nca = \"x\"\nclient_key = \"k\"",
            "10: \"client_key\": needs \"client_certificate\" beside it",
        ),
    ];
    for (section, line, sentence) in cases {
        assert_eq!(errors(&with(section, line)), format!("enforcer.toml:{sentence}"), "{section}: {line}");
    }
}

#[test]
fn broken_toml_and_repeated_keys_name_their_line() {
    assert!(errors("[ports\n").starts_with("enforcer.toml:1: not valid TOML: "), "{}", errors("[ports\n"));
    let text = with("ports", "network = \"c\"");
    assert_eq!(errors(&text), "enforcer.toml:3: \"network\" is there twice");
}
