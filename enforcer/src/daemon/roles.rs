//! Who asks on the control socket, and what they may do.
//!
//! The kernel says who the peer is; groups of the configuration say which role that makes. Root and the daemon's own user are
//! engineers: they could do everything without the socket as well.

use tokio::net::unix::UCred;

use super::{Refusal, Request};
use crate::config::Roles;
use crate::journal::audit::Who;

/// What a peer may do; each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// Nothing.
    None,
    /// Reads.
    Viewer,
    /// Confirms, rolls back, goes to shadow.
    Operator,
    /// Changes what is allowed.
    Engineer,
}

impl Role {
    /// The word in records.
    #[must_use]
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Engineer => "engineer",
        }
    }
}

/// Somebody at the other end of the socket.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    /// The role, and what records say of them.
    pub(super) role: Role,
    pub(super) who: Who,
}

impl Peer {
    /// The peer with these credentials.
    #[must_use]
    pub(super) fn of(credentials: &UCred, roles: &Roles) -> Self {
        let uid = credentials.uid();
        let user = name_of(uid);
        // SAFETY: geteuid has no preconditions and cannot fail.
        let own = unsafe { libc::geteuid() };
        let member = |group: &Option<String>| {
            group.as_deref().is_some_and(|group| is_member(group, credentials.gid(), user.as_deref()))
        };
        let role = if uid == 0 || uid == own || member(&roles.engineers) {
            Role::Engineer
        } else if member(&roles.operators) {
            Role::Operator
        } else if member(&roles.viewers) {
            Role::Viewer
        } else {
            Role::None
        };
        let pid = credentials.pid().and_then(|pid| u32::try_from(pid).ok()).unwrap_or(0);
        Self { role, who: Who { uid, user, pid, role: role.as_str().to_owned() } }
    }

    /// The daemon itself.
    #[must_use]
    pub(super) fn daemon() -> Self {
        Self { role: Role::Engineer, who: Who::daemon() }
    }

    /// As journals name them.
    #[must_use]
    pub(super) fn name(&self) -> String {
        self.who.user.clone().unwrap_or_else(|| format!("uid {}", self.who.uid))
    }

    /// Refuses what the role does not allow.
    pub(super) fn may(&self, request: &Request) -> Result<(), Refusal> {
        let needed = needed(request);
        if self.role >= needed {
            return Ok(());
        }
        Err(Refusal::failed(format!(
            "{} has the role {}, and this needs {}; the groups stand in [control] of the configuration",
            self.name(),
            self.role.as_str(),
            needed.as_str()
        )))
    }
}

/// The least role that a request needs.
pub(super) fn needed(request: &Request) -> Role {
    match request {
        Request::Status
        | Request::Mode { mode: None, .. }
        | Request::PolicyShow
        | Request::PolicyExplain { .. }
        | Request::PolicyDiff { .. }
        | Request::PolicyHistory
        | Request::Events { .. }
        | Request::EventsPast { .. }
        | Request::LearnStatus
        | Request::LearnPropose { .. }
        | Request::ShadowReport { .. }
        | Request::GrantList
        | Request::AuditShow { .. }
        | Request::AuditVerify { .. } => Role::Viewer,
        Request::Mode { mode: Some(mode), .. } if mode == "shadow" || mode == "learn" => Role::Operator,
        Request::Confirm { .. } | Request::Rollback { .. } | Request::GrantRevoke { .. } => Role::Operator,
        Request::Mode { mode: Some(_), .. }
        | Request::PolicyApply { .. }
        | Request::PolicyStage { .. }
        | Request::PolicyPromote { .. }
        | Request::PolicyDiscard { .. }
        | Request::GrantAdd { .. }
        | Request::Detach { .. } => Role::Engineer,
    }
}

/// A user's name, from the system's own list.
fn name_of(uid: u32) -> Option<String> {
    let list = std::fs::read_to_string("/etc/passwd").ok()?;
    list.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

/// The group that the socket belongs to: the first that has a role. Of the others each must be there as well.
pub(super) fn socket_group(roles: &Roles) -> anyhow::Result<Option<u32>> {
    let mut first = None;
    for name in [&roles.viewers, &roles.operators, &roles.engineers].into_iter().flatten() {
        let Some(id) = group_id(name) else {
            anyhow::bail!("[control]: this machine has no group {name:?}; make it with `groupadd --system {name}`");
        };
        first = first.or(Some(id));
    }
    Ok(first)
}

/// A group's number, from the system's own list.
fn group_id(name: &str) -> Option<u32> {
    let list = std::fs::read_to_string("/etc/group").ok()?;
    list.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then(|| fields.nth(1)?.parse().ok()).flatten()
    })
}

/// True when the group is the peer's own, or lists the user.
fn is_member(group: &str, gid: u32, user: Option<&str>) -> bool {
    let Ok(list) = std::fs::read_to_string("/etc/group") else {
        return false;
    };
    let entry = list.lines().map(|line| line.split(':').collect::<Vec<_>>());
    entry.filter(|fields| fields.first() == Some(&group)).any(|fields| {
        let own = fields.get(2).and_then(|id| id.parse().ok()) == Some(gid);
        let listed = fields.get(3).is_some_and(|members| members.split(',').any(|member| Some(member) == user));
        own || listed
    })
}
