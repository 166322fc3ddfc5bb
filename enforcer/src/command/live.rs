//! Commands that ask the daemon.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::Live;
use super::show::{self, complain, print};
use crate::client::{Client, ClientError};
use crate::daemon::{self, Request};
use crate::dataplane::{attach, bridge, netlink::Netlink};
use crate::policy::explain::Question;
use crate::replay::time::Timestamp;

/// Asks, and prints the answer: as JSON, or as `page` makes it.
pub(super) fn ask(live: &Live, request: &Request, page: impl Fn(&Value) -> String) -> u8 {
    match Client::connect(&live.socket).and_then(|mut client| client.ask(request)) {
        Ok(answer) => {
            print(if live.json { answer.to_string() } else { page(&answer) });
            0
        }
        Err(error) => complain(&error, error.code()),
    }
}

pub(super) fn field(answer: &Value, key: &str) -> String {
    answer[key].as_str().unwrap_or_default().trim_end().to_owned()
}

pub(super) fn status(live: &Live, watch: bool) -> u8 {
    if !watch {
        return ask(live, &Request::Status, show::status);
    }
    let mut client = match Client::connect(&live.socket) {
        Ok(client) => client,
        Err(error) => return complain(&error, error.code()),
    };
    loop {
        match client.ask(&Request::Status) {
            Ok(answer) if live.json => print(&answer),
            // Home, clear, page: no flicker on a serial line.
            Ok(answer) => print(format!("\x1b[H\x1b[2J{}", show::status(&answer))),
            Err(error) => return complain(&error, error.code()),
        }
        std::thread::sleep(Duration::from_secs(1));
    }
}

pub(super) fn mode(
    live: &Live,
    mode: Option<String>,
    conduit: Option<String>,
    reason: Option<String>,
    confirm_within: Option<&str>,
    force: bool,
) -> u8 {
    let confirm_within = match seconds("--confirm-within", confirm_within) {
        Ok(seconds) => seconds,
        Err(error) => return complain(error, 2),
    };
    ask(live, &Request::Mode { mode, conduit, reason, confirm_within, force }, |answer| {
        let whose = answer["conduit"].as_str().map_or_else(|| "box".to_owned(), |name| format!("conduit {name}"));
        let line = match (answer["before"].as_str(), answer["effective"].as_str()) {
            (Some(before), _) => format!("{whose}: {before} -> {}", field(answer, "mode")),
            (None, Some(effective)) => format!("{whose}: {} (in effect: {effective})", field(answer, "mode")),
            (None, None) => format!("{whose}: {}", field(answer, "mode")),
        };
        line + &unconfirmed(answer)
    })
}

pub(super) fn policy_show(live: &Live) -> u8 {
    ask(live, &Request::PolicyShow, |answer| field(answer, "text"))
}

/// A time in seconds, as the option named `what` has it.
pub(super) fn seconds(what: &str, text: Option<&str>) -> Result<Option<u64>, String> {
    let Some(text) = text else { return Ok(None) };
    match crate::config::parse_duration(text) {
        Ok(time) if time.as_secs() > 0 => Ok(Some(time.as_secs())),
        Ok(_) => Err(format!("{what} {text}: give at least 1s")),
        Err(error) => Err(format!("{what} {text}: {error}")),
    }
}

/// What to do about a change that waits.
pub(super) fn unconfirmed(answer: &Value) -> String {
    match answer["unconfirmed_for"].as_u64() {
        Some(seconds) => format!("\nit goes back in {seconds} s unless `enforcer confirm` comes"),
        None => String::new(),
    }
}

