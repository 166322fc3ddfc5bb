//! A denied operation frees the device's socket at once: the kernel resets the client, the controller the device, and with
//! the controller away the kernel does that too, with the device's next frame.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use enforcer_tests::frames::{self, Flags, Segment, modbus, read_holding, write_single};
use enforcer_tests::inject::Injector;
use enforcer_tests::lab::{HMI, HMI_MAC, PLC, PLC_V6, STATION_PORT};
use enforcer_tests::{Capture, Direction, Enforcer, Frame};

use crate::plant::{Line, policy, status, text};

/// As long as a reset may take to arrive, on a machine that does other things beside.
const AT_ONCE: Duration = Duration::from_millis(500);
/// An address of the operator's zone that no station has: what is sent in its name is made by hand.
const MADE_UP: Ipv4Addr = Ipv4Addr::new(10, 10, 1, 22);
/// Registers 50 and up may not be written.
const DENIED: u16 = 50;

/// A line in enforce, and a socket at the device that a test can look at.
struct Stand {
    listener: TcpListener,
    enforcer: Enforcer,
    line: Line,
}

impl Stand {
    fn new(on_deny: &str, device: IpAddr, prepare: impl FnOnce(&Line)) -> Stand {
        let line = Line::new();
        prepare(&line);
        let policy = policy("resync").replace("protocol = ", &format!("on_deny = \"{on_deny}\"\nprotocol = "));
        let enforcer = line.enforcer(&policy, "enforce", "");
        let listener = line.lab.plc.run(|| TcpListener::bind((device, 502))).expect("listen");
        Stand { listener, enforcer, line }
    }

    /// Both ends of a conversation in which one read was asked for.
    fn open(&self, device: IpAddr) -> (TcpStream, TcpStream) {
        let address = SocketAddr::new(device, 502);
        let client = self.line.lab.hmi.run(|| TcpStream::connect_timeout(&address, Duration::from_secs(2)));
        let mut client = client.unwrap_or_else(|error| panic!("connect: {error}\n{:#}", status(&self.enforcer)));
        let mut server = self.accept();
        client.write_all(&modbus(1, 1, &read_holding(0, 1))).expect("to the socket");
        server.read_exact(&mut [0; 12]).unwrap_or_else(|error| panic!("{error}\n{:#}", status(&self.enforcer)));
        (client, server)
    }

    fn accept(&self) -> TcpStream {
        let (server, _) = self.listener.accept().expect("accept");
        server.set_read_timeout(Some(Duration::from_secs(2))).expect("a timeout");
        server
    }

    /// The device's socket learns of its end, and soon.
    fn is_freed(&self, server: &mut TcpStream, about: &str) {
        let start = Instant::now();
        let answer = server.read(&mut [0; 64]);
        let took = start.elapsed();
        let state = || format!("{about}: {answer:?} after {took:?}\n{:#}", status(&self.enforcer));
        assert!(matches!(&answer, Err(error) if error.kind() == ErrorKind::ConnectionReset), "{}", state());
        assert!(took < AT_ONCE, "{}", state());
    }
}

fn denied() -> Vec<u8> {
    modbus(2, 1, &write_single(DENIED, 1))
}

