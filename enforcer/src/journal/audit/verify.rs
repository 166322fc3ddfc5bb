//! Walks the chain from its first byte to its last and says whether anything was edited, removed, inserted, moved or cut
//! off.
//!
//! A record that is appended goes to the chain first and to the head file second. So a chain may stand one record ahead of
//! its head file, or end in part of a record; both are what a crash leaves of a record that nobody was told is safe. All
//! else is damage.

use std::fs::File;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _};
use std::path::Path;
use std::time::Duration;

use super::files::{AuditError, CHAIN, HEAD, HeadFile, failed, read_head};
use super::record::{Head, NOTHING, Record};

/// A chain that holds.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Verified {
    /// Number of records.
    pub records: u64,
    /// Time of the first, RFC 3339.
    pub first: String,
    /// Time of the last.
    pub last: String,
    /// Where the chain stands; worth writing down elsewhere.
    pub head: Head,
    /// Bytes behind the last record: part of one that a crash cut off before anybody was told that it is safe. The next
    /// start of the daemon moves them to `audit.torn` and records that.
    pub unfinished: u64,
}

/// A chain that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {cause}")]
pub struct Broken {
    /// The file, without its folder.
    pub file: &'static str,
    /// Line, from 1; 0 means the file as a whole.
    pub line: u64,
    /// What is wrong, in one sentence.
    pub cause: String,
}

/// Verifies the audit trail in `directory`, also while a daemon writes it. With `expected`, which a person wrote down
/// earlier, also that this record is still there unchanged.
///
/// # Errors
/// [`Broken`], which names the first line that does not hold; a trail that cannot be read does not hold either.
pub fn verify(directory: &Path, expected: Option<&Head>) -> Result<Verified, Broken> {
    let mut attempts = 0;
    loop {
        let answer = attempt(directory, expected);
        attempts += 1;
        match answer {
            Ok(Verified { unfinished: 0, .. }) => return answer,
            // Perhaps caught the daemon in the middle of an append.
            Ok(_) | Err(_) if attempts < 3 => std::thread::sleep(Duration::from_millis(20)),
            Ok(_) | Err(_) => return answer,
        }
    }
}

/// One look, without a second one.
pub(super) fn attempt(directory: &Path, expected: Option<&Head>) -> Result<Verified, Broken> {
    let unreadable = |file| move |error: AuditError| Broken { file, line: 0, cause: error.to_string() };
    // The head first: what is appended in between lies behind it.
    let head = read_head(directory).map_err(unreadable(HEAD))?;
    let walk = walk(directory, expected).map_err(unreadable(CHAIN))?;
    judge(&walk, &head, expected)
}

/// What a walk along the chain found.
pub(super) struct Walk {
    /// Number of good records, the time of the first, and the last one.
    pub(super) records: u64,
    first: String,
    pub(super) last: Option<Record>,
    /// Hash of the record before the last.
    before: String,
    /// Bytes up to the end of the last good record.
    pub(super) good: u64,
    /// Bytes in the file.
    pub(super) length: u64,
    /// The first line that is wrong, and why.
    pub(super) wrong: Option<(u64, String)>,
    /// Whether the wrong line is more than what a crash leaves: others follow it, or it is a whole record.
    more: bool,
    /// The last whole record behind the wrong line, to go on from.
    pub(super) behind: Option<Head>,
    /// What the chain has in the place of the expected record.
    expected: Option<String>,
}

/// Reads the chain up to the first line that does not hold, and counts the rest.
pub(super) fn walk(directory: &Path, expected: Option<&Head>) -> Result<Walk, AuditError> {
    let path = directory.join(CHAIN);
    let mut walk = Walk {
        records: 0,
        first: String::new(),
        last: None,
        before: NOTHING.to_owned(),
        good: 0,
        length: 0,
        wrong: None,
        more: false,
        behind: None,
        expected: None,
    };
    let mut file = match File::open(&path).and_then(|file| Ok((file.metadata()?.len(), file))) {
        // Only what is there now: what a daemon appends meanwhile is not what the head file named.
        Ok((length, file)) => BufReader::new(file.take(length)),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(walk),
        Err(error) => return Err(failed(&path, "read the chain")(error)),
    };
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = file.read_until(b'\n', &mut line).map_err(failed(&path, "read the chain"))?;
        if read == 0 {
            return Ok(walk);
        }
        walk.length += read as u64;
        if walk.wrong.is_none() {
            match walk.next(&line) {
                Ok(record) => {
                    walk.take(record, expected);
                    continue;
                }
                Err(cause) => walk.wrong = Some((walk.records + 1, cause)),
            }
        } else {
            walk.more = true;
        }
        if let Some(record) = line.strip_suffix(b"\n").and_then(|line| Record::read(line).ok()) {
            walk.more = true;
            walk.behind = Some(record.head());
        }
    }
}

