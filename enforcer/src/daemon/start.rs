//! The way up: check everything, change nothing; then bridge, load, publish, attach; then say that the box is ready.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use enforcer_common::abi::{Settings, place};
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Mutex, watch};

use super::links::{self, Cable};
use super::{
    Daemon, InForce, Memory, confirm, counted, events, evidence, next_generation, pair_directory, roles, settings,
    switched, trust_anew,
};
use crate::config::{self, Config};
use crate::dataplane::netlink::Netlink;
use crate::dataplane::object::Object;
use crate::dataplane::ports::Port;
use crate::dataplane::{attach, bpffs, bridge, flows, kernel, maps, offload, ports, publish};
use crate::export::Exports;
use crate::journal::{Journal, Limits};
use crate::policy;

/// Runs the daemon until it is told to stop. Errors are one sentence a line.
///
/// # Errors
/// Whatever keeps the box from being attached with a policy in force; nothing is then half attached.
pub async fn start(file: &Path) -> Result<()> {
    let config = config::load(file).map_err(|errors| anyhow!("{errors}"))?;
    kernel::check_version()?;
    kernel::check_permissions()?;
    let mut memory = Memory::load(&config.state.directory)?;
    let gone_back = memory.as_mut().and_then(confirm::settle);
    let _lock = lock(&config.state.directory)?;
    let (name, loaded) = remembered_policy(&config, memory.as_ref())?;
    let memory = memory.unwrap_or_else(|| Memory::new(config.policy.mode.as_str()));
    let listener = listen(&config.control).await?;

    let socket = config.control.socket.clone();
    match come_up(config, memory, name, loaded, gone_back).await {
        Ok(daemon) => serve(daemon, listener).await,
        Err(error) => {
            // Nobody will answer on it.
            let _ = fs::remove_file(&socket);
            Err(error)
        }
    }
}

/// One daemon per state directory; the lock goes with the process, however it ends.
fn lock(directory: &Path) -> Result<File> {
    let path = directory.join("lock");
    let file = File::create(&path).with_context(|| format!("{}: cannot make the lock file", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(_) => bail!("{}: another enforcer runs with this state directory", path.display()),
    }
}

/// The policy that was applied last, else the one of the configuration.
fn remembered_policy(config: &Config, memory: Option<&Memory>) -> Result<(String, policy::Loaded)> {
    if let Some(applied) = memory.and_then(|memory| memory.policy.as_ref()) {
        let loaded = policy::parse(&applied.name, &applied.text).map_err(|errors| anyhow!("{errors}"))?;
        return Ok((applied.name.clone(), loaded));
    }
    let loaded = policy::check(&config.policy.file).map_err(|errors| anyhow!("{errors}"))?;
    Ok((config.policy.file.display().to_string(), loaded))
}

/// Binds the socket; one that nobody answers on is a leftover.
async fn listen(control: &config::Control) -> Result<UnixListener> {
    let path = control.socket.as_path();
    let group = roles::socket_group(&control.roles)?;
    use std::os::unix::fs::PermissionsExt as _;
    if path.exists() {
        if UnixStream::connect(path).await.is_ok() {
            bail!("{}: another enforcer answers on this socket", path.display());
        }
        fs::remove_file(path).with_context(|| format!("{}: cannot remove the old socket", path.display()))?;
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(|| format!("{}: cannot make the directory", parent.display()))?;
    }
    let listener = UnixListener::bind(path).with_context(|| format!("{}: cannot listen", path.display()))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o660))
        .with_context(|| format!("{}: cannot set its mode", path.display()))?;
    if group.is_some() {
        std::os::unix::fs::chown(path, None, group)
            .with_context(|| format!("{}: cannot give it to its group", path.display()))?;
    }
    Ok(listener)
}

