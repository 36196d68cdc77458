// SPDX-License-Identifier: Apache-2.0
//! One epoch after the other: seed, checks and replays, scores, and what is to be put on chain.
//!
//! Every stage leaves its result in the journal before the next begins, and a stage whose result is there is not done
//! again: a restart at any point goes on where it was.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc, time::Duration};

use clawrank_client::{ChainPort, ClientError};
use clawrank_primitives::{
    gate::EpochWindow,
    proof::{Hash, HotkeyId},
    scoring::MinuteWindow,
};
use clawrank_protocol::{Hex, Hotkey, catalogue::Catalogue, http::DemandCell};
use clawrank_store::journal::{EpochRow, Journal};
use serde::{Deserialize, Serialize};
use tokio::{sync::Notify, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    Error,
    checks::{Checker, Judged, committers, window},
    clock::EpochClock,
    commit::prepare,
    draw::draw,
    gateways::Gateways,
    heads::{View, Views, timed_out},
    replayer::{Replayer, cells_by_id},
    report::{RefusedReceipts, Report, Reporter},
    rulebook::{Rulebook, Rules},
    score::{Inputs, score},
    warm::Warmth,
};

/// Epochs whose bundle bodies stay on disk.
const BODIES_KEPT: u64 = 2;

/// What is found together with the seed and must not change afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SeedFacts {
    start_ms: u64,
    end_ms: u64,
    /// Hash of the epoch's first block, if the node has it.
    #[serde(default)]
    epoch_seed: Option<Hex<32>>,
    demand: Vec<DemandCell>,
}

/// The judging task.
pub(crate) struct Judge {
    pub(crate) journal: Arc<Journal>,
    pub(crate) chain: Arc<dyn ChainPort>,
    pub(crate) gateways: Gateways,
    pub(crate) views: Views,
    pub(crate) checker: Checker,
    pub(crate) replayer: Replayer,
    pub(crate) reporter: Reporter,
    pub(crate) bell: Arc<Notify>,
    pub(crate) warm: Arc<Warmth>,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) rules: Arc<Rulebook>,
    pub(crate) whitelist: BTreeSet<String>,
    pub(crate) me: HotkeyId,
    pub(crate) genesis: Hash,
    pub(crate) version_key: u64,
    pub(crate) keep_epochs: u64,
    pub(crate) bodies: PathBuf,
    pub(crate) read_deadline: Duration,
    pub(crate) replay_deadline_ms: u32,
    /// Whether replays fill the time there is, or are made at once.
    pub(crate) spread: bool,
}

