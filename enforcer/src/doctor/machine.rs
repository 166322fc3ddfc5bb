//! The checks of the machine: everything that does not depend on which ports are used.

use std::path::Path;

use super::{Check, delays};
use crate::dataplane::{bpffs, kernel, sysctl};

/// Not of a network namespace, so that it may be read here.
const CPUS: &str = "/sys/devices/system/cpu";

pub(super) fn checks() -> Vec<Check> {
    vec![
        version(),
        permissions(),
        raw(),
        pins(),
        jit(kernel::jit()),
        hardening(),
        bridge(),
        delays::idle(Path::new(CPUS)),
    ]
}

fn version() -> Check {
    match kernel::check_version() {
        Ok(found) => Check::ok("kernel", found.to_string()),
        Err(error) => Check::fail("kernel", error.to_string(), "boot a newer kernel"),
    }
}

fn permissions() -> Check {
    match kernel::check_permissions() {
        Ok(()) => Check::ok("permissions", "BPF programs may be loaded and attached"),
        Err(error) => Check::fail("permissions", error.to_string(), "run it as root, or as the service does"),
    }
}

fn raw() -> Check {
    match kernel::may_send_raw() {
        Ok(true) => Check::ok("raw sockets", "resets can be sent to the device"),
        Ok(false) => Check::warn(
            "raw sockets",
            "no reset can be sent to the device: it keeps a denied connection until its next frame",
            "grant CAP_NET_RAW to the service",
        ),
        Err(error) => Check::fail("raw sockets", error.to_string(), "mount /proc"),
    }
}

fn pins() -> Check {
    match bpffs::is_mounted(Path::new(bpffs::PLACE)) {
        Ok(true) => Check::ok("BPF file system", bpffs::PLACE),
        Ok(false) => Check::warn(
            "BPF file system",
            format!("not mounted at {}", bpffs::PLACE),
            format!("`enforcer run` mounts it as root; by hand: mount -t bpf bpf {}", bpffs::PLACE),
        ),
        Err(error) => Check::fail("BPF file system", error.to_string(), "boot a kernel with BPF, with /sys mounted"),
    }
}

fn jit(switch: Option<u32>) -> Check {
    match switch {
        Some(0) => Check::warn(
            "BPF compiler",
            "off: programs are interpreted, several times slower",
            "sysctl net.core.bpf_jit_enable=1",
        ),
        Some(_) => Check::ok("BPF compiler", "on"),
        None => Check::ok("BPF compiler", "not shown here (a network namespace, or a kernel that always compiles)"),
    }
}

fn hardening() -> Check {
    match sysctl::read("net/core/bpf_jit_harden").ok().flatten().as_deref() {
        Some("2") => Check::warn(
            "BPF hardening",
            "2: constants are blinded for root too, programs are slower",
            "sysctl net.core.bpf_jit_harden=1",
        ),
        Some(value) => Check::ok("BPF hardening", value),
        None => Check::ok("BPF hardening", "not shown here"),
    }
}

fn bridge() -> Check {
    match kernel::check_bridge() {
        Ok(()) => Check::ok("bridges", "this kernel has them"),
        Err(error) => Check::fail("bridges", error.to_string(), "modprobe bridge"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn an_interpreter_is_a_warning_and_an_unknown_is_not() {
        assert_eq!(jit(Some(0)).result, Level::Warn);
        assert_eq!(jit(Some(1)).result, Level::Ok);
        assert_eq!(jit(None).result, Level::Ok);
    }

    #[test]
    fn every_check_that_does_not_pass_says_what_to_do() {
        for check in checks() {
            assert!(check.result == Level::Ok || !check.advice.is_empty(), "{check:?}");
        }
    }
}
