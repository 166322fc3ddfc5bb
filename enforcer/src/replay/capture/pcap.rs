//! The classic format: one header, then records.
//!
//! Enters: a window on the file. Leaves: a record at a time. The header is read by pcap-file. Its checked packet reader
//! is not used: it refuses what real captures hold and every other tool reads (an original length above the snap
//! length, which is just what truncation looks like; included above original; a part of a second of a second or more).

use std::io::Read;

use pcap_file::PcapError;
use pcap_file::pcap::PcapParser;
use pcap_file::{Endianness, TsResolution};

use super::window::Window;
use super::{Fault, LONGEST_RECORD, Record};
use crate::replay::time::Timestamp;

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

pub(super) struct Classic {
    parser: PcapParser,
    link: u32,
}

impl Classic {
    /// Reads the file header.
    pub(super) fn open<R: Read>(window: &mut Window<R>) -> Result<Self, Fault> {
        let header = window.peek(FILE_HEADER)?;
        let (_, parser) = PcapParser::new(header).map_err(|error| match error {
            PcapError::IncompleteBuffer => Fault::Cut { what: "file header", needed: FILE_HEADER, left: header.len() },
            PcapError::IoError(_)
            | PcapError::InvalidField(_)
            | PcapError::Utf8Error(_)
            | PcapError::FromUtf8Error(_)
            | PcapError::InvalidInterfaceId(_) => Fault::Library(error),
        })?;
        window.advance(FILE_HEADER);
        // The upper half of the field says whether frames end in a checksum; the type is the lower half.
        let link = u32::from(parser.header().datalink) & 0xFFFF;
        Ok(Self { parser, link })
    }

    /// The next record, `None` at the end of the file.
    pub(super) fn next<'w, R: Read>(&self, window: &'w mut Window<R>) -> Result<Option<Record<'w>>, Fault> {
        let header = window.peek(RECORD_HEADER)?;
        if header.is_empty() {
            return Ok(None);
        }
        let Some([_, _, included, _]) = words(header, self.parser.header().endianness) else {
            return Err(Fault::Cut { what: "record header", needed: RECORD_HEADER, left: header.len() });
        };
        let included = included as usize;
        if included > LONGEST_RECORD {
            return Err(Fault::TooLong { claimed: included });
        }
        let length = RECORD_HEADER + included;
        // Asked for twice, because the record borrows the window to the end.
        let left = window.peek(length)?.len();
        if left < length {
            return Err(Fault::Cut { what: "record", needed: length, left });
        }
        window.advance(length);
        let (_, raw) = self.parser.next_raw_packet(window.taken(length))?;
        let unit = match self.parser.header().ts_resolution {
            TsResolution::MicroSecond => 1_000,
            TsResolution::NanoSecond => 1,
        };
        let time = Timestamp::new(i64::from(raw.ts_sec), u64::from(raw.ts_frac) * unit);
        Ok(Some(Record { link: self.link, time: Some(time), original: raw.orig_len, bytes: raw.data }))
    }
}

/// The four words of a record header: seconds, part of a second, included length, original length.
fn words(header: &[u8], order: Endianness) -> Option<[u32; 4]> {
    let mut words = [0; 4];
    for (word, raw) in words.iter_mut().zip(header.first_chunk::<RECORD_HEADER>()?.chunks_exact(4)) {
        let raw = *raw.first_chunk()?;
        *word = match order {
            Endianness::Big => u32::from_be_bytes(raw),
            Endianness::Little => u32::from_le_bytes(raw),
        };
    }
    Some(words)
}
