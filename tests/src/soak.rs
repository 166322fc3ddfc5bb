//! A day's polling in as little time as it takes: does memory stay flat, and is every denied operation in each account once?

use std::fmt::Write as _;
use std::net::UdpSocket;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::enforcer::PATIENT;
use crate::lab::{HMI, HMI_SECOND, PLC};
use crate::plant::READS;
use crate::poller::{Plan, Tally};
use crate::{Client, Enforcer, Lab, Poller, Server, process, require_root};

/// Polls for each denied write.
const POLLS_PER_DENIAL: u64 = 1000;

/// Looks at the controller over the whole time.
const LOOKS: u64 = 24;

/// Datagrams that are denied at the beginning: more than the events that the controller keeps at hand, so that what it takes
/// for them is not taken for growth.
const BEFORE: usize = 12_000;

/// What may stand between a look in the first eighth and the last one, MiB.
const GROWTH: f64 = 2.0;

/// What the controller was like at a moment.
struct Look {
    polls: u64,
    seconds: f64,
    /// MiB.
    resident: f64,
    /// MiB of journal and log.
    journal: f64,
    denied: u64,
    read: u64,
    lost: u64,
}

/// Where a denied operation is accounted for.
struct Accounts {
    tried: u64,
    function_not_allowed: u64,
    kernel: u64,
    ring_lost: u64,
    export_lost: u64,
    file: u64,
    journal: u64,
}

