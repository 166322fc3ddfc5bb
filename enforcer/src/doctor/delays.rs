//! The checks of what delays a frame that comes alone: an interrupt that is held back, and a CPU that sleeps deeply.
//!
//! In industrial traffic nearly every frame comes alone, so that each waits the whole time, and a poll with its answer
//! waits at both ports. Neither shows under load, where benchmarks look.

use std::{fs, path::Path};

use super::Check;
use crate::dataplane::{
    coalesce::{Coalescing, Wait},
    ethtool::EthtoolError,
};

/// What is longer, in microseconds, is told: from there on the wait is more than what the box itself takes for a frame.
const NOTICED: u32 = 10;

/// When `port`, whose driver gave this answer, interrupts for a frame.
pub(super) fn interrupts(port: &str, driver: &str, answer: Result<Coalescing, EthtoolError>) -> Check {
    let name = format!("{port} interrupts");
    let now = match answer {
        Ok(now) => now,
        Err(error) if error.is_unsupported() => return Check::ok(name, "not settable (the driver has no switch)"),
        Err(error) => return Check::warn(name, error.to_string(), format!("see for yourself: ethtool -c {port}")),
    };
    let found = match now.wait(driver) {
        Wait::Fixed(0) => return Check::ok(name, "at once"),
        Wait::Fixed(time) if time <= NOTICED => return Check::ok(name, format!("{time} µs after a frame")),
        Wait::Fixed(time) => format!("held back: a frame that comes alone waits up to {time} µs"),
        Wait::Adaptive => "held back: a frame that comes alone waits as long as the driver sees fit".to_owned(),
    };
    let advice = format!("ethtool -C {port}{}   # `enforcer run` asks for it, too", changes(now, now.at_once(driver)));
    Check::warn(name, found, advice)
}

/// Only what changes: `ethtool` refuses to set what a driver does not have, be it to what it is already.
fn changes(now: Coalescing, wanted: Coalescing) -> String {
    let mut words = String::new();
    if now.adaptive_rx != wanted.adaptive_rx {
        words += " adaptive-rx off";
    }
    if now.rx_usecs != wanted.rx_usecs {
        words += &format!(" rx-usecs {}", wanted.rx_usecs);
    }
    if now.rx_frames != wanted.rx_frames {
        words += &format!(" rx-frames {}", wanted.rx_frames);
    }
    words
}

/// A state in which a CPU may idle.
struct Idle {
    /// Its number, one digit: no kernel has more than ten.
    number: String,
    name: String,
    /// What waking up from it takes, in microseconds.
    latency: u32,
}

/// How deeply the CPUs below `cpus` sleep, which is `/sys/devices/system/cpu`.
pub(super) fn idle(cpus: &Path) -> Check {
    let name = "CPU idle states";
    let states = enabled(cpus);
    let Some(deepest) = states.iter().max_by_key(|state| state.latency) else {
        return Check::ok(name, "not shown here (a virtual machine, or a kernel without them)");
    };
    let Idle { name: deepest, latency, .. } = deepest;
    if *latency <= NOTICED {
        return Check::ok(name, format!("down to {deepest}, {latency} µs to wake up"));
    }
    let mut numbers: Vec<&str> =
        states.iter().filter(|state| state.latency > NOTICED).map(|state| state.number.as_str()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let argument = match text(&cpus.join("cpuidle/current_driver")).as_deref() {
        Some("intel_idle") => "intel_idle.max_cstate=1",
        Some("acpi_idle") => "processor.max_cstate=1",
        _ => "cpuidle.off=1",
    };
    Check::warn(
        name,
        format!("down to {deepest}: a frame that comes alone waits up to {latency} µs for its CPU to wake up"),
        format!(
            "echo 1 | tee {}/cpu*/cpuidle/state[{}]/disable   # for ever: {argument} for the kernel; costs power",
            cpus.display(),
            numbers.concat()
        ),
    )
}

/// All states of all CPUs that are not disabled; what cannot be read is left out.
fn enabled(cpus: &Path) -> Vec<Idle> {
    let inside = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let state = |folder: &Path| {
        let number = folder.file_name()?.to_str()?.strip_prefix("state")?.to_owned();
        let disabled = text(&folder.join("disable")).is_some_and(|disable| disable != "0");
        let latency = text(&folder.join("latency"))?.parse().ok()?;
        (!disabled).then_some(Idle { number, name: text(&folder.join("name"))?, latency })
    };
    inside(cpus).flat_map(|cpu| inside(&cpu.join("cpuidle"))).filter_map(|folder| state(&folder)).collect()
}

fn text(file: &Path) -> Option<String> {
    fs::read_to_string(file).ok().map(|text| text.trim().to_owned())
}

#[cfg(test)]
#[path = "delays_tests.rs"]
mod tests;
