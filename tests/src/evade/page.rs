//! `docs/evasion.md`, made from the list of vectors and the table of a run.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::{Against, CLASSES, Vector};

const HEAD: &str = "# Evasion

What an attacker on the plant network could try so that the controller does what the policy denies, and what comes of it. The
suite plays every vector below against real servers behind the box, in network namespaces of this machine:

    cargo xtask evade                        # all of it, and the table
    cargo xtask evade retransmission         # classes and vectors whose name holds these words
    cargo xtask evade --random 1000000       # more random mutations; EVADE_SEED=N repeats a run
    cargo xtask evade --write                # all of it, and this page anew

`cargo xtask test` runs the same.

The policy allows reads of holding registers 0 to 99 and writes of 0 to 1000 to registers 40 to 47. The servers are libmodbus,
which frames by function code and executes what hides behind a lying length; tokio-modbus, which shares no code with it; a sink
that records each byte its `recv` returns; and a device of our own that acknowledges, closes and keeps silent as a vector needs it.
A socket filter before the servers loses packets, or trims them to their first bytes, where the attacker says so: he knows best.

What counts is what the servers took and did, never the box's own log:

- **leaked**: a server took anything but the beginning of the allowed units of that client, in their order; or the device's cable
  carried a second value for a sequence number that the device had not acknowledged; or it carried a frame that must not pass.
- **broken sessions**: what is legitimate in a vector did not work, or one of the clients that poll beside it lost a request.
- **other reason**: the box held, and counted none of the reasons it should have.
- **reach the device without the box**: the same vectors over a plain bridge leak so often. So the suite can fail, and the attacks are real.

In shadow and learn the same vectors are played while both cables are recorded: each frame that went in comes out, unchanged and in order.

";

const RANDOM: &str = "
## random

At least 100,000 random mutations in a run: cuts, copies, other orders, overlaps with other bytes, flipped bits, wrong checksums,
tags, fragments, flags, and a device that loses and trims. The servers must take only what the policy allows, the cable must never
carry two values for one place, and the clients that poll meanwhile must not notice. The seed is printed.

## Not in the lab

A day of silence (vector 21) needs a clock that can be set: the decision core's own tests do it. Two receive queues at once (vector
23) need a port that has two: the controller refuses such ports. Two processors on one queue are here.
";

/// Where the page stands.
pub fn path() -> PathBuf {
    crate::project_root().join("docs/evasion.md")
}

/// The whole page with this table.
pub fn text(table: &str) -> String {
    let mut text = HEAD.to_owned() + table;
    for class in CLASSES {
        let _ = write!(text, "\n## {}\n\n{}\n\n", class.name, wrapped(class.held));
        for vector in class.vectors {
            let _ = writeln!(text, "- {}: {}", vector.name, expectation(vector));
        }
    }
    text + RANDOM
}

/// The first table of a page: the one with the results.
pub fn table(page: &str) -> String {
    let rows = page.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    rows.map(|line| line.to_owned() + "\n").collect()
}

fn expectation(vector: &Vector) -> String {
    let against = match vector.against {
        Against::Servers => "",
        Against::Puppet => ", a device of our own",
        Against::Cable => ", the cable",
    };
    if vector.reasons.is_empty() {
        return format!("nothing denied need be counted{against}");
    }
    let reasons: Vec<String> = vector.reasons.iter().map(|reason| format!("`{reason}`")).collect();
    reasons.join(" or ") + against
}

/// Lines of at most 120 characters.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("a line");
        if line.is_empty() {
            line.push_str(word);
        } else if line.len() + 1 + word.len() <= 120 {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.join("\n")
}
