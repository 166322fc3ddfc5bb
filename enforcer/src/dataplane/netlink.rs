//! A route-netlink connection and the five requests the data plane makes of it.
//!
//! In: interface names, indexes and messages built by [`super::wire`]. Out: link messages as the kernel reports them.
//! Every error says what was being done and what the kernel answered.

use std::io;

use futures_util::{Stream, StreamExt, TryStreamExt};
use rtnetlink::{
    Handle, LinkMessageBuilder, LinkUnspec, MulticastGroup,
    packet_route::{
        AddressFamily,
        address::{AddressMessage, AddressScope},
        link::LinkMessage,
    },
};
use tokio::task::JoinHandle;

use super::link;

/// A netlink request that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum NetlinkError {
    /// The socket could not be had.
    #[error("no netlink connection to the kernel: {source}")]
    Open {
        /// What the kernel answered.
        source: io::Error,
    },
    /// The kernel refused one request.
    #[error("cannot {action}: {source}")]
    Refused {
        /// What was being done, as it reads after "cannot".
        action: String,
        /// What the kernel answered.
        source: io::Error,
    },
    /// The answer was not one that fits the request.
    #[error("cannot {action}: {answer}")]
    Answer {
        /// What was being done, as it reads after "cannot".
        action: String,
        /// What came instead.
        answer: String,
    },
}

impl NetlinkError {
    fn new(action: &str, error: rtnetlink::Error) -> Self {
        let action = action.to_owned();
        if let rtnetlink::Error::NetlinkError(message) = &error {
            return Self::Refused { action, source: message.to_io() };
        }
        Self::Answer { action, answer: error.to_string() }
    }

    /// The kernel's error number, where it gave one.
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::Open { source } | Self::Refused { source, .. } => source.raw_os_error(),
            Self::Answer { .. } => None,
        }
    }
}

/// A connection into the network namespace of the thread that opened it. Ends when dropped.
#[derive(Debug)]
pub struct Netlink {
    handle: Handle,
    connection: JoinHandle<()>,
}

impl Drop for Netlink {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Netlink {
    /// Opens the connection. Must be called inside a tokio runtime, which drives it.
    ///
    /// # Errors
    /// [`NetlinkError::Open`] when the kernel gives no socket.
    pub fn connect() -> Result<Self, NetlinkError> {
        let (connection, handle, _) = rtnetlink::new_connection().map_err(|source| NetlinkError::Open { source })?;
        Ok(Self { handle, connection: tokio::spawn(connection) })
    }

    /// Opens a connection that also says when something changed on a link of the namespace, though not what.
    ///
    /// # Errors
    /// [`NetlinkError::Open`] when the kernel gives no socket.
    pub fn listen() -> Result<(Self, impl Stream<Item = ()> + Unpin), NetlinkError> {
        let (connection, handle, messages) = rtnetlink::new_multicast_connection(&[MulticastGroup::Link])
            .map_err(|source| NetlinkError::Open { source })?;
        Ok((Self { handle, connection: tokio::spawn(connection) }, messages.map(drop)))
    }

    /// Whether the link with that index has a cable partner, and how often one came or went; `None` when there is no such
    /// link.
    ///
    /// # Errors
    /// Whatever the kernel answers other than "no such device".
    pub async fn carrier(&self, index: u32) -> Result<Option<(bool, u32)>, NetlinkError> {
        let found = self.link_at(index).await?;
        Ok(found.map(|found| (link::has_carrier(&found), link::carrier_changes(&found))))
    }

    /// How many frames left by the link with that index; `None` when there is no such link.
    ///
    /// # Errors
    /// Whatever the kernel answers other than "no such device".
    pub async fn transmitted(&self, index: u32) -> Result<Option<u64>, NetlinkError> {
        Ok(self.link_at(index).await?.map(|found| link::transmitted(&found)))
    }

