//! `cargo xtask demo`: the main job on live traffic, each step with what was done, what was seen, what it means.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use enforcer_tests::lab::{HMI, PLC};
use enforcer_tests::{Client, Enforcer, Poller};
use serde_json::Value;

use crate::privilege::{BUILT, become_root};
use crate::setup::{self, Scope};
use crate::stage::{FIRST_POLICY, PERIOD, POLLED, Stage};
use crate::tell::{self, Story};
use crate::{build, interrupt, say};

/// The register that nobody wrote while the box learned, its value before, and the value someone writes.
const REGISTER: u16 = 40;
const BEFORE: u16 = 40;
const WRITTEN: u16 = 1234;
/// How long the box watches before it proposes.
const LEARNING: Duration = Duration::from_secs(4);

#[derive(clap::Args)]
pub(crate) struct Options {}

pub(crate) fn run(_options: &Options) -> Result<()> {
    if std::env::var_os(BUILT).is_none() {
        setup::run(Scope::Everything, false)?;
        build::enforcer(true)?;
    }
    become_root("the demo makes network namespaces and loads BPF programs, which")?;
    interrupt::clean_up_on_signal()?;
    let start = Instant::now();
    let mut story = Story::new();
    play(&mut story)?;
    let failed = story.verdict(start.elapsed());
    if failed > 0 {
        bail!("{failed} expectations did not hold");
    }
    Ok(())
}

/// The walk from an unknown line to an enforced one.
fn play(story: &mut Story) -> Result<()> {
    opening();
    let stage = Stage::new();
    let binary = enforcer_tests::enforcer::binary("release");
    let enforcer = Enforcer::start(&stage.lab, &binary, FIRST_POLICY, "learn").map_err(|error| anyhow!(error))?;
    let poller = stage.poll()?;
    poller.reset();

    learn(story, &enforcer, &poller)?;
    let proposal = propose(story, &stage, &enforcer)?;
    check(story, &binary, &proposal)?;
    shadow(story, &stage, &enforcer, &proposal)?;
    enforce(story, &stage, &enforcer)?;
    evidence(story, &enforcer, &poller)
}

fn opening() {
    println!("{}", say::bold("\nThe enforcer on one machine: three network namespaces joined by two cables\n"));
    println!("   operator station            the box               controller");
    println!("   {HMI}  ------- eth0 [enforcer] eth1 ------- {PLC}");
    println!("   Modbus/TCP client          XDP, bridged           Modbus/TCP server (tokio-modbus)\n");
    println!("Each step tells which command was run on the box, what happened in the plant, and what was seen of it.");
    println!("Here every command also carries --socket, because the box is only a namespace of this machine.");
}

fn learn(story: &mut Story, enforcer: &Enforcer, poller: &Poller) -> Result<()> {
    story.step("Learn: watch what is normal");
    story.ran("enforcer run --config enforcer.toml        (mode = \"learn\", a policy with no rules)");
    let period = PERIOD.as_millis();
    story.plant(&format!("the station reads holding registers 0-{} every {period} ms", POLLED - 1));
    thread::sleep(LEARNING);
    let status = status(enforcer)?;
    let conduit = conduit(&status)?;
    let tally = poller.tally();
    story.saw(&tell::attached(&status));
    story.saw(&format!("{} operations judged, {} refused", conduit.count("evaluated"), conduit.count("deny")));
    story.saw(&tell::polling(&tally));
    story.expect(conduit.count("evaluated") > 0, "the box sees the operations on the line");
    story.expect(conduit.count("deny") == 0 && tally.errors == 0, "learning disturbs nothing");
    story.means("The box is a wire that understands Modbus. Nothing is dropped or changed while it learns.");
    Ok(())
}

fn propose(story: &mut Story, stage: &Stage, enforcer: &Enforcer) -> Result<PathBuf> {
    story.step("Propose: turn what was seen into rules");
    let proposal = stage.lab.folder().join("proposal.toml");
    story.ran("enforcer learn propose --out proposal.toml");
    live(enforcer, &["learn", "propose", "--out", &proposal.display().to_string()])?;
    let text = std::fs::read_to_string(&proposal).context("the proposal")?;
    story.saw("the part with the rules:");
    for line in tell::rules_of(&text) {
        story.quote(line);
    }
    story.expect(text.contains("[[conduits.rules]]"), "the proposal has a rule for the polling");
    story.expect(!text.contains("write_single_register"), "the proposal allows no write, because none was seen");
    story.means("A policy in a text file, to be read and corrected by the person who knows the plant.");
    Ok(proposal)
}

fn check(story: &mut Story, binary: &Path, proposal: &Path) -> Result<()> {
    story.step("Check: is the file right?");
    story.ran("enforcer check proposal.toml");
    let output = enforcer_tests::enforcer::command(binary).arg("check").arg(proposal).output()?;
    let text = enforcer_tests::enforcer::finished(&output, &["check", "proposal.toml"]);
    match &text {
        Ok(text) => text.lines().for_each(|line| story.saw(&tell::without_folder(line, proposal))),
        Err(error) => story.saw(error),
    }
    story.expect(text.is_ok(), "the proposal is a valid policy as it stands");
    story.means("Mistakes are found at the desk, with file and line, not on the cable.");
    Ok(())
}

