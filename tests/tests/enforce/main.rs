//! In enforce what is denied never appears on the device's side, and what is allowed does.

mod admission;
mod raw;
mod stage;

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use enforcer_tests::Server;
use enforcer_tests::frames::{self, modbus, read_holding, write_single};
use enforcer_tests::lab::{ENGINEERING, HMI, HMI_V6, PLC, PLC_V6};

use crate::stage::{Stage, holds};

#[test]
fn what_a_client_must_not_say_never_arrives() {
    let stage = Stage::new("reset");
    let server = Server::start(&stage.lab.plc);
    let read = modbus(7, 1, &read_holding(0, 10));
    let mut lying = read.clone();
    lying[5] = 5;
    let mut foreign = modbus(0x7171, 1, &read_holding(0, 10));
    foreign[3] = 9;
    let denied = [
        ("function_not_allowed", modbus(0x7172, 1, &frames::write_multiple(40, &[1]))),
        ("object_not_allowed", modbus(0x7173, 1, &write_single(50, 1))),
        ("value_not_allowed", modbus(0x7174, 1, &write_single(40, 1001))),
        // An allowed read first: the segment goes as a whole.
        ("object_not_allowed", [modbus(0x7175, 1, &read_holding(0, 1)), modbus(8, 1, &write_single(51, 1))].concat()),
        ("malformed_framing", foreign),
        ("length_mismatch", lying),
    ];
    for (reason, bytes) in &denied {
        let before = stage.reason(reason);
        let mut stream = stage.dial();
        stream.write_all(&read).expect("an allowed read");
        let mut answer = [0; 29];
        stream.read_exact(&mut answer).unwrap_or_else(|error| panic!("{reason}: {error}\n{:#}", stage.status()));
        let start = Instant::now();
        stream.write_all(bytes).expect("to the socket");
        let end = stream.read(&mut answer).expect_err("the connection is reset");
        assert_eq!(end.kind(), ErrorKind::ConnectionReset, "{reason}: {end}\n{:#}", stage.status());
        assert!(start.elapsed() < Duration::from_millis(900), "{reason}: reset after {:?}", start.elapsed());
        assert!(stage.reason(reason) > before, "{reason} did not move: {:#}", stage.status());
    }
    assert!(stage.conduit("operate", "deny") >= 6, "{:#}", stage.status());
    let memory = server.memory().clone();
    assert_eq!((memory.writes, memory.requests), (0, 6), "{:#}", stage.status());
    let state = stage.status();
    let seen = stage.seen();
    assert!(holds(&seen, &read), "the capture sees what is allowed");
    for (reason, bytes) in &denied {
        assert!(!holds(&seen, bytes), "{reason}: {bytes:02x?} passed\n{state:#}");
    }
}

#[test]
fn reset_ends_both_sides_and_drop_ends_none() {
    for on_deny in ["reset", "drop"] {
        let stage = Stage::new(on_deny);
        let listener = stage.lab.plc.run(|| TcpListener::bind((PLC, 502))).expect("listen");
        let mut client = stage.dial();
        let (mut server, _) = listener.accept().expect("accept");
        server.set_read_timeout(Some(Duration::from_secs(1))).expect("a timeout");
        client.write_all(&modbus(1, 1, &write_single(50, 1))).expect("to the socket");
        let mut buffer = [0; 64];
        let (here, there) = (client.read(&mut buffer), server.read(&mut buffer));
        let about = format!("{on_deny}: client {here:?}, server {there:?}\n{:#}", stage.status());
        if on_deny == "reset" {
            assert_eq!(here.expect_err(&about).kind(), ErrorKind::ConnectionReset, "{about}");
            let ended = there.map_or_else(|error| error.kind() == ErrorKind::ConnectionReset, |count| count == 0);
            assert!(ended, "{about}");
        } else {
            assert_eq!(here.expect_err(&about).kind(), ErrorKind::WouldBlock, "{about}");
            assert_eq!(there.expect_err(&about).kind(), ErrorKind::WouldBlock, "{about}");
        }
        assert!(stage.conduit("operate", "deny") > 0, "{about}");
    }
}

#[test]
fn rules_log_and_count_and_a_conduit_may_only_watch() {
    let stage = Stage::new("reset");
    let server = Server::start(&stage.lab.plc);
    let mut client = stage.client(HMI, PLC);
    assert_eq!(client.read_holding(5, 2).expect("read"), [5, 6], "{:#}", stage.status());
    client.write_single(40, 1000).expect("the highest value");
    assert_eq!(server.holding(40), 1000);
    assert_eq!(stage.conduit("operate", "log"), 1, "{:#}", stage.status());
    let good = (0..6).take_while(|_| client.write_coil(3, true).is_ok()).count();
    assert_eq!((good, server.memory().writes), (3, 4), "{:#}", stage.status());
    assert!(stage.reason("rate_exceeded") > 0, "{:#}", stage.status());
    // The engineer's conduit is in shadow although the box enforces.
    stage.client(ENGINEERING, PLC).write_single(60, 7).expect("a write that is only watched");
    assert_eq!((stage.conduit("engineer", "deny"), stage.conduit("engineer", "would_deny")), (0, 1));
    // And a conduit that enforces does not while the box is in shadow.
    let denied = stage.conduit("operate", "deny");
    stage.enforcer.must(&["mode", "shadow", "--reason", "test"]).expect("the mode");
    stage.client(HMI, PLC).write_single(61, 8).expect("a write in shadow");
    assert_eq!((server.holding(60), server.holding(61)), (7, 8));
    assert_eq!(stage.conduit("operate", "deny"), denied, "{:#}", stage.status());
    assert!(stage.conduit("operate", "would_deny") > 0, "{:#}", stage.status());
}

#[test]
fn an_ipv6_conversation_is_inspected() {
    let stage = Stage::new("reset");
    let server = Server::start(&stage.lab.plc);
    let mut client = stage.client(HMI_V6, PLC_V6);
    assert_eq!(client.read_holding(5, 2).expect("read"), [5, 6], "{:#}", stage.status());
    let failure = client.write_single(50, 0x7176).expect_err("a denied write");
    assert!(failure.to_string().starts_with("connection lost"), "{failure}\n{:#}", stage.status());
    assert!(stage.reason("object_not_allowed") > 0, "{:#}", stage.status());
    let memory = server.memory().clone();
    assert_eq!((memory.holding[50], memory.writes), (50, 0));
    assert!(!holds(&stage.seen(), &[0, 50, 0x71, 0x76]));
}
