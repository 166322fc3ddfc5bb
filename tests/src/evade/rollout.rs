//! Vectors 40 and 42 to 44: what an attacker could use of a change of policy or mode, of a dead controller, of a cable that
//! is pulled. The variants in shadow and learn are the other classes played there: not one byte may change.

use std::time::Duration;

use super::engine::Conversation;
use super::field::{Zone, policy};
use super::filter::LOST;
use super::packet::Packet;
use super::{Against, Class, Scene, Vector};

pub(super) const CLASS: Class = Class {
    name: "rollout",
    held: "What was forwarded is remembered across policies and without the controller, learn and shadow follow every stream as \
           enforce does, and a stream that the box has not followed is not taken for one that it has.",
    only_enforce: true,
    vectors: &[
        vector("the policy changes between a lost write and its copy: it passes", &[], policy_same),
        vector(
            "the policy changes between a lost write and another one in its place",
            &["duplicate_differs"],
            policy_other,
        ),
        vector("the controller is killed: allowed passes, denied does not", &[], killed),
        vector("the controller is killed between a lost write and another one in its place", &[], killed_other),
        vector("the controller is killed: a denial still frees the device's socket", &[], killed_frees),
        vector("half of a denied write in shadow, the rest in enforce", HALF, half_in_shadow),
        vector("half of a denied write in learn, the rest in enforce", HALF, half_in_learn),
        vector(
            "a write that the device loses in shadow, then another one in enforce",
            &["duplicate_differs"],
            lost_in_shadow,
        ),
        vector(
            "a conversation that learn has seen from its beginning goes on in enforce",
            &["object_not_allowed"],
            learn_to_enforce,
        ),
        vector("half of a denied write in bypass, the rest in enforce", UNSEEN, half_in_bypass),
        vector("a conversation opened in bypass, then a denied write in enforce", UNSEEN, opened_in_bypass),
        vector("the modes change while a client works: it passes", &[], modes),
        vector("the device's cable is pulled and plugged in, then a denied write", &[], pulled),
        vector("a conversation from before the box came, cut in the middle of a denied write", UNSEEN, before_the_box),
    ],
};

const HALF: &[&str] = &["split_unit", "object_not_allowed", "duplicate_unverified", "duplicate_differs"];
const UNSEEN: &[&str] = &["unsynchronised", "sequence_gap", "split_unit", "object_not_allowed", "malformed_framing"];

const fn vector(name: &'static str, reasons: &'static [&'static str], play: fn(&mut Scene<'_>)) -> Vector {
    Vector { name, against: Against::Servers, reasons, play }
}

fn mode(scene: &Scene<'_>, mode: &str) {
    scene.field.must(&["mode", mode, "--reason", "evasion"]);
}

/// Publishes the same rules as a new generation.
fn new_policy(scene: &Scene<'_>) {
    let (text, _) = policy(&scene.field.lab);
    let revision = 1000 + scene.field.number();
    let text = text.replace("revision = 1\n", &format!("revision = {revision}\n"));
    let file = scene.field.lab.write("next.toml", &text);
    scene.field.must(&["policy", "apply", &file.display().to_string()]);
}

fn lost(scene: &Scene<'_>, client: &Conversation<'_>, bytes: &[u8]) {
    client.send(&Packet { id: LOST, ..client.packet(bytes) });
    scene.settle();
}

fn policy_same(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let write = scene.write(5);
    lost(scene, &client, &write);
    new_policy(scene);
    scene.ask(&mut client, &write);
    scene.goes_on(&mut client);
}

fn policy_other(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let (write, other) = (scene.write(5), scene.write(6));
    lost(scene, &client, &write);
    new_policy(scene);
    scene.attempt(&client, &other);
    scene.ask(&mut client, &write);
}

fn killed(scene: &mut Scene<'_>) {
    let mut before = scene.begin();
    scene.field.kill_controller();
    let mut after = scene.begin();
    for client in [&mut before, &mut after] {
        let denied = scene.denied();
        scene.attempt(client, &denied);
        scene.goes_on(client);
    }
    scene.field.start_controller();
    for client in [&mut before, &mut after] {
        let denied = scene.denied();
        scene.attempt(client, &denied);
        scene.goes_on(client);
    }
}

fn killed_other(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    let (write, other, third) = (scene.write(5), scene.write(6), scene.write(7));
    lost(scene, &client, &write);
    scene.field.kill_controller();
    scene.attempt(&client, &other);
    scene.field.start_controller();
    scene.attempt(&client, &third);
    scene.ask(&mut client, &write);
}

