//! Events as JSON lines, into a file that is rotated by size, or to standard output.
//!
//! A line is whole in one file: it is written in one piece, and what a full disk cut off is taken away again before the
//! next try. Nothing is synced: what must survive a power loss is in the journal.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::queue::{Queue, Record, Taken};
use crate::config::{Eve, EveTarget};

/// Lines that are written together.
const BATCH: usize = 256;
/// How long the thread sleeps when nothing happens.
const IDLE: Duration = Duration::from_secs(60);
/// How long after a failure it is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Writes until the daemon ends.
pub(super) fn run(queue: &Queue, settings: &Eve) {
    let mut target = None;
    let mut taken = Taken::default();
    loop {
        let done = taken.closing && taken.records.is_empty();
        while let Err(error) = write(&mut target, settings, &taken.records) {
            target = None;
            queue.failing(&format!("{}: {error}", settings.target));
            if queue.pause(RETRY) {
                queue.give_up(taken.records);
                queue.give_up(queue.take(usize::MAX, Duration::ZERO).records);
                return;
            }
        }
        queue.connected();
        queue.sent(taken.records.iter().map(|record| record.count).sum());
        if done {
            return;
        }
        taken = queue.take(BATCH, IDLE);
        if taken.reopen {
            target = None;
        }
    }
}

/// Writes records, all of them or, as far as a file is concerned, none; opens what is not open.
fn write(target: &mut Option<Target>, settings: &Eve, records: &[Record]) -> io::Result<()> {
    let target = match target {
        Some(target) => target,
        None => target.insert(Target::open(settings)?),
    };
    let mut bytes = Vec::with_capacity(records.iter().map(|record| record.line.len() + 1).sum());
    for record in records {
        bytes.extend_from_slice(record.line.as_bytes());
        bytes.push(b'\n');
    }
    match target {
        _ if bytes.is_empty() => Ok(()),
        Target::Output(output) => {
            let mut output = output.lock();
            output.write_all(&bytes)?;
            output.flush()
        }
        Target::File(file) => file.write(&bytes),
    }
}

/// Where the lines go.
enum Target {
    Output(io::Stdout),
    File(Rotating),
}

impl Target {
    fn open(settings: &Eve) -> io::Result<Self> {
        match &settings.target {
            EveTarget::Output => Ok(Self::Output(io::stdout())),
            EveTarget::File(path) => Ok(Self::File(Rotating::open(path, settings.rotate, settings.keep)?)),
        }
    }
}

/// A file that is renamed to `NAME.1` when it is full, the ones before it to `NAME.2` and so on.
struct Rotating {
    path: PathBuf,
    /// Bytes after which a new file is begun; `None`: never.
    limit: Option<u64>,
    /// How many full ones are kept.
    keep: u32,
    file: File,
    length: u64,
}

impl Rotating {
    fn open(path: &Path, limit: Option<u64>, keep: u32) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().create(true).read(true).append(true).mode(0o640).open(path)?;
        let length = file.metadata()?.len();
        if length > 0 && !ends_with_newline(&mut file)? {
            // A power loss cut the last line short; the next one must not be glued to it.
            file.write_all(b"\n")?;
        }
        let length = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), limit, keep, file, length })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let more = bytes.len() as u64;
        if self.length > 0 && self.limit.is_some_and(|limit| self.length + more > limit) {
            self.rotate()?;
        }
        if let Err(error) = self.file.write_all(bytes) {
            // What was written of it comes again. Where even this fails, opening it anew ends the torn line.
            let _ = self.file.set_len(self.length);
            return Err(error);
        }
        self.length += more;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        for number in (1..self.keep).rev() {
            match fs::rename(self.numbered(number), self.numbered(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::rename(&self.path, self.numbered(1))?;
        *self = Self::open(&self.path, self.limit, self.keep)?;
        Ok(())
    }

    fn numbered(&self, number: u32) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }
}

fn ends_with_newline(file: &mut File) -> io::Result<bool> {
    use std::io::Read as _;
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::Rotating;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("enforcer-eve-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn a_full_file_is_set_aside_whole_and_the_oldest_goes() {
        let folder = folder("rotate");
        let path = folder.join("eve.json");
        let mut file = Rotating::open(&path, Some(10), 2).unwrap();
        for line in ["aaaa\n", "bbbb\n", "cccc\n", "dddd\n", "eeee\n", "ffff\n", "gggg\n"] {
            file.write(line.as_bytes()).unwrap();
        }
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!(read("eve.json"), "gggg\n");
        assert_eq!(read("eve.json.1"), "eeee\nffff\n");
        assert_eq!(read("eve.json.2"), "cccc\ndddd\n");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 3, "{folder:?}");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_line_that_was_cut_short_is_ended() {
        let folder = folder("torn");
        let path = folder.join("eve.json");
        fs::create_dir_all(&folder).unwrap();
        fs::write(&path, "whole\nto").unwrap();
        Rotating::open(&path, None, 1).unwrap().write(b"next\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole\nto\nnext\n");
        fs::remove_dir_all(&folder).unwrap();
    }
}
