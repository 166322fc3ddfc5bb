//! Syslog over each transport: what arrives, certificates that do not fit, servers that go, come back and do not read.

use std::collections::BTreeSet;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use enforcer::config::{self, Facility, Server as Name, Syslog, SyslogTransport, Tls};
use enforcer::export::Exports;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use super::syslog_server::{Received, Server, parse};
use super::{event, folder, state, until};

fn exports(port: u16, transport: SyslogTransport, tls: Option<Tls>, queue: usize) -> Exports {
    let server = Name { host: "127.0.0.1".into(), port };
    let syslog = Syslog { server, transport, tls, facility: Facility::Local0, queue };
    Exports::start(&config::Exports { eve: None, syslog: Some(syslog) })
}

/// The units of all messages, each once.
fn units(received: &Received) -> BTreeSet<usize> {
    received.lock().expect("received").iter().filter_map(|text| parse(text).unit).collect()
}

/// A certificate authority, with a certificate for the server and one for the box.
struct Authority {
    folder: PathBuf,
    server: (CertificateDer<'static>, PrivateKeyDer<'static>),
    roots: Arc<RootCertStore>,
}

impl Authority {
    fn new(name: &str) -> Authority {
        let folder = folder(name);
        let mut params = CertificateParams::new(Vec::new()).expect("names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("key")).expect("authority");
        std::fs::write(folder.join("ca.pem"), authority.pem()).expect("write");
        let signed = |name: &str| {
            let key = KeyPair::generate().expect("key");
            let params = CertificateParams::new(vec![name.to_owned()]).expect("names");
            let certificate = params.signed_by(&key, &authority).expect("certificate");
            (certificate, key)
        };
        let (certificate, key) = signed("box");
        std::fs::write(folder.join("box.pem"), certificate.pem()).expect("write");
        std::fs::write(folder.join("box.key"), key.serialize_pem()).expect("write");
        let (certificate, key) = signed("127.0.0.1");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("key");
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).expect("root");
        Authority { folder, server: (certificate.der().clone(), key), roots: Arc::new(roots) }
    }

    /// What the server shows, and whether it wants a certificate in return.
    fn server(&self, mutual: bool) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().expect("versions");
        let builder = if mutual {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(&self.roots), provider);
            builder.with_client_cert_verifier(verifier.build().expect("verifier"))
        } else {
            builder.with_no_client_auth()
        };
        let (certificate, key) = &self.server;
        Arc::new(builder.with_single_cert(vec![certificate.clone()], key.clone_key()).expect("certificate"))
    }

    fn client(&self, own: bool) -> Option<Tls> {
        let at = |name: &str| self.folder.join(name);
        Some(Tls { ca: at("ca.pem"), client: own.then(|| (at("box.pem"), at("box.key"))) })
    }
}

#[test]
fn every_event_arrives_over_udp() {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("bind");
    let mut exports = exports(socket.local_addr().expect("address").port(), SyslogTransport::Udp, None, 4096);
    socket.set_read_timeout(Some(Duration::from_secs(5))).expect("timeout");
    for number in 0..50 {
        exports.offer(&event(number));
        let mut bytes = [0; 4096];
        let length = socket.recv(&mut bytes).unwrap_or_else(|error| panic!("{error}: {:?}", state(&exports)));
        let message = parse(std::str::from_utf8(&bytes[..length]).expect("UTF-8"));
        assert_eq!((message.unit, message.number), (Some(number), number as u64 + 1));
        assert_eq!((message.kind.as_str(), message.count), ("deny", 1));
    }
    exports.finish();
    assert_eq!((state(&exports).sent, state(&exports).lost), (50, 0), "{:?}", state(&exports));
}

#[test]
fn every_event_arrives_over_tcp_and_over_tls_with_and_without_own_certificate() {
    let authority = Authority::new("arrives");
    let ways = [
        (SyslogTransport::Tcp, None, None),
        (SyslogTransport::Tls, authority.client(false), Some(authority.server(false))),
        (SyslogTransport::Tls, authority.client(true), Some(authority.server(true))),
    ];
    for (transport, tls, config) in ways {
        let received = Received::default();
        let server = Server::start(0, &received, config);
        let mut exports = exports(server.address.port(), transport, tls, 4096);
        for number in 0..2000 {
            exports.offer(&event(number));
        }
        let sent = until(&exports, "all are sent", |state| state.sent == 2000);
        assert!(sent.connected && sent.lost == 0 && sent.last_error.is_none(), "{sent:?}");
        exports.finish();
        let start = Instant::now();
        while server.count() < 2000 && start.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let numbers: Vec<u64> = received.lock().expect("received").iter().map(|text| parse(text).number).collect();
        assert_eq!(numbers, (1..=2000).collect::<Vec<u64>>(), "{transport:?}");
        assert_eq!(units(&received), (0..2000).collect(), "{transport:?}");
        server.stop();
    }
}

