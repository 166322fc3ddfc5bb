//! The data plane against a real kernel: ports, refusals and offloads, in network namespaces of their own.
//! Needs root. The bridge has its own file.

#[expect(dead_code, reason = "each test file uses its own part of the shared helpers")]
mod netns;

use std::os::fd::AsRawFd;

use enforcer::dataplane::{
    netlink::Netlink,
    offload,
    ports::{self, PortError, XdpMode},
    reset::{Reset, ResetSocket},
};
use netns::{cables, in_namespace, ip, pass_program, show, snapshot};
use rtnetlink::{
    LinkUnspec,
    packet_route::link::{LinkAttribute, LinkXdp},
};

const GENERIC: u32 = 1 << 1;
const NATIVE: u32 = 1 << 2;

async fn refusal(netlink: &Netlink, network: &str, device: &str) -> PortError {
    ports::validate(netlink, network, device, "br0", &[]).await.expect_err("these ports must be refused")
}

async fn attach(netlink: &Netlink, port: &str, fd: i32, flags: u32) {
    let index = ports::inspect(netlink, port).await.expect("the port").index;
    let xdp = LinkAttribute::Xdp(vec![LinkXdp::Fd(fd), LinkXdp::Flags(flags)]);
    let message = LinkUnspec::new_with_index(index).append_extra_attribute(xdp).build();
    netlink.change("attach the program", message).await.expect("attached");
}

#[test]
fn two_good_ports_are_accepted_as_they_are() {
    in_namespace(|netlink| async move {
        cables();
        let before = snapshot();
        let pair = ports::validate(&netlink, "wan", "cell", "br0", &[]).await.expect("good ports");
        let kernel = show("wan");
        assert_eq!(pair.network.index, kernel["ifindex"]);
        assert_eq!(pair.network.mtu, kernel["mtu"]);
        let mac: Vec<String> = pair.network.mac.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(mac.join(":"), kernel["address"]);
        assert_eq!(pair.device.driver.as_deref(), Some("veth"));
        assert!(pair.device.up && pair.device.carrier && pair.device.speed == Some(10_000));
        assert_eq!(pair.device.xdp, []);
        assert_eq!(pair.attention, Vec::<String>::new());
        assert_eq!(snapshot(), before);
    });
}

#[test]
fn ports_that_cannot_be_used_are_refused() {
    in_namespace(|netlink| async move {
        cables();
        ip("link add other type bridge");
        ip("link add dark type veth peer name below");
        ip("link add taken type veth peer name away");
        ip("link set taken up master other");
        let before = snapshot();
        assert!(matches!(refusal(&netlink, "wan", "nothing").await, PortError::Missing { name } if name == "nothing"));
        assert!(matches!(refusal(&netlink, "wan", "wan").await, PortError::Identical { .. }));
        assert!(matches!(refusal(&netlink, "br0", "wan").await, PortError::Identical { .. }));
        assert!(matches!(refusal(&netlink, "wan", "a name").await, PortError::BadName { .. }));
        assert!(matches!(refusal(&netlink, "wan", "lo").await, PortError::NotEthernet { .. }));
        assert!(matches!(refusal(&netlink, "other", "wan").await, PortError::NotEthernet { .. }));
        let taken = refusal(&netlink, "taken", "wan").await;
        assert!(matches!(&taken, PortError::Enslaved { master, .. } if master == "other"), "{taken}");
        assert_eq!(snapshot(), before);
    });
}

