//! The part of a file that is being read: grows to one record, never to the file.
//!
//! Enters: anything that can be read. Leaves: the bytes at the front, as many as asked for or as are left. Memory is
//! bounded by the largest request, which the callers bound before they ask.

use std::io::{self, ErrorKind, Read};

const CHUNK: usize = 64 * 1024;

pub(super) struct Window<R> {
    source: R,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl<R: Read> Window<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, bytes: vec![0; CHUNK], start: 0, end: 0 }
    }

    /// The next `count` bytes, fewer only when the source ends before.
    pub(super) fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        if self.end - self.start < count {
            self.fill(count)?;
        }
        let have = count.min(self.end - self.start);
        Ok(self.bytes.get(self.start..self.start + have).unwrap_or_default())
    }

    /// Moves past bytes that were peeked.
    pub(super) fn advance(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// The `count` bytes that `advance` moved past last.
    pub(super) fn taken(&self, count: usize) -> &[u8] {
        self.bytes.get(self.start.saturating_sub(count)..self.start).unwrap_or_default()
    }

    fn fill(&mut self, count: usize) -> io::Result<()> {
        self.bytes.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.bytes.len() < count {
            self.bytes.resize(count, 0);
        }
        while self.end < count {
            match self.source.read(self.bytes.get_mut(self.end..).unwrap_or_default()) {
                Ok(0) => break,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time, as a slow pipe does.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = 1.min(into.len());
            self.0.read(into.get_mut(..count).unwrap_or_default())
        }
    }

    #[test]
    fn peeks_across_reads_and_ends() {
        let data: Vec<u8> = (0..=255).cycle().take(3 * CHUNK).collect();
        let mut window = Window::new(Drip(&data));
        let mut seen: Vec<u8> = Vec::new();
        for size in [1, 7, CHUNK + 5, 0, 3, CHUNK].into_iter().cycle() {
            let part = window.peek(size).expect("memory").to_vec();
            window.advance(part.len());
            seen.extend(&part);
            if part.len() < size {
                break;
            }
        }
        assert!(seen == data);
        assert!(window.peek(1).expect("memory").is_empty());
    }
}
