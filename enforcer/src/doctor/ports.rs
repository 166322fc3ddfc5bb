//! The checks of the two ports: link, driver, offloads, queues, interrupts, size, and the bridge they are in.

use super::{Check, delays};
use crate::dataplane::{
    bridge, drivers,
    ethtool::Ethtool,
    kernel,
    netlink::Netlink,
    offload,
    ports::{self, Port},
};

pub(super) async fn checks(network: &str, device: &str, own_programs: &[u32]) -> Vec<Check> {
    let netlink = match Netlink::connect() {
        Ok(netlink) => netlink,
        Err(error) => return vec![Check::fail("ports", error.to_string(), "allow netlink sockets")],
    };
    if network == device {
        return vec![Check::fail("ports", format!("{network} is named twice"), "name two different interfaces")];
    }
    let mut all = Vec::new();
    let mut found = Vec::new();
    for name in [network, device] {
        match ports::inspect(&netlink, name).await {
            Ok(port) => {
                all.extend(of_port(&port, own_programs));
                found.push(port);
            }
            Err(error) => all.push(Check::fail(
                format!("{name} port"),
                error.to_string(),
                "name two Ethernet ports of this machine",
            )),
        }
    }
    if let [network, device] = found.as_slice() {
        all.push(sizes(network, device));
        all.extend(membership(&netlink, network, device).await);
    }
    all
}

fn of_port(port: &Port, own_programs: &[u32]) -> Vec<Check> {
    let mut all = vec![state(port), program(port, own_programs), driver(port, kernel::version().ok()), mtu(port)];
    all.extend(offloads(port));
    all.extend(interrupts(port));
    all
}

fn state(port: &Port) -> Check {
    let name = format!("{port} link");
    if !port.up {
        return Check::fail(name, "set down", format!("ip link set {port} up"));
    }
    if !port.carrier {
        return Check::warn(name, "up, no link partner", "check the cable and the station at its other end");
    }
    Check::ok(name, port.speed.map_or_else(|| "up".to_owned(), |speed| format!("up, {speed} Mbit/s")))
}

fn program(port: &Port, own_programs: &[u32]) -> Check {
    let name = format!("{port} XDP");
    match port.xdp.iter().find(|program| !own_programs.contains(&program.id)) {
        Some(other) => Check::fail(
            name,
            format!("taken by program number {}, which is not ours", other.id),
            format!("have its owner detach it, or: ip link set {port} xdp off"),
        ),
        None if port.xdp.is_empty() => Check::ok(name, "free"),
        None => Check::ok(name, "the enforcer's own program"),
    }
}

fn driver(port: &Port, running: Option<kernel::Version>) -> Check {
    let name = format!("{port} driver");
    let Some(driver) = port.driver.as_deref() else {
        return Check::warn(name, "it does not tell its name", "generic mode will be used if native is refused");
    };
    let Some(known) = drivers::known(driver) else {
        return Check::warn(
            name,
            format!("{driver}, not on our list"),
            "generic mode is used if it refuses native XDP",
        );
    };
    match (known.native_since, running) {
        (None, _) => {
            Check::warn(name, format!("{driver}: {}", known.note), "choose a port with native XDP for full speed")
        }
        (Some(since), Some(running)) if running < since => Check::warn(
            name,
            format!("{driver} has native XDP from kernel {since}, this is {running}: generic mode"),
            format!("boot kernel {since} or newer for full speed"),
        ),
        (Some(_), _) if known.note.is_empty() => Check::ok(name, format!("{driver}, native XDP")),
        (Some(_), _) => Check::ok(name, format!("{driver}, native XDP ({})", known.note)),
    }
}

fn mtu(port: &Port) -> Check {
    let name = format!("{port} MTU");
    match drivers::mtu_warning(&port.name, port.driver.as_deref(), port.mtu) {
        None => Check::ok(name, port.mtu.to_string()),
        Some(found) => {
            Check::warn(name, found, format!("ip link set {port} mtu 1500, if the plant sends no larger frames"))
        }
    }
}

fn offloads(port: &Port) -> Vec<Check> {
    let name = format!("{port} offloads");
    let found = match offload::read(&port.name) {
        Ok(found) => found,
        Err(error) => {
            return vec![Check::warn(name, error.to_string(), "verdicts on tagged frames cannot be vouched for")];
        }
    };
    let mut all: Vec<Check> = found
        .attention
        .iter()
        .map(|text| Check::warn(name.as_str(), text.as_str(), "`enforcer run` does this where the driver allows it"))
        .collect();
    if all.is_empty() {
        all.push(Check::ok(name, "frames are seen as they were on the cable"));
    }
    let queues =
        found.receive_queues.map_or_else(|| "one (the driver has no switch)".to_owned(), |count| count.to_string());
    all.push(Check::ok(format!("{port} receive queues"), queues));
    all
}

/// Nothing when no socket is to be had: the offloads have told that.
fn interrupts(port: &Port) -> Option<Check> {
    let answer = Ethtool::open().ok()?.coalescing(&port.name);
    Some(delays::interrupts(&port.name, port.driver.as_deref().unwrap_or_default(), answer))
}

fn sizes(network: &Port, device: &Port) -> Check {
    if network.mtu == device.mtu {
        return Check::ok("equal MTU", network.mtu.to_string());
    }
    let found = format!("{network} has {}, {device} has {}", network.mtu, device.mtu);
    Check::warn("equal MTU", found, "set both to the same: frames too large for the smaller one are lost")
}

async fn membership(netlink: &Netlink, network: &Port, device: &Port) -> Vec<Check> {
    let name = "bridge";
    let master = match (&network.master, &device.master) {
        (None, None) => return vec![Check::ok(name, "both ports are free")],
        (Some(one), Some(other)) if one == other => one,
        (Some(one), Some(other)) => {
            let found = format!("{network} is in {one}, {device} is in {other}");
            return vec![Check::fail(name, found, "both belong in one bridge: ip link set PORT nomaster")];
        }
        (Some(master), None) | (None, Some(master)) => {
            let advice = format!("`enforcer run` puts the other in if {master} is the configured bridge");
            return vec![Check::warn(name, format!("only one port is in {master}"), advice)];
        }
    };
    match bridge::complaints(netlink, master, [network, device]).await {
        Err(error) => vec![Check::fail(name, error.to_string(), "run it again; something else changes the bridge")],
        Ok(complaints) if complaints.is_empty() => {
            vec![Check::ok(name, format!("both ports are in {master}, a true wire"))]
        }
        Ok(complaints) => {
            let warn = |text: &String| Check::warn(name, text.as_str(), "`enforcer run` sets this");
            complaints.iter().map(warn).collect()
        }
    }
}
