//! The Modbus half of the plant: tokio-modbus with tokio-modbus, polling and writing.

use std::time::Duration;

use enforcer_tests::lab::{HMI, PLC};
use enforcer_tests::poller::Plan;
use enforcer_tests::{Client, Lab, Poller, Server};

/// What nobody polls, and only a write changes.
const REGISTER: u16 = 40;

/// The object of these reads as a policy has it.
pub(super) const OBJECT: &str = "holding:0-9";

pub(super) struct Modbus {
    pub(super) poller: Poller,
    server: Server,
}

impl Modbus {
    pub(super) fn start(lab: &Lab) -> Modbus {
        let server = Server::start(&lab.plc);
        let every = Duration::from_millis(10);
        let plan = Plan { source: HMI.into(), server: PLC.into(), first: 0, count: 10, every };
        Modbus { poller: Poller::start(&lab.hmi, plan), server }
    }

    /// Reads are answered.
    pub(super) fn polls(&self, when: &str) {
        assert!(self.poller.wait_for_good(50, Duration::from_secs(10)), "{when}: {:?}", self.poller.tally());
    }

    /// Counts anew, once an answer has come.
    pub(super) fn reset(&self) {
        self.polls("before counting anew");
        self.poller.reset();
    }

    /// Writes over a connection of its own: whether it was confirmed.
    pub(super) fn write(&self, lab: &Lab, value: u16) -> bool {
        Client::connect(&lab.hmi, HMI, PLC).is_ok_and(|mut client| client.write_single(REGISTER, value).is_ok())
    }

    /// What the server's application holds.
    pub(super) fn holds(&self) -> u16 {
        self.server.holding(REGISTER.into())
    }
}
