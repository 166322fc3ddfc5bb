//! Kernel settings under `/proc/sys`, which shows the network namespace of the calling thread.
//!
//! In: a key as `sysctl` writes it, but with `/` between the words, because interface names may hold dots. Out: what
//! the setting is now.

use std::{fs, io, path::PathBuf};

/// A setting that is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum SysctlError {
    /// It could not be read or written.
    #[error("cannot {action} {key}: {source}")]
    Io {
        /// `read` or `set`.
        action: &'static str,
        /// The key.
        key: String,
        /// What the kernel answered.
        source: io::Error,
    },
    /// It was written and reads differently.
    #[error("{key} reads {found} after it was set to {wanted}")]
    Differs {
        /// The key.
        key: String,
        /// What was asked for.
        wanted: String,
        /// What it is.
        found: String,
    },
}

/// The value of `key`, or `None` where this kernel has no such setting.
///
/// # Errors
/// [`SysctlError::Io`] when it is there and cannot be read.
pub fn read(key: &str) -> Result<Option<String>, SysctlError> {
    match fs::read_to_string(path(key)) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(SysctlError::Io { action: "read", key: key.to_owned(), source }),
    }
}

/// Sets `key` where this kernel has it, and reads it back. A value that is right already is not written, so a
/// read-only `/proc/sys` is no obstacle to a machine that was prepared. `true` means that it was changed.
///
/// # Errors
/// [`SysctlError`] when it is there and not as wanted afterwards.
pub fn set(key: &str, wanted: &str) -> Result<bool, SysctlError> {
    match read(key)? {
        None => return Ok(false),
        Some(found) if found == wanted => return Ok(false),
        Some(_) => {}
    }
    fs::write(path(key), wanted).map_err(|source| SysctlError::Io { action: "set", key: key.to_owned(), source })?;
    match read(key)? {
        Some(found) if found != wanted => {
            Err(SysctlError::Differs { key: key.to_owned(), wanted: wanted.to_owned(), found })
        }
        _ => Ok(true),
    }
}

fn path(key: &str) -> PathBuf {
    PathBuf::from("/proc/sys").join(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_this_kernel_lacks_is_none_and_needs_no_setting() {
        assert!(matches!(read("net/no/such/setting"), Ok(None)));
        assert!(matches!(set("net/no/such/setting", "0"), Ok(false)));
    }

    #[test]
    fn a_setting_is_read_without_its_line_end() {
        let Ok(Some(value)) = read("kernel/ostype") else { unreachable!("every Linux has kernel/ostype") };
        assert_eq!(value, "Linux");
    }
}
