//! What can be wrong with the database, in one sentence that names the file and the cause.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// What kind of trouble it is: it decides what is done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The file is damaged or no database: it is set aside and a new one begun.
    Corrupt,
    /// A newer version of this program wrote it: it is not touched.
    Newer,
    /// No room, on the disk or within the configured size.
    Full,
    /// All else: missing directory, read-only, input and output errors.
    Unusable,
}

/// Why the journal cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: the journal cannot be {action}: {cause}", .file.display())]
pub struct JournalError {
    /// The file.
    pub file: PathBuf,
    /// opened, written, read.
    pub action: &'static str,
    /// What kind of trouble.
    pub kind: Kind,
    /// The cause.
    pub cause: String,
}

impl JournalError {
    /// Of an error of SQLite's.
    pub(super) fn of(file: &Path, action: &'static str, error: &rusqlite::Error) -> Self {
        let kind = kind(error);
        let cause = match kind {
            Kind::Corrupt => format!("the file is damaged ({error})"),
            Kind::Full | Kind::Newer => error.to_string(),
            Kind::Unusable => place(file).unwrap_or_else(|| error.to_string()),
        };
        Self { file: file.to_owned(), action, kind, cause }
    }

    /// Of a cause of our own.
    pub(super) fn new(file: &Path, action: &'static str, kind: Kind, cause: impl Into<String>) -> Self {
        Self { file: file.to_owned(), action, kind, cause: cause.into() }
    }
}

fn kind(error: &rusqlite::Error) -> Kind {
    let code = error.sqlite_error_code();
    if code == Some(ErrorCode::DatabaseCorrupt) || code == Some(ErrorCode::NotADatabase) {
        Kind::Corrupt
    } else if code == Some(ErrorCode::DiskFull) {
        Kind::Full
    } else {
        Kind::Unusable
    }
}

/// What is wrong with the place of a file, in the system's words: SQLite says no more than that it cannot open it.
fn place(file: &Path) -> Option<String> {
    let directory = file.parent()?;
    let path = CString::new(directory.as_os_str().as_bytes()).ok()?;
    // SAFETY: the text is ended by a zero and lives over the call, which only reads it.
    let answer = unsafe { libc::access(path.as_ptr(), libc::R_OK | libc::W_OK | libc::X_OK) };
    let error = std::io::Error::last_os_error();
    (answer != 0).then(|| format!("its directory: {error}"))
}
