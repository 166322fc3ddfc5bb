//! The page on a terminal of 80x24, as a person sees it.

use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde_json::{Value, json};

use super::feed::News;
use super::state::State;
use super::{obey, view};

fn second(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn status(evaluated: u64, would: u64) -> Value {
    json!({"schema": 1, "version": "0.1.0", "mode": "shadow",
        "policy": {"name": "press-line-3", "revision": 7, "generation": 12, "candidate": null},
        "ports": {"network": {"name": "eth0", "link": "up", "attach": "native"},
                  "device": {"name": "eth1", "link": "up", "attach": "native"}},
        "forwarding": "bridge",
        "conduits": [
            {"name": "hmi-press", "mode": "shadow", "evaluated": evaluated, "allow": evaluated - would, "log": 6, "deny": 0,
             "would_deny": would},
            {"name": "engineering-station-to-press", "mode": "learn", "evaluated": 0, "allow": 0, "log": 0, "deny": 0,
             "would_deny": 0}],
        "uncovered": {"evaluated": 3, "allow": 0, "log": 0, "deny": 0, "would_deny": 3},
        "reasons": {}, "flows": {"established": 2, "half_open": 0, "unsynchronised": 0},
        "events": {"emitted": 9, "lost": 0}, "attention": []})
}

fn event(second: u32, register: u32) -> Value {
    json!({"schema": 1, "event": "would_deny", "time": format!("2026-11-23T06:00:{second:02}.000000Z"),
        "src": "10.10.1.20:40001", "dst": "10.10.2.5:502", "protocol": "modbus", "role": "request", "function": 6,
        "name": "write_single_register", "unit": 1, "objects": [{"space": "holding", "first": register, "last": register}],
        "values": {"min": 7, "max": 7}, "conduit": "hmi-press", "verdict": "deny", "reason": "object_not_allowed",
        "action": "forward", "count": 1})
}

/// What stands on the screen, without spaces at the ends.
fn screen(state: &State, now: u64, (width, height): (u16, u16)) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| view::draw(frame, state, second(now))).unwrap();
    let buffer = terminal.backend().buffer();
    let line = |y: u16| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
    let lines: Vec<String> = (0..height).map(line).collect();
    assert!(lines.iter().all(|line| line.is_ascii()), "{lines:#?}");
    lines
}

/// A state that heard two statuses, two seconds apart.
fn state(change: impl Fn(&mut Value)) -> State {
    let mut state = State::new(true);
    for (now, mut status) in [(0, status(1000, 1)), (2, status(1025, 2))] {
        change(&mut status);
        state.take(second(now), News::Status(status));
    }
    state
}

fn press(state: &mut State, code: KeyCode) -> bool {
    obey(state, KeyEvent::new(code, KeyModifiers::NONE))
}

fn shows(lines: &[String], golden: &str) {
    let used = lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
    assert_eq!(lines[..used].join("\n"), golden.trim_matches('\n'));
}

#[test]
fn a_calm_box() {
    let mut state = state(|_| {});
    for (second, register) in [(1, 48), (2, 48), (3, 48), (4, 50)] {
        state.take(self::second(2), News::Event(event(second, register)));
    }
    shows(
        &screen(&state, 2, (80, 24)),
        "
enforcer  SHADOW   press-line-3 rev 7 gen 12             q quit  p pause  ? help
network eth0 up native   device eth1 up native   flows 2, 0 unsynced   lost 0
-- conduit            mode  eval/s deny/s would/s     allow   log  deny  would -
hmi-press           shadow    12.5    0.0     0.5      1023     6     0      2
engineering-stati~   learn     0.0    0.0     0.0         0     0     0      0
(no conduit)                   0.0    0.0     0.0         0     0     0      3
-- denials and changes, UTC, newest first --------------------------------------
06:00:04 would       object      write_single_register holding:50 10.10.1.20 > ~
06:00:03 would    x3 object      write_single_register holding:48 10.10.1.20 > ~
",
    );
}

