//! The shared captures, read to their ends: as many frames as the independent dissector counted, at its times and
//! lengths. Where the captures are not there (a plain clone of the project) each test says so in one line and passes.

mod captured;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

use enforcer::policy;
use enforcer::replay::capture::{Capture, Frame};
use enforcer::replay::run::{Options, Run};

type Outcome = Result<(), Box<dyn Error>>;

/// A capture of the manifest.
struct Listed {
    path: PathBuf,
    packets: usize,
    link: u32,
}

/// Every line of the manifest that is there as a file.
fn manifest(folder: &Path) -> Result<Vec<Listed>, Box<dyn Error>> {
    let text = std::fs::read_to_string(folder.join("MANIFEST.tsv"))?;
    let mut captures = Vec::new();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [protocol, file, packets, _, _, link, ..] = fields.as_slice() else {
            continue;
        };
        let path = folder.join(protocol).join(file);
        if path.is_file() {
            captures.push(Listed { path, packets: packets.parse()?, link: link.parse()? });
        }
    }
    Ok(captures)
}

#[test]
fn every_capture_opens_to_the_end() -> Outcome {
    let Some(folder) = captured::folder() else {
        println!("skipped: no ../shared/captures beside the project");
        return Ok(());
    };
    let captures = manifest(&folder)?;
    assert!(captures.len() > 150, "only {} captures of the manifest are there", captures.len());
    for Listed { path, packets, link } in captures {
        let frames = Capture::open(&path)?.collect::<Result<Vec<Frame>, _>>()?;
        assert_eq!(frames.len(), packets, "{}", path.display());
        check_against_truth(&path, link, &frames)?;
    }
    Ok(())
}

/// Number, time since the first frame, captured and original length of each frame that the dissector listed.
fn check_against_truth(path: &Path, link: u32, frames: &[Frame]) -> Outcome {
    let mut truth = path.as_os_str().to_owned();
    truth.push(".truth.jsonl");
    let by_number: BTreeMap<u64, &Frame> = frames.iter().map(|frame| (frame.number, frame)).collect();
    let start = frames.first().and_then(|frame| frame.time).map_or(0, |time| time.as_nanos());
    for line in std::fs::read_to_string(truth)?.lines() {
        let record: serde_json::Value = serde_json::from_str(line)?;
        let number = record["frame"].as_u64().ok_or("a truth line without a frame")?;
        let place = format!("{} frame {number}", path.display());
        let frame = by_number.get(&number).ok_or_else(|| format!("{place} is missing"))?;
        if let (Some(wanted), Some(time)) = (record["t"].as_f64(), frame.time) {
            let since = (time.as_nanos() as f64 - start as f64) / 1e9;
            assert!((since - wanted).abs() < 2e-6, "{place}: {since} s, the dissector says {wanted}");
        }
        let (captured, original) = (record["cap"].as_u64(), record["len"].as_u64());
        if link == 1 {
            assert_eq!(Some(frame.captured_length() as u64), captured, "{place}");
            assert_eq!(Some(frame.original_length as u64), original, "{place}");
        } else {
            assert_eq!(frame.is_truncated(), captured < original, "{place}");
        }
    }
    Ok(())
}

/// Covers Modbus and lets everything else pass.
const POLICY: &str = r#"
[policy]
name = "captures"
revision = 1
default = "allow"

[[conduits]]
name = "modbus"
from = ["any"]
to = ["any"]
protocol = "modbus"
mode = "shadow"

  [[conduits.rules]]
  name = "all"
  functions = ["@any"]
  action = "allow"
"#;

#[test]
fn every_capture_is_judged_to_the_end() -> Outcome {
    let Some(folder) = captured::folder() else {
        println!("skipped: no ../shared/captures beside the project");
        return Ok(());
    };
    let compiled = policy::compile(&policy::parse("captures.toml", POLICY)?.valid, 1, 0)?;
    for checksums in [false, true] {
        let options = Options { checksums, ..Options::default() };
        for Listed { path, .. } in manifest(&folder)? {
            let mut run = Run::new(&compiled, &options);
            for frame in Capture::open(&path)? {
                let frame = frame?;
                for line in run.frame(&frame) {
                    let place = format!("{} {line}", path.display());
                    assert_eq!(line.frame, frame.number, "{place}");
                    assert!(line.retransmission || line.reason != "retransmission", "{place}");
                    // Shadow forwards all that a conduit covers, and this policy all that none covers.
                    let judged_alone = line.conduit.is_none() && line.verdict == "deny";
                    assert_eq!(line.action != "forward", judged_alone, "{place}");
                }
            }
        }
    }
    Ok(())
}