impl Judge {
    /// Works on the running epoch at every head until `cancel`.
    ///
    /// # Errors
    ///
    /// [`Error::Journal`] and [`Error::Stored`] when waiting cannot help.
    pub(crate) async fn run(mut self, cancel: CancellationToken) -> Result<(), Error> {
        let mut last_epoch = None;
        loop {
            let view = self.views.borrow_and_update().clone();
            if let Some((view, clock)) = view.and_then(|view| view.clock.map(|clock| (view, clock))) {
                if last_epoch != Some(clock.epoch) {
                    last_epoch = Some(clock.epoch);
                    crate::retry_or_end(self.tidy(clock.epoch).await, "tidying")?;
                }
                let done = tokio::select! {
                    () = cancel.cancelled() => return Ok(()),
                    done = self.turn(&view, &clock) => done,
                };
                crate::retry_or_end(done, "epoch")?;
            }
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                changed = self.views.changed() => if changed.is_err() {
                    cancel.cancelled().await;
                    return Ok(());
                },
            }
        }
    }

    /// Everything that can be done for the epoch at this head.
    async fn turn(&self, view: &View, clock: &EpochClock) -> Result<(), Error> {
        let Some(rules) = self.rules.find(clock).await? else { return Ok(()) };
        self.examine(view, clock, &rules).await?;
        // Examining may have taken many blocks.
        let Some((view, clock)) = self.now().filter(|(_, now)| now.epoch == clock.epoch) else { return Ok(()) };
        let Some(row) = self.journal.epoch(clock.epoch).await? else { return Ok(()) };
        let due = row.checked || view.block() > clock.replay_until_block;
        if !due || !clock.is_open_at(view.block()) {
            return Ok(());
        }
        // Scores are made once: not before what happened while this process was down has been read.
        if let Some(missing) = self.warm.missing().filter(|_| row.report.is_empty()) {
            tracing::warn!(epoch = clock.epoch, "{missing} not been read to the end since the start; no scores yet");
            return Ok(());
        }
        let Some(rules) = self.rules.find(&clock).await? else { return Ok(()) };
        self.settle(&view, &clock, &row, &rules).await
    }

    fn now(&self) -> Option<(Arc<View>, EpochClock)> {
        let view = self.views.borrow().clone()?;
        let clock = view.clock?;
        Some((view, clock))
    }

    /// Seed, then checks and replays, where they are due.
    pub(crate) async fn examine(&self, view: &View, clock: &EpochClock, rules: &Arc<Rules>) -> Result<(), Error> {
        self.journal.begin_epoch(clock.epoch, clock.start_block, clock.deadline_block).await?;
        let Some(mut row) = self.journal.epoch(clock.epoch).await? else { return Ok(()) };
        if row.seed.is_none() && view.block() >= clock.decides_block {
            self.find_seed(view, clock).await?;
            row = self.journal.epoch(clock.epoch).await?.unwrap_or(row);
        }
        let Some(seed) = row.seed.filter(|_| !row.checked && view.block() <= clock.replay_until_block) else {
            return Ok(());
        };
        let facts = facts(&row)?;
        let subnet = &view.subnet;
        let committers = match self.read("commitments", committers(&*self.chain, subnet, clock.epoch)).await {
            Ok(committers) => committers,
            Err(error) => {
                tracing::warn!(epoch = clock.epoch, %error, "cannot read commitments");
                return Ok(());
            }
        };
        let previous = self.journal.bundles(clock.epoch.saturating_sub(1)).await?;
        tracing::info!(
            epoch = clock.epoch,
            committers = committers.len(),
            seed = hex::encode(seed),
            "checking bundles"
        );
        // Without anybody's bundle there is nothing to hold replays against.
        if !committers.is_empty() || !previous.is_empty() {
            let left = clock.replay_until_block.saturating_sub(view.block());
            let judged = Judged {
                epoch: clock.epoch,
                seed,
                window: EpochWindow { start_ms: facts.start_ms, end_ms: facts.end_ms },
                epoch_seed: facts.epoch_seed.map(|seed| seed.0),
                deadline_block: row.deadline_block,
                fetch_until_block: view.block().saturating_add(left / 2),
                open_until_block: clock.replay_until_block,
                rules: Arc::clone(rules),
            };
            // A tenth is kept for the slowest replays.
            let stretch_ms = left.saturating_mul(subnet.block_time_ms).saturating_mul(9) / 10;
            let stretch = Duration::from_millis(if self.spread { stretch_ms } else { 0 });
            let (checked, replayed) =
                tokio::join!(self.checker.run(&judged, &committers), self.replayer.run(&judged, stretch),);
            checked?;
            replayed?;
        }
        Ok(self.journal.mark_checked(clock.epoch).await?)
    }

    async fn find_seed(&self, view: &View, clock: &EpochClock) -> Result<(), Error> {
        let head = match self.read("block", self.chain.block(clock.seed_block)).await {
            Ok(Some(head)) => head,
            Ok(None) => return Ok(()),
            Err(error) => {
                tracing::warn!(epoch = clock.epoch, block = clock.seed_block, %error, "cannot read the seed's block");
                return Ok(());
            }
        };
        let seed = match self.read("challenge's round", draw(&*self.chain, clock, &head)).await {
            Ok(Some(seed)) => seed,
            Ok(None) => return Ok(()),
            Err(error) => {
                tracing::warn!(epoch = clock.epoch, block = clock.decides_block, %error, "cannot read the challenge's round");
                return Ok(());
            }
        };
        let (window, first) = window(&*self.chain, &view.subnet, clock.start_block, &head).await;
        let mut demand = Vec::new();
        for gateway in self.gateways.usable().await {
            match gateway.demand().await {
                Ok(found) => demand.extend(found.cells),
                Err(error) => tracing::warn!(gateway = gateway.name(), %error, "cannot read demand"),
            }
        }
        let facts = SeedFacts { start_ms: window.start_ms, end_ms: window.end_ms, epoch_seed: first.map(Hex), demand };
        let facts = serde_json::to_string(&facts).map_err(|error| Error::Stored {
            what: "demand",
            epoch: clock.epoch,
            why: error.to_string(),
        })?;
        Ok(self.journal.fix_seed(clock.epoch, &seed, &facts).await?)
    }

    async fn read<T>(&self, what: &str, read: impl Future<Output = Result<T, ClientError>>) -> Result<T, ClientError> {
        timeout(self.read_deadline, read).await.unwrap_or_else(|_| Err(timed_out(what, self.read_deadline)))
    }

    /// Scores once, then makes sure that every mechanism's weights are on their way.
    async fn settle(&self, view: &View, clock: &EpochClock, row: &EpochRow, rules: &Rules) -> Result<(), Error> {
        let epoch = clock.epoch;
        let report = if row.report.is_empty() {
            let report = self.report(view, clock, rules).await?;
            let text = serde_json::to_string(&report).map_err(|error| Error::Stored {
                what: "report",
                epoch,
                why: error.to_string(),
            })?;
            self.journal.store_report(epoch, &text).await?;
            log(&report);
            self.tell_gateways(&report).await;
            report
        } else {
            serde_json::from_str(&row.report).map_err(|error| Error::Stored {
                what: "report",
                epoch,
                why: error.to_string(),
            })?
        };
        let mut news = row.report.is_empty();
        if report.validator_uid.is_some() {
            for mechanism in report.mechanisms.iter().filter(|mechanism| !mechanism.uids.is_empty()) {
                if self.journal.commit(epoch, mechanism.mecid).await?.is_none() {
                    let row = prepare(epoch, mechanism, &view.subnet, self.version_key);
                    self.journal.prepare_commit(&row).await?;
                    news = true;
                }
            }
            let verdicts = report.verdicts();
            // At every head, since a process may be killed before it comes to this; the first stay.
            if self.chain.has_provider_rank() && !verdicts.is_empty() {
                let payload = serde_json::to_string(&verdicts).map_err(|error| Error::Stored {
                    what: "verdicts",
                    epoch,
                    why: error.to_string(),
                })?;
                self.journal.prepare_verdicts(epoch, &payload, view.block()).await?;
            }
        }
        if news {
            self.reporter.publish(&self.journal, epoch).await?;
            self.bell.notify_one();
        }
        Ok(())
    }

    /// Sends the cell table to every gateway. One that cannot take it now routes by the older one until the next epoch.
    async fn tell_gateways(&self, report: &Report) {
        let Some(table) = report.table().filter(|_| report.validator_uid.is_some()) else { return };
        for gateway in self.gateways.usable().await {
            match gateway.put_cells(&table).await {
                Ok(taken) => {
                    tracing::info!(gateway = gateway.name(), cells = taken.cells, "cell table is with the gateway")
                }
                Err(error) => tracing::warn!(gateway = gateway.name(), %error, "gateway did not take the cell table"),
            }
        }
    }

    /// The report of the epoch from what the journal holds now.
    pub(crate) async fn report(&self, view: &View, clock: &EpochClock, rules: &Rules) -> Result<Report, Error> {
        let epoch = clock.epoch;
        let row = self.journal.epoch(epoch).await?;
        let found = row.as_ref().filter(|row| row.seed.is_some()).map(facts).transpose()?;
        let minute = MinuteWindow::minute_of(view.subnet.head.timestamp_ms);
        let first = MinuteWindow::first_minute(minute, rules.params.serving.window_minutes);
        let end_ms = view.subnet.head.timestamp_ms;
        let previous = match epoch.checked_sub(1) {
            Some(previous) => self.journal.bundles(previous).await?,
            None => Vec::new(),
        };
        let inputs = Inputs {
            genesis: self.genesis,
            validator: self.me,
            subnet: Arc::clone(&view.subnet),
            clock: *clock,
            params: rules.params.clone(),
            preset: rules.source.clone(),
            whitelist: self.whitelist.clone(),
            cells: cells_by_id(&self.catalogue),
            seed: row.as_ref().and_then(|row| row.seed),
            window: found.as_ref().map_or(EpochWindow { start_ms: end_ms, end_ms }, |found| EpochWindow {
                start_ms: found.start_ms,
                end_ms: found.end_ms,
            }),
            replay_deadline_ms: self.replay_deadline_ms,
            minute,
            probes: self.journal.probes().await?,
            traffic: self.journal.traffic(first, minute).await?,
            bundles: self.journal.bundles(epoch).await?,
            previous,
            replays: self.journal.replays(epoch).await?,
            demand: found.map(|found| found.demand).unwrap_or_default(),
        };
        let mut report = score(&inputs)?;
        let refusals = self.journal.refusals().await?.into_iter();
        report.refused_receipts = refusals
            .map(|(gateway, reason, count)| RefusedReceipts { gateway: Hotkey(gateway), reason, count })
            .collect();
        Ok(report)
    }

    /// Forgets what no later epoch needs.
    async fn tidy(&self, epoch: u64) -> Result<(), Error> {
        // What was committed is remembered for as long as the chain may have it.
        let period = self.views.borrow().as_ref().map_or(0, |view| view.subnet.reveal_period_epochs);
        let keep = self.keep_epochs.max(period.saturating_add(2));
        self.journal.forget_epochs_before(epoch.saturating_sub(keep)).await?;
        let (bodies, keep_from) = (self.bodies.clone(), epoch.saturating_sub(BODIES_KEPT));
        let removed = tokio::task::spawn_blocking(move || remove_before(&bodies, keep_from)).await;
        if let Ok(Err(error)) = removed {
            tracing::warn!(%error, "cannot remove old bundles");
        }
        Ok(())
    }
}

fn remove_before(bodies: &std::path::Path, keep_from: u64) -> std::io::Result<()> {
    let entries = match std::fs::read_dir(bodies) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let epoch = entry.file_name().to_str().and_then(|name| name.parse::<u64>().ok());
        if epoch.is_some_and(|epoch| epoch < keep_from) {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

fn facts(row: &EpochRow) -> Result<SeedFacts, Error> {
    serde_json::from_str(&row.facts).map_err(|error| Error::Stored {
        what: "demand",
        epoch: row.epoch,
        why: error.to_string(),
    })
}

fn log(report: &Report) {
    if let Some(notice) = &report.notice {
        tracing::warn!(preset = report.preset, notice, "scores are made under special rules");
    }
    for mechanism in &report.mechanisms {
        match &mechanism.skipped {
            Some(why) => tracing::warn!(epoch = report.epoch, mechanism = mechanism.name, why, "no weights this epoch"),
            None => tracing::info!(
                epoch = report.epoch,
                mechanism = mechanism.name,
                miners = mechanism.uids.len(),
                capped = mechanism.capped,
                shortfall = mechanism.shortfall_used,
                "scores are made"
            ),
        }
    }
}
