//! Proposals for small plants, read as a person would.

use enforcer_common::network::protocol as ip;
use enforcer_common::observation::{Observation, ObservationKey};
use enforcer_common::operation::{Access, NO_FUNCTION};
use enforcer_common::port::Side;

use super::super::{Reach, propose, propose_by_hour, summary};
use super::{clock, frame, image, modbus, passes, plain, seen};
use crate::policy;

/// The policy of the demo: who is who, and nothing allowed yet; one denial on top.
const IN_FORCE: &str = r#"[policy]
name = "press-line"
revision = 1
[zones]
hmi   = ["10.10.1.20", "10.10.1.21"]
press = ["10.10.2.5"]
spare = ["10.10.3.0/24"]
[devices]
press = { ip = "10.10.2.5", mac = "00:1b:1b:12:34:56" }
[[ethernet]]
types  = ["arp"]
action = "allow"
[[conduits]]
name     = "hmi-press"
from     = ["hmi"]
to       = ["press"]
protocol = "modbus"
mode     = "shadow"
  [[conduits.rules]]
  name      = "interlock"
  functions = ["@write"]
  objects   = ["holding:44"]
  action    = "deny"
"#;

#[test]
fn what_an_operator_named_stays_named() {
    let valid = policy::parse("in force", IN_FORCE).unwrap().valid;
    let written = Observation { value_min: 3, value_max: 900, ..seen(4) };
    let observations = [
        (modbus("10.10.1.20", "10.10.2.5", 3, 1, Some((3, 0, 9))), seen(950)),
        (modbus("10.10.1.20", "10.10.2.5", 3, 1, Some((3, 10, 19))), seen(40)),
        (modbus("10.10.1.20", "10.10.2.5", 6, 1, Some((3, 40, 40))), written),
        (modbus("10.10.1.20", "10.10.2.5", 90, 0, None), seen(1)),
        (frame(0x88cc), seen(5)),
    ];
    let proposal = propose(&observations, Some(&valid), clock(), Reach::default());
    let expected = include_str!("named.toml");
    assert_eq!(proposal.text, expected, "{}", proposal.text);
    assert_eq!(proposal.undecided, 1);
    image(&proposal.text);
}

#[test]
fn the_line_with_steps_can_be_pasted_where_one_writes_one_register_at_a_time() {
    let written = |step| Observation { value_min: 3, value_max: 900, step, ..seen(4) };
    let write = |client: &str, function, last| ObservationKey {
        access: Access::Write as u8,
        ..modbus(client, "10.0.1.1", function, 1, Some((3, 40, last)))
    };
    let text = |all: &[(ObservationKey, Observation)]| propose(all, None, clock(), Reach::default()).text;
    let one = text(&[(write("10.0.0.1", 6, 40), written(25))]);
    assert!(one.contains("# none was further than 25 from the one before"), "{one}");
    let pasted = one.replace("  # max_step  =", "  max_step  =");
    let valid = &policy::parse("pasted", &pasted).unwrap_or_else(|errors| panic!("{errors}\n{pasted}")).valid;
    assert_eq!(valid.conduits[0].rules[0].max_step, Some(25), "{pasted}");
    for others in [
        vec![(write("10.0.0.1", 6, 40), written(897))],
        vec![(write("10.0.0.1", 6, 40), written(u64::MAX))],
        vec![(write("10.0.0.1", 16, 42), written(25))],
        vec![(write("10.0.0.1", 6, 40), written(25)), (write("10.0.0.2", 6, 40), written(30))],
        vec![(write("10.0.0.1", 6, 40), written(25)), (write("10.0.0.1", 16, 40), written(30))],
    ] {
        assert!(!text(&others).contains("max_step"), "{}", text(&others));
    }
}