pub(super) fn policy_apply(live: &Live, file: &Path, confirm_within: Option<&str>, reason: Option<String>) -> u8 {
    let confirm_within = match seconds("--confirm-within", confirm_within) {
        Ok(seconds) => seconds,
        Err(error) => return complain(error, 2),
    };
    // Read and checked here first: mistakes are named as the person typed the file's name.
    let loaded = match crate::policy::check(file) {
        Ok(loaded) => loaded,
        Err(errors) => return complain(errors, 2),
    };
    let request = Request::PolicyApply { name: file.display().to_string(), text: loaded.text, confirm_within, reason };
    ask(live, &request, |answer| {
        let mut lines: Vec<String> = answer["warnings"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(|w| format!("warning: {w}"))
            .collect();
        lines.push(format!(
            "policy {} revision {} is in force as generation {}",
            field(answer, "name"),
            answer["revision"],
            answer["generation"]
        ));
        lines.join("\n") + &unconfirmed(answer)
    })
}

pub(super) fn policy_explain(live: &Live, question: Option<Question>) -> u8 {
    ask(live, &Request::PolicyExplain { question }, |answer| field(answer, "text"))
}

pub(super) fn learn_status(live: &Live) -> u8 {
    ask(live, &Request::LearnStatus, show::learned)
}

pub(super) fn learn_propose(live: &Live, out: Option<&Path>, include_dangerous: bool, back: Option<&str>) -> u8 {
    let since = match super::rollout::since(back) {
        Ok(since) => since,
        Err(error) => return complain(error, 2),
    };
    let request = Request::LearnPropose { include_dangerous, since };
    let Some(out) = out else {
        return ask(live, &request, |answer| field(answer, "text"));
    };
    let answer = match Client::connect(&live.socket).and_then(|mut client| client.ask(&request)) {
        Ok(answer) => answer,
        Err(error) => return complain(&error, error.code()),
    };
    match std::fs::write(out, answer["text"].as_str().unwrap_or_default()) {
        Ok(()) if live.json => print(serde_json::json!({"file": out})),
        Ok(()) => {
            print(format!("{}: written; read it, correct it, then `enforcer check` it", out.display()));
            if let Some(undecided @ 1..) = answer["undecided"].as_u64() {
                print(format!(
                    "{undecided} entries at its end were seen and are not allowed: they are for you to decide"
                ));
            }
        }
        Err(error) => return complain(format!("{}: cannot write: {error}", out.display()), 2),
    }
    0
}

pub(super) fn events(live: &Live, follow: bool, since: Option<&str>) -> u8 {
    let since = match super::rollout::since(since) {
        Ok(since) => since,
        Err(error) => return complain(error, 2),
    };
    let shown = |event: &Value| print(if live.json { event.to_string() } else { show::event(event) });
    match list(live, follow, since, shown) {
        Ok(()) => 0,
        Err(error) => complain(&error, error.code()),
    }
}

/// Hands on events: those in memory, or all since a time (nanoseconds since 1970), which come in pages; and with `follow` those
/// to come.
fn list(live: &Live, follow: bool, since: Option<i64>, shown: impl Fn(&Value)) -> Result<(), ClientError> {
    let mut client = Client::connect(&live.socket)?;
    let mut request = match since {
        Some(since) => Request::EventsPast { since, after: 0, follow },
        None => Request::Events { since: None, follow },
    };
    client.send(&request)?;
    loop {
        let answer = client.following()?;
        match (&answer, &answer["events"]) {
            (Value::Array(events), _) | (_, Value::Array(events)) => events.iter().for_each(&shown),
            // One that has come since.
            _ => shown(&answer),
        }
        match (&mut request, answer["after"].as_i64()) {
            (Request::EventsPast { after, .. }, Some(last)) => {
                *after = last;
                client.send(&request)?;
            }
            _ if follow => {}
            _ => return Ok(()),
        }
    }
}

/// A moment in the form that events carry: given so, or as the time that has passed since.
pub(super) fn moment(text: &str) -> Result<String, String> {
    if let Ok(ago) = crate::config::parse_duration(text) {
        let then = std::time::SystemTime::now().checked_sub(ago).unwrap_or(std::time::UNIX_EPOCH);
        let since = then.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let seconds = i64::try_from(since.as_secs()).unwrap_or_default();
        return Ok(Timestamp::new(seconds, u64::from(since.subsec_nanos())).to_string());
    }
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    if digits == 4 && text.chars().nth(4).is_none_or(|next| next == '-') {
        return Ok(text.to_owned());
    }
    Err(format!("--since {text}: give a time such as 2026-11-23T06:00:00Z, or how long ago, such as 10m"))
}

/// Through the daemon when one runs, else by the pins alone.
pub(super) fn detach(live: &Live, remove_bridge: bool, config: &Path) -> u8 {
    let said = |remove_bridge: bool| {
        if remove_bridge {
            "the programs are off and the bridge is removed"
        } else {
            "the programs are off; the bridge stays"
        }
    };
    match Client::connect(&live.socket) {
        Ok(mut client) => match client.ask(&Request::Detach { remove_bridge }) {
            Ok(answer) => print(if live.json { answer.to_string() } else { said(remove_bridge).to_owned() }),
            Err(error) => return complain(&error, error.code()),
        },
        Err(ClientError::Absent { .. }) => {
            return detach_without_daemon(live, remove_bridge, config, said(remove_bridge));
        }
        Err(error) => return complain(&error, error.code()),
    }
    0
}

fn detach_without_daemon(live: &Live, remove_bridge: bool, file: &Path, said: &str) -> u8 {
    let config = match crate::config::load(file) {
        Ok(config) => config,
        Err(errors) => return complain(errors, 2),
    };
    let found = match attach::detach(&daemon::pair_directory(&config)) {
        Ok(found) => found,
        Err(error) => return complain(format!("cannot take the programs off: {error}"), 1),
    };
    if remove_bridge {
        let removed = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(anyhow::Error::from);
        let removed = removed.and_then(|runtime| {
            runtime.block_on(async {
                let netlink = Netlink::connect()?;
                bridge::release(&netlink, &config.ports.bridge, false).await?;
                Ok(())
            })
        });
        if let Err(error) = removed {
            return complain(error, 1);
        }
    }
    if live.json {
        print(serde_json::json!({"detached": found, "bridge_removed": remove_bridge}));
    } else if found {
        print(said);
    } else {
        print("nothing was attached");
    }
    0
}
