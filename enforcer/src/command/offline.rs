//! Commands that need no daemon.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::show::{complain, print};
use crate::dataplane::attach;
use crate::document::{Errors, Problem};
use crate::policy::explain::{self, Question};
use crate::{config, daemon, doctor, policy};

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

/// `enforcer run`.
pub(super) fn run(config: &Path) -> u8 {
    let filter = tracing_subscriber::EnvFilter::try_from_env("ENFORCER_LOG").unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    daemon::heap::spare();
    let ended = runtime().map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(daemon::start(config)));
    match ended {
        Ok(()) => 0,
        Err(error) => complain(format!("{error:#}"), 2),
    }
}

/// `enforcer check`.
pub(super) fn check(files: &[PathBuf], strict: bool, json: bool) -> u8 {
    let mut code = 0;
    let mut report = Vec::new();
    for file in files {
        let (problems, warnings, summary) = match examine(file) {
            Ok((summary, warnings)) => (Vec::new(), warnings, Some(summary)),
            Err(errors) => (errors.problems().to_vec(), Vec::new(), None),
        };
        if !problems.is_empty() {
            code = 2;
        } else if strict && !warnings.is_empty() && code == 0 {
            code = 1;
        }
        let sentences = |list: &[Problem]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        if json {
            report.push(json!({
                "file": file,
                "ok": problems.is_empty(),
                "errors": sentences(&problems),
                "warnings": sentences(&warnings),
            }));
            continue;
        }
        for problem in &problems {
            complain(problem, 2);
        }
        for warning in &warnings {
            complain(format!("warning: {warning}"), 1);
        }
        if let Some(summary) = summary {
            print(format!("{}: {summary}", file.display()));
        }
    }
    if json {
        print(json!({"files": report}));
    }
    code
}

/// Both kinds of file have tables of their own: a configuration has `[ports]`.
fn examine(file: &Path) -> Result<(String, Vec<Problem>), Errors> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let is_configuration = text.lines().any(|line| line.trim_start().starts_with("[ports]"));
    if is_configuration {
        let config = config::load(file)?;
        return Ok((format!("ok, ports {} and {}", config.ports.network, config.ports.device), Vec::new()));
    }
    let loaded = policy::check(file)?;
    let rules: usize = loaded.valid.conduits.iter().map(|conduit| conduit.rules.len()).sum();
    let summary = format!(
        "ok, policy {} revision {}: {} conduits, {rules} rules",
        loaded.valid.name,
        loaded.valid.revision,
        loaded.valid.conduits.len()
    );
    Ok((summary, loaded.warnings))
}

/// `enforcer policy explain --policy FILE`.
pub(super) fn explain(file: &Path, question: Option<Question>, json: bool) -> u8 {
    let explained = policy::load(file).and_then(|loaded| {
        let compiled = policy::compile(&loaded.valid, 1, 0)?;
        Ok((loaded, compiled))
    });
    let (loaded, compiled) = match explained {
        Ok(found) => found,
        Err(errors) => return complain(errors, 2),
    };
    let Some(question) = question else {
        let text = explain::describe(&loaded.valid);
        print(if json { json!({"text": text}).to_string() } else { text.trim_end().to_owned() });
        return 0;
    };
    match explain::answer(&loaded.valid, &compiled, &question) {
        Ok(answer) if json => print(json!({"answer": answer})),
        Ok(answer) => print(answer),
        Err(error) => return complain(error, 2),
    }
    0
}

/// `enforcer doctor`.
pub(super) fn doctor(ports: &[String], json: bool) -> u8 {
    let pair = match ports {
        [] => None,
        [network, device] => Some((network.as_str(), device.as_str())),
        _ => return complain("--ports takes two interfaces, network side first: --ports eth0,eth1", 2),
    };
    let own = pair.map_or_else(Vec::new, |(network, device)| {
        attach::own_programs(&Path::new(daemon::PINS).join(format!("{network}-{device}")))
    });
    let report = match runtime() {
        Ok(runtime) => runtime.block_on(doctor::run(pair, &own)),
        Err(error) => return complain(error, 1),
    };
    if json {
        print(serde_json::to_string(&report).unwrap_or_default());
    } else {
        print(&report);
    }
    report.exit_code()
}
