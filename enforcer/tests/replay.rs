//! The command as a whole: what goes to stdout and stderr, exit codes, broken captures, sides.

#[path = "golden/wire.rs"]
#[allow(dead_code, reason = "the golden cases use the rest")]
mod wire;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use enforcer::replay::command::{Arguments, execute};
use wire::{HMI, PRESS, STRANGER, Talk, Wire, pdu, udp};

type Outcome = Result<(), Box<dyn Error>>;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

/// A folder of its own for one test.
fn folder(name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("replay").join(name);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn golden(case: &str, file: &str) -> String {
    format!("{}/../tests/golden/modbus/{case}/{file}", env!("CARGO_MANIFEST_DIR"))
}

/// Exit code, stdout, stderr.
fn run(words: &[&str]) -> Result<(u8, String, String), Box<dyn Error>> {
    let line = Line::try_parse_from(std::iter::once("replay").chain(words.iter().copied()))?;
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = execute(&line.arguments, &mut out, &mut err);
    Ok((code, String::from_utf8(out)?, String::from_utf8(err)?))
}

#[test]
fn a_broken_capture_prints_what_came_before_and_the_rest_is_still_judged() -> Outcome {
    let policy = golden("poll_and_setpoint", "policy.toml");
    let expected = fs::read_to_string(golden("poll_and_setpoint", "expect.jsonl"))?;
    let whole = fs::read(golden("poll_and_setpoint", "input.pcap"))?;
    let broken = folder("broken")?.join("broken.pcap");
    fs::write(&broken, whole.get(..whole.len() - 200).ok_or("a capture of more than 200 bytes")?)?;
    let (broken, good) = (broken.display().to_string(), golden("poll_and_setpoint", "input.pcap"));

    let (code, out, err) = run(&["--json", "--policy", &policy, &broken])?;
    assert_eq!(code, 2);
    assert!(!out.is_empty() && expected.starts_with(&out), "{out}");
    let frame = out.lines().last().and_then(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let next = frame.and_then(|line| line["frame"].as_u64()).ok_or("a line with a frame")? + 1;
    assert!(err.starts_with(&format!("{broken}: frame {next}: the record is cut off")), "{err}");
    assert_eq!(err.lines().count(), 1, "{err}");

    let (code, both, err) = run(&["--json", "--policy", &policy, &broken, &good])?;
    assert_eq!((code, err.lines().count()), (2, 1));
    assert_eq!(both, out + &expected);
    Ok(())
}

#[test]
fn every_capture_starts_from_nothing() -> Outcome {
    let policy = golden("poll_and_setpoint", "policy.toml");
    let expected = fs::read_to_string(golden("poll_and_setpoint", "expect.jsonl"))?;
    let capture = golden("poll_and_setpoint", "input.pcap");
    let (code, out, err) = run(&["--json", "--policy", &policy, &capture, &capture])?;
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(out, expected.repeat(2));
    Ok(())
}

#[test]
fn what_can_not_be_used_is_one_sentence_and_exit_2() -> Outcome {
    let policy = golden("poll_and_setpoint", "policy.toml");
    let capture = golden("poll_and_setpoint", "input.pcap");
    for words in [
        ["--policy", "no/such/policy.toml", capture.as_str()],
        ["--policy", capture.as_str(), capture.as_str()],
        ["--policy", policy.as_str(), "no/such/capture.pcap"],
        ["--policy", policy.as_str(), policy.as_str()],
    ] {
        let (code, out, err) = run(&words)?;
        assert_eq!((code, out.as_str(), err.lines().count()), (2, "", 1), "{words:?}: {err}");
    }
    assert!(run(&["--policy", &policy, "--mode", "bypass", &capture]).is_err());
    assert!(run(&["--policy", &policy, "--device", "press", &capture]).is_err());
    assert!(run(&["--policy", &policy]).is_err());
    Ok(())
}

#[test]
fn a_policy_may_name_protocols_that_are_not_in_this_version() -> Outcome {
    let mut text = fs::read_to_string(golden("poll_and_setpoint", "policy.toml"))?;
    text += "\n[[conduits]]\nname = \"cells\"\nfrom = [\"hmi\"]\nto = [\"press\"]\nprotocol = \"ads\"\n\
             [[conduits.rules]]\nname = \"all\"\nfunctions = [\"@read\"]\nobjects = [\"DB1\"]\n";
    let policy = folder("not_yet")?.join("policy.toml");
    fs::write(&policy, text)?;
    let policy = policy.display().to_string();
    let (code, out, err) = run(&["--json", "--policy", &policy, &golden("poll_and_setpoint", "input.pcap")])?;
    assert_eq!((code, out), (0, fs::read_to_string(golden("poll_and_setpoint", "expect.jsonl"))?));
    let sentence = "conduit \"cells\": protocol \"ads\" is not in this version; its traffic is judged as not covered";
    assert_eq!(err.lines().count(), 1);
    assert!(err.starts_with("warning: ") && err.trim_end().ends_with(sentence), "{err}");
    Ok(())
}

#[test]
fn the_summary_adds_up() -> Outcome {
    let (policy, capture) = (golden("poll_and_setpoint", "policy.toml"), golden("poll_and_setpoint", "input.pcap"));
    let (code, out, _) = run(&["--summary", "--json", "--policy", &policy, &capture])?;
    assert_eq!((code, out.lines().count()), (0, 1));
    let summary: serde_json::Value = serde_json::from_str(&out)?;
    let lines = fs::read_to_string(golden("poll_and_setpoint", "expect.jsonl"))?;
    for (section, has_function) in [("operations", true), ("other_frames", false)] {
        for verdict in ["allow", "log", "deny"] {
            let rows = summary[section].as_array().ok_or("a list")?;
            let sum: u64 = rows.iter().filter_map(|row| row[verdict].as_u64()).sum();
            let mut wanted = 0;
            for line in lines.lines() {
                let line: serde_json::Value = serde_json::from_str(line)?;
                wanted += u64::from(line["verdict"] == verdict && line["function"].is_null() != has_function);
            }
            assert_eq!(sum, wanted, "{section} {verdict}");
        }
    }
    let (_, table, _) = run(&["--summary", "--policy", &policy, &capture])?;
    assert!(table.contains("modbus 6 write_single_register request"), "{table}");
    assert!(table.contains("modbus not_covered"), "{table}");
    assert!(table.trim_end().ends_with("1 capture, 25 frames"), "{table}");
    let (_, text, _) = run(&["--policy", &policy, &capture])?;
    assert_eq!(text.lines().count(), lines.lines().count());
    Ok(())
}

/// Roles of the lines that replay gives for a capture, under a policy whose conduit has port 1502, too, and any ends.
fn roles(name: &str, wire: &Wire, extra: &[&str]) -> Result<Vec<String>, Box<dyn Error>> {
    let text = fs::read_to_string(golden("poll_and_setpoint", "policy.toml"))?;
    let text = text.replace("protocol = \"modbus\"", "protocol = \"modbus\"\nports = [502, 1502]");
    let text = text.replace("= [\"hmi\"]\n", "= [\"any\"]\n").replace("= [\"press\"]\n", "= [\"any\"]\n");
    let folder = folder(name)?;
    fs::write(folder.join("policy.toml"), text)?;
    fs::write(folder.join("input.pcap"), wire.pcap())?;
    let (policy, capture) = (folder.join("policy.toml"), folder.join("input.pcap"));
    let (policy, capture) = (policy.display().to_string(), capture.display().to_string());
    let (code, out, err) = run(&[&["--json", "--policy", &policy, &capture], extra].concat())?;
    assert_eq!((code, err.as_str()), (0, ""));
    let role = |line: &str| {
        serde_json::from_str::<serde_json::Value>(line).map(|line| line["role"].as_str().unwrap_or("-").to_owned())
    };
    Ok(out.lines().map(role).collect::<Result<_, _>>()?)
}

#[test]
fn the_server_is_found_without_its_handshake() -> Outcome {
    // By a port that only the policy knows, from the answer on.
    let mut wire = Wire::default();
    let mut talk = Talk { service: 1502, ..Talk::running(HMI, PRESS, 40_001) };
    talk.answer(&mut wire, 1, &[3, 4, 0, 1, 0, 2]);
    talk.ask(&mut wire, 1, &pdu(3, &[0, 2]));
    assert_eq!(roles("policy_port", &wire, &[])?, ["response", "request"]);

    // A client on a port that is well known for something else.
    let mut wire = Wire::default();
    let mut talk = Talk { service: 1502, ..Talk::running(HMI, PRESS, 443) };
    talk.answer(&mut wire, 1, &[3, 4, 0, 1, 0, 2]);
    talk.ask(&mut wire, 1, &pdu(3, &[0, 2]));
    assert_eq!(roles("well_known_client", &wire, &[])?, ["response", "request"]);

    // Both ends on the protocol's port: the opening tells, also for what follows.
    let mut wire = Wire::default();
    let mut talk = Talk::open(&mut wire, HMI, PRESS, 502);
    talk.ask(&mut wire, 1, &pdu(3, &[0, 2]));
    talk.answer(&mut wire, 1, &[3, 4, 0, 1, 0, 2]);
    assert_eq!(roles("both_ports", &wire, &[])?, ["request", "response"]);

    // A later SYN-ACK of the client turns nothing round, and gets a line for itself.
    let mut wire = Wire::default();
    let mut talk = Talk::open(&mut wire, HMI, PRESS, 40_001);
    talk.ask(&mut wire, 1, &pdu(3, &[0, 2]));
    wire.put(talk.client_odd(&[], |header| header.syn = true));
    talk.answer(&mut wire, 1, &[3, 4, 0, 1, 0, 2]);
    assert_eq!(roles("turned", &wire, &[])?, ["request", "request", "response"], "and is told");
    Ok(())
}

#[test]
fn who_is_behind_the_device_port_can_be_said() -> Outcome {
    // The asked host is not the device: its own requests come from the device port.
    let mut wire = Wire::default();
    wire.put(udp((PRESS, 502), (HMI, 502), &wire::adu(1, 1, &[3, 4, 0, 1, 0, 2])));
    assert_eq!(roles("device_unknown", &wire, &[])?, ["request"]);
    assert_eq!(roles("device_said", &wire, &["--device", "10.10.2.5,10.10.2.6"])?, ["response"]);

    let mut wire = Wire::default();
    wire.put(udp((STRANGER, 40_001), (PRESS, 502), &wire::adu(1, 1, &pdu(3, &[0, 1]))));
    assert_eq!(roles("stranger", &wire, &[])?, ["request"]);
    Ok(())
}
