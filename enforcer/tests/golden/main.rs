//! Golden captures: `tests/golden/modbus/<case>` holds a capture, a policy and the lines that replay must give.
//!
//! The captures are ours, written by the functions here; the test makes them anew and compares. After a wanted change:
//! `GOLDEN=write cargo test -p enforcer --test golden`, then read the difference as a reviewer would.

mod application;
mod layers;
mod wire;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use enforcer::replay::command::{Arguments, execute};
use wire::Wire;

/// Folder, what makes its capture, and arguments beyond `--policy` and `--json`.
type Case = (&'static str, fn(&mut Wire), &'static [&'static str]);

const CASES: &[Case] = &[
    ("poll_and_setpoint", application::poll_and_setpoint, &[]),
    ("enforce_reset", application::write_between_polls, &[]),
    ("enforce_drop", application::write_between_polls, &[]),
    ("mode_learn", application::write_between_polls, &["--mode", "learn"]),
    ("functions", application::functions, &[]),
    ("answers", application::answers, &[]),
    ("segments", application::segments, &[]),
    ("sequence", application::sequence, &[]),
    ("sequence_enforce", application::sequence, &["--mode", "enforce"]),
    ("malformed", application::malformed, &[]),
    ("midstream_resync", application::midstream, &[]),
    ("midstream_deny", application::midstream, &[]),
    ("rate", application::rate, &[]),
    ("links", layers::links, &[]),
    ("network", layers::network, &[]),
    ("ipv6_and_udp", layers::ipv6_and_udp, &[]),
    ("uninspected", layers::uninspected, &[]),
    ("spoofed", layers::spoofed, &[]),
    ("device_as_client", application::device_as_client, &["--device", "10.10.2.5"]),
    ("checksums", layers::checksums, &["--checksums"]),
];

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

fn folder() -> Result<PathBuf, Box<dyn Error>> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the crate lies in the project")?;
    Ok(project.join("tests/golden/modbus"))
}

/// Runs replay over a case's capture; its lines.
fn replay(folder: &Path, extra: &[&str]) -> Result<String, Box<dyn Error>> {
    let path = |name: &str| folder.join(name).display().to_string();
    let mut words = vec!["replay".to_owned(), "--json".to_owned(), "--policy".to_owned(), path("policy.toml")];
    words.extend(extra.iter().map(|word| (*word).to_owned()));
    words.push(path("input.pcap"));
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = execute(&Line::try_parse_from(words)?.arguments, &mut out, &mut err);
    if code != 0 || !err.is_empty() {
        return Err(format!("{}: exit {code}: {}", folder.display(), String::from_utf8_lossy(&err)).into());
    }
    Ok(String::from_utf8(out)?)
}

#[test]
fn every_case_gives_its_lines() -> Result<(), Box<dyn Error>> {
    let write = std::env::var("GOLDEN").is_ok_and(|word| word == "write");
    let mut different = Vec::new();
    for (name, fill, extra) in CASES {
        let folder = folder()?.join(name);
        let mut wire = Wire::default();
        fill(&mut wire);
        if write {
            fs::write(folder.join("input.pcap"), wire.pcap())?;
        }
        assert!(
            fs::read(folder.join("input.pcap"))? == wire.pcap(),
            "{name}: input.pcap is not what its function makes"
        );
        let lines = replay(&folder, extra).map_err(|error| format!("{name}: {error}"))?;
        if write {
            fs::write(folder.join("expect.jsonl"), &lines)?;
        }
        let expected = fs::read_to_string(folder.join("expect.jsonl"))?;
        for (number, (line, wanted)) in lines.lines().zip(expected.lines()).enumerate().filter(|(_, (a, b))| a != b) {
            different.push(format!("{name} line {}:\n  is     {line}\n  wanted {wanted}", number + 1));
        }
        let (is, wanted) = (lines.lines().count(), expected.lines().count());
        if is != wanted {
            different.push(format!("{name}: {is} lines, wanted {wanted}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    Ok(())
}

/// A folder that no case names would never be run.
#[test]
fn every_folder_is_a_case_and_says_what_it_is() -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder()?)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(CASES.iter().any(|(case, _, _)| *case == name), "{name} is no case");
        let readme = fs::read_to_string(entry.path().join("README.md"))?;
        assert!(readme.contains("Origin"), "{name}/README.md does not say where the capture comes from");
    }
    Ok(())
}
