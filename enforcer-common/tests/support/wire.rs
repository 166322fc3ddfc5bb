//! A box with a policy on the bench: frames go in, what was decided comes out. Every frame checks what must always hold.

use enforcer_common::action::Action;
use enforcer_common::decide::decide;
use enforcer_common::operation::Operation;
use enforcer_common::policy::Image;
use enforcer_common::port::Side;
use enforcer_common::scratch::Scratch;
use enforcer_common::verdict::{Mode, Reason, Verdict};

use super::frames::{ACK, HMI, PLC, PSH, SYN, ethernet, ipv4, tcp};
use super::host::{Counted, Host};
use super::policy::Policy;

/// What was decided about one frame.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) action: Action,
    pub(crate) reason: Reason,
    pub(crate) operations: Vec<Operation>,
    pub(crate) counted: Vec<Counted>,
    pub(crate) conduit: u16,
}

impl Seen {
    pub(crate) fn reasons(&self) -> Vec<Reason> {
        self.counted.iter().map(|counted| counted.reason).collect()
    }
}

/// What must be the same whatever the mode: runs `act` on three boxes, and gives back the one in enforce. `denied` is what
/// enforce does; the other modes forward.
pub(crate) fn in_all_modes(policy: &Policy, act: impl Fn(&mut Wire) -> Seen, reason: Reason, denied: Action) -> Wire {
    let [_, _, enforce] = [Mode::Learn, Mode::Shadow, Mode::Enforce].map(|mode| {
        let mut wire = Wire::open(policy, mode);
        let seen = act(&mut wire);
        assert_eq!(seen.reason, reason, "{mode:?}: {seen:?}");
        let action = if mode == Mode::Enforce { denied } else { Action::Forward };
        assert_eq!(seen.action, action, "{mode:?}: {seen:?}");
        wire
    });
    enforce
}

pub(crate) struct Wire {
    pub(crate) policy: Box<Image>,
    pub(crate) host: Host,
    pub(crate) scratch: Box<Scratch>,
    pub(crate) client: u32,
    pub(crate) server: u32,
}

impl Wire {
    pub(crate) fn new(policy: &Policy, mode: Mode) -> Self {
        Self {
            policy: policy.build(),
            host: Host::new(mode),
            scratch: Box::new(Scratch::new()),
            client: 1000,
            server: 5000,
        }
    }

    /// With the handshake of one conversation behind it.
    pub(crate) fn open(policy: &Policy, mode: Mode) -> Self {
        let mut wire = Self::new(policy, mode);
        wire.handshake();
        wire
    }

    /// The same box where somebody wants to know what devices answer: else nobody reads that in enforce.
    pub(crate) fn watched(mut self) -> Self {
        self.scratch.looked_on = 1;
        self
    }

    pub(crate) fn handshake(&mut self) {
        let (client, server) = (self.client, self.server);
        self.segment(Side::Network, client.wrapping_sub(1), 0, SYN, &[]);
        self.segment(Side::Device, server.wrapping_sub(1), client, SYN | ACK, &[]);
        self.segment(Side::Network, client, server, ACK, &[]);
    }

    /// Any frame.
    pub(crate) fn frame(&mut self, side: Side, bytes: &[u8]) -> Seen {
        self.host.frame = bytes.to_vec();
        self.host.counted.clear();
        let action = decide(bytes, side, &self.policy, &mut self.host, &mut self.scratch);
        let seen = Seen {
            action,
            reason: Reason::from_code(self.scratch.outcome).expect("every frame has a reason"),
            operations: self.scratch.operations[..self.scratch.count as usize].to_vec(),
            counted: self.host.counted.clone(),
            conduit: self.scratch.path.conduit,
        };
        self.check(&seen);
        seen
    }

    /// The counters, the verdict and the action agree, whatever the frame was.
    fn check(&self, seen: &Seen) {
        let mode = Mode::from_code(self.scratch.path.mode);
        let units = seen.operations.iter().filter(|one| !one.has(Operation::CONTINUES)).count();
        let known = units == 0 && seen.reason == Reason::RuleAllow;
        assert!(known || seen.counted.len() == units.max(1), "one count per unit, or one for the frame: {seen:?}");
        let denied = seen.reason.verdict() == Verdict::Deny;
        assert_eq!(seen.action != Action::Forward, denied && mode == Mode::Enforce, "{seen:?}");
        let worst = seen.reasons().iter().map(|reason| reason.verdict()).max();
        assert_eq!(worst, Some(seen.reason.verdict()), "the worst unit decides about the frame: {seen:?}");
        for counted in &seen.counted {
            let acts = counted.reason.verdict() == Verdict::Deny && mode == Mode::Enforce;
            assert_eq!(counted.acted, acts, "{counted:?}");
            // Of a request that is known no operation is read.
            if let Some(index) = counted.index
                && !seen.operations.is_empty()
            {
                let record = seen.operations[index as usize];
                assert_eq!(record.reason, counted.reason as u8);
                assert!(record.has(Operation::DECIDED));
            }
        }
        let decided = seen.operations.iter().filter(|one| one.has(Operation::DECIDED)).count();
        assert_eq!(decided, units, "{seen:?}");
    }

    /// A segment between the HMI's port 40000 and the PLC's port 502.
    pub(crate) fn segment(&mut self, side: Side, sequence: u32, ack: u32, flags: u8, payload: &[u8]) -> Seen {
        let (from, to, ports) = if side == Side::Network { (HMI, PLC, (40000, 502)) } else { (PLC, HMI, (502, 40000)) };
        let bytes = ethernet(side, &[], 0x0800, &ipv4(from, to, 6, &[], &tcp(ports, sequence, ack, flags, payload)));
        self.frame(side, &bytes)
    }

    /// A bare acknowledgement of the device, with the window that it offers.
    pub(crate) fn acknowledge(&mut self, ack: u32, window: u16) -> Seen {
        let segment = tcp((502, 40000), self.server, ack, ACK, &[]);
        let mut bytes = ethernet(Side::Device, &[], 0x0800, &ipv4(PLC, HMI, 6, &[], &segment));
        bytes[48..50].copy_from_slice(&window.to_be_bytes());
        self.frame(Side::Device, &bytes)
    }

    /// A segment of the client at any place, with the acknowledgement that it has reached.
    pub(crate) fn at(&mut self, sequence: u32, payload: &[u8]) -> Seen {
        let ack = self.server;
        self.segment(Side::Network, sequence, ack, ACK | PSH, payload)
    }

    /// The client's next bytes.
    pub(crate) fn ask(&mut self, payload: &[u8]) -> Seen {
        let (sequence, ack) = (self.client, self.server);
        self.client = sequence.wrapping_add(payload.len() as u32);
        self.segment(Side::Network, sequence, ack, ACK | PSH, payload)
    }

    /// The server's next bytes.
    pub(crate) fn answer(&mut self, payload: &[u8]) -> Seen {
        let (sequence, ack) = (self.server, self.client);
        self.server = sequence.wrapping_add(payload.len() as u32);
        self.segment(Side::Device, sequence, ack, ACK | PSH, payload)
    }
}
