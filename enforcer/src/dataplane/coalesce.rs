//! How long a driver holds back the interrupt for a received frame, and how it is asked not to.
//!
//! In: an interface name. Out: [`Coalescing`], what `ethtool -c` shows of the receive side. What it means for a frame, and
//! what has to be set so that none waits, depends on the driver, and is said without asking the kernel.

use super::ethtool::{Ethtool, EthtoolError};

// Command and words of struct ethtool_coalesce of <linux/ethtool.h>.
const GET_COALESCE: u32 = 0x0e;
const SET_COALESCE: u32 = 0x0f;
const RX_USECS: usize = 1;
const RX_FRAMES: usize = 2;
const ADAPTIVE_RX: usize = 10;
const WORDS: usize = 23;

/// Intel's drivers in which microseconds up to this number are not a time: they have the driver adapt the delay, and are
/// what it starts with.
const SMALL_IS_ADAPTIVE: [(&str, u32); 4] = [("e1000e", 4), ("igb", 3), ("igc", 3), ("ixgbe", 1)];
/// Drivers that refuse or ignore a delay of 0 µs, and interrupt at once when told to wait for one frame.
const BY_FRAMES: [&str; 2] = ["st_gmac", "stmmac"];

/// When a driver interrupts for received frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Coalescing {
    /// At the latest so many microseconds after a frame.
    pub rx_usecs: u32,
    /// At the latest after so many frames; 0 where frames do not count.
    pub rx_frames: u32,
    /// The driver changes the delay as frames come.
    pub adaptive_rx: bool,
}

/// How long a frame that comes alone waits for its interrupt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// As long as the driver sees fit.
    Adaptive,
    /// So many microseconds; 0 for not at all.
    Fixed(u32),
}

impl Coalescing {
    /// What it means for a frame in this driver.
    pub fn wait(self, driver: &str) -> Wait {
        let adaptive_up_to = SMALL_IS_ADAPTIVE.iter().find(|(name, _)| *name == driver).map_or(0, |(_, most)| *most);
        if self.adaptive_rx || (1..=adaptive_up_to).contains(&self.rx_usecs) {
            return Wait::Adaptive;
        }
        Wait::Fixed(if self.rx_frames == 1 { 0 } else { self.rx_usecs })
    }

    /// The settings with which this driver interrupts at once, as near to these as can be.
    #[must_use]
    pub fn at_once(self, driver: &str) -> Self {
        if self.wait(driver) == Wait::Fixed(0) {
            self
        } else if BY_FRAMES.contains(&driver) {
            Self { rx_frames: 1, ..self }
        } else {
            Self { rx_usecs: 0, adaptive_rx: false, ..self }
        }
    }

    fn of(words: &[u32; WORDS]) -> Self {
        let [rx_usecs, rx_frames, adaptive] = [RX_USECS, RX_FRAMES, ADAPTIVE_RX].map(|word| words[word]);
        Self { rx_usecs, rx_frames, adaptive_rx: adaptive != 0 }
    }
}

impl Ethtool {
    /// When the driver interrupts.
    ///
    /// # Errors
    /// [`EthtoolError`]; unsupported on most virtual interfaces.
    pub fn coalescing(&self, interface: &str) -> Result<Coalescing, EthtoolError> {
        Ok(Coalescing::of(&self.coalesce(interface)?))
    }

    /// Asks for an interrupt per frame instead of a delayed one. `false` when it was so already.
    ///
    /// # Errors
    /// [`EthtoolError`]; unsupported on most virtual interfaces.
    pub fn interrupt_at_once(&self, interface: &str) -> Result<bool, EthtoolError> {
        // What is said of the sending side goes back to the driver unchanged.
        let mut words = self.coalesce(interface)?;
        let now = Coalescing::of(&words);
        let wanted = now.at_once(&self.driver(interface).unwrap_or_default());
        if wanted == now {
            return Ok(false);
        }
        words[0] = SET_COALESCE;
        words[RX_USECS] = wanted.rx_usecs;
        words[RX_FRAMES] = wanted.rx_frames;
        words[ADAPTIVE_RX] = wanted.adaptive_rx.into();
        self.ask(interface, "turn interrupt moderation off", &mut words)?;
        Ok(true)
    }

    fn coalesce(&self, interface: &str) -> Result<[u32; WORDS], EthtoolError> {
        let mut words = [0; WORDS];
        words[0] = GET_COALESCE;
        self.ask(interface, "read interrupt moderation", &mut words)?;
        Ok(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(rx_usecs: u32) -> Coalescing {
        Coalescing { rx_usecs, ..Coalescing::default() }
    }

    #[test]
    fn a_frame_waits_for_the_delay_unless_one_frame_is_enough() {
        assert_eq!(after(50).wait("mvneta"), Wait::Fixed(50));
        assert_eq!(Coalescing { rx_frames: 1, ..after(50) }.wait("mvneta"), Wait::Fixed(0));
        assert_eq!(Coalescing { adaptive_rx: true, rx_frames: 1, ..after(0) }.wait("mvneta"), Wait::Adaptive);
    }

    #[test]
    fn what_intel_drivers_start_with_is_no_time() {
        assert_eq!(after(3).wait("igb"), Wait::Adaptive);
        assert_eq!(after(0).wait("igb"), Wait::Fixed(0));
        assert_eq!(after(10).wait("igb"), Wait::Fixed(10));
        assert_eq!(after(2).wait("ixgbe"), Wait::Fixed(2));
        assert_eq!(after(3).wait("mvneta"), Wait::Fixed(3));
    }

    #[test]
    fn each_driver_is_asked_in_the_way_it_takes() {
        let adaptive = Coalescing { adaptive_rx: true, rx_frames: 32, ..after(8) };
        assert_eq!(adaptive.at_once("ice"), Coalescing { rx_frames: 32, ..after(0) });
        assert_eq!(after(3).at_once("igc"), after(0));
        assert_eq!(after(200).at_once("st_gmac"), Coalescing { rx_frames: 1, ..after(200) });
    }

    #[test]
    fn what_does_not_wait_stays_as_it_is() {
        for now in [after(0), Coalescing { rx_frames: 1, ..after(200) }] {
            assert_eq!(now.at_once("st_gmac"), now);
        }
    }

    #[test]
    fn each_setting_has_its_word() {
        let mut words = [0; WORDS];
        words[..4].copy_from_slice(&[GET_COALESCE, 20, 5, 99]);
        words[10] = 1;
        assert_eq!(Coalescing::of(&words), Coalescing { rx_usecs: 20, rx_frames: 5, adaptive_rx: true });
    }
}
