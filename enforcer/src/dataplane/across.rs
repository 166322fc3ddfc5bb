//! The short way: allowed frames are handed from one port to the other inside the drivers, past the bridge.
//!
//! A driver that does not take such frames loses them without a word. So marked frames are sent out of both ports first, and
//! counted by what the port says it sent; only then are the cells filled that the programs look into. Emptied cells send
//! frames by the bridge again, with the next frame and without touching a driver.

use std::time::Duration;

use aya::maps::xdp::XdpMapError;
use aya::programs::ProgramError;
use aya::{TestRun as _, TestRunAttrs, TestRunOptions};

use super::attach::Attached;
use super::maps::Maps;
use super::netlink::{Netlink, NetlinkError};
use super::object::{Object, ObjectError, TRIAL};
use super::ports::Port;

/// Marked frames out of each port.
const MARKED: u32 = 64;
/// So often the port's counter is looked at until it has come to the mark, and so long between.
const LOOKS: u32 = 10;
const BETWEEN: Duration = Duration::from_millis(20);
/// The interface index that empties a cell.
const EMPTY: u32 = 0;
/// Local experimental ethertype 1 (IEEE 802).
const EXPERIMENTAL: [u8; 2] = [0x88, 0xb5];

/// Why frames go by the bridge.
#[derive(Debug, thiserror::Error)]
pub enum Hindrance {
    /// A port whose driver does not run the programs itself.
    #[error("{port}: its driver does not run XDP programs itself")]
    Generic {
        /// The port.
        port: String,
    },
    /// Ports that a queue must lie between.
    #[error("{network} runs at {from} Mbit/s and {device} at {to}: frames need the queue that the bridge has")]
    Speeds {
        /// The port towards the plant.
        network: String,
        /// The port towards the device.
        device: String,
        /// Speed of the first.
        from: u32,
        /// Speed of the second.
        to: u32,
    },
    /// No cable, nothing to try.
    #[error("{port}: no cable, so its driver could not be tried")]
    NoCable {
        /// The port.
        port: String,
    },
    /// The trial failed.
    #[error("{port}: of {MARKED} marked frames its driver sent {sent}")]
    Lost {
        /// The port.
        port: String,
        /// What its counter says.
        sent: u64,
    },
    /// The trial could not be made.
    #[error("{port}: the trial with marked frames was not possible: {cause}")]
    NoTrial {
        /// The port.
        port: String,
        /// Why.
        cause: String,
    },
}

/// Opens the short way, where nothing stands against it; closes it where something does.
///
/// # Errors
/// What stands against it. The frames go by the bridge.
pub async fn settle(
    object: &mut Object,
    netlink: &Netlink,
    ports: [&Port; 2],
    attached: [Attached; 2],
) -> Result<(), Hindrance> {
    let tried = match suits(ports, attached) {
        // An earlier controller tried it.
        Ok(()) if is_open(&object.maps, ports) => return Ok(()),
        Ok(()) => try_out(object, netlink, ports).await,
        Err(hindrance) => Err(hindrance),
    };
    if let Err(hindrance) = tried {
        close(&mut object.maps);
        return Err(hindrance);
    }
    let [network, device] = ports;
    for (from, to) in [(0, device), (1, network)] {
        if let Err(error) = object.maps.across.set(from, to.index, None, 0) {
            close(&mut object.maps);
            return Err(Hindrance::NoTrial { port: to.name.clone(), cause: error.to_string() });
        }
    }
    Ok(())
}

/// Sends every frame by the bridge.
pub fn close(maps: &mut Maps) {
    for cell in 0..2 {
        if let Err(error) = maps.across.set(cell, EMPTY, None, 0) {
            tracing::error!(%error, "frames still go straight to the other port");
        }
    }
}

/// True when both cells are filled with these ports.
#[must_use]
pub fn is_open(maps: &Maps, [network, device]: [&Port; 2]) -> bool {
    let leads = |cell, to: &Port| maps.across.get(cell, 0).is_ok_and(|found| found.if_index == to.index);
    leads(0, device) && leads(1, network)
}

fn suits([network, device]: [&Port; 2], attached: [Attached; 2]) -> Result<(), Hindrance> {
    for (port, attached) in [network, device].into_iter().zip(attached) {
        if attached != Attached::Native {
            return Err(Hindrance::Generic { port: port.name.clone() });
        }
    }
    if let (Some(from), Some(to)) = (network.speed, device.speed)
        && from != to
    {
        return Err(Hindrance::Speeds { network: network.name.clone(), device: device.name.clone(), from, to });
    }
    Ok(())
}

/// Sends marked frames out of both ports.
async fn try_out(object: &mut Object, netlink: &Netlink, ports: [&Port; 2]) -> Result<(), Hindrance> {
    for port in ports {
        let not = |cause: String| Hindrance::NoTrial { port: port.name.clone(), cause };
        let unknown = |error: NetlinkError| not(error.to_string());
        match netlink.carrier(port.index).await.map_err(unknown)? {
            Some((true, _)) => {}
            Some((false, _)) | None => return Err(Hindrance::NoCable { port: port.name.clone() }),
        }
        let count = async || netlink.transmitted(port.index).await.map(|count| count.unwrap_or_default());
        let before = count().await.map_err(unknown)?;
        send(object, port).map_err(|error| not(error.to_string()))?;
        let mut sent = 0;
        for _ in 0..LOOKS {
            sent = count().await.map_err(unknown)?.saturating_sub(before);
            if sent >= u64::from(MARKED) {
                break;
            }
            tokio::time::sleep(BETWEEN).await;
        }
        if sent < u64::from(MARKED) {
            return Err(Hindrance::Lost { port: port.name.clone(), sent });
        }
    }
    Ok(())
}

/// Why marked frames could not be sent.
#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error(transparent)]
    Object(#[from] ObjectError),
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error(transparent)]
    Map(#[from] XdpMapError),
}

/// Marked frames out of one port: from its own address to its own address, which no station takes for its own.
fn send(object: &mut Object, port: &Port) -> Result<(), SendError> {
    object.maps.trial.set(0, port.index, None, 0)?;
    let mut frame = [port.mac.as_slice(), &port.mac, &EXPERIMENTAL, b"enforcer: does this port send?"].concat();
    frame.resize(60, 0);
    let options = TestRunOptions {
        data_in: Some(&frame),
        repeat: MARKED,
        attrs: TestRunAttrs::new().xdp_live_frames(MARKED),
        ..TestRunOptions::default()
    };
    let ran = object.program(TRIAL)?.test_run(options);
    object.maps.trial.set(0, EMPTY, None, 0)?;
    ran?;
    Ok(())
}
