//! Text for people: coloured only on a terminal that wants it.

use std::io::{IsTerminal, stderr, stdout};

fn paint(code: &str, text: &str, terminal: bool) -> String {
    if terminal && std::env::var_os("NO_COLOR").is_none() {
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

/// A heading.
pub(crate) fn bold(text: &str) -> String {
    paint("1", text, stdout().is_terminal())
}

/// Something that is as it should be.
pub(crate) fn good(text: &str) -> String {
    paint("32", text, stdout().is_terminal())
}

/// Something that is not as it should be.
pub(crate) fn bad(text: &str) -> String {
    paint("31", text, stdout().is_terminal())
}

/// Something to copy, or less important.
pub(crate) fn faint(text: &str) -> String {
    paint("36", text, stdout().is_terminal())
}

/// The last line of a command that failed, for stderr.
pub(crate) fn failure(text: &str) -> String {
    paint("31", &format!("failed: {text}"), stderr().is_terminal())
}
