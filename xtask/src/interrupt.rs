//! Ctrl-C: clean up, then end.

use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};

static STOPPING: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C, SIGTERM and a closed terminal remove the labs of this process and end it.
///
/// The children are in process groups of their own, so the terminal's signal reaches only this process.
pub(crate) fn clean_up_on_signal() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut interrupt, mut terminate, mut hangup) = {
        let _inside = runtime.enter();
        let listen = |kind| signal(kind).context("cannot wait for signals");
        (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?, listen(SignalKind::hangup())?)
    };
    thread::spawn(move || {
        let kind = runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => SignalKind::interrupt(),
                _ = terminate.recv() => SignalKind::terminate(),
                _ = hangup.recv() => SignalKind::hangup(),
            }
        });
        STOPPING.store(true, Ordering::SeqCst);
        // What fails from here on fails because the lab goes away under it.
        std::panic::set_hook(Box::new(|_| {}));
        eprintln!("\nstopping: removing the lab");
        enforcer_tests::sweep::own();
        exit(128 + kind.as_raw_value());
    });
    Ok(())
}

/// Never returns once a signal has come: the clean-up must not be cut short by the end of `main`.
pub(crate) fn wait_if_stopping() {
    while STOPPING.load(Ordering::SeqCst) {
        thread::park();
    }
}
