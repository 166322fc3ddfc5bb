//! What the box takes for itself: memory, time to start, time to change a policy, CPU when nothing happens.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::enforcer::configuration;
use crate::{Enforcer, Lab, process};

/// Rules of the large policy, and conversations that the tables have room for.
const RULES: u32 = 5000;
const FLOWS: u32 = 50_000;
/// How often what takes time is done.
const TIMES: usize = 5;
/// How long the idle controller is watched.
const IDLE: Duration = Duration::from_secs(5);

/// What was found.
#[derive(Clone, Copy, Debug)]
pub struct Costs {
    /// From the process's start to ports attached and a policy in force: a fresh box, and one whose programs are in place.
    pub first_start: Duration,
    pub later_start: Duration,
    /// `enforcer policy apply`, from the command to its answer: a small policy, and one of [`RULES`] rules.
    pub apply_small: Duration,
    pub apply_large: Duration,
    /// Of the controller, with the large policy: MiB in memory, of them of its own (not the file's), and CPU of one when idle.
    pub resident: f64,
    pub own: f64,
    pub idle: f64,
    /// Of the kernel's maps with room for [`FLOWS`] conversations, MiB.
    pub maps: f64,
}

/// Measures on a lab of its own.
///
/// # Errors
/// One sentence.
pub fn costs(binary: &Path) -> Result<Costs, String> {
    let lab = Lab::new();
    let small = lab.write("small.toml", &policy(10));
    let large = lab.write("large.toml", &policy(RULES));
    let tables = format!("[flows]\nestablished = {FLOWS}\n");
    let config = lab.write("enforcer.toml", &format!("{}\n{tables}", configuration(&lab, &small, "shadow")));
    let socket = lab.folder().join("control.sock");
    let start = || {
        let begin = Instant::now();
        let enforcer = Enforcer::start_with(&lab, binary, &config, &socket)?;
        Ok::<_, String>((enforcer, begin.elapsed()))
    };
    let mut firsts = Vec::new();
    for _ in 0..TIMES {
        let (enforcer, took) = start()?;
        enforcer.must(&["detach"])?;
        firsts.push(took);
    }
    drop(start()?);
    let mut laters = Vec::new();
    for _ in 0..TIMES {
        laters.push(start()?.1);
    }
    let (enforcer, _) = start()?;
    let apply = |file: &Path| {
        let begin = Instant::now();
        enforcer.must(&["policy", "apply", &file.display().to_string()])?;
        Ok::<_, String>(begin.elapsed())
    };
    let (mut smalls, mut larges) = (Vec::new(), Vec::new());
    for _ in 0..TIMES {
        smalls.push(apply(&small)?);
        larges.push(apply(&large)?);
    }
    let before = ticks(enforcer.id())?;
    std::thread::sleep(IDLE);
    let idle = (ticks(enforcer.id())? - before) / IDLE.as_secs_f64();
    let [resident, own] = process::resident(enforcer.id())?;
    Ok(Costs {
        first_start: median(firsts),
        later_start: median(laters),
        apply_small: median(smalls),
        apply_large: median(larges),
        resident,
        own,
        idle,
        maps: maps(enforcer.id())?,
    })
}

impl Costs {
    /// The table as Markdown.
    #[must_use]
    pub fn table(&self) -> String {
        let milliseconds = |time: Duration| format!("{} ms", time.as_millis());
        let rows = [
            ("start of a fresh box, to ports attached and a policy in force", milliseconds(self.first_start)),
            ("start where the programs are in place", milliseconds(self.later_start)),
            ("`policy apply`, 10 rules", milliseconds(self.apply_small)),
            ("`policy apply`, 5,000 rules", milliseconds(self.apply_large)),
            ("controller in memory, 5,000 rules", format!("{:.1} MiB", self.resident)),
            ("of it not shared with its file", format!("{:.1} MiB", self.own)),
            ("controller's CPU when nothing happens", format!("{:.2} %", self.idle * 100.0)),
            ("kernel maps, room for 50,000 conversations", format!("{:.1} MiB", self.maps)),
        ];
        let mut text = "| what | |\n|---|---:|\n".to_owned();
        for (what, value) in rows {
            let _ = writeln!(text, "| {what} | {value} |");
        }
        text
    }
}

/// One conduit with so many rules.
#[must_use]
pub fn policy(rules: u32) -> String {
    let mut text = "[policy]\nname = \"costs\"\nrevision = 1\ndefault = \"deny\"\n\n[zones]\nhmi = [\"10.10.1.20\"]\n\
                    press = [\"10.10.2.5\"]\n\n[[conduits]]\nname = \"hmi-press\"\nfrom = [\"hmi\"]\nto = [\"press\"]\n\
                    protocol = \"modbus\"\n"
        .to_owned();
    for rule in 0..rules {
        let first = rule * 4;
        let _ = write!(
            text,
            "[[conduits.rules]]\nname = \"r{rule}\"\nfunctions = [\"read_holding_registers\"]\n\
             objects = [\"holding:{first}-{}\"]\naction = \"allow\"\n",
            first + 1
        );
    }
    text
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Seconds of CPU that the process has used.
fn ticks(process: u32) -> Result<f64, String> {
    let path = format!("/proc/{process}/stat");
    let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
    // utime and stime, behind the name and its eleven followers.
    let ticks: u32 = fields.skip(11).take(2).filter_map(|field| field.parse::<u32>().ok()).sum();
    Ok(f64::from(ticks) / 100.0)
}

/// Memory of all maps that the process holds, MiB.
fn maps(process: u32) -> Result<f64, String> {
    let path = format!("/proc/{process}/fdinfo");
    let mut seen = std::collections::BTreeMap::new();
    for entry in fs::read_dir(&path).map_err(|error| format!("{path}: {error}"))?.filter_map(Result::ok) {
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        let of = |name: &str| {
            text.lines().find_map(|line| line.strip_prefix(name)?.trim_start_matches(':').trim().parse::<u64>().ok())
        };
        if let (Some(id), Some(bytes)) = (of("map_id"), of("memlock")) {
            seen.insert(id, bytes);
        }
    }
    Ok(seen.values().sum::<u64>() as f64 / f64::from(1 << 20))
}