#[test]
fn a_port_with_a_foreign_program_is_refused_and_with_our_own_is_not() {
    in_namespace(|netlink| async move {
        cables();
        let program = pass_program();
        for (flags, mode) in [(NATIVE, XdpMode::Native), (GENERIC, XdpMode::Generic)] {
            attach(&netlink, "cell", program.as_raw_fd(), flags).await;
            let found = ports::inspect(&netlink, "cell").await.expect("the port").xdp;
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].mode, mode);
            let taken = refusal(&netlink, "wan", "cell").await;
            assert!(matches!(taken, PortError::Taken { id, .. } if id == found[0].id));
            ports::validate(&netlink, "wan", "cell", "br0", &[found[0].id]).await.expect("our own program");
            attach(&netlink, "cell", -1, flags).await;
        }
        ports::validate(&netlink, "wan", "cell", "br0", &[]).await.expect("nothing left");
    });
}

#[test]
fn what_is_only_worth_knowing_is_attention() {
    in_namespace(|netlink| async move {
        cables();
        ip("link set cell mtu 9000");
        ip("addr add 192.0.2.1/24 dev wan");
        ip("link set plant down");
        let pair = ports::validate(&netlink, "wan", "cell", "br0", &[]).await.expect("usable");
        let all = pair.attention.join("\n");
        for word in ["wan: no link partner", "cell: an MTU of 9000", "wan: it has an address", "frames too large"] {
            assert!(all.contains(word), "{word} is not in:\n{all}");
        }
    });
}

#[test]
fn offloads_are_off_also_when_something_brought_them_back() {
    in_namespace(|netlink| async move {
        cables();
        assert!(offload::read("cell").expect("readable").strips_vlan);
        let first = offload::settle("cell").expect("settled");
        assert!(!first.strips_vlan && !first.merges && first.enforce_blockers().is_empty(), "{first:?}");
        let program = pass_program();
        attach(&netlink, "cell", program.as_raw_fd(), NATIVE).await;
        netns::run("ethtool", "-K cell gro on rxvlan on");
        assert!(offload::read("cell").expect("readable").merges);
        let again = offload::settle("cell").expect("settled");
        assert_eq!((again.merges, again.strips_vlan), (false, false), "{again:?}");
        assert_eq!(again.attention, Vec::<String>::new());
        let told = netns::run("ethtool", "-k cell");
        assert!(told.contains("rx-vlan-offload: off") && told.contains("generic-receive-offload: off"), "{told}");
    });
}

#[test]
fn several_receive_queues_become_one() {
    in_namespace(|_netlink| async move {
        ip("link add many numrxqueues 4 numtxqueues 4 type veth peer name few numrxqueues 4 numtxqueues 4");
        ip("link set many up");
        netns::run("ethtool", "-L many rx 4 tx 4");
        let before = offload::read("many").expect("readable");
        assert_eq!(before.receive_queues, Some(4));
        assert!(before.enforce_blockers().iter().any(|text| text.contains("receives on 4 queues")));
        let after = offload::settle("many").expect("settled");
        assert_eq!((after.receive_queues, after.enforce_blockers().len()), (Some(1), 0), "{after:?}");
    });
}

#[test]
fn an_interface_that_is_not_there_is_an_error_with_its_name() {
    in_namespace(|_netlink| async move {
        let error = offload::settle("nothing").expect_err("not there");
        assert!(error.to_string().starts_with("nothing: cannot read the offloads"), "{error}");
    });
}

#[test]
fn a_reset_leaves_by_the_port_as_it_was_built() {
    in_namespace(|netlink| async move {
        cables();
        let port = ports::inspect(&netlink, "cell").await.expect("the port");
        let reset = Reset {
            source_mac: [2, 0, 0, 0, 0, 1],
            destination_mac: [2, 0, 0, 0, 0, 2],
            tags: Vec::new(),
            source: "10.10.1.20:34567".parse().expect("an address"),
            destination: "10.10.2.5:502".parse().expect("an address"),
            sequence: 7,
            acknowledgement: Some(9),
        };
        let seen = netns::listen("plc");
        ResetSocket::open(port.index).expect("a raw socket").send(&reset).expect("sent");
        let expected = reset.frame().expect("a frame");
        assert!(seen.until(&expected), "the frame did not arrive on the other end as it was built");
    });
}