    /// The link of that name, or `None` when there is none.
    ///
    /// # Errors
    /// Whatever the kernel answers other than "no such device".
    pub async fn link(&self, name: &str) -> Result<Option<LinkMessage>, NetlinkError> {
        let request = self.handle.link().get().match_name(name);
        one(request.execute().try_next().await, &format!("look up interface {name}"))
    }

    /// The link of that index, or `None` when there is none.
    ///
    /// # Errors
    /// Whatever the kernel answers other than "no such device".
    pub async fn link_at(&self, index: u32) -> Result<Option<LinkMessage>, NetlinkError> {
        let request = self.handle.link().get().match_index(index);
        one(request.execute().try_next().await, &format!("look up interface number {index}"))
    }

    /// All links of the namespace.
    ///
    /// # Errors
    /// Whatever the kernel answers.
    pub async fn links(&self) -> Result<Vec<LinkMessage>, NetlinkError> {
        let all = self.handle.link().get().execute().try_collect().await;
        all.map_err(|error| NetlinkError::new("list the interfaces", error))
    }

    /// Whether the link has an address that others reach it by (not one for its own cable only, which IPv6 makes itself).
    ///
    /// # Errors
    /// Whatever the kernel answers.
    pub async fn has_address(&self, index: u32) -> Result<bool, NetlinkError> {
        let addresses = self.addresses(index).await?;
        Ok(addresses.iter().any(|address| address.header.scope == AddressScope::Universe))
    }

    /// Whether the link has an IPv6 address that others reach it by.
    ///
    /// # Errors
    /// Whatever the kernel answers.
    pub async fn has_ipv6_address(&self, index: u32) -> Result<bool, NetlinkError> {
        let is_one = |address: &AddressMessage| {
            address.header.scope == AddressScope::Universe && address.header.family == AddressFamily::Inet6
        };
        Ok(self.addresses(index).await?.iter().any(is_one))
    }

    async fn addresses(&self, index: u32) -> Result<Vec<AddressMessage>, NetlinkError> {
        let all: Result<Vec<_>, _> = self.handle.address().get().execute().try_collect().await;
        let mut all =
            all.map_err(|error| NetlinkError::new(&format!("list the addresses of interface number {index}"), error))?;
        // Kernels that do not check requests strictly answer with the addresses of all links.
        all.retain(|address| address.header.index == index);
        Ok(all)
    }

    /// Creates what `message` describes. `action` is what the error says after "cannot".
    ///
    /// # Errors
    /// [`NetlinkError::Refused`], with EEXIST when it is there already.
    pub async fn create(&self, action: &str, message: LinkMessage) -> Result<(), NetlinkError> {
        self.handle.link().add(message).execute().await.map_err(|error| NetlinkError::new(action, error))
    }

    /// Changes an existing link. `action` is what the error says after "cannot".
    ///
    /// # Errors
    /// [`NetlinkError::Refused`] with the kernel's reason.
    pub async fn change(&self, action: &str, message: LinkMessage) -> Result<(), NetlinkError> {
        self.handle.link().change(message).execute().await.map_err(|error| NetlinkError::new(action, error))
    }

    /// Deletes a link.
    ///
    /// # Errors
    /// [`NetlinkError::Refused`] with the kernel's reason.
    pub async fn delete(&self, action: &str, index: u32) -> Result<(), NetlinkError> {
        self.handle.link().del(index).execute().await.map_err(|error| NetlinkError::new(action, error))
    }
}

/// A change of the link with that index, to be filled in and handed to [`Netlink::change`].
pub(super) fn change_of(index: u32) -> LinkMessageBuilder<LinkUnspec> {
    LinkUnspec::new_with_index(index)
}

fn one(
    answer: Result<Option<LinkMessage>, rtnetlink::Error>,
    action: &str,
) -> Result<Option<LinkMessage>, NetlinkError> {
    match answer.map_err(|error| NetlinkError::new(action, error)) {
        Err(error) if error.errno() == Some(libc::ENODEV) => Ok(None),
        other => other,
    }
}
