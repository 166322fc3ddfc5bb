//! Watches the ports' cables. While one is out, frames may have gone another way, or their conversations gone on with
//! other partners: what was known of conversations before counts no more.

use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt as _;

use super::Shared;
use crate::dataplane::netlink::Netlink;

/// At least so often the cables are looked at, whether the kernel said something or not.
const EVERY: Duration = Duration::from_secs(1);

/// A port, and how often its cable was in or out when it was looked at last.
#[derive(Clone, Debug)]
pub(super) struct Cable {
    /// The port's name.
    pub(super) name: String,
    /// Its interface index.
    pub(super) index: u32,
    /// How often a partner came or went.
    pub(super) changes: u32,
}

/// What happened to a cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Happened {
    /// It is out.
    Out,
    /// It was out, and is in.
    Back,
}

impl Cable {
    fn look(&mut self, carrier: bool, changes: u32) -> Option<Happened> {
        if changes == self.changes {
            return None;
        }
        self.changes = changes;
        Some(if carrier { Happened::Back } else { Happened::Out })
    }
}

/// Watches for ever.
pub(super) async fn watch(daemon: Shared, mut cables: [Cable; 2]) {
    let (netlink, changes) = match Netlink::listen() {
        Ok(listening) => listening,
        Err(error) => {
            tracing::error!(%error, "the cables are not watched");
            return;
        }
    };
    let mut changes = pin!(changes);
    loop {
        for cable in &mut cables {
            let happened = match netlink.carrier(cable.index).await {
                Ok(Some((carrier, changes))) => cable.look(carrier, changes),
                // A port that is gone is in `status`.
                Ok(None) | Err(_) => None,
            };
            if let Some(happened) = happened {
                tell(&daemon, &netlink, &cable.name, happened).await;
            }
        }
        let _ = tokio::time::timeout(EVERY, changes.next()).await;
    }
}

async fn tell(daemon: &Shared, netlink: &Netlink, port: &str, happened: Happened) {
    let daemon = &mut *daemon.lock().await;
    match happened {
        Happened::Out => daemon.report_change("health", &format!("{port}: the cable is out")),
        Happened::Back => {
            if let Err(refusal) = daemon.renew_trust() {
                tracing::error!(error = refusal.text, "conversations are still taken as they were known");
            }
            let what = format!("{port}: the cable was out and is back; open conversations are proved anew");
            daemon.report_change("health", &what);
            daemon.settle_forwarding(netlink).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cable, Happened};

    #[test]
    fn a_cable_that_was_out_is_noticed_even_when_it_is_in_at_every_look() {
        let mut cable = Cable { name: "eth0".into(), index: 2, changes: 5 };
        assert_eq!(cable.look(true, 5), None);
        assert_eq!(cable.look(true, 7), Some(Happened::Back));
        assert_eq!(cable.look(false, 8), Some(Happened::Out));
        assert_eq!(cable.look(false, 8), None);
        assert_eq!(cable.look(true, 9), Some(Happened::Back));
    }
}
