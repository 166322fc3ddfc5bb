//! A text with a name, and the way from a byte offset to a line.

use std::ops::Range;
use std::path::Path;

use super::Problem;

/// Larger files are refused before they are read: a policy of this size is a mistake or an attack.
const MAX_BYTES: u64 = 1 << 20;

/// A file's text. `name` is what errors call it: the path as the user gave it.
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    text: String,
    /// Offsets of the line ends, ascending.
    ends: Vec<usize>,
}

impl Source {
    pub fn new(name: &str, text: &str) -> Self {
        Self::of(name.to_owned(), text.to_owned())
    }

    fn of(name: String, text: String) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect();
        Self { name, text, ends }
    }

    /// Reads a whole file. Missing, unreadable, too large and not UTF-8 are each a sentence.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        let name = path.display().to_string();
        let problem = |line, cause: String| Problem { file: name.clone(), line, cause };
        let meta = std::fs::metadata(path).map_err(|error| problem(0, reason(&error)))?;
        if meta.is_dir() {
            return Err(problem(0, "this is a directory, not a file".to_owned()));
        }
        if meta.len() > MAX_BYTES {
            return Err(problem(0, format!("the file has {} bytes, at most {MAX_BYTES} are read", meta.len())));
        }
        let bytes = std::fs::read(path).map_err(|error| problem(0, reason(&error)))?;
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self::of(name, text)),
            Err(error) => {
                let good = error.utf8_error().valid_up_to();
                let before = error.as_bytes().get(..good).unwrap_or_default();
                let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
                Err(problem(line, format!("not UTF-8 text (byte {good} of the file)")))
            }
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// The line, counted from 1, in which a span starts.
    pub fn line(&self, span: &Range<usize>) -> usize {
        1 + self.ends.partition_point(|end| *end < span.start)
    }

    /// The text under a span, empty when the span lies outside.
    pub fn slice(&self, span: &Range<usize>) -> &str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    /// A mistake at a span. What it quotes from the file stays on one line and sends nothing else to a terminal.
    pub fn problem(&self, span: &Range<usize>, cause: impl AsRef<str>) -> Problem {
        let mut shown = String::new();
        for c in cause.as_ref().chars() {
            if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
        }
        Problem { file: self.name.clone(), line: self.line(span), cause: shown }
    }
}

fn reason(error: &std::io::Error) -> String {
    if error.kind() == std::io::ErrorKind::NotFound {
        "no such file".to_owned()
    } else if error.kind() == std::io::ErrorKind::PermissionDenied {
        "no permission to read this file".to_owned()
    } else {
        format!("cannot be read: {error}")
    }
}
