//! The ethtool ioctl: what a driver calls itself, what it does to frames before XDP sees them, and how to ask it to
//! stop. In: an interface name. Out: the driver's answer in plain structs; an error names the interface and the question.
//!
//! The ioctl is used because the `ethtool` crate (0.3) can read features but not set them.

use std::{
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
};

// Commands and the string set of <linux/ethtool.h>.
const GET_SETTINGS: u32 = 0x01;
const GET_DRIVER: u32 = 0x03;
const GET_PAUSE: u32 = 0x12;
const SET_PAUSE: u32 = 0x13;
const GET_STRINGS: u32 = 0x1b;
const GET_STRING_SET: u32 = 0x37;
const GET_FEATURES: u32 = 0x3a;
const SET_FEATURES: u32 = 0x3b;
const GET_CHANNELS: u32 = 0x3c;
const SET_CHANNELS: u32 = 0x3d;
const FEATURE_STRINGS: u32 = 4;
/// Bytes per name in a string set, and the same in words.
const NAME_BYTES: usize = 32;
const NAME_WORDS: usize = NAME_BYTES / 4;
/// More feature names than any kernel has; a larger count is a broken answer.
const MAX_FEATURES: u32 = 1024;
/// Longest interface name, without the closing zero.
pub const MAX_NAME: usize = libc::IFNAMSIZ - 1;

/// A question to a driver that was not answered.
#[derive(Debug, thiserror::Error)]
#[error("{interface}: cannot {action}: {source}")]
pub struct EthtoolError {
    /// The interface asked about.
    pub interface: String,
    /// What was being done, as it reads after "cannot".
    pub action: &'static str,
    /// What the kernel answered.
    pub source: io::Error,
}

impl EthtoolError {
    /// Whether the driver has no such function at all, as opposed to refusing this use of it.
    pub fn is_unsupported(&self) -> bool {
        matches!(self.source.raw_os_error(), Some(libc::EOPNOTSUPP | libc::ENOSYS))
    }
}

/// One offload of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feature {
    /// The kernel's name, such as `rx-vlan-hw-parse`.
    pub name: String,
    /// Its bit, for [`Ethtool::turn_off`].
    pub index: usize,
    /// Whether the driver lets it be changed; otherwise it is what `ethtool` shows as `[fixed]`.
    pub changeable: bool,
    /// Whether it is in force.
    pub active: bool,
}

/// How many queues an interface has and may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Channels {
    /// Most queues for other purposes.
    pub max_other: u32,
    /// Most receive-only queues.
    pub max_rx: u32,
    /// Most transmit-only queues.
    pub max_tx: u32,
    /// Most queues that do both.
    pub max_combined: u32,
    /// Receive-only queues now.
    pub rx: u32,
    /// Transmit-only queues now.
    pub tx: u32,
    /// Queues for other purposes, now.
    pub other: u32,
    /// Queues that do both, now.
    pub combined: u32,
}

impl Channels {
    /// Queues on which a frame may be received.
    pub fn receive(&self) -> u32 {
        self.rx + self.combined
    }
}

/// The ioctl socket of the calling thread's network namespace.
#[derive(Debug)]
pub struct Ethtool {
    socket: OwnedFd,
}

impl Ethtool {
    /// Opens the socket.
    ///
    /// # Errors
    /// The kernel's, when no socket can be had.
    pub fn open() -> io::Result<Self> {
        // SAFETY: socket() takes no pointers; its result is checked before it is used.
        let raw = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
        if raw < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: `raw` is a descriptor that was just opened and that nobody else owns.
        Ok(Self { socket: unsafe { OwnedFd::from_raw_fd(raw) } })
    }

    /// The name of the driver.
    ///
    /// # Errors
    /// [`EthtoolError`], for instance for an interface without one.
    pub fn driver(&self, interface: &str) -> Result<String, EthtoolError> {
        // struct ethtool_drvinfo is 196 bytes; the name is the 32 bytes after the command.
        let mut info = [0; 49];
        info[0] = GET_DRIVER;
        self.ask(interface, "read the driver's name", &mut info)?;
        Ok(text(&info[1..=NAME_WORDS]))
    }

