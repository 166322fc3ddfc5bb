//! What holds before the programs are on the ports: `on_boot`, and one daemon at a time.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::config::{Config, OnBoot};
use crate::dataplane::netlink::Netlink;
use crate::dataplane::{bridge, ports};

/// One daemon per state directory; the lock goes with the process, however it ends. `None` and a sentence where the
/// directory takes no file: the lock on the pins holds all the same.
pub(super) fn lock_state(directory: &Path, troubles: &mut Vec<String>) -> Result<Option<File>> {
    let path = directory.join("lock");
    match File::create(&path) {
        Ok(file) if file.try_lock().is_ok() => Ok(Some(file)),
        Ok(_) => bail!("{}: another enforcer runs with this state directory", path.display()),
        Err(error) => {
            troubles.push(format!(
                "{}: {error}: what is changed is in force, but will be forgotten at the next start",
                directory.display()
            ));
            Ok(None)
        }
    }
}

/// One daemon per pair of ports.
pub(super) fn lock_pins(pair: &Path) -> Result<File> {
    let made = || -> std::io::Result<File> {
        fs::create_dir_all(pair)?;
        File::open(pair)
    };
    let folder = made().with_context(|| format!("{}: cannot make the directory for pins", pair.display()))?;
    match folder.try_lock() {
        Ok(()) => Ok(folder),
        Err(_) => bail!("{}: another enforcer runs on these ports", pair.display()),
    }
}

/// Puts the line into the state that `on_boot` says until the programs are there: `open` joins the ports, `closed` takes
/// them down. Nothing happens to ports that hold programs of ours already, by their numbers `own`.
///
/// # Errors
/// When the ports cannot be joined or taken down.
pub(super) async fn hold(netlink: &Netlink, config: &Config, own: &[u32]) -> Result<()> {
    let names = [&config.ports.network, &config.ports.device];
    match config.failure.on_boot {
        OnBoot::LastConfirmed => {}
        OnBoot::Open if own.is_empty() => {
            let pair = ports::validate(netlink, names[0], names[1], &config.ports.bridge, own).await?;
            bridge::establish(netlink, &config.ports.bridge, &pair).await?;
        }
        OnBoot::Open => {}
        OnBoot::Closed => {
            for name in names {
                let port = ports::inspect(netlink, name).await?;
                if port.up && !port.xdp.iter().any(|program| own.contains(&program.id)) {
                    netlink.set_down(&port).await?;
                }
            }
        }
    }
    Ok(())
}
