// SPDX-License-Identifier: Apache-2.0
//! Follows the chain: one view per finalised head, newest wins.

use std::{sync::Arc, time::Duration};

use clawrank_client::{ChainPort, ClientError, types::SubnetSnapshot};
use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::clock::{EpochClock, Schedule};

#[cfg(test)]
mod tests;

/// The subnet at a finalised block, with where that block is in its epoch.
#[derive(Clone, Debug)]
pub struct View {
    /// The subnet.
    pub subnet: Arc<SubnetSnapshot>,
    /// The epoch; `None` with tempo 0.
    pub clock: Option<EpochClock>,
    /// This machine's time when it was read, Unix milliseconds.
    pub seen_ms: u64,
}

impl View {
    /// The view of a snapshot.
    #[must_use]
    pub fn new(subnet: SubnetSnapshot, schedule: &Schedule) -> Self {
        let clock = EpochClock::at(&subnet, schedule);
        Self { subnet: Arc::new(subnet), clock, seen_ms: crate::now_ms() }
    }

    /// Number of the block.
    #[must_use]
    pub fn block(&self) -> u64 {
        self.subnet.head.number
    }
}

/// Views as they come; the newest only.
pub type Views = watch::Receiver<Option<Arc<View>>>;

/// What [`follow`] needs.
pub(crate) struct Follower {
    pub(crate) chain: Arc<dyn ChainPort>,
    pub(crate) netuid: u16,
    pub(crate) schedule: Schedule,
    pub(crate) stall_after: Duration,
    pub(crate) read_deadline: Duration,
}

impl Follower {
    /// Reads the subnet at every new head until `cancel`. A read that fails is tried again with the next head, or after
    /// a second. While no head comes, the last view is given out again with the time it is by then, so that all who look
    /// at it see how old it is.
    pub(crate) async fn follow(self, views: watch::Sender<Option<Arc<View>>>, cancel: CancellationToken) {
        let mut heads = self.chain.heads();
        heads.mark_changed();
        let mut last_block = None;
        let stalled = metrics::gauge!("clawrank_validator_stalled");
        stalled.set(0.0);
        let mut is_stalled = false;
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                changed = timeout(self.stall_after, heads.changed()) => match changed {
                    Err(_) => {
                        metrics::counter!("clawrank_validator_stalls_total").increment(1);
                        let for_ms = self.stall_after.as_millis();
                        tracing::error!(?last_block, %for_ms, "no finalised block: weights cannot be sent until blocks come");
                        stalled.set(1.0);
                        is_stalled = true;
                        views.send_if_modified(|view| match view {
                            Some(last) => {
                                *last = Arc::new(View { seen_ms: crate::now_ms(), ..View::clone(last) });
                                true
                            }
                            None => false,
                        });
                        continue;
                    }
                    // The client is gone: nothing will ever come.
                    Ok(Err(_)) => {
                        tracing::error!("chain client closed");
                        cancel.cancelled().await;
                        return;
                    }
                    Ok(Ok(())) => {}
                },
            }
            // Block 0 has no time, and every epoch and round follows from a time.
            let Some(head) = heads.borrow_and_update().filter(|head| head.number > 0) else { continue };
            match self.read().await {
                Ok(view) => {
                    let block = view.block();
                    if last_block.is_some_and(|last| block < last) {
                        tracing::warn!(block, ?last_block, "chain went back; ignored");
                        continue;
                    }
                    if is_stalled {
                        tracing::info!(block, ?last_block, "finalised blocks come again");
                        stalled.set(0.0);
                        is_stalled = false;
                    }
                    last_block = Some(block);
                    metrics::gauge!("clawrank_validator_head").set(block as f64);
                    if let Some(clock) = &view.clock {
                        metrics::gauge!("clawrank_validator_epoch").set(clock.epoch as f64);
                    }
                    views.send_replace(Some(Arc::new(view)));
                }
                Err(error) => {
                    metrics::counter!("clawrank_validator_chain_errors_total").increment(1);
                    tracing::warn!(block = head.number, %error, "cannot read the subnet");
                    tokio::select! {
                        () = cancel.cancelled() => return,
                        () = tokio::time::sleep(Duration::from_secs(1)) => heads.mark_changed(),
                    }
                }
            }
        }
    }

    /// The subnet at the newest head.
    pub(crate) async fn read(&self) -> Result<View, ClientError> {
        match timeout(self.read_deadline, self.chain.subnet(self.netuid)).await {
            Ok(snapshot) => Ok(View::new(snapshot?, &self.schedule)),
            Err(_) => Err(timed_out("subnet", self.read_deadline)),
        }
    }
}

/// A read of the chain that this crate gave up on.
pub(crate) fn timed_out(what: &str, after: Duration) -> ClientError {
    ClientError::Timeout {
        endpoint: "chain".to_owned(),
        method: what.to_owned(),
        after_ms: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
    }
}