#[test]
fn the_line_with_a_rate_can_be_pasted_where_hours_are_known() {
    let write = modbus("10.0.0.1", "10.0.1.1", 6, 1, Some((3, 40, 40)));
    let read = modbus("10.0.0.1", "10.0.1.1", 3, 1, Some((3, 0, 9)));
    let write = ObservationKey { access: Access::Write as u8, ..write };
    let all = [(write, seen(40)), (read, seen(9000))];
    let text = |most: &[(ObservationKey, u64)]| {
        propose_by_hour(&all, &most.iter().copied().collect(), None, clock(), Reach::default()).text
    };
    let known = text(&[(write, 12), (read, 3600)]);
    assert!(known.contains("# at most 12 in an hour; take the # away to hold them to twice as many"), "{known}");
    assert_eq!(known.matches("# rate ").count(), 1, "reads are not held back: {known}");
    let pasted = known.replace("  # rate      =", "  rate      =");
    let valid = policy::parse("pasted", &pasted).unwrap_or_else(|errors| panic!("{errors}\n{pasted}")).valid;
    let rated = valid.conduits[0].rules.iter().filter(|rule| rule.rate.is_some()).count();
    assert_eq!(rated, 1, "{pasted}");
    for unknown in [&[][..], &[(write, 10_001)]] {
        assert!(!text(unknown).contains("# rate "), "{}", text(unknown));
    }
}

#[test]
fn the_line_with_values_can_be_pasted() {
    let written = |min, max| Observation { value_min: min, value_max: max, ..seen(4) };
    let write = |function, first| modbus("10.0.0.1", "10.0.1.1", function, 1, Some((3, first, first)));
    for (min, max) in [(3, 900), (7, 7), (-20, 5), (-20, -3)] {
        let text = propose(&[(write(6, 40), written(min, max))], None, clock(), Reach::default()).text;
        assert!(text.contains(&format!("# values from {min} to {max} were written")), "{text}");
        let pasted = text.replace("  # values    =", "  values    =");
        assert_ne!(pasted, text);
        let values = &policy::parse("pasted", &pasted).unwrap_or_else(|errors| panic!("{errors}\n{pasted}")).valid;
        assert_eq!(values.conduits[0].rules[0].values.as_deref(), Some(&[(min, max)][..]), "{pasted}");
    }
    // With such a line the second write would be denied, whatever it writes.
    let all = [(write(16, 40), written(3, 900)), (write(16, 41), seen(2))];
    let text = propose(&all, None, clock(), Reach::default()).text;
    assert!(text.contains("# values from 3 to 900 were written, and others that were not read"), "{text}");
    assert!(!text.contains("# values    ="), "{text}");
}

#[test]
fn stations_that_behave_alike_share_a_zone() {
    let mut observations = Vec::new();
    for hmi in ["10.0.0.1", "10.0.0.2", "10.0.0.3"] {
        for plc in ["10.0.1.1", "10.0.1.2"] {
            observations.push((modbus(hmi, plc, 3, 1, Some((3, 0, 9))), seen(9)));
        }
    }
    observations.push((modbus("10.0.0.9", "10.0.1.1", 6, 1, Some((3, 5, 5))), seen(1)));
    observations.push((modbus("10.0.0.9", "10.0.1.2", 6, 1, Some((3, 5, 5))), seen(1)));
    let text = propose(&observations, None, clock(), Reach::default()).text;
    image(&text);
    assert!(text.contains("[\"10.0.0.1\", \"10.0.0.2\", \"10.0.0.3\"]"), "{text}");
    assert!(text.contains("[\"10.0.1.1\", \"10.0.1.2\"]"), "{text}");
    assert_eq!(text.matches("[[conduits]]").count(), 2, "{text}");
}