async fn come_up(
    config: Config,
    mut memory: Memory,
    name: String,
    loaded: policy::Loaded,
    gone_back: Option<String>,
) -> Result<Daemon> {
    let netlink = Netlink::connect()?;
    let pair_directory = pair_directory(&config);
    let own = attach::own_programs(&pair_directory);
    let pair =
        ports::validate(&netlink, &config.ports.network, &config.ports.device, &config.ports.bridge, &own).await?;
    bridge::check(&netlink, &config.ports.bridge, &pair).await?;
    bpffs::ensure(Path::new(bpffs::PLACE))?;
    let mut attention = pair.attention.clone();

    // The object loads before anything on the ports changes: what the kernel refuses must not cost a frame.
    let pins = maps::pin_directory(Path::new(super::PINS), &config.ports.network, &config.ports.device);
    fs::create_dir_all(&pins).with_context(|| format!("{}: cannot make the directory for pins", pins.display()))?;
    let sizes = maps::Sizes { flows: config.flows.established, half_open: config.flows.half_open };
    let mut object = Object::load(Some(&pins), sizes)?;
    flows::draw_key(&mut object.maps)?;

    let bridge = bridge::establish(&netlink, &config.ports.bridge, &pair).await?;
    attention.extend(bridge.attention.clone());
    let (generation, bank) = next_generation(&memory);
    memory.generation = generation;
    let compiled = policy::compile(&loaded.valid, generation, bank).map_err(|errors| anyhow!("{errors}"))?;
    if let Some(applied) = memory.unconfirmed.as_ref().and_then(|waiting| waiting.policy.as_ref()) {
        let old = policy::parse(&applied.name, &applied.text).map_err(|errors| anyhow!("{errors}"))?;
        let old = policy::compile(&old.valid, generation.wrapping_sub(1).max(1), 1 - bank)
            .map_err(|errors| anyhow!("{errors}"))?;
        publish::put(&mut object.maps, place::PREVIOUS, &old)?;
    }
    let epoch = evidence::epoch(&object.maps);
    let mut before = counted::load(&config.state.directory, epoch);
    // A start that was cut short may have left that generation in the bank that is cleared now.
    let mut past =
        before.take_if(|before| before.bank() == bank).map(|before| before.count(&object.maps)).transpose()?;
    publish::publish(&mut object.maps, &compiled, &switched(&memory, &compiled))?;
    if let Some(before) = before {
        past = Some(before.count(&object.maps)?);
    }
    let unseen = own.is_empty() || memory.carrier_changes != cables_of([&pair.network, &pair.device]);
    let (in_cell, kept) = first_settings(&object, &config, unseen)?;
    let settings = settings(&memory, Settings { management_mac: bridge.mac, ..in_cell });
    publish::set(&mut object.maps, settings)?;
    if kept != (sizes, config.flows.per_device) {
        attention.push("the tables of conversations keep the sizes they were made with until `enforcer detach`".into());
    }

    let mut blockers = Vec::new();
    for port in [&config.ports.network, &config.ports.device] {
        offload::settle(port)?;
    }
    let attached = attach::attach(&mut object, [&pair.network, &pair.device], config.ports.attach, &pins)?;
    attach::forget_others(&pins);
    // Once more: a driver may settle its features anew when a program is attached.
    for port in [&config.ports.network, &config.ports.device] {
        let offloads = offload::settle(port)?;
        attention.extend(offloads.attention.iter().cloned());
        blockers.extend(offloads.enforce_blockers().iter().cloned());
    }
    if memory.mode == "enforce" && !blockers.is_empty() {
        attach::detach(&pair_directory)?;
        bail!("enforce is not possible on these ports: {}", blockers.join("; "));
    }
    let policy = InForce { name, loaded, compiled };
    let mut ports = [pair.network, pair.device];
    for port in &mut ports {
        // Some drivers take the link down when a program is attached.
        if let Some((_, changes)) = netlink.carrier(port.index).await? {
            port.carrier_changes = changes;
        }
    }
    let past = past.unwrap_or_default();
    counted::keep(&config.state.directory, epoch, &policy, &past);
    memory.carrier_changes = cables_of(ports.each_ref());
    memory.store(&config.state.directory)?;
    let mut events = events::Store::default();
    events.exports = Exports::start(&config.exports);
    let limits = Limits { size: u64::from(config.state.journal_mib) << 20, ..Limits::default() };
    let journal = Journal::open(&config.state.directory, limits);
    let (kept, started) = (evidence::Kept::default(), crate::journal::time::now());
    let mut daemon = Daemon {
        config,
        object,
        bridge,
        settings,
        ports,
        attached,
        way: super::forwarding::Way::default(),
        attention,
        blockers,
        memory,
        policy,
        past,
        events,
        journal,
        candidate: None,
        stages: 0,
        not_compared_before: 0,
        started,
        kept,
        epoch,
        watch: super::health::Watch::default(),
        ready: None,
    };
    daemon.settle_forwarding(&netlink).await;
    daemon.resume(gone_back)?;
    Ok(daemon)
}