    /// The speed of the link in Mbit/s, `None` while it is not known (no cable, or a virtual interface without one).
    ///
    /// # Errors
    /// [`EthtoolError`] when the driver does not say.
    pub fn speed(&self, interface: &str) -> Result<Option<u32>, EthtoolError> {
        // struct ethtool_cmd: the low half of the speed opens word 3, the high half opens word 7.
        let mut settings = [0; 11];
        settings[0] = GET_SETTINGS;
        self.ask(interface, "read the link speed", &mut settings)?;
        let half = |word: u32| {
            let bytes = word.to_ne_bytes();
            u32::from(u16::from_ne_bytes([bytes[0], bytes[1]]))
        };
        let speed = half(settings[7]) << 16 | half(settings[3]);
        Ok((speed != 0 && speed != u32::MAX && speed != 0xffff).then_some(speed))
    }

    /// All offloads with their state.
    ///
    /// # Errors
    /// [`EthtoolError`].
    pub fn features(&self, interface: &str) -> Result<Vec<Feature>, EthtoolError> {
        let action = "read the offloads";
        let mut set = [GET_STRING_SET, 0, 1 << FEATURE_STRINGS, 0, 0];
        self.ask(interface, action, &mut set)?;
        let count = set[4];
        // The kernel writes as many names as it has, whatever it is told, so the room must be for its own number.
        if count == 0 || count > MAX_FEATURES {
            let source = io::Error::other(format!("the kernel names {count} offloads"));
            return Err(EthtoolError { interface: interface.to_owned(), action, source });
        }
        let mut names = vec![0; 3 + count as usize * NAME_WORDS];
        names[..3].copy_from_slice(&[GET_STRINGS, FEATURE_STRINGS, count]);
        self.ask(interface, action, &mut names)?;
        let blocks = count.div_ceil(32);
        let mut state = vec![0; 2 + blocks as usize * 4];
        state[..2].copy_from_slice(&[GET_FEATURES, blocks]);
        self.ask(interface, action, &mut state)?;
        let names = names[3..].chunks_exact(NAME_WORDS).map(text);
        Ok(names.enumerate().map(|(index, name)| feature(name, index, &state[2..])).collect())
    }

    /// Asks the driver to turn the features with these indexes off. What it did is for [`Self::features`] to tell.
    ///
    /// # Errors
    /// [`EthtoolError`].
    pub fn turn_off(&self, interface: &str, indexes: &[usize]) -> Result<(), EthtoolError> {
        let Some(last) = indexes.iter().max() else { return Ok(()) };
        // The kernel wants all blocks, not only those that change, so the count comes from the features again.
        let blocks = self.features(interface)?.len().div_ceil(32).max(last / 32 + 1);
        let mut request = vec![0; 2 + blocks * 2];
        request[0] = SET_FEATURES;
        request[1] = u32::try_from(blocks).unwrap_or(0);
        for index in indexes {
            request[2 + index / 32 * 2] |= 1 << (index % 32);
        }
        self.ask(interface, "turn offloads off", &mut request)
    }

    /// The queues.
    ///
    /// # Errors
    /// [`EthtoolError`]; unsupported on drivers with one queue that cannot be changed.
    pub fn channels(&self, interface: &str) -> Result<Channels, EthtoolError> {
        let mut words = [GET_CHANNELS, 0, 0, 0, 0, 0, 0, 0, 0];
        self.ask(interface, "read the queues", &mut words)?;
        let [_, max_rx, max_tx, max_other, max_combined, rx, tx, other, combined] = words;
        Ok(Channels { max_other, max_rx, max_tx, max_combined, rx, tx, other, combined })
    }