#[test]
fn who_splits_units_gets_a_conduit_of_its_own_that_bears_it() {
    let mut observations = Vec::new();
    for hmi in ["10.0.0.1", "10.0.0.2", "10.0.0.3"] {
        observations.push((modbus(hmi, "10.0.1.1", 3, 1, Some((3, 0, 9))), seen(9)));
    }
    observations.push((modbus("10.0.0.3", "10.0.1.1", NO_FUNCTION, 0, None), seen(7)));
    let text = propose(&observations, None, clock(), Reach::default()).text;
    image(&text);
    let conduits: Vec<&str> = text.split("[[conduits]]").skip(1).collect();
    assert_eq!(conduits.len(), 2, "{text}");
    let (stream, whole): (Vec<&str>, Vec<&str>) = conduits.iter().partition(|one| one.contains("segmentation"));
    assert_eq!((stream.len(), whole.len()), (1, 1), "{text}");
    let evidence = "# 10.0.0.3 -> 10.0.1.1 splits its units over segments: seen 7 times, 2026-11-23T06:00:01Z to \
                    2026-11-23T06:01:01Z\nsegmentation = \"stream\"\n";
    assert!(stream[0].contains(evidence), "{text}");
    assert!(text.contains("[\"10.0.0.1\", \"10.0.0.2\"]"), "{text}");
    let summary = summary(&observations);
    assert_eq!((summary.exceptions, summary.distinct, summary.count), (1, 3, 27));
}

#[test]
fn a_conduit_of_the_policy_bears_splitting_when_one_of_its_clients_needs_it_or_it_did_before() {
    let reads = [
        (modbus("10.10.1.20", "10.10.2.5", 3, 1, Some((3, 0, 9))), seen(950)),
        (modbus("10.10.1.21", "10.10.2.5", NO_FUNCTION, 0, None), seen(1)),
    ];
    let valid = policy::parse("in force", IN_FORCE).unwrap().valid;
    let text = propose(&reads, Some(&valid), clock(), Reach::default()).text;
    image(&text);
    assert!(text.contains("# 10.10.1.21 -> 10.10.2.5 splits its units"), "{text}");
    let before = IN_FORCE.replace("mode     = \"shadow\"", "mode = \"shadow\"\nsegmentation = \"stream\"");
    let valid = policy::parse("in force", &before).unwrap().valid;
    let text = propose(&reads[..1], Some(&valid), clock(), Reach::default()).text;
    assert!(text.contains("# as in the policy in force\nsegmentation = \"stream\"\n"), "{text}");
    let valid = policy::parse("in force", IN_FORCE).unwrap().valid;
    assert!(!propose(&reads[..1], Some(&valid), clock(), Reach::default()).text.contains("segmentation"));
}

#[test]
fn dangerous_and_unknown_functions_are_left_to_an_engineer() {
    let all = [
        modbus("10.0.0.1", "10.0.1.1", 8, 1, Some((5, 1, 1))),
        modbus("10.0.0.1", "10.0.1.1", 8, 1, Some((5, 19, 19))),
        modbus("10.0.0.1", "10.0.1.1", 8, 1, Some((5, 0, 0))),
        modbus("10.0.0.1", "10.0.1.1", 90, 1, None),
        modbus("10.0.0.1", "10.0.1.1", 65, 1, None),
    ];
    let proposal = propose(&all.map(|key| (key, seen(1))), None, clock(), Reach::default());
    let image = image(&proposal.text);
    assert_eq!(all.map(|key| passes(&image, &key)), [false, false, true, false, false], "{}", proposal.text);
    assert_eq!(proposal.undecided, 4);
    // With nothing to allow there is no conduit.
    let proposal = propose(&[(all[3], seen(1))], None, clock(), Reach::default());
    super::image(&proposal.text);
    assert!(!proposal.text.contains("[[conduits]]"), "{}", proposal.text);
}

