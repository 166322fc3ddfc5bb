//! The doctor on two real ports: before the enforcer touched them, and after. Needs root.

#[expect(dead_code, reason = "each test file uses its own part of the shared helpers")]
mod netns;

use enforcer::{
    dataplane::{bridge, offload, ports},
    doctor::{self, Level, Report},
};
use netns::{cables, in_namespace, ip, snapshot};

fn of<'a>(report: &'a Report, name: &str) -> Vec<&'a doctor::Check> {
    report.checks.iter().filter(|check| check.name == name).collect()
}

#[test]
fn untouched_ports_are_warned_about_and_settled_ones_are_not() {
    in_namespace(|netlink| async move {
        cables();
        let before = snapshot();
        let report = doctor::run(Some(("wan", "cell")), &[]).await;
        assert_eq!(snapshot(), before, "the doctor changes nothing");
        assert_eq!(report.exit_code(), 0, "{report}");
        assert!(of(&report, "cell offloads").iter().all(|check| check.result == Level::Warn), "{report}");

        let pair = ports::validate(&netlink, "wan", "cell", "br0", &[]).await.expect("good ports");
        bridge::establish(&netlink, "br0", &pair).await.expect("a bridge");
        offload::settle("wan").expect("settled");
        offload::settle("cell").expect("settled");
        let report = doctor::run(Some(("wan", "cell")), &[]).await;
        assert_eq!(of(&report, "cell offloads")[0].result, Level::Ok, "{report}");
        assert!(of(&report, "bridge")[0].found.contains("a true wire"), "{report}");

        ip("link set wan type bridge_slave isolated on");
        let report = doctor::run(Some(("wan", "cell")), &[]).await;
        assert!(of(&report, "bridge")[0].found.contains("isolated"), "{report}");
    });
}

#[test]
fn ports_that_cannot_be_used_fail() {
    in_namespace(|_netlink| async move {
        cables();
        for (network, device) in [("wan", "nothing"), ("wan", "wan"), ("wan", "lo")] {
            let report = doctor::run(Some((network, device)), &[]).await;
            assert_eq!(report.exit_code(), 1, "{report}");
        }
        ip("link set cell down");
        let report = doctor::run(Some(("wan", "cell")), &[]).await;
        assert_eq!(of(&report, "cell link")[0].result, Level::Fail);
        assert!(of(&report, "cell link")[0].advice.contains("ip link set cell up"));
        println!("{report}");
    });
}
