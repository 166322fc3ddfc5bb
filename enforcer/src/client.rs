//! The other end of the control socket: what `enforcer status` and the other live commands use.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::daemon::Request;

/// Why a request got no answer, or the answer is no.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers on the socket.
    #[error("{path}: no enforcer answers on this socket ({cause}); is `enforcer run` started?")]
    Absent {
        /// The socket.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The connection ended in the middle.
    #[error("{path}: the enforcer hung up: {cause}")]
    Broken {
        /// The socket.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// The daemon says no.
    #[error("{text}")]
    Refused {
        /// The sentence.
        text: String,
        /// Exit code.
        code: u8,
    },
}

impl ClientError {
    /// The exit code of the contract.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Absent { .. } | Self::Broken { .. } => 1,
            Self::Refused { code, .. } => *code,
        }
    }
}

/// A connection to the daemon.
pub struct Client {
    path: PathBuf,
    reader: BufReader<UnixStream>,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// [`ClientError::Absent`].
    pub fn connect(path: &Path) -> Result<Self, ClientError> {
        match UnixStream::connect(path) {
            Ok(stream) => Ok(Self { path: path.to_owned(), reader: BufReader::new(stream) }),
            Err(cause) => Err(ClientError::Absent { path: path.to_owned(), cause }),
        }
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn ask(&mut self, request: &Request) -> Result<Value, ClientError> {
        self.send(request)?;
        self.following()
    }

    /// Sends a request, of which [`Self::following`] reads the answers.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn send(&mut self, request: &Request) -> Result<(), ClientError> {
        let line = serde_json::to_string(request).map_err(|error| self.broken(error))?;
        let sent = self.reader.get_mut().write_all(format!("{line}\n").as_bytes());
        sent.map_err(|error| self.broken(error))
    }

    /// The next answer, for requests that follow something.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn following(&mut self) -> Result<Value, ClientError> {
        let mut line = String::new();
        match self.reader.read_line(&mut line) {
            Ok(0) => return Err(self.broken("it closed the connection")),
            Ok(_) => {}
            Err(error) => return Err(self.broken(error)),
        }
        let mut reply: Value = serde_json::from_str(&line).map_err(|error| self.broken(error))?;
        if reply["ok"] == true {
            return Ok(reply["result"].take());
        }
        let text = reply["error"].as_str().unwrap_or("it gave no reason").to_owned();
        let code = reply["code"].as_u64().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
        Err(ClientError::Refused { text, code })
    }

    fn broken(&self, cause: impl std::fmt::Display) -> ClientError {
        ClientError::Broken { path: self.path.clone(), cause: cause.to_string() }
    }
}
