//! Who may do what on the control socket.

use enforcer_tests::enforcer::{configuration, current};
use enforcer_tests::{Enforcer, Lab};

use super::EMPTY;

/// The command as somebody else: `groups` are the primary one and the one that opens the socket.
fn as_nobody(enforcer: &Enforcer, groups: [&str; 2], arguments: &[&str]) -> std::process::Output {
    let mut command = std::process::Command::new("setpriv");
    command.args(["--reuid", "nobody", "--regid", groups[0], "--groups", groups[1]]);
    command.arg(current()).args(arguments).arg("--socket").arg(enforcer.socket());
    command.output().expect("setpriv of util-linux")
}

#[test]
fn a_viewer_reads_an_operator_calms_and_attempts_are_on_record() {
    let lab = Lab::new();
    let policy = lab.write("policy.toml", EMPTY);
    let roles = "[control]\nviewers = \"games\"\noperators = \"users\"\n";
    let config = configuration(&lab, &policy, "shadow").replace("[control]\n", roles);
    let config = lab.write("enforcer.toml", &config);
    let socket = lab.folder().join("control.sock");
    let enforcer = Enforcer::start_with(&lab, &current(), &config, &socket).expect("start");
    let said = |output: &std::process::Output| String::from_utf8_lossy(&output.stderr).into_owned();

    let (viewer, operator) = (["games", "games"], ["users", "games"]);
    let seen = as_nobody(&enforcer, viewer, &["status"]);
    assert!(seen.status.success(), "{seen:?}");
    let refused = as_nobody(&enforcer, viewer, &["mode", "learn"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(said(&refused).contains("has the role viewer, and this needs operator"), "{refused:?}");
    let calmed = as_nobody(&enforcer, operator, &["mode", "learn", "--reason", "operator"]);
    assert!(calmed.status.success(), "{calmed:?}");
    let refused = as_nobody(&enforcer, operator, &["policy", "apply", &policy.display().to_string()]);
    assert!(said(&refused).contains("this needs engineer"), "{refused:?}");
    let stranger = as_nobody(&enforcer, ["nogroup", "nogroup"], &["status"]);
    assert_eq!(stranger.status.code(), Some(1), "{stranger:?}");

    let audit = enforcer.must(&["audit", "show"]).expect("audit");
    assert_eq!(audit.matches("denied_attempt").count(), 2, "{audit}");
    assert!(audit.contains("nobody (operator) mode"), "{audit}");
}

#[test]
fn a_group_that_is_not_there_is_a_clear_error() {
    let lab = Lab::new();
    let policy = lab.write("policy.toml", EMPTY);
    let config =
        configuration(&lab, &policy, "learn").replace("[control]\n", "[control]\nviewers = \"nobodys-group\"\n");
    let config = lab.write("enforcer.toml", &config);
    let socket = lab.folder().join("control.sock");
    let error = Enforcer::start_with(&lab, &current(), &config, &socket).err().expect("refused");
    assert!(error.contains("no group \"nobodys-group\""), "{error}");
}
