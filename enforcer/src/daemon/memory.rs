//! What the daemon remembers over a restart: mode, switched conduits, the policy in force and its generation.
//!
//! One small JSON file, replaced as a whole: written beside, synced, renamed. A file that cannot be read is an error with
//! its name; it is never taken for "nothing remembered", because that could open what was closed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The file's name in the state directory.
const FILE: &str = "state.json";

/// What is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Version of this file.
    pub schema: u32,
    /// The box's mode: learn, shadow, enforce or bypass.
    pub mode: String,
    /// The mode before bypass, to go back to.
    pub mode_before_bypass: Option<String>,
    /// Conduits switched by hand, by name.
    pub conduits: BTreeMap<String, String>,
    /// Number of the last generation.
    pub generation: u32,
    /// How often the cables of the network and the device port had come or gone at the last start.
    #[serde(default)]
    pub carrier_changes: [u32; 2],
    /// Text of the policy in force, once one came by `policy apply`.
    pub policy: Option<Applied>,
    /// A change that waits to be confirmed.
    #[serde(default)]
    pub unconfirmed: Option<Unconfirmed>,
    /// What went back by itself, and why; until the next change that waits.
    #[serde(default)]
    pub gone_back: Option<String>,
    /// The policy that is tried beside the one in force.
    #[serde(default)]
    pub candidate: Option<Applied>,
    /// What is allowed for a while.
    #[serde(default)]
    pub grants: Vec<Granted>,
    /// Number of the last grant.
    #[serde(default)]
    pub last_grant: u32,
    /// The last changes, newest last.
    pub changes: Vec<Change>,
}

/// A policy that came by `policy apply`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Applied {
    /// What errors call it.
    pub name: String,
    /// The text.
    pub text: String,
}

/// A change that goes back by itself unless it is confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unconfirmed {
    /// What was done, in words.
    pub what: String,
    /// The boot whose clock `until` is on.
    pub boot: String,
    /// Boot time in nanoseconds at which it goes back.
    pub until: u64,
    /// The box's mode to go back to.
    pub mode: String,
    /// The switched conduits to go back to.
    pub conduits: BTreeMap<String, String>,
    /// The policy to go back to, where it was changed.
    pub policy: Option<Applied>,
}

/// What somebody may do for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Granted {
    pub id: u32,
    pub from: std::net::IpAddr,
    pub to: std::net::IpAddr,
    /// The policy's word.
    pub protocol: String,
    /// As they were asked for: names, numbers, classes.
    pub functions: Vec<String>,
    /// The boot whose clock `until` is on; a grant ends with it unless it was asked to last.
    pub boot: String,
    /// Boot time in nanoseconds at which it ends.
    pub until: u64,
    /// The same in seconds since 1970, for people, and for grants that outlive a reboot.
    pub until_wall: u64,
    /// It outlives a reboot.
    pub lasting: bool,
    pub reason: String,
    pub who: String,
}

/// Something that was switched or applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Seconds since 1970.
    pub time: u64,
    /// What was done.
    pub what: String,
    /// Why, as the person said.
    pub reason: Option<String>,
}

/// Changes kept in the file.
const CHANGES: usize = 200;

/// Why the memory is not usable.
#[derive(Debug, thiserror::Error)]
#[error("{path}: cannot {action}: {cause}")]
pub struct MemoryError {
    path: String,
    action: &'static str,
    cause: String,
}

impl Memory {
    /// What a new box remembers.
    #[must_use]
    pub fn new(mode: &str) -> Self {
        Self {
            schema: 1,
            mode: mode.to_owned(),
            mode_before_bypass: None,
            conduits: BTreeMap::new(),
            generation: 0,
            carrier_changes: [0; 2],
            policy: None,
            unconfirmed: None,
            gone_back: None,
            candidate: None,
            grants: Vec::new(),
            last_grant: 0,
            changes: Vec::new(),
        }
    }

    /// Reads the memory of a state directory; `None` when there is none yet. Makes the directory.
    ///
    /// # Errors
    /// [`MemoryError`].
    pub fn load(directory: &Path) -> Result<Option<Self>, MemoryError> {
        fs::create_dir_all(directory).map_err(|error| failed(directory, "make the state directory", error))?;
        let path = directory.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map(Some).map_err(|error| failed(&path, "read the state", error)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&path, "read the state", error)),
        }
    }

    /// Writes the memory.
    ///
    /// # Errors
    /// [`MemoryError`]; the old file is then still whole.
    pub fn store(&self, directory: &Path) -> Result<(), MemoryError> {
        let path = directory.join(FILE);
        let beside: PathBuf = directory.join("state.json.new");
        let text = serde_json::to_string_pretty(self).map_err(|error| failed(&path, "write the state", error))?;
        let written = File::create(&beside).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        written.and_then(|()| fs::rename(&beside, &path)).map_err(|error| failed(&path, "write the state", error))?;
        File::open(directory).and_then(|folder| folder.sync_all()).map_err(|error| failed(directory, "sync", error))
    }

    /// Notes a change.
    pub fn note(&mut self, what: String, reason: Option<String>) {
        let time =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        self.changes.push(Change { time, what, reason });
        let surplus = self.changes.len().saturating_sub(CHANGES);
        self.changes.drain(..surplus);
    }
}

fn failed(path: &Path, action: &'static str, cause: impl std::fmt::Display) -> MemoryError {
    MemoryError { path: path.display().to_string(), action, cause: cause.to_string() }
}

#[cfg(test)]
mod tests {
    use super::Memory;

    #[test]
    fn what_was_stored_is_read_back_and_rubbish_is_refused() {
        let directory = std::env::temp_dir().join(format!("enforcer-memory-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&directory);
        assert_eq!(Memory::load(&directory).unwrap(), None);
        let mut memory = Memory::new("shadow");
        memory.note("mode shadow".into(), Some("test".into()));
        memory.store(&directory).unwrap();
        assert_eq!(Memory::load(&directory).unwrap(), Some(memory));
        std::fs::write(directory.join("state.json"), "{").unwrap();
        let error = Memory::load(&directory).unwrap_err().to_string();
        assert!(error.contains("state.json: cannot read the state"), "{error}");
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
