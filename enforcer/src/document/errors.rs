//! What is wrong with a file: one sentence per mistake, `file:line: cause`.

use std::fmt;

/// One mistake, or one warning. `line` counts from 1; 0 means the file as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub file: String,
    pub line: usize,
    pub cause: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.cause),
            line => write!(f, "{}:{}: {}", self.file, line, self.cause),
        }
    }
}

/// Every mistake found in a file, in the order of its lines, one per line when printed. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(.0))]
pub struct Errors(Vec<Problem>);

impl Errors {
    /// Sorts by line, so that a reader goes through the file once. `None` when there is nothing to report.
    pub fn from_problems(mut problems: Vec<Problem>) -> Option<Self> {
        problems.sort_by_key(|problem| problem.line);
        problems.dedup();
        (!problems.is_empty()).then_some(Self(problems))
    }

    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

impl From<Problem> for Errors {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

fn lines(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
