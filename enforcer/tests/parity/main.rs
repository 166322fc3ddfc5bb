//! Parity: what the loaded programs do with a frame is what the core does with it on the host: the same action, record,
//! events, counters and flow. Every difference is a bug of `enforcer-ebpf`, or a dependence that the core hides.
//!
//! `PARITY_SEED` and `PARITY_FRAMES` choose the made traffic; a difference prints the seed that leads to it.

mod again;
#[path = "../captured/mod.rs"]
mod captured;
mod dice;
mod found;
#[path = "../../../enforcer-common/fuzz/src/left_out.rs"]
#[allow(unreachable_pub, reason = "public for the fuzz targets")]
mod left_out;
mod odd;
mod pair;
#[path = "../stand/mod.rs"]
mod stand;
#[path = "../../../enforcer-common/tests/support/mod.rs"]
#[allow(dead_code, clippy::cast_possible_truncation, reason = "made for the tests of the core, which use all of it")]
mod support;
mod talk;
mod traffic;
mod units;
mod wire;
mod witness;

use std::collections::BTreeMap;

use enforcer::policy::{self, Compiled};
use enforcer::replay::capture::Capture;
use enforcer::replay::side::Sides;
use enforcer_common::port::Side;
use enforcer_common::protocol::Protocol;
use enforcer_common::verdict::{Mode, Reason};

use self::pair::Pair;
use self::support::checksum;
use self::traffic::Traffic;

const MODES: [Mode; 3] = [Mode::Learn, Mode::Shadow, Mode::Enforce];

fn compiled(name: &str, text: &str, bank: u8) -> Compiled {
    let loaded = policy::parse(name, text).unwrap_or_else(|errors| panic!("{errors}"));
    policy::compile(&loaded.valid, 1 + u32::from(bank), bank).unwrap_or_else(|errors| panic!("{errors}"))
}

/// `wide.toml`, and a conduit for each protocol that it does not name: what changes nothing may pass.
fn wide(of: Protocol) -> String {
    let others = captured::protocols(of).filter(|one| *one != Protocol::Modbus);
    let conduits = others.map(|one| captured::conduit(one, &captured::harmless(one)));
    std::iter::once(include_str!("wide.toml").to_owned()).chain(conduits).collect()
}

fn told(pair: &Pair<'_>, what: &str) {
    let reasons: Vec<String> = pair
        .outcomes
        .iter()
        .map(|(code, count)| format!("{:?} {count}", Reason::from_code(*code).expect("a reason")))
        .collect();
    println!(
        "{what}: {} frames, {} operations, {} known, {} ordinary, {} of them passed at once, {} in several buffers, {} of a length that no test run takes",
        pair.frames, pair.operations, pair.known, pair.ordinary, pair.passed, pair.multi_buffer, pair.skipped
    );
    println!("  {}", reasons.join(", "));
}

#[test]
fn captures_are_judged_alike() {
    stand::require_root();
    let Some(files) = captured::files() else { return };
    let [wide, mms] = [Protocol::S7comm, Protocol::Mms].map(|of| compiled("wide.toml", &wide(of), 0));
    let mut pair = Pair::new(&wide.image);
    let mut cut = 0;
    let mut left_out = BTreeMap::<Protocol, u32>::new();
    for mode in MODES {
        pair.mode(mode);
        for file in &files {
            let of = if captured::of_port_102(file) == Protocol::Mms { &mms } else { &wide };
            pair.publish(&of.image);
            let mut sides = Sides::new(pair.policy(), &[]);
            for frame in Capture::open(file).unwrap_or_else(|error| panic!("{error}")) {
                // A capture that ends in the middle of a record is one of replay's cases.
                let Ok(frame) = frame else { break };
                let side = sides.side(&frame.bytes);
                // Many captures hold what a network card had yet to fill in; and what the snap length cut has no sum.
                cut += u64::from(frame.is_truncated());
                let bytes = checksum::repaired(frame.bytes.clone());
                pair.frame(side, &bytes, &|| format!("{}, frame {}, {}", file.display(), frame.number, mode.as_str()));
                if mode == Mode::Enforce
                    && side == Side::Network
                    && let Some((protocol, payload)) = pair.inspected(&bytes)
                {
                    let most = left_out.entry(protocol).or_default();
                    *most = (*most).max(left_out::check(protocol, payload));
                }
            }
            pair.tables(&format!("after {} in {}", file.display(), mode.as_str()));
            pair.forget_flows();
        }
    }
    told(&pair, "captures");
    assert!(pair.known > 500, "requests that come again are known");
    assert!(pair.ordinary > 30_000, "many segments are ordinary");
    assert!(pair.passed > 1_000, "in enforce many pass at once");
    println!("  {cut} frames cut by the snap length; bits on which no decision hangs: {left_out:?}");
    for (protocol, bits) in
        [(Protocol::Modbus, 16), (Protocol::S7comm, 16), (Protocol::Enip, 80), (Protocol::Opcua, 160)]
    {
        assert_eq!(left_out.get(&protocol), Some(&bits), "{}", protocol.as_str());
    }
}

#[test]
fn made_traffic_is_judged_alike() {
    stand::require_root();
    let number =
        |name: &str, default: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (seed, frames) = (number("PARITY_SEED", 1), number("PARITY_FRAMES", 60_000));
    let text = include_str!("narrow.toml");
    let others = text
        .replace("on_deny  = \"reset\"", "on_deny  = \"reset\"\nsegmentation = \"stream\"")
        .replace("\"resync\"", "\"reset\"")
        .replace("fragments = \"deny\"", "fragments = \"allow\"\nip_options = \"allow\"");
    let policies = [compiled("narrow.toml", text, 0), compiled("narrow.toml", &others, 1)];
    let mut pair = Pair::new(&policies[0].image);
    // A round is all that its seed says, so that one number leads back to a difference.
    for seed in seed.. {
        if pair.frames >= frames {
            break;
        }
        let mut traffic = Traffic::new(seed);
        let mode = MODES[usize::try_from(seed % 3).expect("small")];
        pair.grace(seed % 4 != 0);
        pair.mode(mode);
        pair.publish(&policies[usize::from(seed % 5 == 0)].image);
        for number in 0..600 {
            let (side, bytes) = traffic.frame();
            pair.frame(side, &bytes, &|| format!("PARITY_SEED={seed}, frame {number}, {}", mode.as_str()));
            if number == 300 && seed % 7 == 0 {
                // A generation with other numbers in the middle of every conversation.
                pair.publish(&policies[usize::from(seed % 2 == 0)].image);
            }
        }
        // In the mode in which it was observed: what is allowed is written down more seldom in enforce.
        pair.tables(&format!("after the frames of PARITY_SEED={seed}"));
        pair.forget_flows();
    }
    pair.tables("at the end");
    told(&pair, "made traffic");
}

#[test]
fn what_is_asked_again_is_judged_alike() {
    stand::require_root();
    let policy = compiled("narrow.toml", include_str!("narrow.toml"), 0);
    let mut pair = Pair::new(&policy.image);
    for mode in MODES {
        pair.mode(mode);
        pair.publish(&policy.image);
        let before = pair.known;
        again::play(&mut pair, 100);
        let known = pair.known - before;
        assert_eq!(known > 300, mode == Mode::Enforce, "{known} requests were known in {}", mode.as_str());
        pair.tables(mode.as_str());
    }
}
