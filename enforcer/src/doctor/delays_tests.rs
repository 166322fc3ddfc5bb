//! What is said of made-up drivers, and of made-up CPUs in a folder that looks like theirs.

use std::{io, path::PathBuf};

use super::*;
use crate::doctor::Level;

fn refused(code: i32) -> EthtoolError {
    let source = io::Error::from_raw_os_error(code);
    EthtoolError { interface: "eth0".to_owned(), action: "read interrupt moderation", source }
}

#[test]
fn an_interrupt_that_is_held_back_is_told_with_the_command_that_changes_it() {
    let both = Coalescing { rx_usecs: 50, adaptive_rx: true, rx_frames: 0 };
    let fixed = Coalescing { adaptive_rx: false, ..both };
    let small = Coalescing { rx_usecs: 3, ..Coalescing::default() };
    for (driver, now, command) in [
        ("mvneta", fixed, "ethtool -C eth0 rx-usecs 0 "),
        ("ice", both, "ethtool -C eth0 adaptive-rx off rx-usecs 0 "),
        ("igb", small, "ethtool -C eth0 rx-usecs 0 "),
        ("st_gmac", fixed, "ethtool -C eth0 rx-frames 1 "),
    ] {
        let check = interrupts("eth0", driver, Ok(now));
        assert_eq!(check.result, Level::Warn, "{driver}: {check:?}");
        assert!(check.advice.starts_with(command), "{driver}: {check:?}");
    }
}

#[test]
fn a_short_delay_and_a_driver_without_the_switch_are_no_warning() {
    for answer in [Ok(Coalescing::default()), Ok(Coalescing { rx_usecs: 10, ..Coalescing::default() })] {
        assert_eq!(interrupts("eth0", "mvneta", answer).result, Level::Ok);
    }
    assert_eq!(interrupts("eth0", "veth", Err(refused(libc::EOPNOTSUPP))).result, Level::Ok);
    assert_eq!(interrupts("eth0", "mvneta", Err(refused(libc::ENODEV))).result, Level::Warn);
}

/// A folder like `/sys/devices/system/cpu`, removed when dropped.
struct Cpus(PathBuf);

impl Cpus {
    /// Two CPUs with the usual three states, of which `disabled` are.
    fn new(test: &str, disabled: &[usize]) -> Cpus {
        let cpus = Cpus(std::env::temp_dir().join(format!("enforcer-idle-{test}-{}", std::process::id())));
        for cpu in ["cpu0", "cpu1"] {
            for (number, (name, latency)) in [("POLL", 0), ("C1E", 10), ("C3", 33), ("C6", 133)].iter().enumerate() {
                let off = u8::from(disabled.contains(&number));
                let files =
                    [("name", (*name).to_owned()), ("latency", latency.to_string()), ("disable", off.to_string())];
                files.iter().for_each(|(file, text)| cpus.write(&format!("{cpu}/cpuidle/state{number}/{file}"), text));
            }
        }
        cpus
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("make a folder");
        fs::write(path, format!("{text}\n")).expect("write a file");
    }
}

impl Drop for Cpus {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_deepest_state_is_told_with_the_command_that_keeps_the_cpus_out_of_it() {
    let cpus = Cpus::new("deep", &[]);
    let check = idle(&cpus.0);
    assert_eq!(check.result, Level::Warn, "{check:?}");
    assert!(check.found.contains("C6") && check.found.contains("133 µs"), "{check:?}");
    let command = format!("echo 1 | tee {}/cpu*/cpuidle/state[23]/disable ", cpus.0.display());
    assert!(check.advice.starts_with(&command), "{check:?}");
}

#[test]
fn a_pasted_command_is_enough() {
    let cpus = Cpus::new("pasted", &[]);
    let status = std::process::Command::new("sh").args(["-c", &idle(&cpus.0).advice]).output().expect("a shell").status;
    assert!(status.success());
    let check = idle(&cpus.0);
    assert_eq!((check.result, check.found.contains("C1E")), (Level::Ok, true), "{check:?}");
}

#[test]
fn a_state_that_is_disabled_does_not_count() {
    let cpus = Cpus::new("disabled", &[3]);
    let check = idle(&cpus.0);
    assert!(check.found.contains("C3") && check.advice.contains("state[2]/"), "{check:?}");
}

#[test]
fn the_kernels_argument_is_the_one_of_its_driver() {
    let cpus = Cpus::new("driver", &[]);
    for (driver, argument) in
        [("intel_idle", "intel_idle.max_cstate=1"), ("acpi_idle", "processor.max_cstate=1"), ("psci", "cpuidle.off=1")]
    {
        cpus.write("cpuidle/current_driver", driver);
        let check = idle(&cpus.0);
        assert!(check.advice.contains(argument), "{driver}: {check:?}");
    }
}

#[test]
fn without_idle_states_nothing_is_to_be_done() {
    assert_eq!(idle(Path::new("/no/such/folder")).result, Level::Ok);
}
