//! The whole way: learn, propose, shadow, readiness, enforce unconfirmed, back by itself, once more and confirmed, a candidate,
//! grants, an older policy, and the audit trail at its end.

use std::fs;

use serde_json::Value;

use super::plant::Plant;
use super::{EMPTY, modbus, s7comm};

#[test]
fn both_protocols_from_first_plug_to_signed_off_enforcement() {
    let mut plant = Plant::new(EMPTY, "learn");
    plant.count_anew();
    let proposal = learns(&plant);
    shadows(&plant, &proposal);
    enforces_unconfirmed(&plant);
    waits_for_the_conduit_that_is_not_ready(&plant, &proposal);
    enforces_confirmed(&plant);
    plant.unbroken("from the first plug to a confirmed enforce");
    plant.narrows_by_mistake(&proposal);
    plant.widens(&proposal);
    plant.grants();
    plant.rolls_back();
    audited(&plant);
}

/// What the box made of what it saw.
pub(super) struct Proposal {
    pub path: String,
    pub text: String,
    /// The names of its two conduits.
    modbus: String,
    s7: String,
}

impl Proposal {
    /// The conduit of a protocol, as it stands in the text, and its name.
    fn conduit<'t>(text: &'t str, protocol: &str) -> (&'t str, String) {
        let mut conduits = text.split("[[conduits]]").skip(1);
        let one = conduits.find(|one| one.contains(&format!("protocol = \"{protocol}\"")));
        let one = one.unwrap_or_else(|| panic!("no conduit of {protocol}: {text}"));
        let name = one.lines().find_map(|line| line.strip_prefix("name     = \""));
        (one, name.unwrap_or_else(|| panic!("no name: {one}")).trim_end_matches('"').to_owned())
    }
}

fn learns(plant: &Plant) -> Proposal {
    let learned = plant.json(&["learn", "status"]);
    assert!(learned["verdict"].as_str().is_some_and(|text| text.contains("still learning")), "{learned:#}");
    let path = plant.lab.folder().join("proposal.toml").display().to_string();
    plant.must(&["learn", "propose", "--out", &path]);
    let text = fs::read_to_string(&path).expect("the proposal");
    let (modbus_rules, modbus) = Proposal::conduit(&text, "modbus");
    let (s7_rules, s7) = Proposal::conduit(&text, "s7comm");
    assert!(modbus_rules.contains("\"read_holding_registers\"") && modbus_rules.contains(modbus::OBJECT), "{text}");
    assert!(s7_rules.contains("\"read_var\"") && s7_rules.contains(s7comm::OBJECT), "{text}");
    assert!(s7_rules.contains("\"setup_communication\"") && !text.contains("write"), "{text}");
    Proposal { path, text, modbus, s7 }
}

fn shadows(plant: &Plant, proposal: &Proposal) {
    plant.must(&["policy", "apply", &proposal.path, "--reason", "learned"]);
    plant.must(&["mode", "shadow"]);
    let early = plant.refused(&["mode", "enforce"]);
    for name in [&proposal.modbus, &proposal.s7] {
        assert!(early.contains(&format!("conduit {name}: time in shadow")), "{early}");
    }
    plant.lets_write("shadow stops nothing", 700);
    let page = plant.lab.folder().join("report.html").display().to_string();
    let report = plant.json(&["shadow", "report", "--html", &page]);
    let groups = report["groups"].to_string();
    let html = fs::read_to_string(&page).expect("the page");
    for name in ["write_single_register", "write_var"] {
        assert!(groups.contains(name), "{report:#}");
        assert!(html.contains(name), "{name} is not on the page");
    }
    plant.wait("readiness", |status| status["readiness"]["ready"] == true);
    let report = plant.json(&["shadow", "report"]);
    for name in [&proposal.modbus, &proposal.s7] {
        let mut conduits = report["conduits"].as_array().into_iter().flatten();
        let one = conduits.find(|one| one["name"] == **name).unwrap_or_else(|| panic!("{report:#}"));
        assert!(one["ready"] == true && one["evaluated"].as_u64() >= Some(50), "{name}: {report:#}");
    }
}

fn enforces_unconfirmed(plant: &Plant) {
    let answer = plant.json(&["mode", "enforce", "--confirm-within", "10s"]);
    assert_eq!(answer["unconfirmed_for"], 10, "{answer:#}");
    plant.denies_writes("enforced while it waits", 701);
    let back = plant.wait("back by itself", |status| status["mode"] == "shadow");
    assert!(back["unconfirmed"].is_null(), "{back:#}");
    let audit = plant.must(&["audit", "show"]);
    assert!(audit.contains("auto_return") && audit.contains("not confirmed in time"), "{audit}");
}

/// Each conduit is measured for itself: what would be denied on one makes only that one wait.
fn waits_for_the_conduit_that_is_not_ready(plant: &Plant, proposal: &Proposal) {
    plant.wait("readiness", |status| status["readiness"]["ready"] == true);
    plant.lets_write_s7("shadow again", 702);
    let ready = |status: &Value, name: &str| {
        let mut conduits = status["conduits"].as_array().into_iter().flatten();
        conduits.any(|one| one["name"] == name && one["ready"] == true)
    };
    let status = plant.wait("S7 is not ready", |status| !ready(status, &proposal.s7));
    assert!(ready(&status, &proposal.modbus), "{status:#}");
    let refused = plant.refused(&["mode", "enforce"]);
    let waits = |name: &str| refused.contains(&format!("conduit {name}: "));
    assert!(waits(&proposal.s7) && !waits(&proposal.modbus), "{refused}");
    plant.wait("readiness", |status| status["readiness"]["ready"] == true);
}

fn enforces_confirmed(plant: &Plant) {
    plant.must(&["mode", "enforce", "--confirm-within", "20s", "--reason", "shift leader agrees"]);
    assert!(plant.refused(&["policy", "promote"]).contains("candidate"));
    plant.must(&["confirm"]);
    assert!(plant.refused(&["confirm"]).contains("nothing waits"));
    plant.denies_writes("confirmed", 703);
}

fn audited(plant: &Plant) {
    let whole = plant.json(&["audit", "verify"]);
    assert!(whole["records"].as_u64() > Some(8), "{whole:#}");
    let head = whole["head"].as_str().expect("a head").to_owned();
    plant.must(&["audit", "verify", "--expect", &head]);
    let chain = plant.lab.folder().join("state/audit.jsonl");
    let text = fs::read_to_string(&chain).expect("the chain");
    fs::write(&chain, text.replace("shift leader agrees", "shift leader asked")).expect("an edit");
    let broken = plant.refused(&["audit", "verify"]);
    assert!(broken.contains("edited"), "{broken}");
    fs::write(&chain, text).expect("back");
    plant.must(&["audit", "verify"]);
}
