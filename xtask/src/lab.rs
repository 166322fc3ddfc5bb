//! `cargo xtask lab`: the plant and the box, held for a person to play with.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use enforcer_tests::enforcer::{AT_ONCE, binary, configuration};
use enforcer_tests::lab::{PLC, STATION_PORT};
use enforcer_tests::{Enforcer, Lab, bridge, peers, project_root};

use crate::privilege::{BUILT, become_root};
use crate::setup::{self, Scope};
use crate::stage::{FIRST_POLICY, Stage};
use crate::{build, interrupt, say};

/// What a plant asks for in days before it enforces, in seconds: the whole way can be walked in some minutes.
const ROLLOUT: &str = r#"[rollout]
confirm_within = "60s"
shadow = "30s"
shifts = 1
weekdays = 1
evaluations = 1000
quiet = "20s"
settled = "20s"
unseen = 10000
"#;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The box's mode at the start: learn, shadow or enforce
    #[arg(long, default_value = "learn")]
    mode: String,
    /// The policy to start with; without it, one that allows nothing yet
    #[arg(long)]
    policy: Option<PathBuf>,
    /// A plain bridge in the box instead of the enforcer, to compare with
    #[arg(long)]
    plain: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    if std::env::var_os(BUILT).is_none() {
        setup::run(Scope::Everything, false)?;
        if !options.plain {
            build::enforcer(true)?;
        }
    }
    become_root("the lab makes network namespaces and loads BPF programs, which")?;
    interrupt::clean_up_on_signal()?;

    let stage = Stage::new();
    let lab = &stage.lab;
    let enforcer = if options.plain {
        bridge::join(lab);
        None
    } else {
        let policy = match &options.policy {
            Some(path) => std::fs::read_to_string(path).with_context(|| path.display().to_string())?,
            None => FIRST_POLICY.to_owned(),
        };
        let policy = lab.write("policy.toml", &policy);
        let text = configuration(lab, &policy, &options.mode).replace(AT_ONCE, ROLLOUT);
        let (config, socket) = (lab.write("enforcer.toml", &text), lab.folder().join("control.sock"));
        let started = Enforcer::start_with(lab, &binary("release"), &config, &socket);
        Some(started.map_err(|error| anyhow!(error))?)
    };
    let poller = stage.poll()?;
    print_commands(lab, enforcer.as_ref());
    loop {
        thread::sleep(Duration::from_secs(30));
        let tally = poller.tally();
        println!(
            "polling: {} answers, {} errors, longest gap {} ms",
            tally.good,
            tally.errors,
            tally.longest_gap.as_millis()
        );
    }
}

fn print_commands(lab: &Lab, enforcer: Option<&Enforcer>) {
    let enter = |namespace: &enforcer_tests::Namespace| format!("nsenter --net={}", namespace.path().display());
    println!("{}", say::bold("hmi 10.10.1.20 ---- eth0 [ box ] eth1 ---- plc 10.10.2.5, Modbus/TCP on port 502"));
    println!("The station polls ten registers, fifty times a second. From another terminal, as root:\n");
    let show = |what: &str, command: String| println!("  {what}\n    {}\n", say::faint(&command));
    if let Some(enforcer) = enforcer {
        let binary = binary("release");
        let live = |words: &str| format!("{} {words} --socket {}", binary.display(), enforcer.socket().display());
        show("what the box does now", live("status"));
        show("what it sees, as it happens", live("events --follow"));
        show("change its mode", live("mode shadow --reason \"trying it\""));
        show(
            "the box's configuration; under [rollout] it asks for seconds where a plant asks for days",
            enforcer.config().display().to_string(),
        );
        // The box's BPF file system is its own, so that pins go with the lab.
        let target = format!("nsenter --target {} --net --mount", enforcer.id());
        show("a shell in the box", target);
    }
    // A write_single_register of 1234 to register 40, by nothing but a shell.
    let write = r#"bash -c 'exec 3<>/dev/tcp/10.10.2.5/502; printf "\0\1\0\0\0\6\1\6\0\50\4\322" >&3; head -c 12 <&3 | od -An -tx1'"#;
    show("write 1234 to register 40, as the station would", format!("{} {write}", enter(&lab.hmi)));
    let script = |name: &str| {
        let file = project_root().join("tests/peers").join(name);
        format!("{} {} {PLC}", peers::python().display(), file.display())
    };
    let serve = format!("{} {} {STATION_PORT}", enter(&lab.plc), script("s7comm_server.py"));
    show("a second protocol: an S7 controller", serve);
    show("and a station that polls it", format!("{} {} 16", enter(&lab.hmi), script("s7comm_poller.py")));
    let write = format!("{} {} write=04d2", enter(&lab.hmi), script("s7comm_client.py"));
    show("write 1234 to its data block", write);
    show("listen on the cable to the controller", format!("{} tcpdump -ni eth1", enter(&lab.cabinet)));
    show("a shell at the station", enter(&lab.hmi));
    show("a shell at the controller", enter(&lab.plc));
    println!("Ctrl-C removes everything.");
}
