//! Attaches the roots to the ports, by links that are pinned before anything else happens, so that enforcement does not
//! end with the controller; adopts links that an earlier controller left.

use std::fs;
use std::path::{Path, PathBuf};

use aya::programs::XdpMode;
use aya::programs::links::{FdLink, PinnedLink};
use aya::programs::xdp::XdpLink;

use super::adopt::program_pin;
use super::object::{AttachError, Object, ROOTS};
use super::ports::{Port, XdpMode as Mode};
use super::unhook;
use crate::config::Attach;

/// How a root sits on its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Attached {
    /// In the driver.
    Native,
    /// Behind the driver, on any network card.
    Generic,
}

/// Why the ports are not attached. Nothing stays half attached.
#[derive(Debug, thiserror::Error)]
pub enum PortsError {
    /// The kernel or driver refused.
    #[error("cannot attach to {port}: {source}")]
    Attach {
        /// The port.
        port: String,
        /// The refusal.
        source: AttachError,
    },
    /// The pin could not be made or read.
    #[error("cannot pin the link of {port} at {path}: {cause}")]
    Pin {
        /// The port.
        port: String,
        /// Where.
        path: String,
        /// Why.
        cause: String,
    },
}

/// Where the link of a root is pinned.
#[must_use]
pub fn link_pin(pins: &Path, root: &str) -> PathBuf {
    pins.join(format!("link_{root}"))
}

/// Ids of the programs that links pinned anywhere below `pair` hold on the ports: programs of ours, of any version.
#[must_use]
pub fn own_programs(pair: &Path) -> Vec<u32> {
    directories(pair).iter().flat_map(|pins| programs_of(pins)).collect()
}

/// The same of one directory of pins.
#[must_use]
pub fn programs_of(pins: &Path) -> Vec<u32> {
    let links = ROOTS.iter().filter_map(|root| PinnedLink::from_pin(link_pin(pins, root)).ok());
    links.filter_map(|link| FdLink::from(link).info().ok()).map(|info| info.program_id()).collect()
}

