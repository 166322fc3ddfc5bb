//! The tables of conversations as `status` tells of them.

use std::io::{ErrorKind, Read as _};
use std::net::TcpStream;
use std::time::Duration;

use enforcer_tests::Enforcer;
use enforcer_tests::lab::{HMI, PLC};
use enforcer_tests::namespace::wait_until;
use serde_json::Value;

use crate::plant::{Line, policy, status};

/// Conversations that the device may have here, and how many of them stations may open.
const SLOTS: usize = 16;
const SHARE: usize = 12;

#[test]
fn a_device_has_its_share_and_status_says_when_it_is_nearly_used_up() {
    let line = Line::new();
    let server = line.serve();
    let mut enforcer = line.enforcer(&policy("resync"), "enforce", &format!("per_device = {SLOTS}"));
    let memory = status(&enforcer)["flows"]["memory"].clone();
    let number = |key: &str| memory[key].as_u64().unwrap_or_else(|| panic!("{key}: {memory:#}"));
    assert!(number("bytes_per_flow") < 1024, "{memory:#}");
    assert_eq!(number("flow_bytes"), number("flows") * number("bytes_per_flow"), "{memory:#}");
    assert_eq!(number("flows_per_device"), SLOTS as u64, "{memory:#}");
    assert_eq!(attention(&enforcer, "are in use"), None);

    let mut clients: Vec<_> = (0..SHARE - 2).map(|_| line.client()).collect();
    for client in &mut clients {
        client.read_holding(0, 1).expect("a read");
    }
    let full = attention(&enforcer, "are in use").unwrap_or_else(|| panic!("{:#}", status(&enforcer)));
    assert!(full.starts_with(&format!("{PLC}: {} of {SHARE}", SHARE - 2)), "{full}");
    clients.extend((0..2).map(|_| line.client()));
    let more = line.lab.hmi.run(|| TcpStream::connect_timeout(&(PLC, 502).into(), Duration::from_millis(300)));
    let told = more.and_then(|mut more| {
        more.set_read_timeout(Some(Duration::from_secs(2)))?;
        more.read(&mut [0])
    });
    let reset = told.as_ref().is_err_and(|error| error.kind() == ErrorKind::ConnectionReset);
    assert!(reset, "the table is full, and the station is told: {told:?}: {:#}", status(&enforcer));
    assert!(attention(&enforcer, "found no slot").is_some(), "{:#}", status(&enforcer));
    for client in &mut clients {
        client.read_holding(0, 1).unwrap_or_else(|failure| panic!("from {HMI}: {failure}: {:#}", status(&enforcer)));
    }

    drop(clients);
    wait_until("ended conversations are counted no more", || status(&enforcer)["flows"]["established"] == 0);
    line.client().read_holding(0, 1).expect("their slots are given out again");
    assert_eq!(attention(&enforcer, "are in use"), None);
    let text = enforcer.must(&["status"]).expect("status");
    assert!(text.contains(&format!("tables: 16384 conversations of {} bytes", number("bytes_per_flow"))), "{text}");
    assert!(text.contains("10.10.2.5") && text.contains(" locked, "), "{text}");
    drop(server);

    // Other sizes in the configuration wait until the tables are made anew.
    enforcer.process().kill();
    let config = std::fs::read_to_string(enforcer.config()).expect("the configuration");
    let changed = config.replace(&format!("per_device = {SLOTS}"), "per_device = 32");
    let next = line.start(&line.lab.write("enforcer.toml", &changed));
    assert!(attention(&next, "keep the sizes they were made with").is_some(), "{:#}", status(&next));
    assert_eq!(status(&next)["flows"]["memory"]["flows_per_device"], SLOTS as u64);
}

/// The sentence with these words.
fn attention(enforcer: &Enforcer, words: &str) -> Option<String> {
    let status = status(enforcer);
    let mut sentences = status["attention"].as_array().into_iter().flatten().filter_map(Value::as_str);
    sentences.find(|sentence| sentence.contains(words)).map(str::to_owned)
}
