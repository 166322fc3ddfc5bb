//! What a start goes on with: the memory and the policy, as they were left; and where they cannot be read, what
//! `on_boot` says. A change that waited to be confirmed is never booted into.

use anyhow::{Result, anyhow};
use enforcer_common::verdict::Mode;

use super::memory::Applied;
use super::{Memory, confirm, heap};
use crate::config::{Config, OnBoot};
use crate::policy;

/// What a box that blocks or stands open has for a policy: nothing is named, so nothing is allowed.
const NOTHING: &str = "[policy]\nname = \"nothing\"\nrevision = 0\ndefault = \"deny\"\n\n[zones]\n";

/// What is on the ports when a start begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kernel {
    /// Nothing of ours: the machine was started, or the box never.
    Idle,
    /// Programs of an earlier controller, and the mode they are in, where this one can read it.
    AtWork(Option<Mode>),
}

/// What a start goes on with.
pub(super) struct Recovered {
    /// Mode, switched conduits, what waits.
    pub(super) memory: Memory,
    /// What errors call the policy.
    pub(super) name: String,
    /// The policy.
    pub(super) loaded: policy::Loaded,
    /// What went back before this start, in words.
    pub(super) gone_back: Option<String>,
    /// What was wrong, one sentence each.
    pub(super) troubles: Vec<String>,
}

/// Reads memory and policy.
///
/// # Errors
/// When there is no policy to go on with: the one in the configuration, of a box that was never started, or of one that
/// has nothing else left.
pub(super) fn recover(config: &Config, kernel: Kernel) -> Result<Recovered> {
    let directory = &config.state.directory;
    let mut memory = match Memory::load(directory) {
        Ok(Some(memory)) => memory,
        Ok(None) => return begin(config, kernel),
        Err(error) => {
            let mut why = error.to_string();
            if let Ok(aside) = Memory::set_aside(directory) {
                why = format!("{why}; it is {} now", aside.display());
            }
            return without(config, kernel, &why);
        }
    };
    let gone_back = confirm::settle(&mut memory);
    match policy_of(config, &memory) {
        Ok((name, loaded)) => Ok(Recovered { memory, name, loaded, gone_back, troubles: Vec::new() }),
        Err(why) => without(config, kernel, &why),
    }
}

/// The first start, or one after the state was lost.
fn begin(config: &Config, kernel: Kernel) -> Result<Recovered> {
    if kernel != Kernel::Idle {
        let why = format!("{}: no state is there, though the box was at work", config.state.directory.display());
        return without(config, kernel, &why);
    }
    let memory = Memory::new(config.policy.mode.as_str());
    let (name, loaded) = policy_of(config, &memory).map_err(|why| anyhow!("{why}"))?;
    Ok(Recovered { memory, name, loaded, gone_back: None, troubles: Vec::new() })
}

/// A start without its memory. The newest confirmed copy comes first: always while programs are on the ports, whose
/// policy it is; from power-on when `on_boot` says so.
fn without(config: &Config, kernel: Kernel, why: &str) -> Result<Recovered> {
    let copy = Memory::load_confirmed(&config.state.directory).ok().flatten();
    if (kernel != Kernel::Idle || config.failure.on_boot == OnBoot::LastConfirmed)
        && let Some(memory) = copy
        && let Ok((name, loaded)) = policy_of(config, &memory)
    {
        let said = format!(
            "{why}; going on with the last confirmed state: policy {} revision {}, mode {}",
            loaded.valid.name, loaded.valid.revision, memory.mode
        );
        return Ok(Recovered { memory, name, loaded, gone_back: None, troubles: vec![said] });
    }
    let held = match config.failure.on_boot {
        OnBoot::Open => Some(("bypass", "everything is forwarded and nothing is judged, because on_boot is \"open\"")),
        OnBoot::Closed => Some(("enforce", "nothing is let through, because on_boot is \"closed\"")),
        OnBoot::LastConfirmed => None,
    };
    if let Some((mode, so)) = held {
        let said = format!("{why}; {so}: `enforcer policy apply` and `enforcer mode` end that");
        let memory = Memory {
            mode_before_bypass: Some("learn".into()),
            policy: Some(Applied { name: "nothing".into(), text: NOTHING.into() }),
            emergency: Some(said),
            ..Memory::new(mode)
        };
        let (name, loaded) = policy_of(config, &memory).map_err(|why| anyhow!("{why}"))?;
        return Ok(Recovered { memory, name, loaded, gone_back: None, troubles: Vec::new() });
    }
    // A box at work does not become more lenient because its memory is lost.
    let mode = match kernel {
        Kernel::AtWork(Some(mode)) => mode.as_str(),
        Kernel::AtWork(None) | Kernel::Idle => config.policy.mode.as_str(),
    };
    let memory = Memory::new(mode);
    let (name, loaded) = policy_of(config, &memory).map_err(|other| anyhow!("{why}\n{other}"))?;
    let said = format!("{why}; there is no confirmed copy: going on with {name} in mode {mode}");
    Ok(Recovered { memory, name, loaded, gone_back: None, troubles: vec![said] })
}

/// The policy that was applied last, else the one of the configuration.
fn policy_of(config: &Config, memory: &Memory) -> Result<(String, policy::Loaded), String> {
    if let Some(applied) = &memory.policy {
        let loaded = policy::parse(&applied.name, &applied.text).map_err(|errors| errors.to_string())?;
        return Ok((applied.name.clone(), heap::gathered(loaded)));
    }
    let loaded = policy::check(&config.policy.file).map_err(|errors| errors.to_string())?;
    Ok((config.policy.file.display().to_string(), heap::gathered(loaded)))
}

#[cfg(test)]
mod tests {
    use super::NOTHING;

    #[test]
    fn the_policy_of_a_box_that_blocks_can_be_read() {
        let loaded = crate::policy::parse("nothing", NOTHING).unwrap();
        assert!(loaded.valid.conduits.is_empty());
    }
}
