//! Replay against an independent dissector, operation by operation, over every capture of the shared set.
//!
//! `check_truth.py` compares; what it finds must be exactly the disagreements that a protocol's file lists, each with the
//! reason why ours is the right answer. Without the captures or python3 the tests say so in one line and pass.

#[path = "../captured/mod.rs"]
mod captured;

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;
use std::process::Command;

/// What is compared for one protocol.
pub(crate) struct Scored {
    /// Folders of captures.
    pub(crate) folders: &'static [&'static str],
    /// Protocols as replay names them.
    pub(crate) names: &'static [&'static str],
    /// The script's totals hold, too.
    pub(crate) totals: bool,
    /// Capture, what the script says about it, and why.
    pub(crate) disagreements: &'static [(&'static str, &'static str, &'static str)],
}

macro_rules! scored {
    ($($name:ident)*) => {$(
        mod $name;

        #[test]
        fn $name() -> Result<(), Box<dyn Error>> {
            agrees(&$name::SCORED)
        }
    )*};
}

scored! {
    bacnet
    dnp3
    enip
    fins
    goose
    hart_ip
    iec104
    mms
    modbus
    opcua
    profinet
    s7comm
    slmp
    sv
}

fn agrees(scored: &Scored) -> Result<(), Box<dyn Error>> {
    let Some(captures) = captured::folder() else {
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
    script.args(["--enforcer", env!("CARGO_BIN_EXE_enforcer")]);
    script.args(scored.names.iter().flat_map(|name| ["--protocol", name]));
    let output = script.args(scored.folders.iter().map(|folder| captures.join(folder))).output()?;
    let totals = String::from_utf8_lossy(&output.stdout).into_owned();
    let held = output.status.success() || !scored.totals;
    assert!(held, "{totals}\n{}", String::from_utf8_lossy(&output.stderr));

    let found = disagreements(&captures, scored)?;
    let owned = |(capture, note, _): &(&str, &str, &str)| ((*capture).to_owned(), (*note).to_owned());
    let known: BTreeSet<(String, String)> = scored.disagreements.iter().map(owned).collect();
    let new: Vec<_> = found.difference(&known).collect();
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(new.is_empty(), "disagreements that nothing explains: {new:#?}");
    assert!(gone.is_empty(), "explained and no longer there: {gone:#?}");
    println!("{totals}");
    Ok(())
}

/// All notes of the script about the protocols scored here, with the capture that each belongs to. Its `--list` stops
/// after 200 notes a capture, which other protocols can fill, so its functions are called instead.
const NOTES: &str = r#"
import glob, os, sys
captures, enforcer, folders, names = sys.argv[1], sys.argv[2], sys.argv[3].split(","), sys.argv[4].split(",")
sys.path.insert(0, captures)
import check_truth
for folder in folders:
    for truth in sorted(glob.glob(os.path.join(captures, folder, "*.truth.jsonl"))):
        capture = truth[:-len(".truth.jsonl")]
        tally, notes = check_truth.score(enforcer, capture, [])
        for note in [notes] if tally is None else notes:
            if tally is None or any(" " + name + " " in note for name in names):
                print(os.path.basename(capture), note, sep="\t")
"#;

fn disagreements(captures: &Path, scored: &Scored) -> Result<BTreeSet<(String, String)>, Box<dyn Error>> {
    let mut script = Command::new("python3");
    script.args(["-B", "-c", NOTES]).arg(captures).arg(env!("CARGO_BIN_EXE_enforcer"));
    script.args([scored.folders.join(","), scored.names.join(",")]);
    let output = script.output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().filter_map(|line| line.split_once('\t')).map(|(a, b)| (a.to_owned(), b.to_owned())).collect())
}
