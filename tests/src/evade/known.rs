//! Requests that the box knows by their bytes, and what differs from them by little.

use super::engine::Conversation;
use super::filter::LOST;
use super::retransmission::marked;
use super::{Against, Class, Scene, Vector};

pub(super) const CLASS: Class = Class {
    name: "known_requests",
    held: "A request that was allowed is known when it comes again by all its bytes but the number of its transaction, in its own \
           conversation and under the same policy; whatever differs is read.",
    only_enforce: false,
    vectors: &[
        vector("a read again and again under other transaction numbers: it passes", &[], again),
        vector("a denied write as long as a read that is known", DENIED, then_denied),
        vector("the same under the read's transaction number", DENIED, then_denied_alike),
        vector("a known read with another function", &["object_not_allowed"], |scene| changed(scene, 7, 6)),
        vector("a known read of registers that are not allowed", &["object_not_allowed"], |scene| changed(scene, 8, 1)),
        vector("a known read of too many", &["out_of_range", "object_not_allowed"], |scene| changed(scene, 10, 1)),
        vector("a known read with another protocol number", &["malformed_framing"], |scene| changed(scene, 3, 1)),
        vector("a known read with a length that lies", &["length_mismatch", "split_unit"], |scene| {
            changed(scene, 5, 8)
        }),
        vector("a known read and a denied write in one segment", DENIED, with_denied),
        vector("the second half of a known read by itself", &["malformed_framing", "split_unit"], half),
        vector(
            "a known read that the device loses, then a denied write in its place",
            &["duplicate_differs", "object_not_allowed"],
            lost_then_denied,
        ),
    ],
};

const DENIED: &[&str] = &["object_not_allowed"];

const fn vector(name: &'static str, reasons: &'static [&'static str], play: fn(&mut Scene<'_>)) -> Vector {
    Vector { name, against: Against::Servers, reasons, play }
}

/// A conversation whose read was allowed and answered several times, and that read.
fn warm<'f>(scene: &mut Scene<'f>) -> (Conversation<'f>, Vec<u8>) {
    let mut client = scene.begin();
    let mut read = scene.read();
    for _ in 0..4 {
        read = scene.read();
        scene.ask(&mut client, &read);
    }
    (client, read)
}

fn again(scene: &mut Scene<'_>) {
    let (mut client, _) = warm(scene);
    for _ in 0..20 {
        let read = scene.read();
        scene.ask(&mut client, &read);
    }
    scene.goes_on(&mut client);
}

fn then_denied(scene: &mut Scene<'_>) {
    let (client, _) = warm(scene);
    let denied = scene.denied();
    scene.attempt(&client, &denied);
}

fn then_denied_alike(scene: &mut Scene<'_>) {
    let (client, read) = warm(scene);
    let mut denied = scene.denied();
    denied[..2].copy_from_slice(&read[..2]);
    scene.forbid(&denied);
    scene.attempt(&client, &denied);
}

/// The known read with one byte that makes it something else.
fn changed(scene: &mut Scene<'_>, at: usize, value: u8) {
    let (client, mut other) = warm(scene);
    other[at] = value;
    scene.forbid(&other);
    scene.attempt(&client, &other);
}

fn with_denied(scene: &mut Scene<'_>) {
    let (client, read) = warm(scene);
    let denied = scene.denied();
    scene.attempt(&client, &[read, denied].concat());
}

fn half(scene: &mut Scene<'_>) {
    let (client, read) = warm(scene);
    scene.attempt(&client, &read[4..]);
}

fn lost_then_denied(scene: &mut Scene<'_>) {
    let (mut client, _) = warm(scene);
    let (read, denied) = (scene.read(), scene.denied());
    marked(scene, &client, &read, LOST);
    scene.attempt(&client, &denied);
    scene.ask(&mut client, &read);
    scene.goes_on(&mut client);
}
