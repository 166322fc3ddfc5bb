//! Captures as a stream of Ethernet frames.
//!
//! Enters: a pcap or pcapng file of either byte order, any resolution, any link type of [`link`](super::link). Leaves:
//! an iterator of [`Frame`]. Errors: a [`CaptureError`] names file, frame and cause; it is the last item, and every frame
//! before it has been given out. Memory holds one record, however long the file is.

mod pcap;
mod pcapng;
#[cfg(test)]
mod tests;
mod window;

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use pcap_file::PcapError;
use thiserror::Error;

use self::pcap::Classic;
use self::pcapng::Blocks;
use self::window::Window;
use super::link::{Link, UnknownLink};
use super::time::Timestamp;

/// Wireshark's bound on a packet; a longer claim is a damaged length.
const LONGEST_RECORD: usize = 256 << 10;

/// One record of a capture, made an Ethernet frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// From 1 over the whole file, as Wireshark counts.
    pub number: u64,
    /// UTC; absent where the capture has none (simple packet blocks).
    pub time: Option<Timestamp>,
    /// The Ethernet frame, as far as it was captured.
    pub bytes: Vec<u8>,
    /// What the frame's length was on the wire, counted as `bytes` are (with the synthetic header, if there is one).
    pub original_length: usize,
}

impl Frame {
    /// Bytes that were captured.
    pub fn captured_length(&self) -> usize {
        self.bytes.len()
    }

    /// Whether the snap length cut something off.
    pub fn is_truncated(&self) -> bool {
        self.original_length > self.bytes.len()
    }
}

/// Why a capture could not be read on.
#[derive(Debug, Error)]
pub struct CaptureError {
    file: PathBuf,
    /// The frame that would have come next; 0: the file's own header.
    frame: u64,
    #[source]
    fault: Fault,
}

impl CaptureError {
    /// The frame that could not be read; 0 when it is the file's own header.
    pub fn frame(&self) -> u64 {
        self.frame
    }

    /// The cause.
    pub fn fault(&self) -> &Fault {
        &self.fault
    }
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.frame {
            0 => write!(f, "{}: {}", self.file.display(), self.fault),
            frame => write!(f, "{}: frame {frame}: {}", self.file.display(), self.fault),
        }
    }
}

/// The cause of a [`CaptureError`].
#[derive(Debug, Error)]
pub enum Fault {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("this is neither pcap nor pcapng ({0})")]
    NotACapture(&'static str),
    #[error("the {what} is cut off: {needed} bytes expected, {left} left in the file")]
    Cut { what: &'static str, needed: usize, left: usize },
    #[error("the length field claims {claimed} bytes, more than any packet has: the file is damaged")]
    TooLong { claimed: usize },
    #[error("the packet names interface {number}, but {described} were described before it")]
    Interface { number: usize, described: usize },
    #[error("the file has {0}")]
    Block(&'static str),
    #[error("{}", library(.0))]
    Library(#[from] PcapError),
    #[error("{0}")]
    Link(#[from] UnknownLink),
}

/// The library's complaint without its preamble.
fn library(error: &PcapError) -> String {
    match error {
        PcapError::InvalidField(what) => format!("the file has a wrong field ({what})"),
        PcapError::IncompleteBuffer
        | PcapError::IoError(_)
        | PcapError::Utf8Error(_)
        | PcapError::FromUtf8Error(_)
        | PcapError::InvalidInterfaceId(_) => error.to_string(),
    }
}

/// A record as the file formats give it, before its link type is looked at.
struct Record<'w> {
    link: u32,
    time: Option<Timestamp>,
    original: u32,
    bytes: Cow<'w, [u8]>,
}

enum Format {
    Classic(Classic),
    Blocks(Blocks),
}

/// A capture that is being read.
pub struct Capture<R = File> {
    file: PathBuf,
    window: Window<R>,
    format: Format,
    number: u64,
    ended: bool,
}

impl Capture<File> {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// The file can't be opened, or is neither pcap nor pcapng.
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        let file =
            File::open(path).map_err(|error| CaptureError { file: path.into(), frame: 0, fault: error.into() })?;
        Self::read(path, file)
    }
}

impl<R: Read> Capture<R> {
    /// Reads a capture from any source; `name` stands for the file in errors.
    ///
    /// # Errors
    /// The source can't be read, or is neither pcap nor pcapng.
    pub fn read(name: &Path, source: R) -> Result<Self, CaptureError> {
        let mut window = Window::new(source);
        match Self::format(&mut window) {
            Ok(format) => Ok(Self { file: name.into(), window, format, number: 0, ended: false }),
            Err(fault) => Err(CaptureError { file: name.into(), frame: 0, fault }),
        }
    }

    fn format(window: &mut Window<R>) -> Result<Format, Fault> {
        match window.peek(4)? {
            [0x0A, 0x0D, 0x0D, 0x0A] => Ok(Format::Blocks(Blocks::new())),
            [0xA1, 0xB2, 0xC3, 0xD4]
            | [0xD4, 0xC3, 0xB2, 0xA1]
            | [0xA1, 0xB2, 0x3C, 0x4D]
            | [0x4D, 0x3C, 0xB2, 0xA1] => Ok(Format::Classic(Classic::open(window)?)),
            [] => Err(Fault::NotACapture("the file is empty")),
            [0x1F, 0x8B, ..] => Err(Fault::NotACapture("it is compressed with gzip, unpack it first")),
            [0x28, 0xB5, 0x2F, 0xFD] => Err(Fault::NotACapture("it is compressed with zstd, unpack it first")),
            [0xA1, 0xB2, 0xCD, 0x34] | [0x34, 0xCD, 0xB2, 0xA1] => {
                Err(Fault::NotACapture("it is Kuznetzov's variant of pcap, convert it with editcap -F pcap"))
            }
            _ => Err(Fault::NotACapture("its first bytes are no known magic number")),
        }
    }

    fn record(&mut self) -> Result<Option<Frame>, Fault> {
        let record = match &mut self.format {
            Format::Classic(classic) => classic.next(&mut self.window)?,
            Format::Blocks(blocks) => blocks.next(&mut self.window)?,
        };
        let Some(record) = record else {
            return Ok(None);
        };
        let (bytes, grown) = Link::try_from(record.link)?.ethernet(&record.bytes);
        let original_length = usize::try_from(i64::from(record.original) + grown).unwrap_or(0);
        self.number += 1;
        Ok(Some(Frame { number: self.number, time: record.time, bytes: bytes.into_owned(), original_length }))
    }
}

impl<R: Read> Iterator for Capture<R> {
    type Item = Result<Frame, CaptureError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.record() {
            Ok(Some(frame)) => Some(Ok(frame)),
            Ok(None) => {
                self.ended = true;
                None
            }
            Err(fault) => {
                self.ended = true;
                Some(Err(CaptureError { file: self.file.clone(), frame: self.number + 1, fault }))
            }
        }
    }
}
