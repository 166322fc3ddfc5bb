//! `enforcer doctor` on the ports of a box, free and taken.

use std::process::Output;

use enforcer_tests::enforcer::binary;
use enforcer_tests::{Lab, require_root};
use serde_json::Value;

fn doctor(lab: &Lab, words: &[&str]) -> Output {
    lab.cabinet.command(binary("debug")).arg("doctor").args(words).output().expect("doctor")
}

#[test]
fn doctor_looks_at_the_ports_named_as_the_readme_does() {
    require_root();
    let lab = Lab::new();
    let output = doctor(&lab, &["--ports", "eth0,eth1"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("eth0") && text.contains("eth1") && text.contains("kernel"), "{text}{output:?}");
    assert_eq!(output.status.code(), Some(0), "{text}");
    for delay in ["eth0 interrupts ", "eth1 interrupts ", "CPU idle states "] {
        assert!(text.contains(delay), "{delay}: {text}");
    }
    let output = doctor(&lab, &["--ports", "eth0,eth1", "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(report.to_string().contains("\"result\":\"ok\""), "{report:#}");
    let missing = doctor(&lab, &["--ports", "eth0,eth7"]);
    let text = String::from_utf8_lossy(&missing.stdout);
    assert_eq!(missing.status.code(), Some(1), "{text}");
    assert!(text.contains("there is no interface eth7"), "{text}");
}

#[test]
fn doctor_takes_two_ports_or_none() {
    require_root();
    let lab = Lab::new();
    for wrong in ["eth0", "eth0,eth1,eth2"] {
        let output = doctor(&lab, &["--ports", wrong]);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{wrong}: {text}");
        assert!(text.contains("--ports") && text.trim().lines().count() == 1, "{wrong}: {text}");
    }
    assert_eq!(doctor(&lab, &[]).status.code(), Some(0), "the machine alone");
}