    /// Sets the queues that `wanted` says are there now.
    ///
    /// # Errors
    /// [`EthtoolError`].
    pub fn set_channels(&self, interface: &str, wanted: Channels) -> Result<(), EthtoolError> {
        let Channels { max_other, max_rx, max_tx, max_combined, rx, tx, other, combined } = wanted;
        let mut words = [SET_CHANNELS, max_rx, max_tx, max_other, max_combined, rx, tx, other, combined];
        self.ask(interface, "set the queues", &mut words)
    }

    /// Turns pause frames off in both directions. `false` when they were off already.
    ///
    /// # Errors
    /// [`EthtoolError`]; unsupported on most virtual interfaces.
    pub fn pause_off(&self, interface: &str) -> Result<bool, EthtoolError> {
        let mut words = [GET_PAUSE, 0, 0, 0];
        self.ask(interface, "read flow control", &mut words)?;
        if words[1..] == [0, 0, 0] {
            return Ok(false);
        }
        self.ask(interface, "turn flow control off", &mut [SET_PAUSE, 0, 0, 0])?;
        Ok(true)
    }

    /// Hands `data`, which opens with the command, to the driver of `interface`; the answer overwrites it.
    pub(super) fn ask(&self, interface: &str, action: &'static str, data: &mut [u32]) -> Result<(), EthtoolError> {
        let failed = |source| EthtoolError { interface: interface.to_owned(), action, source };
        if interface.is_empty() || interface.len() > MAX_NAME {
            return Err(failed(io::Error::from_raw_os_error(libc::ENODEV)));
        }
        // SAFETY: ifreq is plain old data for which all zeroes is a valid value.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        for (to, from) in request.ifr_name.iter_mut().zip(interface.bytes()) {
            *to = from.cast_signed() as libc::c_char;
        }
        request.ifr_ifru.ifru_data = data.as_mut_ptr().cast();
        // SAFETY: `request` is a live ifreq with a zero-terminated name; its data points at `data`, which every caller
        // sizes for the command in its first word and for the counts in the words after it, and which outlives the call.
        let answer = unsafe { libc::ioctl(self.socket.as_raw_fd(), libc::SIOCETHTOOL as _, &raw mut request) };
        if answer < 0 { Err(failed(io::Error::last_os_error())) } else { Ok(()) }
    }
}

/// Reads bit `index` out of blocks of {available, requested, active, never changed}.
fn feature(name: String, index: usize, blocks: &[u32]) -> Feature {
    let bit = |word: usize| blocks.get(index / 32 * 4 + word).is_some_and(|mask| mask >> (index % 32) & 1 == 1);
    Feature { name, index, changeable: bit(0) && !bit(3), active: bit(2) }
}

fn text(words: &[u32]) -> String {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).take_while(|byte| *byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feature_bits_come_from_their_own_block() {
        // Block 0 all clear; block 1: available, active, not "never changed", all for bit 33.
        let blocks = [0, 0, 0, 0, 0b10, 0, 0b10, 0];
        let found = feature("x".to_owned(), 33, &blocks);
        assert!(found.changeable && found.active);
        let fixed = feature("x".to_owned(), 33, &[0, 0, 0, 0, 0b10, 0, 0b10, 0b10]);
        assert!(!fixed.changeable);
        assert!(!feature("x".to_owned(), 64, &blocks).active);
    }

    #[test]
    fn names_end_at_the_first_zero() {
        assert_eq!(text(&[u32::from_ne_bytes(*b"veth"), 0, u32::from_ne_bytes(*b"junk")]), "veth");
    }

    #[test]
    fn a_name_too_long_for_the_kernel_is_no_device() {
        let Ok(ethtool) = Ethtool::open() else { unreachable!("a datagram socket needs no privilege") };
        let error = ethtool.driver("an-interface-name-far-too-long").expect_err("not a device");
        assert_eq!(error.source.raw_os_error(), Some(libc::ENODEV));
    }
}