#[test]
fn a_box_with_much_to_say() {
    let mut state = state(|status| {
        status["mode"] = "enforce".into();
        status["unconfirmed"] = json!({"what": "mode enforce", "seconds_left": 512, "back_to": "shadow"});
        status["readiness"] =
            json!({"ready": false, "missing": ["observed for 3 days of 7", "2 rules were never hit"]});
        status["health"] = json!({"state": "worse", "devices": [{"device": "10.10.2.5", "polls_per_s": 10.1,
            "answered": 0.999, "response_us_p50": 900, "response_us_p99": 2100, "exceptions": 0, "resets": 4}]});
        status["grants"] =
            json!([{"id": 1, "from": "10.10.9.7", "to": "10.10.2.5", "protocol": "modbus", "seconds_left": 3000}]);
        status["attention"] = json!(["eth1: generic XDP", "b", "c", "d"]);
        status["candidate"] = json!({"revision": 8});
        for conduit in status["conduits"].as_array_mut().unwrap() {
            conduit["deny"] = conduit["would_deny"].clone();
        }
        let many: Vec<Value> = (0..20).map(|n| json!({"name": format!("conduit-{n}"), "mode": "enforce"})).collect();
        status["conduits"].as_array_mut().unwrap().splice(0..0, many);
    });
    let mut hostile = event(9, 1);
    hostile["name"] = "\u{1b}[31mred".into();
    state.take(second(2), News::Event(hostile));
    shows(
        &screen(&state, 12, (80, 24)),
        "
enforcer  ENFORCE  press-line-3 rev 7 gen 12 +candidate  q quit  p pause  ? help
network eth0 up native   device eth1 up native   flows 2, 0 unsynced   lost 0
! mode enforce is unconfirmed: back to shadow in 8:22 (enforcer confirm)
not ready to enforce: observed for 3 days of 7; 2 rules were never hit
grant in force: 10.10.9.7 > 10.10.2.5 modbus, 50 min left
-- conduit            mode  eval/s deny/s would/s     allow   log  deny  would -
hmi-press           shadow    12.5    0.5     0.5      1023     6     2      2
conduit-0          enforce     0.0    0.0     0.0         0     0     0      0
conduit-1          enforce     0.0    0.0     0.0         0     0     0      0
   ... and 20 more, which deny less: `enforcer status`
-- health: worse ---------------------------------------------------------------
10.10.2.5          10.1 polls/s  99.9% ok  p50 0.9ms p99 2.1ms  exc 0 rst 4
-- needs attention: 4 ----------------------------------------------------------
! eth1: generic XDP
! b
! c
   ... and 1 more: `enforcer status`
-- denials and changes, UTC, newest first --------------------------------------
06:00:09 would       object      \\u{1b}[31mred holding:1 10.10.1.20 > 10.10.2.5~
",
    );
}

#[test]
fn a_daemon_that_is_gone_is_told_and_found_again() {
    let mut state = State::new(true);
    state.take(second(1), News::Lost("nobody answers".into()));
    shows(
        &screen(&state, 4, (80, 24)),
        "
enforcer  -        waiting for the daemon                q quit  p pause  ? help
! no answer for 3 s, what follows is old: nobody answers
",
    );
    state.take(second(5), News::Status(status(10, 0)));
    assert!(!screen(&state, 5, (80, 24)).iter().any(|line| line.contains("no answer")));
    // The rates begin anew: the counters of a daemon that was started again do.
    state.take(second(6), News::Lost("gone".into()));
    state.take(second(7), News::Status(status(2, 0)));
    assert_eq!(state.rates("hmi-press"), None);
    state.take(second(8), News::Status(status(4, 0)));
    assert_eq!(state.rates("hmi-press"), Some([2.0, 0.0, 0.0]));
}

#[test]
fn rates_are_those_of_the_last_seconds() {
    let mut state = State::new(true);
    for now in 0..20 {
        let evaluated = if now < 10 { 1000 } else { 1000 + (now - 9) * 7 };
        state.take(second(now), News::Status(status(evaluated, 0)));
    }
    assert_eq!(state.rates("hmi-press"), Some([7.0, 0.0, 0.0]));
    assert_eq!(state.rates("no such conduit"), None);
}

#[test]
fn keys_scroll_pause_help_and_quit() {
    let mut state = state(|_| {});
    for register in 0..30 {
        state.take(second(2), News::Event(event(register, register)));
    }
    let first = |state: &State| {
        let lines = screen(state, 2, (80, 24));
        lines[lines.iter().position(|line| line.starts_with("-- denials")).unwrap() + 1].clone()
    };
    assert!(first(&state).starts_with("06:00:29"));
    press(&mut state, KeyCode::Down);
    assert!(first(&state).starts_with("06:00:28"));
    // What comes meanwhile does not move the line that is read.
    state.take(second(2), News::Event(event(40, 40)));
    assert!(first(&state).starts_with("06:00:28"));
    press(&mut state, KeyCode::Home);
    assert!((0..4).all(|_| press(&mut state, KeyCode::Right)));
    let line = first(&state);
    assert!(line.ends_with("10.10.1.20 > 10.10.2.5 unit 1 value 7 (hmi-press)"), "{line}");
    press(&mut state, KeyCode::Home);
    press(&mut state, KeyCode::Char('p'));
    state.take(second(2), News::Event(event(50, 50)));
    assert!(first(&state).starts_with("06:00:40"));
    assert!(screen(&state, 9, (80, 24))[0].ends_with("PAUSED  p go on"));
    press(&mut state, KeyCode::Char('p'));
    assert!(first(&state).starts_with("06:00:50"));
    assert!(press(&mut state, KeyCode::Char('?')));
    assert!(screen(&state, 9, (80, 24)).iter().any(|line| line.starts_with("q, Esc, Ctrl-C")));
    assert!(press(&mut state, KeyCode::Esc) && !state.help);
    assert!(!press(&mut state, KeyCode::Esc) && !press(&mut state, KeyCode::Char('q')));
    assert!(!obey(&mut state, KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)));
    assert!(press(&mut state, KeyCode::Char('c')));
}

#[test]
fn every_size_can_be_drawn() {
    let mut state = state(|_| {});
    state.take(second(2), News::Event(event(1, 1)));
    for size in [(1, 1), (10, 3), (40, 10), (79, 23), (132, 50), (300, 5)] {
        screen(&state, 3, size);
        screen(&State::new(false), 3, size);
    }
}

#[test]
fn what_passes_is_no_row() {
    let mut state = state(|_| {});
    for kind in ["log", "allow", "asset"] {
        let mut passes = event(1, 1);
        passes["event"] = kind.into();
        state.take(second(2), News::Event(passes));
    }
    assert!(state.rows.is_empty());
    state.take(
        second(2),
        News::Event(json!({"event": "mode", "time": "2026-11-23T06:00:00.000000Z", "what": "box: learn -> shadow"})),
    );
    assert_eq!(state.rows[0].what, "box: learn -> shadow");
}
