//! Events from before: out of memory as far as that reaches back, else out of the journal, which keeps them over restarts.

use std::time::Duration;

use serde_json::Value;

use super::{Daemon, Refusal};
use crate::journal::time;

/// Events of the journal in one answer: a month of them is not laid out at once in a small box.
const PAGE: u64 = 500;

/// Some events, oldest first.
pub(super) struct Page {
    pub(super) events: Vec<Value>,
    /// Number of the last one, where more may follow.
    pub(super) after: Option<i64>,
}

impl Daemon {
    /// The events since a time (nanoseconds since 1970) behind the one with the number `after`.
    ///
    /// # Errors
    /// The journal's, in the middle of a list. Where it cannot be read at all, the events are those in memory.
    pub(super) fn past(&self, since: i64, after: i64) -> Result<Page, Refusal> {
        let moment = |event: &Value| event["time"].as_str().and_then(time::parse).unwrap_or(i64::MAX);
        let reaches = self.events.kept().next().is_some_and(|oldest| moment(&oldest) < since);
        let kept = || Page { events: self.events.kept().filter(|event| moment(event) >= since).collect(), after: None };
        if after == 0 && reaches {
            return Ok(kept());
        }
        let written = self.journal.flush(Duration::from_secs(2));
        match self.journal.reader().and_then(|reader| reader.events_behind(since, after, PAGE)) {
            Ok(rows) if written => {
                let full = u64::try_from(rows.len()).is_ok_and(|count| count == PAGE);
                let after = rows.last().filter(|_| full).map(|row| row.id);
                Ok(Page { events: rows.into_iter().map(|row| row.record).collect(), after })
            }
            Ok(_) | Err(_) if after == 0 => Ok(kept()),
            Ok(_) => Err(Refusal::failed("the journal does not write what came in; the list ends here")),
            Err(error) => Err(Refusal::failed(error)),
        }
    }
}