fn shadow(story: &mut Story, stage: &Stage, enforcer: &Enforcer, proposal: &Path) -> Result<()> {
    story.step("Shadow: what would have been refused?");
    story.ran("enforcer policy apply proposal.toml");
    live(enforcer, &["policy", "apply", &proposal.display().to_string()])?;
    story.ran("enforcer mode shadow --reason \"demo: try the proposal\"");
    live(enforcer, &["mode", "shadow", "--reason", "demo: try the proposal"])?;
    story.plant(&format!(
        "the station writes {WRITTEN} to holding register {REGISTER}, which nobody did while learning"
    ));
    let answer = write(stage);
    let event = wait_for(enforcer, "would_deny")?;
    let register = stage.server.holding(usize::from(REGISTER));
    story.saw(&format!("the station's write: {}", outcome(&answer)));
    story.saw(&format!("the controller's register {REGISTER}: {BEFORE} -> {register}"));
    story.saw(&format!("event {}", event.as_ref().map_or_else(|| "missing".to_owned(), tell::event)));
    story.expect(answer.is_ok() && register == WRITTEN, "in shadow the write goes through");
    story.expect(event.is_some(), "and is reported as one that enforce would refuse");
    story.means("Shadow takes the same decision as enforce and only reports it. Production is not at risk.");
    Ok(())
}

fn enforce(story: &mut Story, stage: &Stage, enforcer: &Enforcer) -> Result<()> {
    story.step("Enforce: the same write again");
    story.ran("enforcer mode enforce --force --reason \"demo: no days to wait\"");
    live(enforcer, &["mode", "enforce", "--force", "--reason", "demo: no days to wait"])?;
    stage.server.memory().holding[usize::from(REGISTER)] = BEFORE;
    let writes = stage.server.memory().writes;
    story.plant(&format!(
        "the controller's register {REGISTER} is set back to {BEFORE} by hand, then the station writes {WRITTEN}"
    ));
    let answer = write(stage);
    let event = wait_for(enforcer, "deny")?;
    let register = stage.server.holding(usize::from(REGISTER));
    let arrived = stage.server.memory().writes - writes;
    story.saw(&format!("the station's write: {}", outcome(&answer)));
    story.saw(&format!("the controller's register {REGISTER}: {register}; writes that reached it: {arrived}"));
    story.saw(&format!("event {}", event.as_ref().map_or_else(|| "missing".to_owned(), tell::event)));
    story.expect(answer.is_err(), "the station is told that its write failed");
    story.expect(register == BEFORE && arrived == 0, "the controller never saw the write");
    story.expect(event.is_some(), "the refusal is on record");
    story.means("The decision fell in the kernel, before the frame reached the controller's cable.");
    Ok(())
}

fn evidence(story: &mut Story, enforcer: &Enforcer, poller: &Poller) -> Result<()> {
    story.step("Production all the while");
    let goes_on = poller.wait_for_good(25, Duration::from_secs(5));
    let tally = poller.tally();
    story.ran("enforcer status");
    let status = status(enforcer)?;
    let conduit = conduit(&status)?;
    story.saw(&tell::polling(&tally));
    story.saw(&format!(
        "mode {}; {} operations judged: {} allowed, {} would have been refused, {} refused",
        status["mode"].as_str().unwrap_or("?"),
        conduit.count("evaluated"),
        conduit.count("allow"),
        conduit.count("would_deny"),
        conduit.count("deny"),
    ));
    story.expect(goes_on, "the polling goes on in enforce");
    story.expect(tally.errors == 0 && tally.reconnects == 0, "no poll failed and no connection was lost, in any mode");
    story.expect(conduit.count("deny") > 0 && conduit.count("would_deny") > 0, "the counters tell the same story");
    story.means("Three modes and a policy change on a live line, and the polling station did not notice.");
    Ok(())
}

/// A connection of its own from the station, and one write.
fn write(stage: &Stage) -> Result<(), String> {
    let mut client = Client::connect(&stage.lab.hmi, HMI, PLC).map_err(|error| error.to_string())?;
    client.write_single(REGISTER, WRITTEN).map_err(|failure| failure.to_string())
}

fn outcome(answer: &Result<(), String>) -> String {
    match answer {
        Ok(()) => "confirmed by the controller".to_owned(),
        Err(error) => format!("failed, {error}"),
    }
}

/// The newest event of this kind about the write; waits for it, because events take a moment to the journal.
fn wait_for(enforcer: &Enforcer, kind: &str) -> Result<Option<Value>> {
    for _ in 0..60 {
        let events = enforcer.json_lines(&["events"]).map_err(|error| anyhow!(error))?;
        let about = |event: &Value| event["event"] == kind && event["name"] == "write_single_register";
        if let Some(event) = events.into_iter().rev().find(about) {
            return Ok(Some(event));
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(None)
}

fn live(enforcer: &Enforcer, arguments: &[&str]) -> Result<String> {
    enforcer.must(arguments).map_err(|error| anyhow!(error))
}

fn status(enforcer: &Enforcer) -> Result<Value> {
    enforcer.status().map_err(|error| anyhow!(error))
}

/// The numbers of the demo's conduit.
struct Conduit<'a>(&'a Value);

impl Conduit<'_> {
    fn count(&self, what: &str) -> u64 {
        self.0[what].as_u64().unwrap_or_default()
    }
}

fn conduit(status: &Value) -> Result<Conduit<'_>> {
    let conduits = status["conduits"].as_array().context("status lists no conduits")?;
    let found = conduits.iter().find(|conduit| conduit["name"] == "hmi-press");
    found.map(Conduit).context("status does not know the conduit hmi-press")
}
