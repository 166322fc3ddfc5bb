//! What an XDP program on a port of the box sends back must reach the station: an end of a cable that is not ready for
//! it loses such frames without a trace, and every test of resets would blame the enforcer.

use std::time::Duration;

use enforcer_tests::capture::{Capture, Direction};
use enforcer_tests::inject::Injector;
use enforcer_tests::lab::{HMI_MAC, NETWORK_PORT, PLC_MAC, STATION_PORT};
use enforcer_tests::xdp::{Answer, attach};
use enforcer_tests::{Frame, Lab, frames};

#[test]
fn a_station_receives_what_xdp_sends_back() {
    for mtu in [1500, 9000] {
        let lab = Lab::with_mtu(mtu);
        let _link = lab.cabinet.run(|| attach(NETWORK_PORT, Answer::Back)).expect("attach");
        let received = Capture::start(&lab.hmi, STATION_PORT, Direction::Incoming);
        let payload = vec![0x5a; mtu as usize];
        let frame = frames::ethernet(PLC_MAC, HMI_MAC, 0x88b5, &payload);
        let sender = Injector::new(&lab.hmi, STATION_PORT);
        for _ in 0..10 {
            sender.send(&frame);
        }
        let ours = |other: &Frame| other.bytes == frame;
        received.wait_for(Duration::from_secs(2), ours);
        let count = received.stop().iter().filter(|other| ours(other)).count();
        assert_eq!(count, 10, "frames of {mtu} bytes that came back");
    }
}
