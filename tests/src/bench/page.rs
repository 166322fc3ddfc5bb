//! `docs/performance.md`, from one run.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::{Costs, Findings, plot, table};
use crate::project_root;

/// Writes the page and its chart.
///
/// # Errors
/// When a file cannot be written.
pub fn write(programs: &str, found: &Findings, costs: Costs) -> io::Result<()> {
    let docs = project_root().join("docs");
    fs::write(docs.join("performance.svg"), plot(found))?;
    fs::write(path(), text(programs, found, costs))
}

/// Where the page is.
#[must_use]
pub fn path() -> PathBuf {
    project_root().join("docs/performance.md")
}

fn text(programs: &str, found: &Findings, costs: Costs) -> String {
    format!(
        "# Performance\n\n\
         Written by `cargo xtask bench --write`, one run on {}. Do not edit.\n\n\
         Compare the lines of a table with each other, not with another machine: the times are of a virtual machine, where \
         the ends of the cables and the box share a CPU. No hardware was measured.\n\n\
         ## A Modbus round trip\n\n\
         The lab side by side: a client, a box and a server in namespaces, joined by virtual cables with all offloads off. One \
         thread at real-time priority owns both ends of every connection and asks for ten registers, so no wake-up of another \
         thread is in the times. The lines take turns in short rounds, of which the first twenty transactions are not counted: \
         they find the caches as another line left them. Everything is built three times over, for a ratio hangs on where \
         memory happens to lie. \"empty XDP\" is a program of two instructions on both \
         ports: what any XDP program costs here, whatever it does. The nftables rules match function codes of Modbus that \
         nobody sends.{}\n\n\
         ![Modbus round trip](performance.svg)\n{}\n\
         ## What the box takes for itself\n\n{}\n\
         ## Nanoseconds in the programs\n\n\
         BPF_PROG_TEST_RUN repeats one frame in a conversation that is set back each time; what that costs is subtracted. \
         Everything is in the processor's caches then. In the lab a frame costs two to three times as much, because the stacks of \
         both ends take the caches too, and more where the line is nearly idle: see the tables above. A request that was judged before \
         is known by its bytes, all but the number of its transaction; one that was not is read: the column \"new\", and where its time \
         goes. Requests with a value are read each time.\n\n```text\n{}\n```\n",
        machine(),
        suricata(found),
        table(found),
        costs.table(),
        programs.trim()
    )
}

/// What differs in Suricata's lines, when there are any.
fn suricata(found: &Findings) -> String {
    let about = |version: &String| {
        format!(
            " Suricata {version} is in-line by AF_PACKET (`copy-mode: ips`), reads Modbus and drops one function code, as was \
             tried before. A frame wakes up one of its two threads: that is how it works, so there, and only there, a wake-up \
             is in the times. On the same CPU that thread goes before the measuring one and works at once. Another CPU must be \
             interrupted for it, and works beside the sender of the last table."
        )
    };
    found.suricata.as_ref().map(about).unwrap_or_default()
}

/// Processor and kernel.
fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let information = read("/proc/cpuinfo");
    let model = information.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let count = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{count} CPUs ({}), Linux {}", model.map_or("unknown", |(_, model)| model.trim()), kernel.trim())
}
