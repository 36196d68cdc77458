// SPDX-License-Identifier: Apache-2.0
//! Reads of the chain before anything is done: the beacon, own commits and weights, and whether nobody else sets them.

use std::collections::{BTreeMap, BTreeSet};

use clawrank_client::{ClientError, types::Beacon};
use clawrank_primitives::proof::{Hash, blake2_256};
use clawrank_store::journal::{CommitForm, CommitRow, CommitState};
use tokio::time::timeout;

use super::{
    blocked::{Blocked, blocked},
    committer::Committer,
    own::{self, OnChain},
    plan::Facts,
    round::MAX_REVEAL_PERIOD_EPOCHS,
    standing::{BeaconReport, Standing, warnings},
};
use crate::{
    Error,
    clock::EpochClock,
    heads::{View, timed_out},
};

/// What a pass has read, beside the view.
pub(crate) struct Read {
    pub(crate) beacon: Option<Beacon>,
    /// Number of the node's best block.
    pub(crate) best: u64,
    /// Whether a transaction of the hotkey was on its way before all the rest was read.
    pub(crate) is_pending: bool,
    pub(crate) mechanisms: BTreeMap<u8, OnChain>,
}

impl Committer {
    /// The beacon, and what the chain has of this hotkey for every mechanism with an open row; of all at the start.
    pub(crate) async fn read(&self, view: &View, rows: &[CommitRow]) -> Result<Read, ClientError> {
        let me = self.keypair.public();
        // First: what becomes final after this is among the commits and weights that are read below.
        let is_sent = rows.iter().any(|row| row.state == CommitState::Submitted);
        let is_pending = is_sent && self.chain.has_pending(&me).await?;
        let (beacon, best) = (self.chain.beacon().await?, self.chain.best_number().await?);
        let mut mecids: BTreeSet<u8> = rows.iter().map(|row| row.mecid).collect();
        if !self.claimed {
            mecids.extend(0..view.subnet.mechanism_count.max(1));
        }
        let mut mechanisms = BTreeMap::new();
        for mecid in mecids {
            let mine: Vec<CommitRow> = rows.iter().filter(|row| row.mecid == mecid).cloned().collect();
            let epochs = own::epochs(&view.subnet, &mine, !self.claimed);
            let with_timelocked = beacon.is_some() || mine.iter().any(|row| row.form == CommitForm::Timelocked);
            let found = own::read(&*self.chain, &view.subnet, &me, mecid, &epochs, with_timelocked).await?;
            mechanisms.insert(mecid, found);
        }
        Ok(Read { beacon, best, is_pending, mechanisms })
    }

    /// Makes sure that all commits of this hotkey on chain are this journal's.
    pub(super) async fn claim(&mut self, view: &View, read: &Read) -> Result<(), Error> {
        let known = self.journal.sent_commits().await?;
        let strangers = strangers(view, &self.keypair.public(), read, &known, !self.claimed);
        if let Some(stranger) = strangers.first() {
            let adopt = self.take_over && !self.claimed;
            if !adopt {
                metrics::counter!("clawrank_validator_strange_commits_total").increment(1);
                return Err(Error::AnotherValidator { mecid: stranger.mecid, block: stranger.block });
            }
            for Stranger { mecid, block, .. } in &strangers {
                tracing::warn!(mecid, block, "weights of this hotkey that another process has set are adopted");
            }
            // Weights whose commit is gone have no hash; a mark of their own keeps the next start from asking again.
            let epoch = view.subnet.epoch_index;
            let mark = |block: u64| (blake2_256(&[b"taken over".as_slice(), &block.to_le_bytes()].concat()), epoch);
            let hashes: Vec<(Hash, u64)> =
                strangers.iter().map(|stranger| stranger.commit.unwrap_or_else(|| mark(stranger.block))).collect();
            self.journal.adopt_commits(&hashes).await?;
        }
        if !self.claimed {
            self.claimed = true;
            // A process that was killed may have written its journal and not the report of it.
            let epoch = view.subnet.epoch_index;
            let open = view.subnet.reveal_period_epochs.min(MAX_REVEAL_PERIOD_EPOCHS).saturating_add(2);
            for epoch in epoch.saturating_sub(open)..=epoch {
                self.reporter.publish(&self.journal, epoch).await?;
            }
        }
        Ok(())
    }

