// SPDX-License-Identifier: Apache-2.0
//! Carries out the steps of [`plan`](super::plan), one transaction at a time: one hotkey, one submitter.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use clawrank_client::ChainPort;
use clawrank_primitives::proof::Keypair;
use clawrank_store::journal::{CommitForm, CommitKey, CommitRow, CommitState, Journal};
use tokio::{sync::Notify, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{
    CommitMode, again,
    blocked::blocked,
    drop_replaced,
    plan::{Facts, Step, next},
    survey::Read,
};
use crate::{
    Error,
    clock::{EpochClock, Schedule},
    heads::{View, Views, timed_out},
    report::Reporter,
    rulebook::Rulebook,
    warm::Warmth,
};

/// Longest pause, in blocks, after the chain refused something for now.
const MAX_PAUSE_BLOCKS: u64 = 16;

/// Commits that may be made for one epoch's measurements of one mechanism, the first included.
const MAX_COMMITS: u32 = 4;

/// What a pause is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Paused {
    Commit(CommitKey),
    Verdicts(u64),
}

/// The committing task.
pub(crate) struct Committer {
    pub(crate) journal: Arc<Journal>,
    pub(crate) chain: Arc<dyn ChainPort>,
    pub(crate) keypair: Arc<Keypair>,
    pub(crate) views: Views,
    pub(crate) schedule: Schedule,
    /// Rung when there is something new to send.
    pub(crate) bell: Arc<Notify>,
    pub(crate) reporter: Reporter,
    pub(crate) warm: Arc<Warmth>,
    pub(crate) rules: Arc<Rulebook>,
    pub(crate) mode: CommitMode,
    pub(crate) version_key: u64,
    pub(crate) resubmit_after_blocks: u64,
    pub(crate) read_deadline: Duration,
    /// Whether commits that the journal does not know are adopted at the start.
    pub(crate) take_over: bool,
    /// Whether this start has made sure that no other validator runs with the hotkey.
    pub(crate) claimed: bool,
    /// Failures in a row and the block to wait for, by what was sent.
    pub(crate) pauses: BTreeMap<Paused, (u32, u64)>,
}

