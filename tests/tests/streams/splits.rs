//! A client that splits its units over segments: seen in learn, proposed, and borne in enforce; nobody else's is.

use std::io::{ErrorKind, Read as _, Result, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use enforcer_tests::frames::{modbus, read_holding};
use enforcer_tests::lab::{HMI, HMI_SECOND, PLC};
use enforcer_tests::{Client, Namespace};

use crate::plant::{Line, reason, status};

/// Nothing is known of the line.
const NOTHING: &str = "[policy]\nname = \"new\"\n\n[[ethernet]]\ntypes = [\"arp\"]\naction = \"allow\"\n";

#[test]
fn who_splits_units_is_learned_and_passes_and_another_who_does_it_later_does_not() {
    let line = Line::new();
    let server = line.serve();
    let config = line.enforcer(NOTHING, "learn", "").config().to_path_buf();
    let text = std::fs::read_to_string(&config).expect("the configuration");
    std::fs::write(&config, text.replace("quiet = \"0s\"", "quiet = \"60s\"")).expect("write");
    let enforcer = line.start(&config);
    split_reads(&line.lab.hmi, HMI_SECOND, 3).expect("learn lets all pass");
    for _ in 0..3 {
        line.client().read_holding(0, 2).expect("a whole unit");
    }
    let learned = enforcer.json(&["learn", "status"]).expect("learn status");
    assert_eq!(learned["exceptions"], 1, "{learned:#}");
    let said = enforcer.must(&["learn", "status"]).expect("learn status");
    assert!(said.contains("1 pairs split their units"), "{said}");

    let proposal = line.lab.folder().join("proposal.toml").display().to_string();
    enforcer.must(&["learn", "propose", "--out", &proposal]).expect("propose");
    let text = std::fs::read_to_string(&proposal).expect("the proposal");
    assert!(text.contains(&format!("# {HMI_SECOND} -> {PLC} splits its units over segments: seen 3 times")), "{text}");
    assert_eq!(text.matches("segmentation = \"stream\"").count(), 1, "{text}");
    enforcer.must(&["policy", "apply", &proposal]).expect("apply");
    let words = enforcer.must(&["policy", "explain"]).expect("explain");
    for part in ["segments begin and end where", "segments may hold parts of units"] {
        assert!(words.contains(part), "{part}: {words}");
    }

    // Under a policy that asks everybody for whole units the box is not ready, and says who is in the way.
    let whole = line.lab.write("whole.toml", &text.replace("segmentation = \"stream\"", "segmentation = \"whole\""));
    enforcer.must(&["policy", "apply", &whole.display().to_string()]).expect("apply");
    enforcer.must(&["mode", "shadow"]).expect("shadow");
    let refused = enforcer.cli(&["mode", "enforce"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(said.matches("clients that split units: 1, at most 0 is asked for").count(), 1, "{said}");
    enforcer.must(&["policy", "apply", &proposal]).expect("apply");
    let refused = enforcer.cli(&["mode", "enforce"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!said.contains("split units"), "{said}");

    enforcer.must(&["mode", "enforce", "--force"]).expect("enforce");
    split_reads(&line.lab.hmi, HMI_SECOND, 3)
        .unwrap_or_else(|error| panic!("{error}: {:#}\n{text}", status(&enforcer)));
    let mut whole = Client::connect(&line.lab.hmi, HMI, PLC).expect("connect");
    whole.read_holding(0, 2).expect("a whole unit");
    let requests = server.memory().requests;
    let error = split_reads(&line.lab.hmi, HMI, 1).expect_err("its conduit stayed whole");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}: {:#}", status(&enforcer));
    assert_eq!(server.memory().requests, requests);
    assert_eq!(reason(&enforcer, "split_unit"), 1, "{:#}", status(&enforcer));
}

/// Reads two registers, `times` times in one conversation, each request in two segments.
fn split_reads(station: &Namespace, from: Ipv4Addr, times: usize) -> Result<()> {
    station.run(|| {
        let mut stream = connect(from)?;
        for _ in 0..times {
            let request = modbus(1, 1, &read_holding(0, 2));
            stream.write_all(&request[..7])?;
            // Two writes in a row may leave in one segment.
            thread::sleep(Duration::from_millis(20));
            stream.write_all(&request[7..])?;
            let mut answer = [0; 13];
            stream.read_exact(&mut answer)?;
        }
        Ok(())
    })
}

fn connect(from: Ipv4Addr) -> Result<TcpStream> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((from, 0)))?;
        socket.connect(SocketAddr::from((PLC, 502))).await?.into_std()
    })?;
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    Ok(stream)
}