/// Directories of layouts below the directory of a pair of ports.
pub(super) fn directories(pair: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(pair) else {
        return Vec::new();
    };
    entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

/// Attaches both roots to the network and the device port, as they were just inspected.
///
/// # Errors
/// [`PortsError`]; a link made before the failure is taken off again.
pub fn attach(object: &mut Object, ports: [&Port; 2], asked: Attach, pins: &Path) -> Result<[Attached; 2], PortsError> {
    let mut made: Vec<PathBuf> = Vec::new();
    let mut attached = [Attached::Generic; 2];
    for ((root, port), place) in ROOTS.into_iter().zip(ports).zip(&mut attached) {
        let pin = link_pin(pins, root);
        match one(object, root, port, asked, &pin, pins) {
            Ok((mode, fresh)) => {
                *place = mode;
                if fresh {
                    made.extend([pin, program_pin(pins, root)]);
                }
            }
            Err(error) => {
                for pin in made {
                    let _ = fs::remove_file(pin);
                }
                return Err(error);
            }
        }
    }
    Ok(attached)
}

/// Attaches the root of one port again: 0 the network's, 1 the device's. For a port whose interface was made anew.
///
/// # Errors
/// [`PortsError`].
pub fn again(
    object: &mut Object,
    side: usize,
    port: &Port,
    asked: Attach,
    pins: &Path,
) -> Result<Attached, PortsError> {
    let root = if side == 0 { ROOTS[0] } else { ROOTS[1] };
    one(object, root, port, asked, &link_pin(pins, root), pins).map(|(mode, _)| mode)
}

/// Attaches one root, or adopts the link that holds it. True: the link is new.
fn one(
    object: &mut Object,
    root: &'static str,
    port: &Port,
    asked: Attach,
    pin: &Path,
    pins: &Path,
) -> Result<(Attached, bool), PortsError> {
    let refused = |source| PortsError::Attach { port: port.name.clone(), source };
    if let Ok(link) = PinnedLink::from_pin(pin) {
        if let Some(mode) = held(link, port) {
            return Ok((mode, false));
        }
        // The interface it was made for is gone.
        let _ = fs::remove_file(pin);
    }
    if let Some((old, mode)) = older_link(pins, root, port) {
        // Another version of us: the port is handed over in one step.
        let link = XdpLink::try_from(FdLink::from(old)).map_err(|error| refused(error.into()))?;
        let program = object.program(root).map_err(|error| refused(error.into()))?;
        let id = program.attach_to_link(link).map_err(|error| refused(error.into()))?;
        let link = program.take_link(id).map_err(|error| refused(error.into()))?;
        let link = FdLink::try_from(link).map_err(|_| refused(AttachError::NotPinnable))?;
        keep(link, port, pin)?;
        keep_program(object, root, port, pins)?;
        return Ok((mode, true));
    }
    let native = |object: &mut Object| object.attach(root, port.index, XdpMode::Driver);
    let generic = |object: &mut Object| object.attach(root, port.index, XdpMode::Skb);
    let (link, mode) = match asked {
        Attach::Native => (native(object).map_err(refused)?, Attached::Native),
        Attach::Generic => (generic(object).map_err(refused)?, Attached::Generic),
        Attach::Auto => match native(object) {
            Ok(link) => (link, Attached::Native),
            Err(_) => (generic(object).map_err(refused)?, Attached::Generic),
        },
    };
    keep(link, port, pin)?;
    keep_program(object, root, port, pins)?;
    Ok((mode, true))
}

/// Pins the program itself too, so that the next controller can see which maps it uses.
fn keep_program(object: &mut Object, root: &'static str, port: &Port, pins: &Path) -> Result<(), PortsError> {
    let path = program_pin(pins, root);
    let _ = fs::remove_file(&path);
    let failed = |cause: String| PortsError::Pin { port: port.name.clone(), path: path.display().to_string(), cause };
    let program = object.program(root).map_err(|error| failed(error.to_string()))?;
    program.pin(&path).map_err(|error| failed(error.to_string()))
}

fn keep(link: FdLink, port: &Port, pin: &Path) -> Result<(), PortsError> {
    link.pin(pin).map(drop).map_err(|error| PortsError::Pin {
        port: port.name.clone(),
        path: pin.display().to_string(),
        cause: error.to_string(),
    })
}

/// How the program of this link sits on the port; `None` when it does not: its interface has gone.
fn held(link: PinnedLink, port: &Port) -> Option<Attached> {
    let id = FdLink::from(link).info().ok()?.program_id();
    let program = port.xdp.iter().find(|program| program.id == id)?;
    Some(match program.mode {
        Mode::Native | Mode::Hardware | Mode::Other => Attached::Native,
        Mode::Generic => Attached::Generic,
    })
}

fn older_link(pins: &Path, root: &str, port: &Port) -> Option<(PinnedLink, Attached)> {
    for directory in directories(pins.parent()?).into_iter().filter(|directory| directory != pins) {
        let pin = link_pin(&directory, root);
        if let Ok(link) = PinnedLink::from_pin(&pin)
            && let Some(mode) = held(link, port)
            && let Ok(link) = PinnedLink::from_pin(&pin)
        {
            return Some((link, mode));
        }
    }
    None
}

/// Takes everything below the directory of a pair of ports off: links first, which detaches the programs.
///
/// # Errors
/// The first thing that could not be removed.
pub fn detach(pair: &Path) -> std::io::Result<bool> {
    let mut found = false;
    for pins in directories(pair) {
        for root in ROOTS {
            let pin = link_pin(&pins, root);
            if pin.exists() {
                // Without it the program would stay until the last holder of the link is gone, this process included.
                if let Err(error) = unhook::now(&pin) {
                    tracing::warn!(%error, pin = %pin.display(), "the program goes off with the link's last holder only");
                }
                fs::remove_file(pin)?;
                found = true;
            }
        }
        for entry in fs::read_dir(&pins)? {
            fs::remove_file(entry?.path())?;
        }
        fs::remove_dir(&pins)?;
    }
    if pair.exists() {
        fs::remove_dir(pair)?;
    }
    Ok(found)
}

/// Removes the pins of other layouts, after their ports were handed over.
pub fn forget_others(pins: &Path) {
    let Some(pair) = pins.parent() else {
        return;
    };
    for directory in directories(pair).into_iter().filter(|directory| directory != pins) {
        forget(&directory);
    }
}

/// Removes a directory of pins that nothing on a port needs.
pub fn forget(pins: &Path) {
    if let Ok(entries) = fs::read_dir(pins) {
        for entry in entries.filter_map(Result::ok) {
            let _ = fs::remove_file(entry.path());
        }
    }
    let _ = fs::remove_dir(pins);
}
