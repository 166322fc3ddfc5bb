//! The shared captures, and policies that look into every protocol.
#![allow(dead_code, reason = "each of its users needs another part of it")]

use std::path::{Path, PathBuf};

use enforcer::policy::{self, Compiled};
use enforcer_common::operation::Access;
use enforcer_common::protocol::Protocol;

/// `../shared/captures`, next to the project's folder. A worktree of the project lies one or two folders deeper.
pub(crate) fn folder() -> Option<PathBuf> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    project.ancestors().skip(1).map(|folder| folder.join("shared/captures")).find(|folder| folder.is_dir())
}

/// Every capture, sorted; where they are not there, a line that says so.
pub(crate) fn files() -> Option<Vec<PathBuf>> {
    let Some(folder) = folder() else {
        println!("skipped: no ../shared/captures beside the project");
        return None;
    };
    let entries = |folder: &Path| folder.read_dir().into_iter().flatten().map(|entry| entry.expect("an entry").path());
    let is_capture = |path: &PathBuf| path.extension().is_some_and(|end| end == "pcap" || end == "pcapng");
    let all = entries(&folder).flat_map(|folder| entries(&folder).collect::<Vec<_>>());
    let mut files: Vec<PathBuf> = all.filter(is_capture).collect();
    files.sort();
    Some(files)
}

/// Protocols that a conduit can name, one for each port: of S7comm and MMS the one that the policy is for.
pub(crate) fn protocols(of: Protocol) -> impl Iterator<Item = Protocol> {
    let own = |one: &Protocol| one.outer().is_none() && one.tables().ethertype.is_none();
    let other = if of == Protocol::Mms { Protocol::S7comm } else { Protocol::Mms };
    Protocol::ALL.iter().copied().filter(move |one| one.is_inspected() && own(one) && *one != other)
}

/// The protocol that port 102 carries in a capture.
pub(crate) fn of_port_102(file: &Path) -> Protocol {
    let mms = file.parent().is_some_and(|folder| folder.ends_with("mms"));
    if mms { Protocol::Mms } else { Protocol::S7comm }
}

/// A conduit from anyone to anyone in this protocol, on its own ports, with one rule.
pub(crate) fn conduit(protocol: Protocol, functions: &[String]) -> String {
    let name = protocol.as_str();
    // SLMP has no port of its own.
    let ports = if protocol.ports().is_empty() { &[5007] } else { protocol.ports() };
    format!(
        "\n[[conduits]]\nname = \"{name}\"\nfrom = [\"any\"]\nto = [\"any\"]\nprotocol = \"{name}\"\nports = {ports:?}\n\
         [[conduits.rules]]\nname = \"some\"\nfunctions = {functions:?}\naction = \"allow\"\n"
    )
}

/// The classes of a protocol that change nothing in a device.
pub(crate) fn harmless(protocol: Protocol) -> Vec<String> {
    let rows = || protocol.family().flat_map(|one| one.tables().functions);
    let classes = [Access::Read, Access::Discover, Access::Session, Access::Diagnose].into_iter();
    let there = classes.filter(|class| rows().any(|row| row.access == *class));
    there.map(|class| format!("@{}", class.as_str())).collect()
}

/// A policy ready to be replayed.
pub(crate) fn compiled(name: &str, text: &str) -> Result<Compiled, String> {
    let loaded = policy::parse(name, text).map_err(|errors| format!("{errors}\n{text}"))?;
    policy::compile(&loaded.valid, 1, 0).map_err(|errors| errors.to_string())
}

/// A policy under which everything passes and each protocol is looked into.
pub(crate) fn watching(extra: &[(&str, u16)], of: Protocol) -> String {
    let head = "[policy]\nname = \"watch\"\nrevision = 1\ndefault = \"allow\"\n".to_owned();
    let own = protocols(of).map(|one| conduit(one, &["@any".to_owned()]));
    let own: String = std::iter::once(head).chain(own).collect();
    // Captures whose servers use other ports: the dissector's hint names them.
    extra.iter().fold(own, |text, (protocol, port)| {
        let ports = format!("protocol = \"{protocol}\"\nports = [");
        text.replace(&ports, &format!("{ports}{port}, "))
    })
}

/// Protocol and port that the capture's `.decode` file names: `tcp.port==20001,dnp3`.
pub(crate) fn hint(file: &Path) -> Option<(String, u16)> {
    let text = std::fs::read_to_string(format!("{}.decode", file.display())).ok()?;
    let (_, hint) = text.lines().last()?.split_once("==")?;
    let (port, protocol) = hint.split_once(',')?;
    Some((protocol.to_owned(), port.parse().ok()?))
}