#[test]
fn traffic_without_inspection_becomes_conduits() {
    let all = [
        plain("10.0.0.1", "10.0.1.1", ip::TCP, 80, Side::Network),
        plain("10.0.0.1", "10.0.1.1", ip::ICMP, 0, Side::Network),
        plain("fe80::1", "ff02::1:ff00:2", ip::ICMPV6, 0, Side::Network),
        plain("fe80::2", "ff02::fb", ip::UDP, 5353, Side::Device),
        plain("::", "ff02::16", ip::ICMPV6, 0, Side::Device),
        plain("10.0.0.1", "10.0.0.255", ip::UDP, 138, Side::Network),
    ];
    let answer = plain("10.0.1.1", "10.0.0.1", ip::TCP, 50_000, Side::Device);
    let open = plain("10.0.0.7", "10.0.1.1", ip::TCP, 502, Side::Network);
    let igmp = plain("10.0.0.1", "224.0.0.22", 2, 0, Side::Network);
    let observations: Vec<_> = all.iter().chain([&answer, &open, &igmp]).map(|key| (*key, seen(2))).collect();
    let proposal = propose(&observations, None, clock(), Reach::default());
    let image = image(&proposal.text);
    for key in &all {
        assert!(passes(&image, key), "{key:?}\n{}", proposal.text);
    }
    // An answer passes with its call. A conduit without inspection on Modbus' port would let every write in.
    assert!(!passes(&image, &answer) && !passes(&image, &open), "{}", proposal.text);
    assert_eq!(proposal.undecided, 2, "{}", proposal.text);
    assert!(
        proposal.text.contains("multicast = [\"ff02::16\", \"ff02::fb\", \"ff02::1:ff00:2\"]"),
        "{}",
        proposal.text
    );
}

#[test]
fn tunnels_are_left_to_an_engineer_and_stay_where_he_opened_them() {
    let gre = plain("10.0.0.1", "10.0.1.1", 47, 0, Side::Network);
    let answer = plain("10.0.1.1", "10.0.0.1", 47, 0, Side::Device);
    let esp = plain("10.0.0.1", "10.0.1.1", 50, 0, Side::Network);
    let observations = [gre, answer, esp].map(|key| (key, seen(2)));
    let proposal = propose(&observations, None, clock(), Reach::default());
    assert_eq!(proposal.undecided, 2, "{}", proposal.text);
    assert!(proposal.text.contains("10.0.0.1 -> 10.0.1.1: IP protocol 47, "), "{}", proposal.text);
    assert!(!passes(&image(&proposal.text), &gre), "{}", proposal.text);

    let text = "[policy]\nname = \"p\"\nip_options = \"allow\"\n[zones]\na = [\"10.0.0.1\"]\nb = [\"10.0.1.1\"]\n[[conduits]]\n\
                name = \"vpn\"\nfrom = [\"a\"]\nto = [\"b\"]\nprotocol = \"ip\"\nports = [47]\n";
    let policy = crate::policy::parse("p", text).unwrap().valid;
    let proposal = propose(&observations, Some(&policy), clock(), Reach::default());
    let image = image(&proposal.text);
    assert!(passes(&image, &gre) && !passes(&image, &esp), "{}", proposal.text);
    assert_eq!((proposal.undecided, image.header.ip_options), (1, 1), "{}", proposal.text);
}

#[test]
fn nothing_seen_is_a_policy_that_allows_nothing() {
    let proposal = propose(&[], None, clock(), Reach::default());
    image(&proposal.text);
    assert_eq!(proposal.undecided, 0);
}

#[test]
fn learning_in_numbers() {
    let observations = [
        (modbus("10.0.0.1", "10.0.1.1", 3, 1, Some((3, 0, 9))), seen(9)),
        (plain("10.0.0.1", "10.0.1.2", ip::TCP, 80, Side::Network), Observation { first_seen: 7, ..seen(2) }),
        (frame(0x0806), seen(1)),
    ];
    let all = summary(&observations);
    assert_eq!((all.distinct, all.count, all.clients, all.servers, all.pairs), (3, 12, 1, 2, 2));
    assert_eq!(all.last_new, Some(super::SECOND));
    assert_eq!(all.kinds.len(), 3);
    assert_eq!(summary(&[]).last_new, None);
}
