//! Mends what happens to the ports and the bridge while the box is at work: a port whose interface was made anew gets its
//! program again before it is joined again, a bridge that was removed is made again. What cannot be mended is said, once
//! as an alarm and for as long as it lasts in `status`.

use super::{Daemon, Refusal, start};
use crate::dataplane::netlink::Netlink;
use crate::dataplane::ports::{self, Pair, Port, Seen};
use crate::dataplane::{attach, bridge, offload, publish};

/// What became of a port.
enum Fate {
    /// It is as it should be.
    Well,
    /// Its program is gone from it, or the interface is another one of the same name.
    Bare,
    /// Nothing can be done; why.
    Lost(String),
}

impl Daemon {
    /// Everything that is wrong and could not be mended, and why the memory could not be written.
    pub(super) fn troubles(&self) -> impl Iterator<Item = String> + '_ {
        let ports = self.port_troubles.iter().chain([&self.bridge_trouble, &self.memory_trouble]).flatten();
        ports.chain(&self.memory.emergency).cloned()
    }

    /// Looks at both ports and the bridge, and mends. False when something is left that is wrong.
    pub(super) async fn mend(&mut self, netlink: &Netlink) -> bool {
        if self.detached {
            return true;
        }
        for side in 0..2 {
            let trouble = match self.fate(netlink, side).await {
                Fate::Well => None,
                Fate::Bare => self.dress(netlink, side).await.err().map(|refusal| refusal.text),
                Fate::Lost(why) => Some(why),
            };
            let before = self.port_troubles.get(side).cloned().flatten();
            if let Some(place) = self.port_troubles.get_mut(side) {
                place.clone_from(&trouble);
            }
            if let Some(why) = trouble.filter(|why| before.as_ref() != Some(why)) {
                self.alarm(&why);
            }
        }
        let trouble = self.join(netlink).await.err().map(|refusal| refusal.text);
        if let Some(why) = trouble.clone().filter(|why| self.bridge_trouble.as_ref() != Some(why)) {
            self.alarm(&why);
        }
        self.bridge_trouble = trouble;
        self.port_troubles.iter().chain([&self.bridge_trouble]).all(Option::is_none)
    }

    async fn fate(&self, netlink: &Netlink, side: usize) -> Fate {
        let Some(port) = self.ports.get(side) else { return Fate::Well };
        let seen = |found: Result<Option<Seen>, _>| found.ok().flatten();
        let (here, there) = (seen(netlink.seen(&port.name).await), seen(netlink.seen_at(port.index).await));
        match (here, there) {
            (Some(here), _) if here.index == port.index => {
                let own = attach::programs_of(&start::pins_of(&self.config));
                if here.programs.iter().any(|id| own.contains(id)) { Fate::Well } else { Fate::Bare }
            }
            (_, Some(renamed)) => Fate::Lost(format!(
                "{}: it is called {} now, and is judged as before; rename it back, or change the configuration and start anew",
                port.name, renamed.name
            )),
            (Some(_), None) => Fate::Bare,
            (None, None) => Fate::Lost(format!(
                "{}: the interface is gone, nothing passes; it is taken up again when it is back",
                port.name
            )),
        }
    }

    /// Puts the program on a port that has none.
    async fn dress(&mut self, netlink: &Netlink, side: usize) -> Result<(), Refusal> {
        let name = if side == 0 { self.config.ports.network.clone() } else { self.config.ports.device.clone() };
        let pins = start::pins_of(&self.config);
        let own = attach::own_programs(&super::pair_directory(&self.config));
        let mut port = ports::inspect(netlink, &name).await.map_err(Refusal::failed)?;
        ports::check(&port, &self.config.ports.bridge, &own).map_err(Refusal::failed)?;
        offload::settle(&name).map_err(Refusal::failed)?;
        let attached = attach::again(&mut self.object, side, &port, self.config.ports.attach, &pins);
        let attached = attached.map_err(Refusal::failed)?;
        // Once more: a driver may settle its features anew when a program is attached.
        let offloads = offload::settle(&name).map_err(Refusal::failed)?;
        let worse: Vec<String> = offloads.enforce_blockers().to_vec();
        self.blockers.extend(worse.iter().filter(|one| !self.blockers.contains(one)).cloned().collect::<Vec<_>>());
        if let Ok(Some((_, changes))) = netlink.carrier(port.index).await {
            port.carrier_changes = changes;
        }
        if let Some(place) = self.ports.get_mut(side) {
            *place = port;
        }
        if let Some(place) = self.attached.get_mut(side) {
            *place = attached;
        }
        self.renew_trust()?;
        self.settle_forwarding(netlink).await;
        self.alarm(&format!("{name}: its program was gone and is on it again; open conversations are proved anew"));
        for one in worse {
            self.alarm(&one);
        }
        Ok(())
    }

    /// Makes the bridge again where it is gone, or does not hold both ports.
    async fn join(&mut self, netlink: &Netlink) -> Result<(), Refusal> {
        let name = self.bridge.name.clone();
        let found = netlink.seen(&name).await.map_err(Refusal::failed)?;
        let mut members = Vec::new();
        for port in &self.ports {
            members.extend(netlink.seen_at(port.index).await.map_err(Refusal::failed)?);
        }
        let [network, device] = members.as_slice() else {
            // Said of the port that is gone.
            return Ok(());
        };
        let pair = self.pair();
        let joined = |index: u32| network.controller == Some(index) && device.controller == Some(index);
        if found.as_ref().is_some_and(|found| found.index == self.bridge.index && joined(found.index)) {
            return bridge::check(netlink, &name, &pair).await.map(drop).map_err(Refusal::failed);
        }
        if self.port_troubles.iter().any(Option::is_some) {
            // A port without its program is not joined.
            return Ok(());
        }
        let what =
            if found.is_none() { "was removed and is made again" } else { "did not hold both ports and does again" };
        self.bridge = bridge::establish(netlink, &name, &pair).await.map_err(Refusal::failed)?;
        self.settings.management_mac = self.bridge.mac;
        self.settings = publish::set(&mut self.object.maps, self.settings).map_err(Refusal::failed)?;
        self.alarm(&format!("{name}: the bridge {what}"));
        Ok(())
    }

    fn pair(&self) -> Pair {
        let [network, device]: [Port; 2] = self.ports.clone();
        Pair { network, device, attention: Vec::new() }
    }

    /// Tries again to write the memory, where that failed.
    pub(super) fn remember_again(&mut self) {
        if self.memory_trouble.is_some() && self.remember().is_ok() {
            self.report_change("health", "the state can be written again");
        }
    }
}
