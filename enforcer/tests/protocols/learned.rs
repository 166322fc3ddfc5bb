//! Learn, propose, enforce on the same capture: what a plant does every day is not denied.
//!
//! Frames that the independent dissector lists as sound must pass, whatever they hold; and no frame is denied by a rule.

use std::collections::BTreeSet;
use std::path::Path;

use enforcer::learn::{self, Clock, Reach};
use enforcer::replay::capture::{Capture, Frame};
use enforcer::replay::line::Line;
use enforcer::replay::run::{Options, Run};
use enforcer_common::protocol::Protocol;
use enforcer_common::verdict::Mode;

use super::{captured, checksum};

/// Reasons that a policy gives.
const RULES: &[&str] =
    &["function_not_allowed", "unit_not_allowed", "object_not_allowed", "value_not_allowed", "rule_deny"];

/// Reasons for which a sound recording is refused all the same: it was made on a loopback interface, or holds what no
/// standard allows.
const WIRE: &[&str] = &["invalid_address", "invalid_flags", "invalid_function", "frame_too_large"];

const NO_SESSION: &str =
    "MMS in data TPDUs without session, presentation and association, answered in TPDUs whose header says it is empty";

/// Frames with which the dissector is content and the standard is not: capture, frames (none: all), what is wrong with them.
const UNSOUND: &[(&str, &[u64], &str)] = &[
    ("icsnpp-omron-fins__omron.pcapng", &[88], "two elements where the command says one (W342 5-3-34)"),
    (
        "ICS-Security-Tools__DNP3-Malformed.pcap",
        &[157, 160, 170],
        "operate with qualifiers 0x07 of no object, 0x0B and 0x17 of no object (IEEE 1815 4.2.2.7.3)",
    ),
    (
        "ICS-Security-Tools__write_vto_empty_string.pcap",
        &[],
        "an overflow: 65,536 terminal blocks of variation 0, which is none (IEEE 1815 A.43), in headers that lie across \
         transport segments",
    ),
    (
        "Quickdraw-Snort__dnp3_test_data_part1.pcap",
        &[154, 156, 163, 166, 174, 176],
        "the last object header has qualifier 0xED, whose top bit is reserved (IEEE 1815 4.2.2.7.3)",
    ),
    ("zeek__dnp3.pcap", &[154, 156, 163, 166, 174, 176], "the same capture"),
    (
        "suricata-verify__dnp3-too-long-reassembly-request-input.pcap",
        &[],
        "a confirmation with objects (IEEE 1815 4.4.1), in a fragment that never ends",
    ),
    (
        "suricata-verify__dnp3-too-long-reassembly-response-input.pcap",
        &[],
        "a fragment that never ends: there is no answer, and nothing to learn from",
    ),
    ("zeek__dnp3-flowbuffer-overflow-assert.pcap", &[], "a confirmation of an outstation, with objects"),
    (
        "Quickdraw-Snort__modbus_test_data_part1.pcap",
        &[32, 34, 91, 93, 95, 97, 99, 101, 103, 105, 107, 109, 111],
        "requests of function 43/14 and answers to function 1 whose lengths are not those of MB 6.21 and 6.1",
    ),
    ("suricata-verify__modbus.pcap", &[32, 34, 91, 93, 95, 97, 99], "the beginning of the same capture"),
    ("icsnpp-cotp__cotp2.pcapng", &[7], "plain text in data TPDUs, which is no protocol of this port"),
    ("ICS-Security-Tools__mms-deleteProgramInvocation.pcap", &[], NO_SESSION),
    ("ICS-Security-Tools__mms-initiateDownloadSequence.pcap", &[], NO_SESSION),
    ("ICS-Security-Tools__mms-initiateUploadSequence.pcap", &[], NO_SESSION),
    ("ICS-Security-Tools__mms-killRequest.pcap", &[], NO_SESSION),
    ("ICS-Security-Tools__mms-readRequest.pcap", &[], NO_SESSION),
    ("ICS-Security-Tools__mms-relinquishControl.pcap", &[], NO_SESSION),
    ("ICS-Security-Tools__mms-startRequest.pcap", &[], NO_SESSION),
    ("ICS-Security-Tools__mms-stopRequest.pcap", &[], NO_SESSION),
    ("ICS-Security-Tools__mms-takeControl.pcap", &[], NO_SESSION),
    ("ICS-Security-Tools__mms-terminateUploadSequence.pcap", &[], NO_SESSION),
    ("PcapPlusPlus__s7comm.pcap", &[1], "an answer alone in its capture: nobody asked, so nothing is proposed"),
    ("PcapPlusPlus__s7comm_ack_data.pcap", &[1], "the same"),
    ("PcapPlusPlus__tpkt_cotp.pcap", &[1], "a notification alone in its capture"),
    (
        "zeek__4SICS-GeekLounge-151022-min.pcap",
        &[1, 2],
        "frame 1: function 23 whose byte count is not twice its quantity (MB 6.17); alone in its capture with its answer",
    ),
    (
        "zeek__fuzz-1011.pcap",
        &[1, 3],
        "frame 1: 147 registers in one request (MB 6.4); alone in its capture with its answer",
    ),
];