    /// Where this validator stands with the chain; `found` tells how many weights a mechanism will have, where known.
    pub(crate) fn survey(
        &self,
        view: &View,
        clock: &EpochClock,
        read: &Read,
        found: impl Fn(u8) -> Option<usize>,
    ) -> Standing {
        let subnet = &view.subnet;
        let nothing = OnChain::default();
        let mut standing = Standing {
            block: view.block(),
            block_time_ms: subnet.head.timestamp_ms,
            next_epoch_block: clock.next_epoch_block,
            warnings: warnings(subnet, read.beacon.as_ref(), view.seen_ms),
            ..Standing::default()
        };
        for mecid in 0..subnet.mechanism_count.max(1) {
            let on_chain = read.mechanisms.get(&mecid).unwrap_or(&nothing);
            let facts = self.facts(view, clock, on_chain, read, false);
            standing.epoch = facts.next_epoch();
            standing.form = facts.form().ok().map(|form| form.to_string());
            standing.beacon = read.beacon.as_ref().map(|beacon| BeaconReport::of(beacon, facts.reveal_plan().ok()));
            // How many weights there will be is known only once there are scores.
            let why = blocked(&facts, mecid, self.version_key, found(mecid).unwrap_or(usize::MAX));
            let why = why.or_else(|| self.rules.missing().map(|why| Blocked::NoParams { why }));
            let why = why.or_else(|| self.warm.missing().map(|what| Blocked::Cold { what }));
            if let Some(why) = why {
                standing.blocked.push(why.report(mecid, subnet));
                let known = self.reporter.standing();
                if why.is_alarm() && !known.blocked.iter().any(|old| old.reason == why.code()) {
                    tracing::error!(mecid, %why, "weights cannot be set until this is changed");
                }
            }
        }
        standing
    }

    /// Tells metrics, log and `standing.json`.
    pub(super) async fn stand(&self, standing: Standing) -> Result<(), Error> {
        let known = self.reporter.standing();
        for mecid in 0..=1u8 {
            let is_blocked = standing.blocked.iter().any(|blocked| blocked.mecid == mecid);
            let gauge = metrics::gauge!("clawrank_validator_blocked", "mechanism" => mecid.to_string());
            gauge.set(if is_blocked { 1.0 } else { 0.0 });
        }
        if let Some(beacon) = &standing.beacon {
            let lag_ms = standing.block_time_ms.saturating_sub(beacon.last_stored_ms);
            metrics::gauge!("clawrank_validator_beacon_lag_seconds").set(lag_ms as f64 / 1_000.0);
        }
        for warning in standing.warnings.iter().filter(|warning| !known.warnings.contains(warning)) {
            tracing::warn!(warning, "needs attention");
        }
        self.reporter.stand(standing).await
    }

    /// Weights of this hotkey that the journal has not set, as a new start would see them.
    pub(crate) async fn strange_weights(&self, view: &View, read: &Read) -> Result<Vec<Stranger>, Error> {
        let known = self.journal.sent_commits().await?;
        Ok(strangers(view, &self.keypair.public(), read, &known, true))
    }

    pub(super) fn facts<'a>(
        &self,
        view: &'a View,
        clock: &'a EpochClock,
        on_chain: &'a OnChain,
        read: &'a Read,
        has_pulse: bool,
    ) -> Facts<'a> {
        Facts {
            subnet: &view.subnet,
            clock,
            best: read.best,
            is_pending: read.is_pending,
            me: view.subnet.by_hotkey(&self.keypair.public()),
            own: &on_chain.own,
            stored: &on_chain.stored,
            beacon: read.beacon.as_ref(),
            has_pulse,
            mode: self.mode,
            resubmit_after_blocks: self.resubmit_after_blocks,
        }
    }

    /// Whether the chain has the signature of the row's round; asked only where it decides.
    pub(super) async fn has_pulse(&self, row: &CommitRow, beacon: Option<&Beacon>) -> Result<bool, ClientError> {
        let due = beacon.is_some_and(|beacon| beacon.last_stored_round >= row.round);
        if row.form != CommitForm::Timelocked || row.state != CommitState::Committed || !due {
            return Ok(false);
        }
        match timeout(self.read_deadline, self.chain.pulse(row.round)).await {
            Ok(pulse) => Ok(pulse?.is_some()),
            Err(_) => Err(timed_out("pulse", self.read_deadline)),
        }
    }
}

/// Weights of this hotkey that this journal has not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stranger {
    pub(crate) mecid: u8,
    pub(crate) block: u64,
    /// Hash and epoch, where it is a commit that is still on chain.
    pub(crate) commit: Option<(Hash, u64)>,
}

/// Commits that `known` lacks; and where it is empty, at the start, weights set not long ago.
pub(crate) fn strangers(view: &View, me: &Hash, read: &Read, known: &BTreeSet<Hash>, at_start: bool) -> Vec<Stranger> {
    let mut found = Vec::new();
    for (mecid, on_chain) in &read.mechanisms {
        let unknown = on_chain.own.iter().filter(|commit| !known.contains(&commit.hash));
        found.extend(unknown.map(|commit| Stranger {
            mecid: *mecid,
            block: commit.block,
            commit: Some((commit.hash, commit.epoch)),
        }));
        if at_start
            && known.is_empty()
            && let Some(block) = own::set_elsewhere(&view.subnet, me, *mecid)
        {
            found.push(Stranger { mecid: *mecid, block, commit: None });
        }
    }
    found
}
