//! The way up: check everything, change nothing; then bridge, load, publish, attach; then say that the box is ready.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use enforcer_common::abi::{Settings, place};
use enforcer_common::verdict::Mode;
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Mutex, watch};

use super::links::{self, Cable};
use super::recover::{self, Kernel, Recovered};
use super::{
    Daemon, InForce, Memory, bank_of, boot, counted, events, evidence, heap, next_generation, pair_directory, roles,
    settings, switched, trust_anew, watchdog,
};
use crate::config::{self, Config};
use crate::dataplane::adopt::{self, Left};
use crate::dataplane::counters::Totals;
use crate::dataplane::netlink::Netlink;
use crate::dataplane::object::Object;
use crate::dataplane::ports::Port;
use crate::dataplane::{attach, bpffs, bridge, flows, kernel, maps, offload, ports, publish};
use crate::export::Exports;
use crate::journal::{Journal, Limits};
use crate::policy::{self, Compiled};

/// Runs the daemon until it is told to stop. Errors are one sentence a line.
///
/// # Errors
/// Whatever keeps the box from being attached with a policy in force; nothing is then half attached.
pub async fn start(file: &Path) -> Result<()> {
    let config = config::load(file).map_err(|errors| anyhow!("{errors}"))?;
    kernel::check_version()?;
    kernel::check_permissions()?;
    bpffs::ensure(Path::new(bpffs::PLACE))?;
    let mut troubles = Vec::new();
    // What cannot be made is said by who needs it.
    let _ = fs::create_dir_all(&config.state.directory);
    let _state = boot::lock_state(&config.state.directory, &mut troubles)?;
    let pair = pair_directory(&config);
    let _ports = boot::lock_pins(&pair)?;
    let netlink = Netlink::connect()?;
    let own = attach::own_programs(&pair);
    boot::hold(&netlink, &config, &own).await?;
    let left = adopt::look(&pins_of(&config));
    let mut recovered = recover::recover(&config, at_work(&config, &own, &left))?;
    troubles.append(&mut recovered.troubles);
    recovered.troubles = troubles;
    let listener = listen(&config.control).await?;

    let socket = config.control.socket.clone();
    match come_up(config, &netlink, &own, left, recovered).await {
        Ok(daemon) => serve(daemon, listener).await,
        Err(error) => {
            // Nobody will answer on it.
            let _ = fs::remove_file(&socket);
            Err(error)
        }
    }
}

/// What the programs of an earlier controller do, `own` by their numbers.
fn at_work(config: &Config, own: &[u32], left: &Left) -> Kernel {
    if own.is_empty() {
        return Kernel::Idle;
    }
    let cell = if *left == Left::Whole { adopt::settings(&pins_of(config)) } else { None };
    Kernel::AtWork(cell.map(|cell| Mode::from_code(cell.mode)))
}

/// Where this version's pins lie.
pub(super) fn pins_of(config: &Config) -> PathBuf {
    maps::pin_directory(Path::new(super::PINS), &config.ports.network, &config.ports.device)
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

async fn come_up(config: Config, netlink: &Netlink, own: &[u32], left: Left, recovered: Recovered) -> Result<Daemon> {
    let Recovered { mut memory, name, loaded, gone_back, troubles } = recovered;
    let pair = ports::validate(netlink, &config.ports.network, &config.ports.device, &config.ports.bridge, own).await?;
    bridge::check(netlink, &config.ports.bridge, &pair).await?;
    let mut attention = troubles;
    attention.extend(pair.attention.iter().cloned());
    if !kernel::may_send_raw()? {
        attention.push(
            "CAP_NET_RAW is missing: no reset is sent to the device, it keeps a denied connection until its next frame"
                .into(),
        );
    }

    // The object loads before anything on the ports changes: what the kernel refuses must not cost a frame.
    let pins = pins_of(&config);
    if let Left::Unfit(why) = left {
        if own.is_empty() {
            // What a start left that went wrong.
            attach::forget(&pins);
        } else {
            attention.push(format!(
                "the pins of an earlier controller are not gone on with, conversations are proved anew: {why}"
            ));
            adopt::move_aside(&pins).with_context(|| format!("{}: cannot move the pins aside", pins.display()))?;
        }
    }
    let here = attach::programs_of(&pins);
    let on_both = [&pair.network, &pair.device].iter().all(|port| port.xdp.iter().any(|one| here.contains(&one.id)));
    fs::create_dir_all(&pins).with_context(|| format!("{}: cannot make the directory for pins", pins.display()))?;
    let sizes = maps::Sizes { flows: config.flows.established, half_open: config.flows.half_open };
    let mut object = Object::load(Some(&pins), sizes)?;
    flows::draw_key(&mut object.maps)?;
    let epoch = evidence::epoch(&object.maps);

    // What judges here may be another policy in a moment.
    let cell = object.maps.settings.get(&0, 0)?.0;
    publish::set(&mut object.maps, Settings { generation: 0, ..cell })?;
    let (compiled, past) = put_in_force(&mut object, &pins, &config.state.directory, &mut memory, &loaded)?;
    let unseen = !on_both || memory.carrier_changes != cables_of([&pair.network, &pair.device]);
    let (in_cell, kept) = first_settings(&object, &config, unseen)?;
    let header = &compiled.image.header;
    let settings = Settings { generation: header.generation, bank: header.bank, ..settings(&memory, in_cell) };
    let settings = publish::set(&mut object.maps, settings)?;
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
        let what = format!("enforce is not possible on these ports: {}", blockers.join("; "));
        if own.is_empty() {
            attach::detach(&pair_directory(&config))?;
            bail!("{what}");
        }
        // The programs were there before: taking them off would open the line.
        attention.push(what);
    }
    // Last: nothing passes between the ports before the programs are on them.
    let bridge = match bridge::establish(netlink, &config.ports.bridge, &pair).await {
        Ok(bridge) => bridge,
        Err(error) => {
            if own.is_empty() {
                attach::detach(&pair_directory(&config))?;
            }
            return Err(error.into());
        }
    };
    attention.extend(bridge.attention.clone());
    let settings = Settings { management_mac: bridge.mac, ..settings };
    let settings = publish::set(&mut object.maps, settings)?;
    let policy = InForce { name, loaded, compiled };
    let mut ports = [pair.network, pair.device];
    for port in &mut ports {
        // Some drivers take the link down when a program is attached.
        if let Some((_, changes)) = netlink.carrier(port.index).await? {
            port.carrier_changes = changes;
        }
    }
    counted::keep(&config.state.directory, epoch, &policy, &past);
    memory.carrier_changes = cables_of(ports.each_ref());
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
        memory_trouble: None,
        port_troubles: [None, None],
        bridge_trouble: None,
        detached: false,
    };
    daemon.settle_forwarding(netlink).await;
    daemon.resume(gone_back)?;
    heap::give_back();
    Ok(daemon)
}