impl Walk {
    /// The record in `line`, if it is the one that has to come next.
    fn next(&self, line: &[u8]) -> Result<Record, String> {
        let line = line.strip_suffix(b"\n").ok_or("the line is not finished")?;
        let record = Record::read(line).map_err(|cause| format!("this line does not hold: {cause}"))?;
        let (seq, previous) =
            self.last.as_ref().map_or((1, NOTHING), |last| (last.seq.saturating_add(1), last.hash.as_str()));
        if record.seq != seq {
            return Err(format!(
                "record {} stands where record {seq} has to: one was removed, put in or moved",
                record.seq
            ));
        }
        if record.previous != previous {
            return Err(format!("record {seq} does not follow from the one before it: one of them was replaced"));
        }
        Ok(record)
    }

    fn take(&mut self, record: Record, expected: Option<&Head>) {
        self.records += 1;
        self.good = self.length;
        if self.records == 1 {
            self.first.clone_from(&record.time);
        }
        if expected.is_some_and(|expected| expected.seq == record.seq) {
            self.expected = Some(record.hash.clone());
        }
        self.before.clone_from(&record.previous);
        self.last = Some(record);
    }

    /// Whether the head file names the last good record: then all that was acknowledged is there.
    fn is_at(&self, head: &HeadFile) -> bool {
        match (head, &self.last) {
            (HeadFile::Says(head), Some(last)) => *head == last.head(),
            // The very first record is written before there is a head file.
            (HeadFile::Missing, None) => true,
            (HeadFile::Says(_) | HeadFile::Wrong | HeadFile::Missing, _) => false,
        }
    }

    /// Whether the chain is one record ahead of the head file.
    fn is_ahead(&self, head: &HeadFile) -> bool {
        match (head, &self.last) {
            (HeadFile::Says(head), Some(last)) => head.seq.checked_add(1) == Some(last.seq) && head.hash == self.before,
            (HeadFile::Missing, Some(last)) => last.seq == 1,
            (HeadFile::Says(_) | HeadFile::Wrong | HeadFile::Missing, _) => false,
        }
    }

    /// Bytes at the end that are part of one record, never acknowledged.
    pub(super) fn torn(&self, head: &HeadFile) -> u64 {
        if self.wrong.is_some() && !self.more && self.is_at(head) { self.length - self.good } else { 0 }
    }
}

/// Puts the walk and the head file together.
pub(super) fn judge(walk: &Walk, head: &HeadFile, expected: Option<&Head>) -> Result<Verified, Broken> {
    let broken = |file, line, cause: String| Err(Broken { file, line, cause });
    let torn = walk.torn(head);
    if let Some((line, cause)) = &walk.wrong
        && torn == 0
    {
        return broken(CHAIN, *line, cause.clone());
    }
    let Some(last) = &walk.last else {
        return match head {
            HeadFile::Missing => broken(CHAIN, 0, "there is no record".to_owned()),
            HeadFile::Wrong | HeadFile::Says(_) => {
                broken(CHAIN, 0, format!("the chain is gone, though {HEAD} names its last record"))
            }
        };
    };
    if !walk.is_at(head) && !walk.is_ahead(head) {
        return match head {
            HeadFile::Missing => broken(HEAD, 0, "the file that names the last record is missing".to_owned()),
            HeadFile::Wrong => broken(HEAD, 1, "this is not the number and hash of a record".to_owned()),
            HeadFile::Says(head) if head.seq > last.seq => {
                let cause = format!(
                    "the chain ends with record {}, but there was a record {}: it was cut off",
                    last.seq, head.seq
                );
                broken(CHAIN, walk.records, cause)
            }
            HeadFile::Says(head) => {
                let cause = format!("record {} of the chain is not the last one or not the one named here", head.seq);
                broken(HEAD, 1, cause)
            }
        };
    }
    match (expected, &walk.expected) {
        (Some(expected), None) => {
            let cause =
                format!("record {}, which was written down, is not there: the chain ends before it", expected.seq);
            return broken(CHAIN, walk.records, cause);
        }
        (Some(expected), Some(hash)) if *hash != expected.hash => {
            return broken(CHAIN, expected.seq, "this is not the record that was written down".to_owned());
        }
        _ => {}
    }
    Ok(Verified {
        records: walk.records,
        first: walk.first.clone(),
        last: last.time.clone(),
        head: last.head(),
        unfinished: torn,
    })
}
