//! Every denied operation is in exactly one place: an exported line, or a count of what was lost.

use std::collections::BTreeMap;

use enforcer_tests::say;
use serde_json::Value;

use super::syslog_server::{Message, Received, Server, parse};
use super::{Plant, denied, export};

/// Denials, and all events, in a list of (kind, count).
fn sums<'a>(events: impl Iterator<Item = (&'a str, u64)>) -> (u64, u64) {
    events.fold((0, 0), |(denials, all), (kind, count)| (denials + if kind == "deny" { count } else { 0 }, all + count))
}

/// Nothing waits in the kernel's ring: what was denied has been read, or was lost there.
fn is_read(status: &Value) -> bool {
    let number = |name: &str| status["events"][name].as_u64().unwrap_or(0);
    number("emitted") + number("lost") >= denied(status)
}

#[test]
fn every_denied_operation_is_exported_or_counted_as_lost_once() {
    let received = Received::default();
    let mut server = None;
    let plant = Plant::new(|lab| {
        let started = lab.cabinet.run(|| Server::start(0, &received, None));
        let port = started.address.port();
        server = Some(started);
        format!(
            "[exports.eve]\nfile = \"eve.json\"\nqueue = 65536\n[exports.syslog]\nserver = \"127.0.0.1:{port}\"\n\
             transport = \"tcp\"\nqueue = 16\n"
        )
    });
    let server = server.expect("a server");
    let address = server.address;
    plant.until("connected", |status| export(status, "syslog")["connected"] == true);
    plant.denied_writes(150);
    plant.until("they arrive", |_| server.count() >= 150);
    server.stop();
    plant.denied_writes(150);
    let without = plant.until("it fails and loses", |status| {
        export(status, "syslog")["connected"] == false && export(status, "syslog")["lost"].as_u64() > Some(0)
    });
    let sentences = without["attention"].to_string();
    assert!(sentences.contains("export syslog: 127.0.0.1:"), "{sentences}");
    let server = plant.lab.cabinet.run(|| Server::start(address.port(), &received, None));
    plant.until("it is back", |status| export(status, "syslog")["connected"] == true);
    plant.denied_writes(150);
    let done = |status: &Value| {
        let exports = ["eve", "syslog"].map(|name| export(status, name));
        is_read(status) && exports.iter().all(|one| one["queued"] == 0 && one["connected"] == true)
    };
    let status = plant.until("all is out", done);
    server.stop();

    let counted = denied(&status);
    let ring = status["events"]["lost"].as_u64().expect("events lost");
    let text = std::fs::read_to_string(plant.lab.folder().join("eve.json")).expect("eve.json");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(lines.iter().all(|line| line["schema"] == 1 && line["count"].is_u64()), "{text}");
    let in_file =
        sums(lines.iter().map(|line| (line["event"].as_str().expect("event"), line["count"].as_u64().unwrap_or(0))));
    let eve = export(&status, "eve");
    assert!(counted >= 450, "{status:#}");
    assert_eq!(in_file.0 + ring, counted, "the file and the ring's losses against the kernel: {status:#}");
    assert_eq!((eve["lost"].as_u64(), eve["sent"].as_u64()), (Some(0), Some(in_file.1)), "{status:#}");

    let messages = received.lock().expect("received");
    let each: BTreeMap<u64, Message> = messages.iter().map(|text| parse(text)).map(|one| (one.number, one)).collect();
    let events = || each.values().filter(|message| message.lost == 0);
    let at_server = sums(events().map(|message| (message.kind.as_str(), message.count)));
    let syslog = export(&status, "syslog");
    let lost = syslog["lost"].as_u64().expect("lost");
    say!(
        "denied {counted}, in the ring lost {ring}; at the server {at_server:?}, lost {lost}; messages {}",
        messages.len()
    );
    assert!(lost > 0, "{status:#}");
    assert_eq!(syslog["sent"].as_u64(), Some(at_server.1), "what was sent has arrived: {status:#}");
    // Whatever was no denial was not lost: nothing else happened while the server was away.
    assert_eq!(at_server.1 - at_server.0, in_file.1 - in_file.0, "other events: {status:#}");
    assert_eq!(at_server.0 + lost + ring, counted, "the server, what was lost, against the kernel: {status:#}");
    let said: u64 = each.values().map(|message| message.lost).sum();
    assert_eq!(said, lost, "every hole is said where it is");
}

#[test]
fn log_rotation_by_a_signal_loses_no_line_and_does_not_end_the_daemon() {
    let plant = Plant::new(|_| "[exports.eve]\nfile = \"eve.json\"\nrotate_mib = 0\n".into());
    let (file, moved) = (plant.lab.folder().join("eve.json"), plant.lab.folder().join("eve.json-1"));
    plant.denied_writes(5);
    plant.until("all is written", |status| is_read(status) && export(status, "eve")["queued"] == 0);
    std::fs::rename(&file, &moved).expect("rename");
    let id = plant.enforcer.id().to_string();
    assert!(std::process::Command::new("kill").args(["-s", "HUP", &id]).status().expect("kill").success());
    plant.until("a new file", |_| file.exists());
    plant.denied_writes(5);
    let status = plant.until("all is out", |status| is_read(status) && export(status, "eve")["queued"] == 0);
    let denials = |path: &std::path::Path| {
        let text = std::fs::read_to_string(path).expect("read");
        text.lines().filter(|line| line.contains("\"event\":\"deny\"")).count() as u64
    };
    assert!(denials(&file) >= 5 && denials(&moved) >= 5, "{} {}", denials(&file), denials(&moved));
    assert_eq!(denials(&file) + denials(&moved), denied(&status), "{status:#}");
}

#[test]
fn lines_go_to_standard_output_when_asked() {
    let mut plant = Plant::new(|_| "[exports.eve]\nfile = \"-\"\n".into());
    plant.denied_writes(3);
    let status = plant.until("all is out", |status| is_read(status) && export(status, "eve")["queued"] == 0);
    // The pipe is read by another thread.
    std::thread::sleep(std::time::Duration::from_millis(200));
    let text = plant.enforcer.process().printed();
    let denials = text.lines().filter(|line| line.starts_with("{\"schema\":1,\"event\":\"deny\"")).count() as u64;
    assert_eq!(denials, denied(&status), "{text}");
}
