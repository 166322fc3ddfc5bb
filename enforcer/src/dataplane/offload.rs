//! Makes a port's driver show every frame to XDP as it was on the cable, on one receive queue.
//!
//! In: an interface name. Out: [`Offloads`], what the driver does after it was asked, with a sentence for everything that
//! stayed as it should not be. Safe to repeat, and to be repeated **after the program is attached**, because a driver may
//! settle its features anew then. Errors only when the interface cannot be asked at all.

use std::io;

use super::ethtool::{Channels, Ethtool, EthtoolError, Feature};

/// Hardware VLAN stripping: the tags are gone before XDP sees the frame, policy is blind to them.
const VLAN: [&str; 2] = ["rx-vlan-hw-parse", "rx-vlan-stag-hw-parse"];
/// Merging of received segments: frames leave the box other than they came.
const MERGE: [&str; 5] = ["rx-gro", "rx-gro-hw", "rx-gro-list", "rx-udp-gro-forwarding", "rx-lro"];
/// Drivers that strip tags in software after XDP has seen the frame, so that stripping does no harm.
const STRIPS_AFTER_XDP: [&str; 1] = ["fec"];

/// What a driver does to received frames.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Offloads {
    /// VLAN tags are taken off before XDP sees the frame.
    pub strips_vlan: bool,
    /// Received segments are merged before they are forwarded.
    pub merges: bool,
    /// Receive queues, `None` where the driver does not say (then it has one).
    pub receive_queues: Option<u32>,
    /// What should be otherwise and is not, one sentence each.
    pub attention: Vec<String>,
    blockers: Vec<String>,
}

impl Offloads {
    /// What makes verdicts on this port unsound, so that enforce must be refused: hidden VLAN tags, and more than one
    /// receive queue (two CPUs could commit different bytes of one flow).
    pub fn enforce_blockers(&self) -> &[String] {
        &self.blockers
    }
}

