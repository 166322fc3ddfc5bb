//! The command line: what can be typed, and what each command prints.

mod audit;
mod grant;
mod live;
mod offline;
mod rollout;
mod show;
mod top;

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Transparent in-line firewall for industrial control networks.
#[derive(Debug, Parser)]
#[command(name = "enforcer", version, disable_help_subcommand = true)]
pub struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The daemon: attach, serve the control socket, keep what the kernel reports
    Run {
        /// The box configuration
        #[arg(long, value_name = "FILE", default_value = "/etc/enforcer/enforcer.toml")]
        config: PathBuf,
    },
    /// Validate configuration and policy files
    Check {
        /// Warnings fail too
        #[arg(long)]
        strict: bool,
        /// One JSON object
        #[arg(long)]
        json: bool,
        /// Configurations (with a [ports] section) and policies
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Judge captures offline with the decision core of the data plane
    Replay(crate::replay::command::Arguments),
    /// Mode, generation, ports, flows, counters, what needs attention
    Status {
        /// Again every second, until Ctrl-C
        #[arg(long)]
        watch: bool,
        #[command(flatten)]
        live: Live,
    },
    /// Show or switch the mode of the box, or of one conduit
    Mode {
        /// learn, shadow, enforce, bypass; absent: show
        #[arg(value_parser = ["learn", "shadow", "enforce", "bypass"])]
        mode: Option<String>,
        /// Only this conduit; the box's mode caps it
        #[arg(long, value_name = "NAME")]
        conduit: Option<String>,
        /// Why, for the record
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        /// A flip to enforce goes back by itself unless it is confirmed within this, such as 10m
        #[arg(long, value_name = "TIME")]
        confirm_within: Option<String>,
        /// Enforce although the box is not ready; needs --reason, and is recorded
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        live: Live,
    },
    /// Keep an unconfirmed change
    Confirm {
        /// Why, for the record
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        #[command(flatten)]
        live: Live,
    },
    /// Go back: from an unconfirmed change, or to an earlier policy
    Rollback {
        /// The generation to go back to; absent: the one before
        #[arg(long, value_name = "GENERATION")]
        to: Option<u32>,
        /// Why, for the record
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        #[command(flatten)]
        live: Live,
    },
    /// The policy in force, and candidates for it
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// What was seen, and a policy made of it
    #[command(subcommand)]
    Learn(LearnCommand),
    /// What enforce would have denied
    #[command(subcommand)]
    Shadow(ShadowCommand),
    /// Extra permission for a while, with a reason
    #[command(subcommand)]
    Grant(GrantCommand),
    /// The tamper-evident record of every change
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Structured events
    Events {
        /// Go on with events as they come, until Ctrl-C
        #[arg(long)]
        follow: bool,
        /// Only events since this time, such as 2026-11-23T06:00:00Z, or of the last 10m
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        #[command(flatten)]
        live: Live,
    },
    /// Live view of rates, denials and health, for terminals of 80x24 on; keys: q quits, ? helps
    Top {
        #[command(flatten)]
        live: Live,
    },
    /// Kernel, driver, offloads, permissions: what works, what does not, what to do
    Doctor {
        /// The two ports, network side first
        #[arg(long, value_name = "A,B", value_delimiter = ',')]
        ports: Vec<String>,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Take the programs off, leave a plain bridge
    Detach {
        /// Leave the bridge, so that the plant stays connected (this is also what happens without it)
        #[arg(long, conflicts_with = "remove_bridge")]
        keep_bridge: bool,
        /// Remove the bridge too, if the enforcer made it: this cuts the line
        #[arg(long)]
        remove_bridge: bool,
        /// The configuration that names the ports, for when no daemon runs
        #[arg(long, value_name = "FILE", default_value = "/etc/enforcer/enforcer.toml")]
        config: PathBuf,
        #[command(flatten)]
        live: Live,
    },
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// The text of the policy in force
    Show {
        #[command(flatten)]
        live: Live,
    },
    /// Put a policy in force: one step, no connection is lost
    Apply {
        /// The policy
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// In enforce it goes back by itself unless it is confirmed within this, such as 10m
        #[arg(long, value_name = "TIME")]
        confirm_within: Option<String>,
        /// Why, for the record
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        #[command(flatten)]
        live: Live,
    },
    /// Try a policy beside the one in force: the kernel judges both, only the one in force acts
    Stage {
        /// The policy
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Why, for the record
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        #[command(flatten)]
        live: Live,
    },
    /// Which operations another policy decides otherwise; exits 1 when there are some
    Diff {
        /// A policy held against what the journal has; absent: the candidate, on live traffic
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
        /// With FILE: how far to look back, such as 7d or 2026-11-23T06:00:00Z; absent: all that is known
        #[arg(long, value_name = "TIME", requires = "file")]
        since: Option<String>,
        #[command(flatten)]
        live: Live,
    },
    /// Put the candidate in force: one step, no connection is lost
    Promote {
        /// It goes back by itself unless it is confirmed within this, such as 10m
        #[arg(long, value_name = "TIME")]
        confirm_within: Option<String>,
        /// Why, for the record
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        #[command(flatten)]
        live: Live,
    },
    /// Take the candidate away
    Discard {
        /// Why, for the record
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        #[command(flatten)]
        live: Live,
    },
    /// Policies that were in force
    History {
        #[command(flatten)]
        live: Live,
    },
    /// The policy in words, or the verdict on one operation and its reason
    Explain {
        /// A policy file instead of the policy in force
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
        #[command(flatten)]
        operation: Operation,
        #[command(flatten)]
        live: Live,
    },
}

/// An operation to ask about.
#[derive(Debug, Args)]
struct Operation {
    /// Who opens the conversation
    #[arg(long, value_name = "IP", requires_all = ["to", "function"])]
    from: Option<IpAddr>,
    /// To whom
    #[arg(long, value_name = "IP", requires = "from")]
    to: Option<IpAddr>,
    /// Protocol, when the function's name does not tell
    #[arg(long, value_name = "NAME", requires = "from")]
    protocol: Option<String>,
    /// Server port, default the protocol's own
    #[arg(long, requires = "from")]
    port: Option<u16>,
    /// A datagram instead of TCP
    #[arg(long, requires = "from")]
    udp: bool,
    /// The standard's name, or a number
    #[arg(long, value_name = "NAME", requires = "from")]
    function: Option<String>,
    /// Unit; 1 where nothing is said, 0 for protocols without units
    #[arg(long, requires = "from")]
    unit: Option<u32>,
    /// Such as holding:41; may be given again for further ranges of the request
    #[arg(long, value_name = "OBJECT", requires = "from")]
    object: Vec<String>,
    /// Value written, or a range of values
    #[arg(long, value_name = "VALUE", requires = "from", allow_hyphen_values = true)]
    value: Option<String>,
}

#[derive(Debug, Subcommand)]
enum LearnCommand {
    /// What was seen so far, in numbers
    Status {
        #[command(flatten)]
        live: Live,
    },
    /// A policy a person would have written, from what was seen
    Propose {
        /// Write it there instead of to standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Allow what stops, programs or forces as well, instead of listing it for decision
        #[arg(long)]
        include_dangerous: bool,
        /// How far to look back, such as 7d or 2026-11-23T06:00:00Z; absent: all that is known
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        #[command(flatten)]
        live: Live,
    },
}

#[derive(Debug, Subcommand)]
enum ShadowCommand {
    /// Would-denies by conduit, rule and operation; readiness with its reasons
    Report {
        /// Also as one self-contained page
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
        /// How far to look back, such as 7d or 2026-11-23T06:00:00Z; absent: all that is known
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        #[command(flatten)]
        live: Live,
    },
}

#[derive(Debug, Subcommand)]
enum GrantCommand {
    /// Allow something for a while
    Add {
        /// Who opens the conversation
        #[arg(long, value_name = "IP")]
        from: IpAddr,
        /// To whom
        #[arg(long, value_name = "IP")]
        to: IpAddr,
        /// The protocol
        #[arg(long, value_name = "NAME", default_value = "modbus")]
        protocol: String,
        /// Names, numbers, or classes such as @write
        #[arg(long, value_name = "FUNCTION", value_delimiter = ',', required = true, num_args = 1..)]
        functions: Vec<String>,
        /// For how long, such as 2h
        #[arg(long = "for", value_name = "TIME")]
        length: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// It outlives a reboot
        #[arg(long)]
        lasting: bool,
        #[command(flatten)]
        live: Live,
    },
    /// Grants in force, with the time left
    List {
        #[command(flatten)]
        live: Live,
    },
    /// End a grant at once
    Revoke {
        /// Its number
        #[arg(value_name = "ID")]
        id: u32,
        /// Why, for the record
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        #[command(flatten)]
        live: Live,
    },
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// The newest records
    Show {
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: usize,
        #[command(flatten)]
        live: Live,
    },
    /// Check the chain: finds any edit, removal or truncation
    Verify {
        /// A head that was written down earlier, such as 12:9f86d0...
        #[arg(long, value_name = "SEQ:HASH")]
        expect: Option<String>,
        #[command(flatten)]
        live: Live,
    },
}

/// What every live command takes.
#[derive(Debug, Args)]
struct Live {
    /// The daemon's control socket
    #[arg(long, value_name = "PATH", default_value = "/run/enforcer/control.sock")]
    socket: PathBuf,
    /// JSON instead of text
    #[arg(long)]
    json: bool,
}

/// Carries out the command and returns the exit code: 0 done, 1 it does not hold, 2 asked wrongly.
pub fn execute(line: Line) -> u8 {
    match line.command {
        Command::Run { config } => offline::run(&config),
        Command::Check { strict, json, files } => offline::check(&files, strict, json),
        Command::Replay(arguments) => {
            crate::replay::command::execute(&arguments, std::io::stdout().lock(), &mut std::io::stderr().lock())
        }
        Command::Doctor { ports, json } => offline::doctor(&ports, json),
        Command::Policy(PolicyCommand::Explain { policy: Some(policy), operation, live }) => {
            offline::explain(&policy, operation.question(), live.json)
        }
        Command::Status { watch, live } => live::status(&live, watch),
        Command::Mode { mode, conduit, reason, confirm_within, force, live } => {
            live::mode(&live, mode, conduit, reason, confirm_within.as_deref(), force)
        }
        Command::Confirm { reason, live } => rollout::confirm(&live, reason),
        Command::Rollback { to, reason, live } => rollout::rollback(&live, to, reason),
        Command::Policy(PolicyCommand::Show { live }) => live::policy_show(&live),
        Command::Policy(PolicyCommand::Apply { file, confirm_within, reason, live }) => {
            live::policy_apply(&live, &file, confirm_within.as_deref(), reason)
        }
        Command::Policy(PolicyCommand::Stage { file, reason, live }) => rollout::stage(&live, &file, reason),
        Command::Policy(PolicyCommand::Diff { file, since, live }) => {
            rollout::diff(&live, file.as_deref(), since.as_deref())
        }
        Command::Policy(PolicyCommand::Promote { confirm_within, reason, live }) => {
            rollout::promote(&live, confirm_within.as_deref(), reason)
        }
        Command::Policy(PolicyCommand::Discard { reason, live }) => rollout::discard(&live, reason),
        Command::Policy(PolicyCommand::History { live }) => rollout::history(&live),
        Command::Shadow(ShadowCommand::Report { html, since, live }) => {
            rollout::report(&live, html.as_deref(), since.as_deref())
        }
        Command::Grant(GrantCommand::Add { from, to, protocol, functions, length, reason, lasting, live }) => {
            let protocol = Some(protocol);
            grant::add(
                &live,
                &length,
                crate::daemon::Wish { from, to, protocol, functions, seconds: 0, reason, lasting },
            )
        }
        Command::Grant(GrantCommand::List { live }) => grant::list(&live),
        Command::Grant(GrantCommand::Revoke { id, reason, live }) => grant::revoke(&live, id, reason),
        Command::Audit(AuditCommand::Show { limit, live }) => audit::show(&live, limit),
        Command::Audit(AuditCommand::Verify { expect, live }) => audit::verify(&live, expect),
        Command::Policy(PolicyCommand::Explain { policy: None, operation, live }) => {
            live::policy_explain(&live, operation.question())
        }
        Command::Learn(LearnCommand::Status { live }) => live::learn_status(&live),
        Command::Learn(LearnCommand::Propose { out, include_dangerous, since, live }) => {
            live::learn_propose(&live, out.as_deref(), include_dangerous, since.as_deref())
        }
        Command::Top { live } => top::run(&live),
        Command::Events { follow, since, live } => live::events(&live, follow, since.as_deref()),
        Command::Detach { keep_bridge: _, remove_bridge, config, live } => live::detach(&live, remove_bridge, &config),
    }
}

impl Operation {
    fn question(self) -> Option<crate::policy::explain::Question> {
        let (Some(from), Some(to), Some(function)) = (self.from, self.to, self.function) else {
            return None;
        };
        Some(crate::policy::explain::Question {
            from,
            to,
            protocol: self.protocol,
            port: self.port,
            udp: self.udp,
            function,
            unit: self.unit,
            objects: self.object,
            value: self.value,
        })
    }
}
