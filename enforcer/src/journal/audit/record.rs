//! One record of the audit chain, and the line that it is in the file.
//!
//! A line is compact JSON whose last field is `hash`: the SHA-256 of the same line without that field. By hand:
//! `sed -n 3p audit.jsonl | sed 's/,"hash":"[0-9a-f]*"}$/}/' | tr -d '\n' | sha256sum`.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// `previous` of the first record.
pub(super) const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Who did it, as the control socket knows its peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// User id.
    pub uid: u32,
    /// The user's name, where the machine knows it.
    pub user: Option<String>,
    /// Process id.
    pub pid: u32,
    /// viewer, operator, engineer; `daemon` for what the daemon does by itself.
    pub role: String,
}

impl Who {
    /// The daemon itself.
    #[must_use]
    pub fn daemon() -> Self {
        // SAFETY: geteuid takes nothing and cannot fail.
        let uid = unsafe { libc::geteuid() };
        Self { uid, user: None, pid: std::process::id(), role: "daemon".to_owned() }
    }
}

/// What is to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Who did it.
    pub who: Who,
    /// A short verb: `mode`, `policy_apply`, `confirm`, `auto_return`, `denied_attempt`.
    pub what: String,
    /// What exactly.
    pub detail: Value,
    /// The reason that the person gave.
    pub why: Option<String>,
}

/// A record of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Counts from 1.
    pub seq: u64,
    /// RFC 3339 in UTC with nanoseconds.
    pub time: String,
    /// Who did it.
    pub who: Who,
    /// A short verb.
    pub what: String,
    /// What exactly.
    pub detail: Value,
    /// The reason that the person gave.
    pub why: Option<String>,
    /// Hash of the record before; zeroes for the first.
    pub previous: String,
    /// SHA-256 of the line without this field, in hex.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hash: String,
}

impl Record {
    /// Seals the record: gives it its hash, and its line with the newline at the end.
    pub(super) fn seal(&mut self) -> Result<String, serde_json::Error> {
        self.hash.clear();
        let open = serde_json::to_string(self)?;
        self.hash = sha256(open.as_bytes());
        let body = open.strip_suffix('}').unwrap_or(&open);
        Ok(format!("{body},\"hash\":\"{}\"}}\n", self.hash))
    }

    /// Reads a line (without newline) and checks its hash. The error is what is wrong with it.
    pub(super) fn read(line: &[u8]) -> Result<Self, &'static str> {
        // `,"hash":"` + 64 digits + `"}`
        let Some((body, seal)) = line.len().checked_sub(75).and_then(|at| line.split_at_checked(at)) else {
            return Err("it is too short for a record");
        };
        let hash = seal.strip_prefix(b",\"hash\":\"").and_then(|rest| rest.strip_suffix(b"\"}"));
        let Some(hash) = hash else {
            return Err("it does not end in its hash");
        };
        let mut hasher = Sha256::new();
        hasher.update(body);
        hasher.update(b"}");
        if hex(&hasher.finalize()).as_bytes() != hash {
            return Err("its hash is not that of its content: it was edited");
        }
        serde_json::from_slice(line).map_err(|_| "it is not a record of this program")
    }

    /// Where the chain stands with this record as its last.
    #[must_use]
    pub fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.hash.clone() }
    }
}

/// Where the chain stands: number and hash of its last record, written `12:9f86d0…`. Written down elsewhere it proves later
/// that nothing up to it was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Head {
    /// Number of the record.
    pub seq: u64,
    /// Its hash.
    pub hash: String,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash)
    }
}

impl FromStr for Head {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "not of the form NUMBER:HASH, with the 64 hexadecimal digits of a hash";
        let (seq, hash) = text.split_once(':').ok_or(WRONG)?;
        let digits = hash.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        if hash.len() != NOTHING.len() || !digits {
            return Err(WRONG);
        }
        let head = Self { seq: seq.parse().map_err(|_| WRONG)?, hash: hash.to_owned() };
        // One notation only: no plus sign, no leading zero.
        if head.to_string() == text { Ok(head) } else { Err(WRONG) }
    }
}

/// SHA-256 in hex.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