/// Puts the policy in force, and says what was counted before its generation. Where the kernel judges by exactly this policy,
/// as a controller before left it, nothing is published: its counters and what it knows go on.
fn put_in_force(
    object: &mut Object,
    pins: &Path,
    state: &Path,
    memory: &mut Memory,
    loaded: &policy::Loaded,
) -> Result<(Compiled, Totals)> {
    let compile =
        |generation: u32, bank| policy::compile(&loaded.valid, generation, bank).map_err(|errors| anyhow!("{errors}"));
    let found = adopt::in_force(pins);
    let mut before = counted::load(state, evidence::epoch(&object.maps));
    if memory.generation != 0 && found.is_some_and(|found| found.generation == memory.generation) {
        let same = compile(memory.generation, bank_of(memory.generation))?;
        if found == Some(adopt::in_force_as(&same)) {
            publish::set_conduit_modes(&mut object.maps, &same, &switched(memory, &same))?;
            let past = before.map(|before| before.until(&object.maps, memory.generation)).transpose()?;
            return Ok((same, past.unwrap_or_default()));
        }
    }
    // Never a number that conversations may carry of another policy.
    memory.generation = memory.generation.max(found.map_or(0, |found| found.generation));
    let (generation, bank) = next_generation(memory);
    memory.generation = generation;
    let compiled = compile(generation, bank)?;
    if let Some(applied) = memory.unconfirmed.as_ref().and_then(|waiting| waiting.policy.as_ref()) {
        let old = policy::parse(&applied.name, &applied.text).map_err(|errors| anyhow!("{errors}"))?;
        let old = policy::compile(&old.valid, generation.wrapping_sub(1).max(1), 1 - bank)
            .map_err(|errors| anyhow!("{errors}"))?;
        publish::put(&mut object.maps, place::PREVIOUS, &old)?;
    }
    // A start that was cut short may have left that generation in the bank that is cleared now.
    let mut past =
        before.take_if(|before| before.bank() == bank).map(|before| before.count(&object.maps)).transpose()?;
    publish::publish(&mut object.maps, pins, &compiled, &switched(memory, &compiled))?;
    if let Some(before) = before {
        past = Some(before.count(&object.maps)?);
    }
    Ok((compiled, past.unwrap_or_default()))
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
    // Whom the kernel lets in since it took a change back alone stays let in when the deadline is no longer in the cell.
    if settings.is_taken_back(flows::now()) {
        settings.forgiven = settings.confirm_until;
    }
    // The controller is here; whether it is missed some day, it says itself.
    settings.alive_until = 0;
    settings.measured = config.metrics.as_ref().map_or(0, |metrics| metrics.sample);
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
        tokio::spawn(watchdog::feed(daemon.clone())),
    ];
    watchdog::say(sd_notify::NotifyState::Ready, &daemon.lock().await.line());
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = stopped.wait_for(|stop| *stop) => {}
    }
    let line = daemon.lock().await.line();
    watchdog::say(sd_notify::NotifyState::Stopping, &line);
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
    tracing::info!("stopped; {line}");
    Ok(())
}