/// The client gets its reset from the kernel at once; the device gets its own with the next frame that it sends. Here that
/// is an answer which the client has not acknowledged; the sink gives none.
fn killed_frees(scene: &mut Scene<'_>) {
    if scene.server == super::servers::SINK {
        return scene.skip();
    }
    let mut client = scene.open();
    client.silent = true;
    scene.goes_on(&mut client);
    scene.field.kill_controller();
    let denied = scene.denied();
    scene.attempt(&client, &denied);
    if !client.wait(|client| client.reset) {
        scene.broken("the client is not reset");
    }
    for _ in 0..100 {
        if scene.field.sockets(client.here) == 0 {
            break;
        }
        scene.settle();
    }
    if scene.field.sockets(client.here) != 0 {
        scene.broken("the device's socket is not freed");
    }
    scene.field.start_controller();
}

fn half(scene: &mut Scene<'_>, seen_in: &str) {
    for at in [2, 6, 7, 8, 11] {
        mode(scene, seen_in);
        let mut client = scene.begin();
        let denied = scene.denied();
        if scene.server == super::servers::SINK {
            // What passes in shadow passes; the rest must not follow.
            scene.promise(&client, &denied[..at]);
        }
        client.say(&denied[..at]);
        scene.settle();
        mode(scene, "enforce");
        client.say(&denied[at..]);
        scene.settle();
    }
}

fn half_in_shadow(scene: &mut Scene<'_>) {
    half(scene, "shadow");
}

fn half_in_learn(scene: &mut Scene<'_>) {
    half(scene, "learn");
}

fn lost_in_shadow(scene: &mut Scene<'_>) {
    mode(scene, "shadow");
    let mut client = scene.begin();
    let (write, other) = (scene.write(5), scene.write(6));
    lost(scene, &client, &write);
    mode(scene, "enforce");
    scene.attempt(&client, &other);
    scene.ask(&mut client, &write);
}

fn learn_to_enforce(scene: &mut Scene<'_>) {
    mode(scene, "learn");
    let mut client = scene.begin();
    mode(scene, "enforce");
    let denied = scene.denied();
    scene.attempt(&client, &denied);
    scene.goes_on(&mut client);
}

fn half_in_bypass(scene: &mut Scene<'_>) {
    scene.interrupts();
    let mut client = scene.begin();
    mode(scene, "bypass");
    let (read, denied) = (scene.read(), scene.denied());
    scene.ask(&mut client, &read);
    if scene.server == super::servers::SINK {
        scene.promise(&client, &denied[..6]);
    }
    client.say(&denied[..6]);
    scene.settle();
    mode(scene, "enforce");
    client.say(&denied[6..]);
    scene.settle();
}

fn opened_in_bypass(scene: &mut Scene<'_>) {
    scene.interrupts();
    mode(scene, "bypass");
    let client = scene.begin();
    mode(scene, "enforce");
    let denied = scene.denied();
    scene.attempt(&client, &denied);
}

fn modes(scene: &mut Scene<'_>) {
    let mut client = scene.begin();
    for word in ["shadow", "enforce", "learn", "enforce", "learn", "shadow", "enforce"] {
        mode(scene, word);
        scene.goes_on(&mut client);
        new_policy(scene);
        scene.goes_on(&mut client);
    }
}

fn pulled(scene: &mut Scene<'_>) {
    scene.interrupts();
    let client = scene.begin();
    for port in [crate::lab::DEVICE_PORT, crate::lab::NETWORK_PORT] {
        scene.field.lab.cabinet.ip(&format!("link set dev {port} down"));
        std::thread::sleep(Duration::from_millis(100));
        scene.field.lab.cabinet.ip(&format!("link set dev {port} up"));
        std::thread::sleep(Duration::from_millis(200));
    }
    let denied = scene.denied();
    scene.attempt(&client, &denied);
    let mut other = scene.open();
    scene.goes_on(&mut other);
}

/// The box comes into a line where a client has said half of a denied write.
fn before_the_box(scene: &mut Scene<'_>) {
    scene.interrupts();
    scene.field.must(&["detach", "--keep-bridge"]);
    let mut client = scene.open_in(Zone::Drop);
    let denied = scene.denied();
    if scene.server == super::servers::SINK {
        scene.promise(&client, &denied[..6]);
    }
    client.say(&denied[..6]);
    client.wait(|client| client.acknowledged == client.next);
    scene.field.kill_controller();
    scene.field.start_controller();
    scene.recount();
    client.say(&denied[6..]);
    scene.settle();
    let denied = scene.denied();
    scene.attempt(&client, &denied);
}