/// Faults of which a capture is full, though the dissector is content: capture, fault, what is wrong.
const FAULTY: &[(&str, &str, &str)] = &[(
    "icsnpp-bacnet__bacnet_example.pcap",
    "length_mismatch",
    "a tool that tries passwords on ReinitializeDevice: every request says 17 bytes, whatever it has (J.2.11), and its \
     target answers with the same number",
)];

/// Pairs of stations between which functions were seen that have no name: nobody proposes those.
fn nameless(proposal: &str) -> Vec<[String; 2]> {
    let listed = proposal.lines().filter(|line| line.contains("not in the function table"));
    let ends = |line: &str| {
        let (from, rest) = line.trim_start_matches(['#', ' ']).split_once(" -> ")?;
        Some([from.to_owned(), rest.split_once(' ')?.0.to_owned()])
    };
    listed.filter_map(ends).collect()
}

fn is_end(line: &Line<'_>, address: &str) -> bool {
    [&line.src, &line.dst]
        .iter()
        .any(|end| end.rsplit_once(':').is_some_and(|(host, _)| host.trim_matches(['[', ']']) == address))
}

/// Protocols that are looked into; what else a capture holds is not their matter.
fn is_inspected(protocol: &str) -> bool {
    Protocol::ALL.iter().any(|one| one.is_inspected() && one.as_str() == protocol)
}

fn frames(file: &Path) -> Vec<Frame> {
    let capture = Capture::open(file).unwrap_or_else(|error| panic!("{error}"));
    let repaired = |frame: Frame| Frame { bytes: checksum::repaired(frame.bytes.clone()), ..frame };
    capture.map_while(Result::ok).map(repaired).collect()
}

/// Numbers of the frames that the dissector found nothing wrong with.
fn sound(file: &Path) -> BTreeSet<u64> {
    let text = std::fs::read_to_string(format!("{}.truth.jsonl", file.display())).unwrap_or_default();
    let records = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let whole = records.filter(|one| one["flags"].as_array().is_none_or(Vec::is_empty) && one["cap"] == one["len"]);
    whole.filter_map(|one| one["frame"].as_u64()).collect()
}

/// What learning proposes after a capture under this policy.
fn proposed(frames: &[Frame], watching: &enforcer::policy::Compiled) -> learn::Proposal {
    let mut learning = Run::new(watching, &Options { mode: Some(Mode::Learn), ..Options::default() });
    for frame in frames {
        learning.frame(frame);
    }
    let clock = Clock::new(std::time::UNIX_EPOCH, 0);
    learn::propose(&learning.environment().observations(), None, clock, Reach { dangerous: true })
}

