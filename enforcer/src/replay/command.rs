//! `enforcer replay`: from the command line to lines on stdout.
//!
//! Enters: arguments, and two places to write to. Leaves: the exit code of the contract: 0 when every capture was read
//! to its end, 2 when the policy or a capture was not usable. A broken capture is one sentence on stderr; what came
//! before it, and the captures after it, are still judged.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use enforcer_common::verdict::Mode;

use super::capture::{Capture, CaptureError};
use super::run::{Options, Run};
use super::summary::Summary;
use crate::document::Errors;
use crate::policy::{self, Compiled};

/// Judge captures offline with the decision core of the data plane.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// The policy to judge by
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
    /// One JSON object per line and operation
    #[arg(long)]
    pub json: bool,
    /// A table instead: operations by conduit, function and verdict
    #[arg(long)]
    pub summary: bool,
    /// Mode of every conduit instead of the policy's own
    #[arg(long, value_parser = mode, value_name = "learn|shadow|enforce")]
    pub mode: Option<Mode>,
    /// Who is behind the device port, when the policy does not say
    #[arg(long, value_delimiter = ',', value_name = "IP[,IP]")]
    pub device: Vec<IpAddr>,
    /// Judge IPv4, TCP, UDP and ICMP checksums; captures made on the talking host carry wrong ones
    #[arg(long)]
    pub checksums: bool,
    /// pcap or pcapng files
    #[arg(required = true, value_name = "CAPTURE")]
    pub captures: Vec<PathBuf>,
}

/// The mode that a word stands for.
fn mode(word: &str) -> Result<Mode, String> {
    let known = [Mode::Learn, Mode::Shadow, Mode::Enforce];
    known.into_iter().find(|mode| mode.as_str() == word).ok_or_else(|| "possible are learn, shadow, enforce".to_owned())
}

/// Why replay stopped before the last capture.
#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error("{0}")]
    Capture(#[from] CaptureError),
    #[error("can't write: {0}")]
    Output(#[from] io::Error),
}

/// Runs the command and returns its exit code.
pub fn execute(arguments: &Arguments, out: impl Write, err: &mut impl Write) -> u8 {
    let compiled = match load(&arguments.policy, err) {
        Ok(compiled) => compiled,
        Err(errors) => return complain(err, &errors),
    };
    let mut out = BufWriter::new(out);
    let mut summary = Summary::default();
    let mut code = 0;
    for capture in &arguments.captures {
        let ended = replay(arguments, &compiled, capture, &mut summary, &mut out).and_then(|()| Ok(out.flush()?));
        match ended {
            Ok(()) => {}
            Err(Stop::Capture(error)) => {
                // Lines before the sentence, for those who watch both on one terminal.
                let _ = out.flush();
                code = complain(err, &error);
            }
            Err(Stop::Output(error)) => return unwritable(err, error),
        }
    }
    match arguments.summary.then(|| print(arguments, &summary, &mut out)) {
        None | Some(Ok(())) => code,
        Some(Err(error)) => unwritable(err, error),
    }
}

fn load(file: &Path, err: &mut impl Write) -> Result<Compiled, Errors> {
    let (loaded, left_out) = policy::load_offline(file)?;
    for warning in left_out {
        let _ = writeln!(err, "warning: {warning}");
    }
    policy::compile(&loaded.valid, 1, 0)
}

/// One capture with a box that has seen nothing before it.
fn replay(
    arguments: &Arguments,
    compiled: &Compiled,
    capture: &Path,
    summary: &mut Summary,
    out: &mut impl Write,
) -> Result<(), Stop> {
    let options = Options { devices: arguments.device.clone(), mode: arguments.mode, checksums: arguments.checksums };
    let mut run = Run::new(compiled, &options);
    summary.capture();
    for frame in Capture::open(capture)? {
        let frame = frame?;
        let lines = run.frame(&frame);
        summary.frame(frame.is_truncated(), &lines);
        if arguments.summary {
            continue;
        }
        for line in &lines {
            if arguments.json {
                serde_json::to_writer(&mut *out, line).map_err(io::Error::from)?;
                writeln!(out)?;
            } else {
                writeln!(out, "{line}")?;
            }
        }
    }
    Ok(())
}

fn print(arguments: &Arguments, summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    if arguments.json {
        writeln!(out, "{}", summary.to_json())?;
    } else {
        write!(out, "{summary}")?;
    }
    out.flush()
}

/// A reader that has seen enough (`| head`) is no error.
fn unwritable(err: &mut impl Write, error: io::Error) -> u8 {
    if error.kind() == ErrorKind::BrokenPipe { 0 } else { complain(err, &Stop::Output(error)) }
}

/// A sentence on stderr. If that can't be written either, the exit code still tells.
fn complain(err: &mut impl Write, error: &impl std::fmt::Display) -> u8 {
    let _ = writeln!(err, "{error}");
    2
}
