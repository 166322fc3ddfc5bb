//! The audit's files, and what is done with them: `audit.jsonl` the chain, `audit.head` where it stands, `audit.torn` what
//! crashes left of records that nobody was told are safe.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::record::Head;

/// The chain.
pub const CHAIN: &str = "audit.jsonl";
/// Number and hash of its last record.
pub const HEAD: &str = "audit.head";
/// What was cut off.
pub const TORN: &str = "audit.torn";

/// Why the audit trail cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot {action}: {cause}", .file.display())]
pub struct AuditError {
    /// The file.
    pub file: PathBuf,
    /// What was tried.
    pub action: &'static str,
    /// Why it failed.
    pub cause: String,
}

/// Makes an [`AuditError`] of what went wrong with `file`.
pub(super) fn failed<E: std::fmt::Display>(file: &Path, action: &'static str) -> impl FnOnce(E) -> AuditError {
    move |cause| AuditError { file: file.to_owned(), action, cause: cause.to_string() }
}

/// What the head file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HeadFile {
    /// There is none.
    Missing,
    /// It holds something else.
    Wrong,
    /// This.
    Says(Head),
}

/// Reads the head file.
pub(super) fn read_head(directory: &Path) -> Result<HeadFile, AuditError> {
    let path = directory.join(HEAD);
    match fs::read(&path) {
        Ok(bytes) => {
            let text = std::str::from_utf8(&bytes).ok().and_then(|text| text.strip_suffix('\n'));
            Ok(text.and_then(|text| text.parse().ok()).map_or(HeadFile::Wrong, HeadFile::Says))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(HeadFile::Missing),
        Err(error) => Err(failed(&path, "read where the chain stands")(error)),
    }
}

/// Replaces the head file: either the old or the new one stands there at any moment, also after a power loss.
pub(super) fn write_head(directory: &Path, head: &Head) -> Result<(), AuditError> {
    let path = directory.join(HEAD);
    let beside = directory.join("audit.head.new");
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        writeln!(file, "{head}")?;
        file.sync_all()?;
        fs::rename(&beside, &path)?;
        sync_directory(directory)
    };
    write().map_err(failed(&path, "write where the chain stands"))
}

/// Makes names that were made or changed in a directory last.
pub(super) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Keeps what is cut off the chain, each piece on a line of its own.
pub(super) fn keep_torn(directory: &Path, bytes: &[u8]) -> Result<(), AuditError> {
    let path = directory.join(TORN);
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
        file.write_all(bytes)?;
        if !bytes.ends_with(b"\n") {
            file.write_all(b"\n")?;
        }
        file.sync_all()
    };
    write().map_err(failed(&path, "keep what a crash left"))
}
