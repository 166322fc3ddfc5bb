//! The metrics endpoint: valid, exact, continuous, and nothing that a scraper could lean on.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::process::Stdio;
use std::time::{Duration, Instant};

use enforcer_tests::prometheus::{self, Exposition};
use enforcer_tests::{Enforcer, peers, project_root, say};
use serde_json::Value;

use super::{Plant, policy};

const ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9464);
const GET: &str = "GET /metrics HTTP/1.1\r\nHost: box\r\n\r\n";

fn plant() -> Plant {
    Plant::new(|_| format!("[metrics]\nlisten = \"{ADDRESS}\"\nsample = 1\n[exports.eve]\nfile = \"eve.json\"\n"))
}

fn fetch(plant: &Plant) -> String {
    let (code, text) = prometheus::get(&plant.lab.cabinet, ADDRESS, GET).expect("scrape");
    assert_eq!(code, 200, "{text}");
    text
}

/// Scrapes until it is as wanted: a reading may be some seconds old.
#[track_caller]
fn scrape(plant: &Plant, what: &str, wanted: impl Fn(&Exposition) -> bool) -> Exposition {
    let start = Instant::now();
    loop {
        let text = fetch(plant);
        let found = prometheus::read(&text);
        if wanted(&found) {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{what}: {text}\n{:#}", plant.status());
        std::thread::sleep(Duration::from_millis(100));
    }
}

const DENIED: &[&str] = &["conduit=\"hmi-press\"", "verdict=\"deny\""];

fn denied(found: &Exposition) -> f64 {
    found.sum("enforcer_outcomes_total", DENIED)
}

/// Counters of the kernel that are less than they were.
fn gone_back(before: &Exposition, after: &Exposition) -> Vec<String> {
    let since_start = ["enforcer_events_read_total", "enforcer_journal_lost_total", "enforcer_export_"];
    let of_kernel = |series: &str| {
        series.split('{').next().is_some_and(|name| name.ends_with("_total"))
            && !since_start.iter().any(|own| series.starts_with(own))
    };
    let less = |series: &str, value: f64| after.samples.get(series).is_none_or(|now| *now < value);
    let kept = before.samples.iter().filter(|(series, value)| of_kernel(series) && less(series, **value));
    kept.map(|(series, value)| format!("{series}: {value} to {:?}", after.samples.get(series))).collect()
}

#[test]
fn the_numbers_are_valid_exact_and_go_on_over_policies_and_restarts() {
    let mut plant = plant();
    let mut client = plant.client();
    for value in 0..20 {
        client.read_holding(0, 5).expect("read");
        client.write_single(41, value).expect("a write that is logged");
    }
    plant.denied_writes(10);
    let first = scrape(&plant, "ten denied", |found| denied(found) >= 10.0);
    let by_function = |found: &Exposition, function: &str, verdict: &str| {
        let labels = [format!("function=\"{function}\""), format!("verdict=\"{verdict}\"")];
        found.sum("enforcer_operations_total", &[&labels[0], &labels[1]])
    };
    assert_eq!(by_function(&first, "read_holding_registers", "allow"), 20.0, "{first:#?}");
    assert_eq!(by_function(&first, "write_single_register", "log"), 20.0, "{first:#?}");
    assert_eq!(by_function(&first, "write_single_register", "deny"), 10.0, "{first:#?}");
    assert_eq!(first.sum("enforcer_rule_operations_total", &["rule=\"setpoint\""]), 20.0, "{first:#?}");
    let status = plant.status();
    assert_eq!(denied(&first), status["conduits"][0]["deny"].as_f64().expect("deny"), "{status:#}");
    assert_eq!(first.samples["enforcer_mode{mode=\"enforce\"}"], 1.0, "{first:#?}");
    assert_eq!(first.sum("enforcer_port_up", &[]) + first.sum("enforcer_port_attached", &[]), 4.0, "{first:#?}");
    assert_eq!(
        first.samples["enforcer_attention"],
        status["attention"].as_array().expect("attention").len() as f64,
        "{status:#}"
    );

    let timed = |side: &str| {
        let of = |what: &str| first.samples[&format!("enforcer_processing_seconds_{what}{{side=\"{side}\"}}")];
        let most = first.samples[&format!("enforcer_processing_seconds_bucket{{side=\"{side}\",le=\"+Inf\"}}")];
        assert_eq!(of("count"), most, "{first:#?}");
        // A frame takes more than a nanosecond and less than a tenth of a second.
        assert!(of("sum") > of("count") * 1e-9 && of("sum") < of("count") * 0.1, "{first:#?}");
        of("count")
    };
    // Every frame: fifty questions, as many answers but for those of the denied.
    assert!(timed("network") >= 50.0 && timed("device") >= 40.0, "{first:#?}");

    say!("a reading took {} s", first.samples["enforcer_snapshot_seconds"]);
    let mut before = first;
    for revision in 2..5 {
        let file = plant.lab.write("next.toml", &policy(revision)).display().to_string();
        plant.enforcer.must(&["policy", "apply", &file]).expect("apply");
        plant.denied_writes(1);
        let wanted = denied(&before) + 1.0;
        let after = scrape(&plant, "one more denied", |found| denied(found) >= wanted);
        assert_eq!(gone_back(&before, &after), Vec::<String>::new(), "revision {revision}");
        assert_eq!(denied(&after), wanted, "revision {revision}");
        assert_eq!(by_function(&after, "write_single_register", "deny"), 10.0 + f64::from(revision - 1));
        before = after;
    }
    for round in 0..3 {
        plant.enforcer.process().kill();
        plant.denied_writes(2);
        plant.enforcer = Enforcer::start_with(
            &plant.lab,
            &enforcer_tests::enforcer::current(),
            plant.enforcer.config(),
            plant.enforcer.socket(),
        )
        .unwrap_or_else(|error| panic!("{error}"));
        let wanted = denied(&before) + 2.0;
        let after = scrape(&plant, "those without a controller", |found| denied(found) >= wanted);
        assert_eq!(gone_back(&before, &after), Vec::<String>::new(), "restart {round}");
        assert_eq!(denied(&after), wanted, "restart {round}");
        assert_eq!(by_function(&after, "read_holding_registers", "allow"), 20.0, "restart {round}");
        before = after;
    }
}

#[test]
fn another_parser_reads_the_same() {
    let plant = plant();
    plant.denied_writes(2);
    let text = fetch(&plant);
    let mut python = std::process::Command::new(peers::python())
        .arg(project_root().join("tests/peers/metrics_check.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python; run: cargo xtask setup");
    python.stdin.take().expect("stdin").write_all(text.as_bytes()).expect("write");
    let output = python.wait_with_output().expect("python");
    let theirs: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let ours = prometheus::read(&text);
    assert_eq!(theirs["samples"].as_u64(), Some(ours.samples.len() as u64), "{theirs:#}\n{text}");
    let kinds = theirs["kinds"].as_object().expect("kinds");
    assert_eq!(kinds.len(), ours.kinds.len(), "{theirs:#}");
    for (name, kind) in &ours.kinds {
        // That parser calls a counter by its name without `_total`.
        let found = kinds.get(name.strip_suffix("_total").unwrap_or(name));
        assert_eq!(found.and_then(Value::as_str), Some(kind.as_str()), "{name}: {theirs:#}");
    }
}

#[test]
fn nothing_else_is_served_and_no_client_holds_the_daemon() {
    let plant = plant();
    let get = |request: &str| prometheus::get(&plant.lab.cabinet, ADDRESS, request);
    scrape(&plant, "it listens", |_| true);
    for (request, code) in [
        ("GET /healthz HTTP/1.0\r\n\r\n", 200),
        ("HEAD /nothing HTTP/1.1\r\n\r\n", 404),
        ("GET / HTTP/1.1\r\n\r\n", 404),
        ("GET /metrics/../status HTTP/1.1\r\n\r\n", 404),
        ("POST /metrics HTTP/1.1\r\n\r\n", 405),
        ("nonsense\r\n\r\n", 400),
    ] {
        match get(request) {
            Ok((found, _)) => assert_eq!(found, code, "{request:?}"),
            Err(error) => panic!("{request:?}: {error}"),
        }
    }
    let endless = format!("GET /metrics HTTP/1.1\r\nX: {}", "x".repeat(1 << 20));
    // Refused, or cut off while it was still talking.
    assert!(get(&endless).map_or(true, |(code, _)| code == 400));

    let memory = || {
        let text = std::fs::read_to_string(format!("/proc/{}/status", plant.enforcer.id())).expect("status");
        let line = text.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS").to_owned();
        line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("KiB")
    };
    let before = memory();
    let open: Vec<TcpStream> = plant.lab.cabinet.run(|| {
        let silent = || {
            let mut stream = TcpStream::connect(ADDRESS).ok()?;
            // Half a request, and nothing more.
            stream.write_all(b"GET /metrics HT").ok()?;
            Some(stream)
        };
        (0..300).filter_map(|_| silent()).collect()
    });
    assert!(open.len() > 8, "{}", open.len());
    for _ in 0..5 {
        let start = Instant::now();
        plant.status();
        assert!(start.elapsed() < Duration::from_secs(2), "status took {:?}", start.elapsed());
    }
    assert!(memory() < before + 8192, "{before} KiB, then {} KiB", memory());
    drop(open);
    let start = Instant::now();
    while !get(GET).is_ok_and(|(code, _)| code == 200) {
        assert!(start.elapsed() < Duration::from_secs(15), "no scrape after the silent ones went");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn an_address_that_the_box_does_not_have_yet_is_waited_for() {
    let plant = Plant::new(|_| "[metrics]\nlisten = \"10.99.0.9:9464\"\n".into());
    let status = plant.status();
    let sentences = status["attention"].to_string();
    assert!(sentences.contains("metrics: cannot listen on 10.99.0.9:9464: Cannot assign"), "{status:#}");
    plant.lab.cabinet.ip("address add 10.99.0.9/32 dev lo");
    plant.until("it listens", |status| !status["attention"].to_string().contains("metrics:"));
    let (code, _) =
        prometheus::get(&plant.lab.cabinet, "10.99.0.9:9464".parse().expect("address"), GET).expect("scrape");
    assert_eq!(code, 200);
    assert!(prometheus::get(&plant.lab.cabinet, ADDRESS, GET).is_err(), "it listens elsewhere too");
}