#[test]
fn certificates_that_do_not_fit_are_said_and_nothing_counts_as_sent() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let empty = ours.folder.join("empty.pem");
    std::fs::write(&empty, "nothing\n").expect("write");
    let missing = Tls { ca: Path::new("/no/such/ca.pem").into(), client: None };
    let cases = [
        (theirs.client(false), ours.server(false), "invalid peer certificate"),
        (ours.client(false), ours.server(true), "CertificateRequired"),
        (Some(Tls { ca: empty.clone(), client: None }), ours.server(false), "no certificate in PEM is in it"),
        (Some(missing), ours.server(false), "/no/such/ca.pem: No such file"),
    ];
    for (tls, config, cause) in cases {
        let server = Server::start(0, &Received::default(), Some(config));
        let mut exports = exports(server.address.port(), SyslogTransport::Tls, tls, 4096);
        exports.offer(&event(1));
        let failed = until(&exports, cause, |state| state.last_error.is_some());
        assert!(failed.last_error.as_ref().is_some_and(|error| error.contains(cause)), "{cause}: {failed:?}");
        assert!(exports.attention()[0].contains(cause), "{:?}", exports.attention());
        exports.finish();
        let end = state(&exports);
        assert_eq!((end.sent, end.lost, end.queued), (0, 1, 0), "{cause}: {end:?}");
        server.stop();
    }
}

#[test]
fn over_restarts_of_the_server_every_event_arrives_or_is_counted_as_lost() {
    let authority = Authority::new("restarts");
    let ways = [(None, None), (authority.client(false), Some(authority.server(false)))];
    for (tls, config) in ways {
        let received = Received::default();
        let mut server = Server::start(0, &received, config.clone());
        let port = server.address.port();
        let transport = if tls.is_some() { SyslogTransport::Tls } else { SyslogTransport::Tcp };
        let mut exports = exports(port, transport, tls, 64);
        let mut offered = 0;
        for round in 0..3 {
            for _ in 0..200 {
                exports.offer(&event(offered));
                offered += 1;
                std::thread::sleep(Duration::from_micros(300));
            }
            server.stop();
            for _ in 0..200 {
                exports.offer(&event(offered));
                offered += 1;
            }
            let without = until(&exports, "it notices", |state| !state.connected);
            assert!(without.lost > 0, "round {round}: {without:?}");
            server = Server::start(port, &received, config.clone());
            until(&exports, "it is sent", |state| state.connected && state.queued == 0);
        }
        exports.offer(&event(offered));
        until(&exports, "the last", |state| state.queued == 0);
        exports.finish();
        server.stop();
        let end = state(&exports);
        let units = units(&received);
        assert_eq!(end.sent + end.lost, offered as u64 + 1, "{end:?}");
        assert_eq!(units.len() as u64, end.sent, "what is sent has arrived: {end:?}");
        let lines = received.lock().expect("received").clone();
        let said: BTreeSet<(u64, u64)> = lines
            .iter()
            .map(|text| parse(text))
            .filter(|one| one.lost != 0)
            .map(|one| (one.number, one.lost))
            .collect();
        let said: u64 = said.iter().map(|(_, lost)| lost).sum();
        assert_eq!(said, end.lost, "every hole is said: {end:?}");
    }
}

#[test]
fn a_server_that_does_not_read_costs_the_daemon_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
    let mut exports = exports(listener.local_addr().expect("address").port(), SyslogTransport::Tcp, None, 1024);
    until(&exports, "connected", |state| state.connected);
    let start = Instant::now();
    for number in 0..200_000 {
        exports.offer(&event(number));
    }
    let took = start.elapsed();
    let full = state(&exports);
    assert_eq!(full.sent + full.lost + full.queued, 200_000, "{full:?}");
    assert!(full.lost > 100_000, "{full:?}");
    assert!(took < Duration::from_secs(10), "{took:?} for 200,000 events: {full:?}");
    let start = Instant::now();
    exports.finish();
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}
