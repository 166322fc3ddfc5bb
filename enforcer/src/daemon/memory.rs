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
/// The newest memory in which nothing waited to be confirmed, with the policy's text in any case: what a start goes on
/// with that cannot read the other file.
const CONFIRMED: &str = "state.confirmed.json";

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
    /// Why the box holds what `on_boot` says and not what it was told before; until somebody tells it something.
    #[serde(default)]
    pub emergency: Option<String>,
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
            emergency: None,
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
        read(&directory.join(FILE))
    }

    /// Reads the newest memory in which nothing waited to be confirmed.
    ///
    /// # Errors
    /// [`MemoryError`].
    pub fn load_confirmed(directory: &Path) -> Result<Option<Self>, MemoryError> {
        read(&directory.join(CONFIRMED))
    }

    /// Puts a memory that cannot be read aside, and returns where it is now.
    ///
    /// # Errors
    /// [`MemoryError`].
    pub fn set_aside(directory: &Path) -> Result<PathBuf, MemoryError> {
        let (path, aside) = (directory.join(FILE), directory.join("state.json.unreadable"));
        fs::rename(&path, &aside).map_err(|error| failed(&path, "set aside the state", error))?;
        Ok(aside)
    }

    /// Writes the memory. Where nothing in it waits to be confirmed, the copy for bad days too, with the `policy` in force.
    ///
    /// # Errors
    /// [`MemoryError`]; the old file is then still whole.
    pub fn store(&self, directory: &Path, policy: &Applied) -> Result<(), MemoryError> {
        write(directory, FILE, self)?;
        if self.unconfirmed.is_some() || self.emergency.is_some() {
            return Ok(());
        }
        write(directory, CONFIRMED, &Self { policy: Some(policy.clone()), ..self.clone() })
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

fn read(path: &Path) -> Result<Option<Memory>, MemoryError> {
    match fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).map(Some).map_err(|error| failed(path, "read the state", error)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path, "read the state", error)),
    }
}

/// Written beside, synced, renamed: whatever happens, one whole file has the name.
fn write(directory: &Path, name: &str, memory: &Memory) -> Result<(), MemoryError> {
    let (path, beside) = (directory.join(name), directory.join(format!("{name}.new")));
    let text = serde_json::to_string_pretty(memory).map_err(|error| failed(&path, "write the state", error))?;
    let written = File::create(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| fs::rename(&beside, &path)) {
        // Part of a file would only take room on a disk that has none.
        let _ = fs::remove_file(&beside);
        return Err(failed(&path, "write the state", error));
    }
    File::open(directory).and_then(|folder| folder.sync_all()).map_err(|error| failed(directory, "sync", error))
}

fn failed(path: &Path, action: &'static str, cause: impl std::fmt::Display) -> MemoryError {
    MemoryError { path: path.display().to_string(), action, cause: cause.to_string() }
}

#[cfg(test)]
mod tests {
    use super::{Applied, Memory, Unconfirmed};

    #[test]
    fn what_was_stored_is_read_back_and_rubbish_is_refused() {
        let directory = folder("read-back");
        assert_eq!(Memory::load(&directory).unwrap(), None);
        let mut memory = Memory::new("shadow");
        memory.note("mode shadow".into(), Some("test".into()));
        memory.store(&directory, &policy("one")).unwrap();
        assert_eq!(Memory::load(&directory).unwrap(), Some(memory));
        std::fs::write(directory.join("state.json"), "{").unwrap();
        let error = Memory::load(&directory).unwrap_err().to_string();
        assert!(error.contains("state.json: cannot read the state"), "{error}");
        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn the_copy_for_bad_days_has_the_policy_and_nothing_unconfirmed() {
        let directory = folder("confirmed");
        std::fs::create_dir_all(&directory).unwrap();
        let mut memory = Memory::new("enforce");
        memory.store(&directory, &policy("one")).unwrap();
        memory.mode = "shadow".into();
        memory.unconfirmed = Some(Unconfirmed {
            what: "mode shadow".into(),
            boot: "b".into(),
            until: 1,
            mode: "enforce".into(),
            conduits: Default::default(),
            policy: None,
        });
        memory.store(&directory, &policy("two")).unwrap();
        let copy = Memory::load_confirmed(&directory).unwrap().unwrap();
        assert_eq!((copy.mode.as_str(), copy.policy), ("enforce", Some(policy("one"))));
        std::fs::remove_dir_all(&directory).unwrap();
    }

    fn policy(text: &str) -> Applied {
        Applied { name: "policy.toml".into(), text: text.into() }
    }

    fn folder(name: &str) -> std::path::PathBuf {
        let directory = std::env::temp_dir().join(format!("enforcer-memory-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&directory);
        directory
    }
}