#[test]
fn over_ipv4_and_ipv6() {
    for device in [IpAddr::from(PLC), IpAddr::from(PLC_V6)] {
        let stand = Stand::new("reset", device, |_| {});
        let (mut client, mut server) = stand.open(device);
        client.write_all(&denied()).expect("to the socket");
        stand.is_freed(&mut server, &device.to_string());
        let error = client.read(&mut [0; 64]).expect_err("the client is reset too");
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
}

#[test]
fn on_a_line_with_service_and_customer_tags() {
    let stand = Stand::new("reset", PLC.into(), |_| {});
    let lab = &stand.line.lab;
    let (hmi, plc) = (Injector::new(&lab.hmi, STATION_PORT), Injector::new(&lab.plc, STATION_PORT));
    let capture = Capture::start(&lab.plc, STATION_PORT, Direction::Incoming);
    // Both ends by hand: neither kernel listens to such tags.
    let tags = [(0x88a8, 0x0064), (0x8100, 0xe00a)];
    let send = |injector: &Injector, segment: Segment| {
        injector.send(&frames::tagged(&segment.frame(), &tags));
        std::thread::sleep(Duration::from_millis(20));
    };
    let syn = Flags { syn: true, ..Flags::default() };
    send(&hmi, Segment { flags: syn, ..Segment::to_plc(45_001, 999, 0, &[]) });
    send(&plc, Segment { flags: Flags { ack: true, ..syn }, ..Segment::to_hmi(45_001, 499, 1000, &[]) });
    send(&hmi, Segment::to_plc(45_001, 1000, 500, &[]));
    send(&hmi, Segment::to_plc(45_001, 1000, 500, &modbus(1, 1, &read_holding(0, 1))));
    send(&hmi, Segment::to_plc(45_001, 1012, 500, &denied()));
    let rst = Flags { rst: true, ack: true, ..Flags::default() };
    let reset = Segment { flags: rst, window: 0, ..Segment::to_plc(45_001, 1012, 500, &[]) }.frame();
    let wanted = frames::tagged(&reset, &tags);
    // All but the first part of the IP header, in which nothing matters to TCP.
    let same = |frame: &Frame| {
        frame.bytes.len() >= 62 && frame.bytes[..22] == wanted[..22] && frame.bytes[34..62] == wanted[34..62]
    };
    let seen = capture.wait_for(AT_ONCE, same);
    // A device that did not get what was forwarded last takes the reset for a forgery and asks (RFC 5961 3.2): the kernel
    // answers with the number that it waits for.
    send(&plc, Segment::to_hmi(45_001, 500, 1000, &[]));
    let asked =
        |frame: &Frame| frame.bytes.len() >= 62 && frame.bytes[46..50] == [0, 0, 0x03, 0xe8] && frame.bytes[55] == 0x14;
    assert!(capture.wait_for(AT_ONCE, asked), "no answer to the challenge");
    let arrived = capture.stop();
    assert!(seen, "{arrived:02x?}\n{:#}", status(&stand.enforcer));
}

#[test]
fn behind_bytes_that_are_sent_again() {
    let stand = Stand::new("reset", PLC.into(), |line| {
        let mac = text(HMI_MAC);
        line.lab.plc.ip(&format!("neigh replace {MADE_UP} lladdr {mac} dev {STATION_PORT} nud permanent"));
    });
    let injector = Injector::new(&stand.line.lab.hmi, STATION_PORT);
    let capture = Capture::start(&stand.line.lab.hmi, STATION_PORT, Direction::Incoming);
    let segment = |sequence, acknowledgment, payload: &[u8]| Segment {
        source: (MADE_UP, 45_000).into(),
        ..Segment::to_plc(45_000, sequence, acknowledgment, payload)
    };
    let syn = Flags { syn: true, ..Flags::default() };
    injector.send(&Segment { flags: syn, ..segment(999, 0, &[]) }.frame());
    assert!(capture.wait_for(Duration::from_secs(2), is_syn_ack), "{:#}", status(&stand.enforcer));
    let frames = capture.stop();
    let answer = frames.iter().find(|frame| is_syn_ack(frame)).expect("the answer");
    let theirs = u32::from_be_bytes(answer.bytes[38..42].try_into().expect("four bytes")).wrapping_add(1);
    injector.send(&segment(1000, theirs, &[]).frame());
    let mut server = stand.accept();
    let read = modbus(1, 1, &read_holding(0, 1));
    injector.send(&segment(1000, theirs, &read).frame());
    server.read_exact(&mut [0; 12]).unwrap_or_else(|error| panic!("{error}\n{:#}", status(&stand.enforcer)));
    injector.send(&segment(1000, theirs, &[read, denied()].concat()).frame());
    stand.is_freed(&mut server, "the segment begins before what the device expects");
}

/// A SYN-ACK to the made-up address, without tags.
fn is_syn_ack(frame: &Frame) -> bool {
    let bytes = &frame.bytes;
    bytes.len() >= 54 && bytes[12..14] == [8, 0] && bytes[30..34] == MADE_UP.octets() && bytes[47] == 0x12
}

#[test]
fn without_the_daemon_with_the_devices_next_frame() {
    let mut stand = Stand::new("reset", PLC.into(), |_| {});
    let (mut client, mut server) = stand.open(PLC.into());
    stand.enforcer.process().kill();
    client.write_all(&denied()).expect("to the socket");
    let error = client.read(&mut [0; 64]).expect_err("the kernel resets the client");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    server.write_all(&[0; 9]).expect("the device's next frame");
    let start = Instant::now();
    let error = server.read(&mut [0; 64]).expect_err("the kernel resets the device");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
}

#[test]
fn where_the_conduit_drops_nobody_is_reset() {
    let stand = Stand::new("drop", PLC.into(), |_| {});
    let (mut client, mut server) = stand.open(PLC.into());
    client.set_read_timeout(Some(Duration::from_millis(300))).expect("a timeout");
    client.write_all(&denied()).expect("to the socket");
    for end in [&mut client, &mut server] {
        let error = end.read(&mut [0; 64]).expect_err("nothing comes");
        assert_eq!(error.kind(), ErrorKind::WouldBlock, "{:#}", status(&stand.enforcer));
    }
    assert!(status(&stand.enforcer)["reasons"]["object_not_allowed"].as_u64() > Some(0));
    assert_eq!(status(&stand.enforcer)["flows"]["established"], 1, "{:#}", status(&stand.enforcer));
    // What comes the other way still does.
    server.write_all(&[0; 9]).expect("to the socket");
    client.read_exact(&mut [0; 9]).unwrap_or_else(|error| panic!("{HMI} hears nothing: {error}"));
}
