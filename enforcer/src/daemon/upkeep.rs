//! What the daemon does from time to time: conversations that ended make room.

use std::time::Duration;

use super::Shared;
use crate::dataplane::flows;

const PERIOD: Duration = Duration::from_secs(5);
/// Far longer than a program runs: after it, nobody holds a slot that was taken out of the tables.
const GRACE: Duration = Duration::from_millis(200);

/// Runs for ever.
pub(super) async fn run(daemon: Shared) {
    loop {
        tokio::time::sleep(PERIOD).await;
        let collected = flows::collect(&mut daemon.lock().await.object.maps, flows::now());
        let slots = match collected {
            Ok(slots) => slots,
            Err(error) => {
                tracing::warn!(%error, "the flow table cannot be read");
                continue;
            }
        };
        if slots.is_empty() {
            continue;
        }
        tokio::time::sleep(GRACE).await;
        if let Err(error) = flows::give_back(&mut daemon.lock().await.object.maps, &slots) {
            tracing::warn!(%error, "the flow table cannot be written");
        }
    }
}