fn denials(file: &Path) -> Result<Vec<String>, String> {
    let frames = frames(file);
    let hint = captured::hint(file);
    let extra: Vec<(&str, u16)> = hint.iter().map(|(protocol, port)| (protocol.as_str(), *port)).collect();
    let watching = captured::compiled("watch.toml", &captured::watching(&extra, captured::of_port_102(file)))?;
    let proposal = proposed(&frames, &watching);
    // A reset would end a conversation that the recording goes on with.
    let text = proposal.text.replace("\nprotocol = ", "\non_deny = \"drop\"\nprotocol = ");
    let policy = captured::compiled("proposed.toml", &text)?;
    let nameless = nameless(&proposal.text);
    let mut sound = sound(file);
    let unsound: Vec<&[u64]> =
        UNSOUND.iter().filter(|(name, ..)| file.ends_with(name)).map(|(_, frames, _)| *frames).collect();
    sound.retain(|frame| !unsound.iter().any(|frames| frames.is_empty() || frames.contains(frame)));
    let mut enforcing = Run::new(&policy, &Options { mode: Some(Mode::Enforce), ..Options::default() });
    let mut denied = Vec::new();
    for frame in &frames {
        for line in enforcing.frame(frame) {
            let known = !nameless.iter().any(|ends| ends.iter().all(|end| is_end(&line, end)));
            let faulty = FAULTY
                .iter()
                .any(|(name, fault, _)| file.ends_with(name) && (line.reason == *fault || line.fault == Some(fault)));
            let wrongly = !faulty
                && (sound.contains(&line.frame) && !WIRE.contains(&line.reason) || RULES.contains(&line.reason));
            if line.verdict == "deny" && is_inspected(&line.protocol) && known && wrongly {
                denied.push(format!("frame {}: {} {line}", line.frame, line.reason));
            }
        }
    }
    if !denied.is_empty() {
        let undecided =
            proposal.text.lines().filter(|line| line.starts_with("# -") || line.contains("not in the function"));
        denied.extend(undecided.take(5).map(str::to_owned));
    }
    Ok(denied)
}

#[test]
fn a_policy_learned_from_a_capture_denies_nothing_in_it() {
    let Some(files) = captured::files() else { return };
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut findings = Vec::new();
    let files: Vec<_> = files.iter().filter(|file| file.display().to_string().contains(&only)).collect();
    for file in &files {
        match denials(file) {
            Ok(denied) if denied.is_empty() => {}
            Ok(denied) => {
                findings.push(format!("{}: {} denials", file.display(), denied.len()));
                findings.extend(denied.into_iter().take(5).map(|line| format!("    {line}")));
            }
            Err(error) => findings.push(format!("{}: {error}", file.display())),
        }
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
    println!("{} captures", files.len());
}

#[test]
fn what_shares_a_port_is_learned_as_what_it_is_where_no_conduit_says_so() -> Result<(), String> {
    let Some(folder) = captured::folder() else { return Ok(()) };
    let open = captured::compiled("open.toml", "[policy]\nname = \"open\"\nrevision = 1\ndefault = \"allow\"\n")?;
    for file in ["mms/live__iec61850_mms.pcap", "mms/icsnpp-cotp__cotp.pcap"] {
        let frames = frames(&folder.join(file));
        let text = proposed(&frames, &open).text;
        assert!(text.contains("protocol = \"mms\"") && !text.contains("s7comm"), "{file}: {text}");
        let policy = captured::compiled("proposed.toml", &text)?;
        let mut enforcing = Run::new(&policy, &Options { mode: Some(Mode::Enforce), ..Options::default() });
        for frame in &frames {
            for line in enforcing.frame(frame) {
                let fits = line.verdict != "deny" || WIRE.contains(&line.reason) || !is_inspected(&line.protocol);
                assert!(fits, "{file}: {line}");
            }
        }
    }
    Ok(())
}
