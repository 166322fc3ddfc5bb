//! One capture through the core, frame by frame.
//!
//! Enters: frames, a compiled policy with its names, and what the command line says. Leaves: the lines of each frame.
//! Every capture starts with empty state: two captures say nothing about each other.

use std::net::IpAddr;

use enforcer_common::decide::{self, Next};
use enforcer_common::policy::Image;
use enforcer_common::port::Side;
use enforcer_common::scratch::Scratch;
use enforcer_common::verdict::{Mode, Reason};
use enforcer_common::{conduit, judge, report};

use super::capture::Frame;
use super::checksum;
use super::environment::HostEnvironment;
use super::line::{self, Line};
use super::side::{self, Sides};
use crate::policy::{Compiled, Names};

/// What the command line adds to the policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Who is behind the device port; empty: as the policy says, else the servers.
    pub devices: Vec<IpAddr>,
    /// Replaces the mode of every conduit.
    pub mode: Option<Mode>,
    /// Judge IPv4, TCP and UDP checksums.
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
        if let Some(wrong) = self.wrong_checksum(frame) {
            self.deny(frame, side, Reason::BadChecksum);
            let mut lines = line::lines(frame, &self.scratch, self.names);
            lines.iter_mut().for_each(|line| line.fault = Some(wrong.as_str()));
            return lines;
        }
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

    fn wrong_checksum(&self, frame: &Frame) -> Option<checksum::Wrong> {
        if !self.checksums || frame.is_truncated() {
            return None;
        }
        let headers = side::headers(&frame.bytes);
        checksum::wrong(&frame.bytes, &headers, headers.payload != 0)
    }

    /// Judges a frame as a whole for a reason that the core does not look for: its receiver would throw it away, so it
    /// holds no operation and moves no stream.
    fn deny(&mut self, frame: &Frame, side: Side, reason: Reason) {
        let (policy, environment, scratch) = (self.policy, &mut self.environment, &mut *self.scratch);
        let bytes = frame.bytes.as_slice();
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let next = decide::walk(bytes, length, side, policy, environment, scratch);
        let known = next == Next::Judge || next == Next::Stream && conduit::recall(policy, environment, scratch);
        if !known {
            // Fills in the conduit; what else it may find weighs less than the checksum.
            let _ = conduit::resolve(policy, environment, scratch);
        }
        scratch.outcome = reason as u8;
        let _ = judge::frame(environment, scratch);
        if scratch.report != 0 {
            report::report(environment, scratch);
        }
    }
}