/// No answer at all about a port's offloads.
#[derive(Debug, thiserror::Error)]
pub enum OffloadError {
    /// No socket for the ioctl.
    #[error("no socket to ask the network drivers with: {source}")]
    Socket {
        /// What the kernel answered.
        #[from]
        source: io::Error,
    },
    /// The interface did not answer.
    #[error(transparent)]
    Ethtool(#[from] EthtoolError),
}

/// What the driver of `interface` does now. Changes nothing.
///
/// # Errors
/// [`OffloadError`].
pub fn read(interface: &str) -> Result<Offloads, OffloadError> {
    let ethtool = Ethtool::open()?;
    let features = ethtool.features(interface)?;
    let driver = ethtool.driver(interface).unwrap_or_default();
    Ok(judge(interface, &driver, &features, ethtool.channels(interface).ok()))
}

/// Turns off what hides or merges frames, leaves one receive queue, and, where the driver can, no pause frames and no
/// delayed interrupts. Reads everything back.
///
/// # Errors
/// [`OffloadError`].
pub fn settle(interface: &str) -> Result<Offloads, OffloadError> {
    let ethtool = Ethtool::open()?;
    let mut refused = Vec::new();
    let wanted: Vec<usize> =
        ethtool.features(interface)?.iter().filter(|feature| must_go(feature)).map(|feature| feature.index).collect();
    if let Err(error) = ethtool.turn_off(interface, &wanted) {
        refused.push(error.to_string());
    }
    if let Ok(channels) = ethtool.channels(interface)
        && let Some(single) = one_queue(channels)
        && let Err(error) = ethtool.set_channels(interface, single)
    {
        refused.push(error.to_string());
    }
    // Best effort: neither touches what a verdict is based on, so only a driver that has the switch and refuses is told.
    for answer in [ethtool.pause_off(interface), ethtool.interrupt_at_once(interface)] {
        if let Err(error) = answer
            && !error.is_unsupported()
        {
            refused.push(error.to_string());
        }
    }
    let mut found = read(interface)?;
    found.attention.extend(refused);
    Ok(found)
}

fn must_go(feature: &Feature) -> bool {
    feature.active
        && feature.changeable
        && (VLAN.contains(&feature.name.as_str()) || MERGE.contains(&feature.name.as_str()))
}

/// The queues to ask for so that one receives; `None` when it is so already or there is nothing to set.
fn one_queue(now: Channels) -> Option<Channels> {
    if now.receive() <= 1 {
        return None;
    }
    if now.combined > 0 {
        // A driver with combined queues has receive-only ones beside them at most in theory; both go down to one together.
        return Some(Channels { combined: 1, rx: 0, ..now });
    }
    Some(Channels { rx: 1, ..now })
}

fn judge(interface: &str, driver: &str, features: &[Feature], channels: Option<Channels>) -> Offloads {
    let mut found = Offloads { receive_queues: channels.map(|channels| channels.receive()), ..Offloads::default() };
    for feature in features.iter().filter(|feature| feature.active) {
        let name = feature.name.as_str();
        let why = if feature.changeable { "" } else { " and its driver does not let it be turned off" };
        if VLAN.contains(&name) && !STRIPS_AFTER_XDP.contains(&driver) {
            found.strips_vlan = true;
            found.blockers.push(format!(
                "{interface}: {name} is on{why}: VLAN tags are hidden from the policy (ethtool -K {interface} {name} off)"
            ));
        }
        if MERGE.contains(&name) {
            found.merges = true;
            found.attention.push(format!(
                "{interface}: {name} is on{why}: received frames may be merged (ethtool -K {interface} {name} off)"
            ));
        }
    }
    if let Some(queues) = found.receive_queues
        && queues > 1
    {
        found.blockers.push(format!(
            "{interface}: it receives on {queues} queues, so that two CPUs may judge one connection at the same time \
             (ethtool -L {interface} combined 1)"
        ));
    }
    found.attention.extend(found.blockers.iter().cloned());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feature(name: &str, active: bool, changeable: bool) -> Feature {
        Feature { name: name.to_owned(), index: 0, changeable, active }
    }

    fn channels(combined: u32, rx: u32) -> Channels {
        Channels { combined, rx, ..Channels::default() }
    }

    #[test]
    fn fixed_vlan_stripping_blocks_enforce_and_is_explained() {
        let found = judge("eth0", "igb", &[feature("rx-vlan-hw-parse", true, false)], None);
        assert!(found.strips_vlan);
        assert_eq!(found.enforce_blockers().len(), 1);
        assert!(found.attention[0].contains("does not let it be turned off"));
    }

    #[test]
    fn stripping_after_xdp_does_no_harm() {
        assert_eq!(judge("eth0", "fec", &[feature("rx-vlan-hw-parse", true, false)], None), Offloads::default());
    }

    #[test]
    fn merging_is_told_but_does_not_block() {
        let found = judge("eth0", "igb", &[feature("rx-gro", true, true)], None);
        assert!(found.merges && found.enforce_blockers().is_empty());
        assert_eq!(found.attention.len(), 1);
    }

    #[test]
    fn what_is_off_is_not_told() {
        let all = [feature("rx-gro", false, true), feature("rx-vlan-hw-parse", false, false)];
        assert_eq!(judge("eth0", "igb", &all, None), Offloads::default());
    }

    #[test]
    fn only_what_can_be_changed_and_is_on_is_asked_for() {
        assert!(must_go(&feature("rx-lro", true, true)));
        assert!(!must_go(&feature("rx-lro", true, false)));
        assert!(!must_go(&feature("rx-lro", false, true)));
        assert!(!must_go(&feature("tx-tcp-segmentation", true, true)));
    }

    #[test]
    fn several_queues_become_one_and_one_stays() {
        assert_eq!(one_queue(channels(1, 0)), None);
        assert_eq!(one_queue(channels(0, 1)), None);
        assert_eq!(one_queue(channels(0, 0)), None);
        assert_eq!(one_queue(channels(4, 0)).map(|set| set.receive()), Some(1));
        assert_eq!(one_queue(channels(0, 4)).map(|set| set.receive()), Some(1));
        assert_eq!(judge("eth0", "igb", &[], Some(channels(4, 0))).enforce_blockers().len(), 1);
    }
}
