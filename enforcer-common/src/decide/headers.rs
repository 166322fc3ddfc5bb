//! From the first byte of a frame to its payload: link, network, transport, checksums.

use super::path::ethernet;
use super::{Next, clear};
use crate::bytes::Bytes;
use crate::environment::Environment;
use crate::head::Head;
use crate::link::{self, ethertype};
use crate::network;
use crate::policy::{Image, UNCOVERED};
use crate::port::Side;
use crate::protocol::Protocol;
use crate::scratch::{Frame, Path, Scratch, Stream};
use crate::verdict::Reason;
use crate::{admission, conduit, digest, neighbour, options, transport};
use core::hint::cold_path;

/// Link, network and transport, behind [`begin`], where [`ordinary::follow`] found nothing. `length` is the whole frame's, of
/// which `bytes` may hold only the first part.
#[inline(always)]
pub fn walk<B: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    length: u32,
    side: Side,
    policy: &Image,
    environment: &mut E,
    scratch: &mut Scratch,
) -> Next {
    clear(scratch);
    scratch.path = Path::EMPTY;
    scratch.stream = Stream::default();
    scratch.frame = Frame::EMPTY;
    scratch.frame.side = side as u8;
    scratch.frame.length = length;
    let found = match Head::of(bytes) {
        Some(head) => match headers(bytes, &head, length, policy, environment, scratch) {
            Ok(Next::Digest) => Ok(sums(bytes, &head, side, environment, scratch)),
            other => other,
        },
        None => {
            cold_path();
            headers(bytes, bytes, length, policy, environment, scratch)
        }
    };
    match found {
        Ok(next) => next,
        Err(reason) => {
            cold_path();
            let scratch = scratch.anew();
            scratch.outcome = reason as u8;
            scratch.path.protocol =
                if scratch.frame.version == 0 { Protocol::Ethernet as u8 } else { Protocol::Ip as u8 };
            conduit::finish(policy, environment, scratch, UNCOVERED);
            let named = reason as u8 == Reason::Management as u8 || reason as u8 == Reason::SpoofedDevice as u8;
            if neighbour::is_arp(&scratch.frame) && !named { Next::Neighbour } else { Next::Judge }
        }
    }
}

/// `head` has the bytes of the headers.
#[inline(always)]
fn headers<B: Bytes + ?Sized, H: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    head: &H,
    length: u32,
    policy: &Image,
    environment: &mut E,
    scratch: &mut Scratch,
) -> Result<Next, Reason> {
    link::parse(head, &mut scratch.frame)?;
    let scratch = scratch.joined::<H>();
    let frame = &mut scratch.frame;
    // Frames for the bridge's own address end in the box, whatever the port.
    if environment.is_management(frame.destination_mac) {
        return Err(Reason::Management);
    }
    if frame.ethertype != ethertype::IPV4 && frame.ethertype != ethertype::IPV6 {
        return ethernet(bytes, policy, environment, scratch);
    }
    match network::parse(head, frame, || policy.header.ip_options != 0) {
        Err(Reason::Fragment) if admission::too_large(frame) => return Err(Reason::FrameTooLarge),
        Err(Reason::Fragment) => {
            return Err(Reason::from_code(policy.header.fragments).unwrap_or(Reason::Fragment));
        }
        other => other?,
    }
    let scratch = scratch.joined::<H>();
    let frame = &mut scratch.frame;
    transport::parse(head, frame)?;
    if bytes.length() < frame.payload_end && bytes.length() < length {
        return Err(Reason::MultiBuffer);
    }
    if let Err(reason) = admission::check(bytes, frame) {
        return Ok(refused(scratch, reason));
    }
    if frame.transport_protocol == network::protocol::TCP {
        return if options::worth_a_walk(bytes, frame) { Ok(Next::Options) } else { Ok(Next::Digest) };
    }
    if transport::is_known(frame.transport_protocol) { Ok(Next::Digest) } else { Ok(Next::Conduit) }
}

/// The options of a TCP segment from the network.
#[inline(always)]
pub fn tcp_options<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) -> Next {
    match options::check(bytes, scratch) {
        Ok(()) => Next::Digest,
        Err(reason) => refused(scratch, reason),
    }
}

/// Something is wrong with a frame whose headers could be read: it still belongs to a conduit, whose mode holds.
#[inline(always)]
fn refused(scratch: &mut Scratch, reason: Reason) -> Next {
    scratch.outcome = reason as u8;
    if admission::names_inside(reason as u8) { Next::Digest } else { Next::Conduit }
}

/// What was found wrong with the frame becomes a record in front of its operations.
#[inline(always)]
pub(super) fn note(scratch: &mut Scratch) {
    if let Some(reason) = Reason::from_code(scratch.outcome) {
        scratch.fault(reason);
        scratch.outcome = 0;
    }
}

/// Checksums of an IP frame from `side`, and the hash of its payload.
#[inline(always)]
pub fn digest<B: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    side: Side,
    environment: &E,
    scratch: &mut Scratch,
) -> Next {
    sums(bytes, bytes, side, environment, scratch)
}

/// The same where `head` has the bytes of the headers.
#[inline(always)]
fn sums<B: Bytes + ?Sized, H: Bytes + ?Sized, E: Environment>(
    bytes: &B,
    head: &H,
    side: Side,
    environment: &E,
    scratch: &mut Scratch,
) -> Next {
    digest::take(bytes, head, side, environment, scratch);
    let tcp = scratch.frame.transport_protocol == network::protocol::TCP;
    if tcp && scratch.outcome == 0 { Next::Stream } else { Next::Conduit }
}
