//! Replay against an independent dissector, operation by operation, over every Modbus capture of the shared set.
//!
//! `check_truth.py` compares; what it finds must be exactly the disagreements below, each with the reason why ours is
//! the right answer. Without the captures or python3 the test says so in one line and passes.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Capture, what the script says about it, and why.
///
/// MB: MODBUS Application Protocol Specification V1.1b3. TCP: MODBUS Messaging on TCP/IP Implementation Guide V1.0b.
const DISAGREEMENTS: &[(&str, &str, &str)] = &[
    (
        "Malcolm-Test-Artifacts__Advantech.pcap",
        "frame 127: extra response modbus function 3",
        "MB 6.3: function, byte count 200, 200 bytes, answering frame 125. The file holds the client's acknowledgement \
         (frame 126) before the segment that it acknowledges, so the dissector takes the segment for a spurious \
         retransmission and does not open it; its bytes are in no other frame of this conversation",
    ),
    (
        "Malcolm-Test-Artifacts__Advantech.pcap",
        "frame 245: extra response modbus function 2",
        "MB 6.2: function, byte count 125, 125 bytes, answering frame 243; acknowledged by frame 244, as above",
    ),
    (
        "Malcolm-Test-Artifacts__Advantech.pcap",
        "frame 269: extra response modbus function 2",
        "MB 6.2: function, byte count 125, 125 bytes, answering frame 265; acknowledged by frame 267, as above",
    ),
    (
        "zeek__fuzz-72.pcap",
        "frame 2: extra response modbus function 28",
        "MB 7: function code 0x9C is 28 with its top bit set, exception code 1, length 3 (TCP 3.1.3). Frame 1 is a fuzzed \
         segment with SYN and FIN whose sequence number the dissector believes, so that frame 2 looks old to it",
    ),
    (
        "zeek__fuzz-72.pcap",
        "frame 11: missing request modbus function 37",
        "The segment has PSH without ACK: its receiver must drop it (RFC 9293 3.10.7.4, fifth check), so no unit in it \
         ever arrives (TCP 4.2: units travel in an established connection). Ours: invalid_flags",
    ),
    (
        "zeek__modbusBig.pcap",
        "frame 3150: extra response modbus function 1",
        "MB 6.1: function, byte count 1, 1 byte, answering frame 3147. The file holds the acknowledgement (frame 3149) \
         before the segment, as in Advantech.pcap",
    ),
];

fn shared_captures() -> Option<PathBuf> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    project.ancestors().skip(1).map(|folder| folder.join("shared/captures")).find(|folder| folder.is_dir())
}

#[test]
fn agrees_with_the_dissector() -> Result<(), Box<dyn Error>> {
    let Some(captures) = shared_captures() else {
        println!("skipped: no ../shared/captures beside the project");
        return Ok(());
    };
    if Command::new("python3").arg("--version").output().is_err() {
        println!("skipped: no python3 to run check_truth.py");
        return Ok(());
    }
    // First as people run it: the totals must hold.
    let mut script = Command::new("python3");
    script.arg("-B").arg(captures.join("check_truth.py"));
    script.args(["--protocol", "modbus", "--protocol", "umas", "--enforcer", env!("CARGO_BIN_EXE_enforcer")]);
    let output = script.arg(captures.join("modbus")).arg(captures.join("modbus-umas")).output()?;
    let totals = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{totals}\n{}", String::from_utf8_lossy(&output.stderr));

    let found = disagreements(&captures)?;
    let known: BTreeSet<(String, String)> =
        DISAGREEMENTS.iter().map(|(capture, note, _)| ((*capture).to_owned(), (*note).to_owned())).collect();
    let new: Vec<_> = found.difference(&known).collect();
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(new.is_empty(), "disagreements that nothing here explains: {new:#?}");
    assert!(gone.is_empty(), "explained here and no longer there: {gone:#?}");
    println!("{totals}");
    Ok(())
}

/// All notes of the script about the protocols scored here, with the capture that each belongs to. Its `--list` stops
/// after 200 notes a capture, which other protocols can fill, so its functions are called instead.
const NOTES: &str = r#"
import glob, os, sys
sys.path.insert(0, sys.argv[1])
import check_truth
for folder in ("modbus", "modbus-umas"):
    for truth in sorted(glob.glob(os.path.join(sys.argv[1], folder, "*.truth.jsonl"))):
        capture = truth[:-len(".truth.jsonl")]
        tally, notes = check_truth.score(sys.argv[2], capture, [])
        for note in [notes] if tally is None else notes:
            if tally is None or " modbus " in note or " umas " in note:
                print(os.path.basename(capture), note, sep="\t")
"#;

fn disagreements(captures: &Path) -> Result<BTreeSet<(String, String)>, Box<dyn Error>> {
    let mut script = Command::new("python3");
    script.args(["-B", "-c", NOTES]).arg(captures).arg(env!("CARGO_BIN_EXE_enforcer"));
    let output = script.output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().filter_map(|line| line.split_once('\t')).map(|(a, b)| (a.to_owned(), b.to_owned())).collect())
}
