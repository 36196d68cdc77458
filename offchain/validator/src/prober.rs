// SPDX-License-Identifier: Apache-2.0
//! Probes every connected serving miner, and marks as failed those that were there and are gone (rules §1.2).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use clawrank_primitives::{proof::HotkeyId, scoring::ServingParams};
use clawrank_protocol::frames::Role;
use clawrank_store::journal::{Journal, JournalError, ProbeRow};
use futures::{FutureExt, StreamExt, stream};
use tokio_util::sync::CancellationToken;

use crate::{
    Error,
    gateway::{Gateway, ProbeOutcome, ProbeRequest},
    gateways::Gateways,
    heads::Views,
    now_ms, random_below,
    rulebook::Rulebook,
    warm::Warmth,
};

#[cfg(test)]
mod tests;

/// A miner to be probed: where, and with what.
struct Target {
    gateway: Gateway,
    miner: HotkeyId,
    model: String,
}

/// The probing task.
pub(crate) struct Prober {
    pub(crate) journal: Arc<Journal>,
    pub(crate) gateways: Gateways,
    pub(crate) views: Views,
    pub(crate) rules: Arc<Rulebook>,
    pub(crate) interval: Duration,
    pub(crate) concurrency: usize,
    pub(crate) warm: Arc<Warmth>,
}

impl Prober {
    /// One round per interval, give or take a quarter, until `cancel`.
    ///
    /// # Errors
    ///
    /// [`Error::Journal`] when an outcome cannot be stored and waiting cannot help.
    pub(crate) async fn run(mut self, cancel: CancellationToken) -> Result<(), Error> {
        if self.gateways.is_empty() {
            self.warm.probes_made();
            cancel.cancelled().await;
            return Ok(());
        }
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            // Who is registered must be known first.
            _ = self.views.wait_for(Option::is_some) => {}
        }
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            () = self.rules.known() => {}
        }
        loop {
            let round = self.round(self.interval / 2);
            let done = tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                done = round => done,
            };
            crate::retry_or_end(done, "probes")?;
            let base = u64::try_from(self.interval.as_millis()).unwrap_or(u64::MAX);
            let jittered = base.saturating_sub(base / 4).saturating_add(random_below((base / 2).max(1)));
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                () = tokio::time::sleep(Duration::from_millis(jittered)) => {}
            }
        }
    }

    /// Probes every miner once, each at a random instant within `spread`.
    pub(crate) async fn round(&mut self, spread: Duration) -> Result<(), Error> {
        let Some((view, rules)) = self.views.borrow().clone().zip(self.rules.newest()) else { return Ok(()) };
        let mut targets: BTreeMap<HotkeyId, Target> = BTreeMap::new();
        let mut connected: BTreeSet<HotkeyId> = BTreeSet::new();
        let mut complete = true;
        for index in 0..self.gateways.len() {
            let Some(gateway) = self.gateways.get(index).await else {
                complete = false;
                continue;
            };
            let miners = match gateway.miners().await {
                Ok(miners) => miners.miners,
                Err(error) => {
                    complete = false;
                    metrics::counter!("clawrank_validator_gateway_errors_total").increment(1);
                    tracing::warn!(gateway = gateway.name(), %error, "cannot list miners");
                    continue;
                }
            };
            for miner in miners.into_iter().filter(|miner| miner.role == Role::Serve) {
                let hotkey = miner.hotkey.0;
                let (Some(_), Some(model)) = (view.subnet.by_hotkey(&hotkey), pick(&miner.models)) else { continue };
                connected.insert(hotkey);
                let target = Target { gateway: gateway.clone(), miner: hotkey, model: model.id.clone() };
                // Connected in two places: either will do, and which one is not foreseeable.
                if !targets.contains_key(&hotkey) || random_below(2) == 0 {
                    targets.insert(hotkey, target);
                }
            }
        }
        // Only when every gateway was asked is it certain that a miner is nowhere.
        if complete {
            self.mark_gone(&connected, |hotkey| view.subnet.by_hotkey(hotkey).is_some()).await?;
        }
        let spread_ms = u64::try_from(spread.as_millis()).unwrap_or(u64::MAX);
        let (journal, params) = (&self.journal, &rules.params.serving);
        let probes: Vec<_> = targets
            .into_values()
            .map(|target| probe(target, journal, params, random_below(spread_ms.max(1))).boxed())
            .collect();
        let mut outcomes = stream::iter(probes).buffer_unordered(self.concurrency.max(1));
        while let Some(outcome) = outcomes.next().await {
            outcome?;
        }
        if complete {
            self.warm.probes_made();
        }
        Ok(())
    }

    /// Records a failed probe for every registered miner that was once answered for and is connected nowhere.
    async fn mark_gone(
        &self,
        connected: &BTreeSet<HotkeyId>,
        registered: impl Fn(&HotkeyId) -> bool,
    ) -> Result<(), JournalError> {
        let mut last: BTreeMap<HotkeyId, ProbeRow> = BTreeMap::new();
        for probe in self.journal.probes().await? {
            last.insert(probe.hotkey, probe);
        }
        for (hotkey, probe) in last {
            // One failure is enough to make it a ghost; the hundred probes kept must not fill up with absence.
            if !probe.answered || connected.contains(&hotkey) || !registered(&hotkey) {
                continue;
            }
            let detail = "not connected to any gateway".to_owned();
            let row = ProbeRow { at_ms: now_ms(), answered: false, response_ms: 0, detail, ..probe };
            self.journal.record_probe(&row).await?;
        }
        Ok(())
    }
}

/// A model of a miner's offer, any of them.
fn pick<T>(models: &[T]) -> Option<&T> {
    let count = u64::try_from(models.len()).ok().filter(|count| *count > 0)?;
    models.get(usize::try_from(random_below(count)).ok()?)
}

async fn probe(target: Target, journal: &Journal, params: &ServingParams, wait_ms: u64) -> Result<(), JournalError> {
    tokio::time::sleep(Duration::from_millis(wait_ms)).await;
    let Target { gateway, miner, model } = target;
    let request = ProbeRequest {
        miner,
        model: model.clone(),
        max_tokens: params.probe_output_tokens,
        deadline: Duration::from_millis(u64::from(params.probe_deadline_ms)),
        variant: random_below(u64::MAX),
    };
    let at_ms = now_ms();
    let (answered, response_ms, detail) = match gateway.probe(&request).await {
        Ok(ProbeOutcome::Answered(ms)) => (true, ms, String::new()),
        // A gateway that hangs itself must not make ghosts of everyone behind it.
        Ok(ProbeOutcome::Failed(..)) if !gateway.is_alive().await => {
            tracing::warn!(gateway = gateway.name(), "gateway does not answer; probe not counted");
            return Ok(());
        }
        Ok(ProbeOutcome::Failed(ms, why)) => (false, ms, why),
        Err(error) => {
            metrics::counter!("clawrank_validator_gateway_errors_total").increment(1);
            tracing::warn!(gateway = gateway.name(), %error, "probe not counted");
            return Ok(());
        }
    };
    metrics::counter!("clawrank_validator_probes_total", "answered" => answered.to_string()).increment(1);
    let row = ProbeRow { hotkey: miner, gateway: gateway.hotkey(), model, at_ms, answered, response_ms, detail };
    journal.record_probe(&row).await
}