/// How often the cables of both ports came or went.
fn cables_of(ports: [&Port; 2]) -> [u32; 2] {
    ports.map(|port| port.carrier_changes)
}

/// The kernel's cell as this start finds it, with what the configuration says of conversations; and the sizes that hold.
/// Programs that are attached, on cables that were never out, have seen every frame: what they know of conversations
/// stays. `unseen`: that is not so.
fn first_settings(object: &Object, config: &Config, unseen: bool) -> Result<(Settings, (maps::Sizes, u32))> {
    let mut settings = object.maps.settings.get(&0, 0)?.0;
    if settings.flows_per_device == 0 {
        settings.flows_per_device = config.flows.per_device;
    }
    let rate = config.flows.connections_per_second;
    settings.connection_interval = 1_000_000_000_u64.checked_div(rate.into()).unwrap_or(0);
    settings.connection_burst = rate.saturating_mul(2);
    settings.resets = config.flows.resets_per_minute;
    if unseen {
        trust_anew(&mut settings, config);
    }
    Ok((settings, (object.maps.sizes, settings.flows_per_device)))
}

async fn serve(mut daemon: Daemon, listener: UnixListener) -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let hangup = signal(SignalKind::hangup())?;
    let ring = daemon.object.maps.events.take().context("the event ring is missing")?;
    let socket = daemon.config.control.socket.clone();
    let resetters = daemon.ports.each_ref().map(|port| port.index);
    let cables = daemon.ports.each_ref().map(|port| Cable {
        name: port.name.clone(),
        index: port.index,
        changes: port.carrier_changes,
    });
    tracing::info!(
        network = daemon.config.ports.network,
        device = daemon.config.ports.device,
        mode = daemon.memory.mode,
        generation = daemon.memory.generation,
        "in force"
    );
    let metrics = daemon.config.metrics.as_ref().map(|metrics| metrics.listen);
    let daemon = Arc::new(Mutex::new(daemon));
    let metrics = metrics.map(|listen| tokio::spawn(super::measure::serve(daemon.clone(), listen)));
    let (stop, mut stopped) = watch::channel(false);
    let ending = stop.clone();
    let reader = tokio::spawn(events::read(daemon.clone(), ring, resetters, stopped.clone()));
    let tasks = [
        tokio::spawn(links::watch(daemon.clone(), cables)),
        tokio::spawn(evidence::keep(daemon.clone())),
        tokio::spawn(super::health::keep(daemon.clone())),
        tokio::spawn(events::reopen(daemon.clone(), hangup)),
        tokio::spawn(super::control::serve(daemon.clone(), listener, stop)),
    ];
    let _ = sd_notify::notify(false, &[sd_notify::NotifyState::Ready]);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = stopped.wait_for(|stop| *stop) => {}
    }
    let _ = sd_notify::notify(false, &[sd_notify::NotifyState::Stopping]);
    let _ = ending.send(true);
    // What it has taken from the ring is handed on first.
    let _ = reader.await;
    for task in tasks.into_iter().chain(metrics) {
        task.abort();
    }
    let mut daemon = daemon.lock().await;
    daemon.rest();
    daemon.events.exports.finish();
    let _ = fs::remove_file(&socket);
    tracing::info!("stopped; what is attached stays in force");
    Ok(())
}