/// The run, as a page; an error names what does not hold.
///
/// # Errors
/// What the lab says, and every account that differs.
///
/// # Panics
/// When the lab cannot be made.
pub fn run(binary: &Path, polls: u64) -> Result<String, String> {
    require_root();
    let lab = Lab::new();
    let server = Server::start(&lab.plc);
    let more = format!("{PATIENT}\n[exports.eve]\nfile = \"eve.json\"\nrotate_mib = 0\nqueue = 65536\n");
    let enforcer = Enforcer::start_more(&lab, binary, READS, "enforce", &more)?;
    let plan = Plan { source: HMI.into(), server: PLC.into(), first: 0, count: 10, every: Duration::ZERO };
    fill(&lab)?;
    let poller = Poller::start(&lab.hmi, plan);
    let start = Instant::now();
    let (mut tried, mut looks) = (0, Vec::new());
    loop {
        let good = poller.tally().good;
        if good / (polls / LOOKS).max(1) >= looks.len() as u64 {
            looks.push(look(&enforcer, good, start)?);
            println!("{}", looks.last().map(line).unwrap_or_default());
        }
        if good >= polls {
            break;
        }
        if tried * POLLS_PER_DENIAL < good {
            tried += 1;
            let mut client = Client::connect(&lab.hmi, HMI_SECOND, PLC).map_err(|error| error.to_string())?;
            if client.write_single(40, 999).is_ok() {
                return Err("a denied write was confirmed".into());
            }
        } else {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    let tally = poller.stop();
    let accounts = accounts(&lab, &enforcer, tried)?;
    if server.memory().writes != 0 {
        return Err(format!("{} denied writes arrived", server.memory().writes));
    }
    let wrong = wrong(&looks, &accounts, &tally);
    let page = page(&looks, &accounts, &tally, start.elapsed());
    if wrong.is_empty() { Ok(page) } else { Err(format!("{page}\n{}", wrong.join("\n"))) }
}

/// Datagrams that no conduit covers, slowly enough for the controller to read what is told of each.
fn fill(lab: &Lab) -> Result<(), String> {
    let sent = lab.hmi.run(|| {
        let socket = UdpSocket::bind((HMI, 0))?;
        for count in 0..BEFORE {
            socket.send_to(&[0; 4], (PLC, 9999))?;
            if count % 100 == 99 {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        Ok(())
    });
    sent.map_err(|error: std::io::Error| format!("datagrams: {error}"))
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

/// All that the kernel denied, whatever the reason.
fn denied(status: &Value) -> u64 {
    status["reasons"].as_object().into_iter().flatten().map(|(_, count)| number(count)).sum()
}

fn look(enforcer: &Enforcer, polls: u64, start: Instant) -> Result<Look, String> {
    let status = enforcer.status()?;
    let folder = enforcer.config().with_file_name("state");
    let size = |file: &str| std::fs::metadata(folder.join(file)).map_or(0.0, |of| of.len() as f64 / f64::from(1 << 20));
    Ok(Look {
        polls,
        seconds: start.elapsed().as_secs_f64(),
        resident: process::resident(enforcer.id())?[0],
        journal: size("journal.db") + size("journal.db-wal"),
        denied: denied(&status),
        read: number(&status["events"]["emitted"]),
        lost: number(&status["events"]["lost"]),
    })
}

/// Waits until nothing is under way, and counts everywhere.
fn accounts(lab: &Lab, enforcer: &Enforcer, tried: u64) -> Result<Accounts, String> {
    let start = Instant::now();
    let status = loop {
        let status = enforcer.status()?;
        let eve = &status["exports"][0];
        let read = number(&status["events"]["emitted"]) + number(&status["events"]["lost"]);
        if read >= denied(&status) && eve["queued"] == 0 {
            break status;
        }
        if start.elapsed() > Duration::from_secs(20) {
            return Err(format!("events are still under way: {status:#}"));
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    let file = lab.folder().join("eve.json");
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let denials = lines.filter(|line| line["event"] == "deny").map(|line| number(&line["count"]));
    // A report reads the journal, and waits until what is known is in it.
    enforcer.json(&["shadow", "report"])?;
    let database = lab.folder().join("state/journal.db");
    let asked = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute(\
                 \"SELECT coalesce(sum(count), 0) FROM groups WHERE event = 'deny'\").fetchone()[0])";
    let answer = std::process::Command::new("python3").args(["-c", asked]).arg(&database).output();
    let answer = answer.map_err(|error| format!("python3: {error}"))?;
    let journal = String::from_utf8_lossy(&answer.stdout).trim().parse();
    Ok(Accounts {
        tried,
        function_not_allowed: number(&status["reasons"]["function_not_allowed"]),
        kernel: denied(&status),
        ring_lost: number(&status["events"]["lost"]),
        export_lost: number(&status["exports"][0]["lost"]),
        file: denials.sum(),
        journal: journal.map_err(|_| format!("the journal: {}", String::from_utf8_lossy(&answer.stderr)))?,
    })
}

/// What does not hold, a sentence each.
fn wrong(looks: &[Look], accounts: &Accounts, tally: &Tally) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut holds = |so: bool, what: String| {
        if !so {
            wrong.push(what);
        }
    };
    holds((tally.errors, tally.reconnects) == (0, 0), format!("polling was disturbed: {tally:?}"));
    let Accounts { tried, function_not_allowed, kernel, ring_lost, export_lost, file, journal } = *accounts;
    holds(
        function_not_allowed == tried,
        format!("{tried} writes were denied, the kernel counted {function_not_allowed}"),
    );
    holds(file + export_lost + ring_lost == kernel, format!("{kernel} denials, {file} exported, {export_lost} lost"));
    holds(journal + ring_lost == kernel, format!("{kernel} denials, {journal} in the journal"));
    let early = looks.get(looks.len() / 8).map_or(0.0, |look| look.resident);
    let late = looks.last().map_or(0.0, |look| look.resident);
    holds(late <= early + GROWTH, format!("the controller grew from {early:.1} to {late:.1} MiB"));
    wrong
}

fn line(look: &Look) -> String {
    let Look { polls, seconds, resident, journal, denied, read, lost } = look;
    format!("{polls:>10} {seconds:>9.0} {resident:>14.1} {journal:>12.1} {denied:>9} {read:>9} {lost:>6}")
}

fn page(looks: &[Look], accounts: &Accounts, tally: &Tally, took: Duration) -> String {
    let mut page = format!(
        "# Soak\n\nWritten by `cargo xtask soak --write`, one run. Do not edit.\n\n{} polls of ten registers over one connection, \
         as many as a line polled a hundred times a second has in {:.1} hours, in {:.0} seconds; beside them {} writes that the \
         policy denies, each over a connection of its own, and before them {BEFORE} datagrams that it denies. Enforce, `fast`, every event exported and kept.\n\n\
         | | |\n|---|---:|\n",
        tally.good,
        tally.good as f64 / 360_000.0,
        took.as_secs_f64(),
        accounts.tried
    );
    for (what, count) in [
        ("polls without answer", tally.errors),
        ("connections lost", tally.reconnects),
        ("writes tried", accounts.tried),
        ("writes denied, as the kernel counted", accounts.function_not_allowed),
        ("denials of all reasons, as the kernel counted", accounts.kernel),
        ("denials in the exported file", accounts.file),
        ("denials in the journal", accounts.journal),
        ("lost in the kernel's ring", accounts.ring_lost),
        ("lost by the export", accounts.export_lost),
    ] {
        let _ = writeln!(page, "| {what} | {count} |");
    }
    let _ = write!(
        page,
        "\n```text\n{:>10} {:>9} {:>14} {:>12} {:>9} {:>9} {:>6}\n",
        "polls", "seconds", "resident MiB", "journal MiB", "denied", "read", "lost"
    );
    for look in looks {
        let _ = writeln!(page, "{}", line(look));
    }
    page + "```\n"
}