impl Committer {
    /// Looks at everything unfinished at every head until `cancel`.
    ///
    /// A transaction that was handed over is waited for; `cancel` drops the wait, and the next start looks for it on chain.
    ///
    /// # Errors
    ///
    /// - [`Error::Journal`] when a state cannot be stored and waiting cannot help.
    /// - [`Error::AnotherValidator`] when the chain has commits of this hotkey that the journal does not know.
    pub(crate) async fn run(mut self, cancel: CancellationToken) -> Result<(), Error> {
        let bell = Arc::clone(&self.bell);
        loop {
            let done = tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                done = self.pass() => done,
            };
            crate::retry_or_end(done, "commits")?;
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                () = bell.notified() => {}
                changed = self.views.changed() => if changed.is_err() {
                    cancel.cancelled().await;
                    return Ok(());
                },
            }
        }
    }

    /// One look at everything unfinished.
    pub(crate) async fn pass(&mut self) -> Result<(), Error> {
        let Some(view) = self.views.borrow_and_update().clone() else { return Ok(()) };
        let Some(clock) = view.clock else { return Ok(()) };
        let rows = self.journal.open_commits().await?;
        let read = match timeout(self.read_deadline, self.read(&view, &rows)).await {
            Ok(Ok(read)) => read,
            Ok(Err(error)) => {
                tracing::warn!(block = view.block(), %error, "cannot read own weights");
                return Ok(());
            }
            Err(_) => {
                let error = timed_out("own weights", self.read_deadline);
                tracing::warn!(block = view.block(), %error, "cannot read own weights");
                return Ok(());
            }
        };
        self.claim(&view, &read).await?;
        let found = |mecid| rows.iter().find(|row| row.mecid == mecid).map(|row| row.uids.len());
        self.stand(self.survey(&view, &clock, &read, found)).await?;
        self.reporter.catch_up(&self.journal).await?;
        // What cannot be stored of one must not keep the reveal of another waiting.
        let mut outcome = Ok(());
        for row in rows {
            outcome = first_of(outcome, self.step(&view, &clock, &read, row).await)?;
        }
        for row in self.journal.open_verdicts().await? {
            outcome = first_of(outcome, self.verdicts(&view, &clock, row).await)?;
        }
        outcome
    }

    async fn step(&mut self, view: &View, clock: &EpochClock, read: &Read, row: CommitRow) -> Result<(), Error> {
        let key = row.key();
        if self.is_paused(Paused::Commit(key), view.block()) {
            return Ok(());
        }
        let Some(on_chain) = read.mechanisms.get(&row.mecid) else { return Ok(()) };
        let beacon = read.beacon.as_ref();
        let has_pulse = match self.has_pulse(&row, beacon).await {
            Ok(has_pulse) => has_pulse,
            Err(error) => {
                tracing::warn!(%key, round = row.round, %error, "cannot read a round");
                return Ok(());
            }
        };
        let facts = self.facts(view, clock, on_chain, read, has_pulse);
        let state = row.state;
        match next(&row, &facts) {
            Step::Wait(why) => self.wait(&row, &why).await,
            Step::Send | Step::Reseal(_) => self.send(row).await,
            Step::Committed { chain_epoch, block } => {
                if state == CommitState::Prepared {
                    self.journal.advance_commit(key, state, CommitState::Submitted, block, None).await?;
                }
                self.advance(&row, CommitState::Submitted, CommitState::Committed, block, Some(chain_epoch)).await?;
                self.supersede_older(&row, view.block()).await
            }
            Step::Reveal => self.reveal(view, &row).await,
            Step::Revealed => self.advance(&row, state, CommitState::Revealed, view.block(), None).await,
            Step::Replace(why) => self.replace(&facts, &row, &why).await,
            Step::Gone(_) if self.is_overtaken(&row, &facts).await? => {
                self.advance(&row, state, CommitState::Superseded, view.block(), None).await
            }
            Step::Gone(why) | Step::Missed(why) => self.missed(&facts, &row, &why).await,
            Step::Expired(why) => {
                metrics::counter!("clawrank_validator_commits_expired_total").increment(1);
                tracing::error!(%key, %state, %why, "weights are lost");
                self.journal.note_commit(key, row.block, &why).await?;
                self.advance(&row, state, CommitState::Expired, view.block(), None).await
            }
        }
    }

    /// Notes why nothing is done, once.
    async fn wait(&self, row: &CommitRow, why: &str) -> Result<(), Error> {
        let (key, state) = (row.key(), row.state);
        tracing::debug!(%key, %state, why, "weights wait");
        if row.detail == why || (state == CommitState::Committed && row.form != CommitForm::Timelocked) {
            return Ok(());
        }
        if state == CommitState::Prepared {
            tracing::info!(%key, why, "weights cannot be set now");
        } else if state == CommitState::Committed && why.contains("is late") {
            metrics::counter!("clawrank_validator_late_rounds_total").increment(1);
            tracing::error!(%key, why, "a round of the beacon is missing on the chain");
        }
        self.journal.note_commit(key, row.block, why).await?;
        self.reporter.publish(&self.journal, row.epoch).await
    }

    pub(super) async fn advance(
        &mut self,
        row: &CommitRow,
        from: CommitState,
        to: CommitState,
        block: u64,
        chain_epoch: Option<u64>,
    ) -> Result<(), Error> {
        let key = row.key();
        self.journal.advance_commit(key, from, to, block, chain_epoch).await?;
        self.pauses.remove(&Paused::Commit(key));
        metrics::counter!("clawrank_validator_commits_total", "state" => to.to_string()).increment(1);
        tracing::info!(%key, form = %row.form, %from, %to, block, "weights moved");
        self.reporter.publish(&self.journal, row.epoch).await
    }

    /// Once a commit is on chain, those it was made in place of no longer matter.
    async fn supersede_older(&mut self, row: &CommitRow, block: u64) -> Result<(), Error> {
        let all = self.journal.commits_of(row.epoch).await?;
        for old in all.iter().filter(|old| old.mecid == row.mecid && old.seq < row.seq && !old.state.is_final()) {
            self.advance(old, old.state, CommitState::Superseded, block, None).await?;
        }
        Ok(())
    }

    /// Whether a later commit of this journal has put its weights where those of `row` should be.
    async fn is_overtaken(&self, row: &CommitRow, facts: &Facts<'_>) -> Result<bool, Error> {
        for epoch in row.epoch..=facts.next_epoch() {
            let all = self.journal.commits_of(epoch).await?;
            let later = all.iter().filter(|other| other.mecid == row.mecid && other.key() > row.key());
            for other in later {
                let was_sent = matches!(other.state, CommitState::Committed | CommitState::Revealed);
                if was_sent && facts.has_stored(other) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Commits again in the same epoch, where the chain allows it: the round is wrong by now, or a uid was replaced.
    async fn replace(&mut self, facts: &Facts<'_>, row: &CommitRow, why: &str) -> Result<(), Error> {
        let newest = self.journal.commit(row.epoch, row.mecid).await?;
        let newest = newest.filter(|newest| newest.seq > row.seq);
        if newest.as_ref().is_some_and(|newest| !newest.state.is_final()) {
            return Ok(());
        }
        let base = CommitRow { seq: newest.map_or(row.seq, |newest| newest.seq), ..row.clone() };
        let committed_in = row.chain_epoch.unwrap_or(row.commit_epoch);
        let hindrance = if facts.next_epoch() != committed_in {
            Some(format!("epoch {committed_in} is over"))
        } else if base.seq.saturating_add(1) >= MAX_COMMITS {
            Some(format!("{MAX_COMMITS} commits were made already"))
        } else {
            blocked(facts, row.mecid, self.version_key, row.uids.len()).map(|blocked| blocked.to_string())
        };
        if let Some(hindrance) = hindrance {
            return self.wait(row, &format!("{why}; not committed again: {hindrance}")).await;
        }
        self.prepare_again(facts, &base, committed_in, why).await
    }

    /// An alarm: weights that were committed will never be revealed. The running epoch's own follow as always; where
    /// there is time for it, these are committed again before.
    async fn missed(&mut self, facts: &Facts<'_>, row: &CommitRow, why: &str) -> Result<(), Error> {
        let key = row.key();
        metrics::counter!("clawrank_validator_missed_reveals_total").increment(1);
        tracing::error!(%key, form = %row.form, round = row.round, why, "weights were not revealed");
        self.journal.note_commit(key, row.block, why).await?;
        self.advance(row, CommitState::Committed, CommitState::Expired, facts.head(), None).await?;
        let epoch = facts.next_epoch();
        let newest = self.journal.commit(row.epoch, row.mecid).await?;
        let is_newest = newest.is_none_or(|newest| newest.seq == row.seq);
        let in_the_way = facts.head().saturating_add(1).saturating_add(facts.subnet.weights_rate_limit);
        let is_free = epoch == row.commit_epoch
            || (self.journal.commit(epoch, row.mecid).await?.is_none() && in_the_way <= facts.clock.commit_by_block);
        let allowed = blocked(facts, row.mecid, self.version_key, row.uids.len()).is_none();
        if is_newest && is_free && allowed && row.seq.saturating_add(1) < MAX_COMMITS {
            return self.prepare_again(facts, row, epoch, why).await;
        }
        tracing::warn!(%key, epoch, "not committed again; the weights of the running epoch take their place");
        Ok(())
    }

    async fn prepare_again(
        &mut self,
        facts: &Facts<'_>,
        row: &CommitRow,
        commit_epoch: u64,
        why: &str,
    ) -> Result<(), Error> {
        let mut fresh = again(row, commit_epoch, facts.head(), why);
        drop_replaced(&mut fresh, facts.subnet);
        if fresh.uids.is_empty() {
            return self.wait(row, &format!("{why}; not committed again: none of its miners is left")).await;
        }
        self.journal.prepare_commit(&fresh).await?;
        metrics::counter!("clawrank_validator_commits_replaced_total").increment(1);
        tracing::warn!(key = %fresh.key(), commit_epoch, why, "weights are committed again");
        self.bell.notify_one();
        self.reporter.publish(&self.journal, row.epoch).await
    }

    pub(super) fn is_paused(&self, what: Paused, block: u64) -> bool {
        self.pauses.get(&what).is_some_and(|(_, until)| block < *until)
    }

    /// Doubles the pause with each failure in a row: 1, 2, 4, 8, then 16 blocks.
    pub(super) fn pause(&mut self, what: Paused, block: u64) {
        let (failures, until) = self.pauses.entry(what).or_default();
        let blocks = 1u64.checked_shl(*failures).unwrap_or(MAX_PAUSE_BLOCKS).min(MAX_PAUSE_BLOCKS);
        *failures = failures.saturating_add(1);
        *until = block.saturating_add(blocks);
    }
}

/// The first of two outcomes that is an error; at once where waiting cannot cure the second.
fn first_of(first: Result<(), Error>, second: Result<(), Error>) -> Result<Result<(), Error>, Error> {
    match second {
        Err(error) if !error.is_retryable() => Err(error),
        second => Ok(first.and(second)),
    }
}
