//! One capture through the core, frame by frame.
//!
//! Enters: frames, a compiled policy with its names, and what the command line says. Leaves: the lines of each frame.
//! Every capture starts with empty state: two captures say nothing about each other.

use std::net::IpAddr;

use enforcer_common::decide;
use enforcer_common::environment::Limits;
use enforcer_common::policy::Image;
use enforcer_common::scratch::Scratch;
use enforcer_common::verdict::Mode;

use super::capture::Frame;
use super::environment::HostEnvironment;
use super::line::{self, Line};
use super::side::Sides;
use crate::policy::{Compiled, Names};

/// What the command line adds to the policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Who is behind the device port; empty: as the policy says, else the servers.
    pub devices: Vec<IpAddr>,
    /// Replaces the mode of every conduit.
    pub mode: Option<Mode>,
    /// Judge IPv4, TCP, UDP and ICMP checksums.
    pub checksums: bool,
}

/// The core with the state of one capture.
pub struct Run<'p> {
    policy: &'p Image,
    names: &'p Names,
    checksums: bool,
    sides: Sides,
    environment: HostEnvironment,
    // Several KiB, and moved around with the rest otherwise.
    scratch: Box<Scratch>,
}

impl<'p> Run<'p> {
    /// A box that has seen nothing yet.
    pub fn new(compiled: &'p Compiled, options: &Options) -> Self {
        let policy = &*compiled.image;
        Self {
            policy,
            names: &compiled.names,
            checksums: options.checksums,
            sides: Sides::new(policy, &options.devices),
            environment: HostEnvironment::new(options.mode),
            scratch: Box::default(),
        }
    }

    /// Judges the next frame of the capture and says what there is to say about it.
    pub fn frame(&mut self, frame: &Frame) -> Vec<Line<'p>> {
        let side = self.sides.side(&frame.bytes);
        self.environment.begin(&frame.bytes, frame.time.map(|time| time.as_nanos()));
        // What the snap length cut has no sum.
        let checksums = self.checksums && !frame.is_truncated();
        self.environment.set_limits(Limits { checksums, ..Limits::UNLIMITED });
        // What is done with the frame stands in the record; a capture can't be held back.
        let _ = decide::decide(frame.bytes.as_slice(), side, self.policy, &mut self.environment, &mut self.scratch);
        line::lines(frame, &self.scratch, self.names)
    }

    /// Counters and flows so far.
    pub fn environment(&self) -> &HostEnvironment {
        &self.environment
    }

    /// The record of the frame that was judged last.
    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }
}
