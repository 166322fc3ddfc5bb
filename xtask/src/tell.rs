//! How the demo tells its story: steps, what was seen, what was expected of it.

use std::path::Path;
use std::time::Duration;

use enforcer_tests::Tally;
use serde_json::Value;

use crate::{interrupt, say};

/// The story so far: the number of the step, and every expectation with its outcome.
pub(crate) struct Story {
    step: u32,
    expectations: Vec<(bool, String)>,
}

impl Story {
    pub(crate) fn new() -> Story {
        Story { step: 0, expectations: Vec::new() }
    }

    pub(crate) fn step(&mut self, title: &str) {
        self.step += 1;
        // Once a signal has come the lab goes away under the story, and what it would tell is not true.
        interrupt::wait_if_stopping();
        println!("\n{}", say::bold(&format!("{}. {title}", self.step)));
    }

    /// A command that was run on the box.
    pub(crate) fn ran(&self, command: &str) {
        line("run", &say::faint(command));
    }

    /// Something that happened in the plant.
    pub(crate) fn plant(&self, text: &str) {
        line("plant", text);
    }

    /// Something observed.
    pub(crate) fn saw(&self, text: &str) {
        line("seen", text);
    }

    /// A line out of a file.
    pub(crate) fn quote(&self, text: &str) {
        line("", &format!("| {text}"));
    }

    /// Something that must be so.
    pub(crate) fn expect(&mut self, holds: bool, what: &str) {
        line(&mark(holds), what);
        self.expectations.push((holds, format!("step {}: {what}", self.step)));
    }

    pub(crate) fn means(&self, text: &str) {
        line("means", text);
    }

    /// The last lines; returns how many expectations did not hold.
    pub(crate) fn verdict(&self, took: Duration) -> usize {
        let failed: Vec<&String> = self.expectations.iter().filter(|(holds, _)| !holds).map(|(_, what)| what).collect();
        println!();
        for what in &failed {
            println!("{} {what}", mark(false));
        }
        let held = self.expectations.len() - failed.len();
        let line = format!("{held} of {} expectations held, {} seconds", self.expectations.len(), took.as_secs());
        println!("{}", if failed.is_empty() { say::good(&line) } else { say::bad(&line) });
        if failed.is_empty() {
            println!("Next: `cargo xtask lab` holds this plant for you to play with.");
        }
        failed.len()
    }
}

fn line(label: &str, text: &str) {
    interrupt::wait_if_stopping();
    println!("   {label:5}  {text}");
}

fn mark(holds: bool) -> String {
    // Padded before it is painted: colour codes would count as width.
    if holds { say::good("ok   ") } else { say::bad("FAIL ") }
}

/// How the ports are attached, in words.
pub(crate) fn attached(status: &Value) -> String {
    let port = |side: &str| {
        let port = &status["ports"][side];
        format!("{} ({side}, {})", text(port, "name"), text(port, "attach"))
    };
    format!("both ports attached: {}, {}", port("network"), port("device"))
}

/// What the polling station lived through, in words.
pub(crate) fn polling(tally: &Tally) -> String {
    let mut line = format!(
        "the station's polling: {} answers, {} errors, {} reconnects, longest gap {} ms",
        tally.good,
        tally.errors,
        tally.reconnects,
        tally.longest_gap.as_millis()
    );
    if let Some(error) = &tally.last_error {
        line += &format!(" (last error: {error})");
    }
    line
}

/// An event in words: who did what to whom, and why it was refused.
pub(crate) fn event(event: &Value) -> String {
    let objects = event["objects"].as_array().into_iter().flatten().map(|object| {
        let (first, last) = (&object["first"], &object["last"]);
        let range = if first == last { first.to_string() } else { format!("{first}-{last}") };
        format!(" {}:{range}", text(object, "space"))
    });
    // A written value stands in the event as the range it falls into, which for one value is that value twice.
    let value = match (&event["values"]["min"], &event["values"]["max"]) {
        (Value::Number(min), Value::Number(max)) if min == max => format!(" = {min}"),
        (Value::Number(min), Value::Number(max)) => format!(" = {min}..{max}"),
        _ => String::new(),
    };
    format!(
        "{}: {} -> {} {}{}{value} unit {}, conduit {}: {}",
        text(event, "event"),
        text(event, "src"),
        text(event, "dst"),
        text(event, "name"),
        objects.collect::<String>(),
        event["unit"],
        text(event, "conduit"),
        text(event, "reason"),
    )
}

/// The lines of a policy from its first rule's conduit on, without the empty ones.
pub(crate) fn rules_of(policy: &str) -> impl Iterator<Item = &str> {
    policy.lines().skip_while(|line| line.trim() != "[[conduits]]").filter(|line| !line.trim().is_empty())
}

/// A line without the folder of the lab in it.
pub(crate) fn without_folder(line: &str, file: &Path) -> String {
    match file.parent() {
        Some(folder) => line.replace(&format!("{}/", folder.display()), ""),
        None => line.to_owned(),
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or("?")
}
