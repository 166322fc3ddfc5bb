//! Which way allowed frames take: as the configuration asks, and as the ports can.

use super::Daemon;
use crate::config::Forwarding;
use crate::dataplane::netlink::Netlink;
use crate::dataplane::{across, publish};
use enforcer_common::abi::Settings;

/// The way that frames take, and why no shorter one.
#[derive(Debug, Default)]
pub(super) struct Way {
    /// Straight to the other port.
    pub(super) fast: bool,
    /// Why not.
    pub(super) why: Option<String>,
}

impl Way {
    /// The word of `status`.
    pub(super) const fn word(&self) -> &'static str {
        if self.fast { "fast" } else { "bridge" }
    }
}

impl Daemon {
    /// Settles the way of the frames anew: at the start, and when a cable or a port has come back. Where the short way cannot
    /// be had they go by the bridge: that stops nobody.
    pub(super) async fn settle_forwarding(&mut self, netlink: &Netlink) {
        let ports = [&self.ports[0], &self.ports[1]];
        if self.config.ports.forwarding == Forwarding::Bridge {
            across::close(&mut self.object.maps);
            self.way = Way::default();
            self.tell_the_way();
            return;
        }
        self.way = match across::settle(&mut self.object, netlink, ports, self.attached).await {
            Ok(()) => Way { fast: true, why: None },
            Err(hindrance) => Way { fast: false, why: Some(hindrance.to_string()) },
        };
        self.tell_the_way();
        tracing::info!(forwarding = self.way.word(), why = self.way.why, "the way of the frames");
    }

    /// Spares the programs the question where there is no short way: an empty cell would tell them the same.
    fn tell_the_way(&mut self) {
        let settings = Settings { across: u8::from(self.way.fast), ..self.settings };
        match publish::set(&mut self.object.maps, settings) {
            Ok(settings) => self.settings = settings,
            Err(error) => tracing::error!(%error, "the way of the frames is not told to the programs"),
        }
    }

    /// What a person who asked for the short way should know.
    pub(super) fn forwarding_attention(&self) -> Option<String> {
        let why = self.way.why.as_ref().filter(|_| self.config.ports.forwarding == Forwarding::Fast)?;
        Some(format!("forwarding is \"fast\" by the configuration, but goes by the bridge: {why}"))
    }
}
