// SPDX-License-Identifier: Apache-2.0
//! Carries out the steps of [`plan`](super::plan), one transaction at a time: one hotkey, one submitter.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use clawrank_client::{
    ChainPort, ClientError,
    types::{Call, MinerVerdict, Submitted},
};
use clawrank_primitives::proof::Keypair;
use clawrank_store::journal::{CommitRow, CommitState, Journal, VerdictRow};
use tokio::{sync::Notify, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{
    first_call,
    plan::{Facts, Step, next},
    refresh, reveal_call,
};
use crate::{
    Error,
    clock::EpochClock,
    heads::{View, Views, timed_out},
    report::Reporter,
};

/// Longest pause, in blocks, after the chain refused something for now.
const MAX_PAUSE_BLOCKS: u64 = 16;

/// The committing task.
pub(crate) struct Committer {
    pub(crate) journal: Arc<Journal>,
    pub(crate) chain: Arc<dyn ChainPort>,
    pub(crate) keypair: Arc<Keypair>,
    pub(crate) views: Views,
    /// Rung when there is something new to send.
    pub(crate) bell: Arc<Notify>,
    pub(crate) reporter: Reporter,
    pub(crate) version_key: u64,
    pub(crate) resubmit_after_blocks: u64,
    pub(crate) read_deadline: Duration,
    /// Failures in a row and the block to wait for, by what was sent.
    pub(crate) pauses: BTreeMap<(u64, u8), (u32, u64)>,
}

/// Key of the pauses for verdicts, beside the mechanisms'.
const VERDICTS: u8 = u8::MAX;

impl Committer {
    /// Looks at everything unfinished at every head until `cancel`.
    ///
    /// A transaction that was handed over is waited for; `cancel` drops the wait, and the next start looks for it on chain.
    ///
    /// # Errors
    ///
    /// [`Error::Journal`] when a state cannot be stored and waiting cannot help.
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
        for row in self.journal.open_commits().await? {
            self.step(&view, &clock, row).await?;
        }
        for row in self.journal.open_verdicts().await? {
            self.verdicts(&view, &clock, row).await?;
        }
        Ok(())
    }

    async fn step(&mut self, view: &View, clock: &EpochClock, row: CommitRow) -> Result<(), Error> {
        if self.is_paused(row.epoch, row.mecid, view.block()) {
            return Ok(());
        }
        let (commits, stored) = match self.read(view, &row).await {
            Ok(read) => read,
            Err(error) => {
                tracing::warn!(epoch = row.epoch, mecid = row.mecid, %error, "cannot read own weights");
                return Ok(());
            }
        };
        let me = self.keypair.public();
        let facts = Facts {
            subnet: &view.subnet,
            clock,
            me: view.subnet.by_hotkey(&me),
            commits: &commits,
            stored: &stored,
            resubmit_after_blocks: self.resubmit_after_blocks,
        };
        let (epoch, mecid, state) = (row.epoch, row.mecid, row.state);
        match next(&row, &facts) {
            Step::Wait(why) => {
                tracing::debug!(epoch, mecid, %state, %why, "weights wait");
                if row.detail != why && !matches!(state, CommitState::Committed) {
                    if state == CommitState::Prepared {
                        tracing::info!(epoch, mecid, %why, "weights cannot be set now");
                    }
                    self.journal.note_commit(epoch, mecid, row.block, &why).await?;
                    self.reporter.publish(&self.journal, epoch).await?;
                }
                Ok(())
            }
            Step::Send => self.send(view, row).await,
            Step::Committed { chain_epoch, block } => {
                if state == CommitState::Prepared {
                    self.journal.advance_commit(epoch, mecid, state, CommitState::Submitted, block, None).await?;
                }
                self.advance(&row, CommitState::Submitted, CommitState::Committed, block, Some(chain_epoch)).await
            }
            Step::Reveal => self.reveal(view, &row).await,
            Step::Revealed => self.advance(&row, state, CommitState::Revealed, view.block(), None).await,
            Step::Expired(why) => {
                metrics::counter!("clawrank_validator_commits_expired_total").increment(1);
                tracing::error!(epoch, mecid, %state, %why, "weights are lost");
                self.journal.note_commit(epoch, mecid, row.block, &why).await?;
                self.advance(&row, state, CommitState::Expired, view.block(), None).await
            }
        }
    }

    #[allow(clippy::type_complexity)]
    async fn read(
        &self,
        view: &View,
        row: &CommitRow,
    ) -> Result<(Vec<clawrank_client::types::WeightCommit>, Vec<(u16, u16)>), ClientError> {
        let (netuid, me) = (view.subnet.netuid, self.keypair.public());
        let reads = async {
            let commits = self.chain.weight_commits(netuid, row.mecid, &me).await?;
            let weights = self.chain.weights(netuid, row.mecid).await?;
            Ok((commits, weights))
        };
        let (commits, weights) = match timeout(self.read_deadline, reads).await {
            Ok(read) => read?,
            Err(_) => return Err(timed_out("weight_commits", self.read_deadline)),
        };
        let uid = view.subnet.by_hotkey(&me).map(|neuron| neuron.uid);
        let stored = weights.into_iter().find(|(validator, _)| Some(*validator) == uid).map(|(_, row)| row);
        Ok((commits, stored.unwrap_or_default()))
    }

    async fn advance(
        &mut self,
        row: &CommitRow,
        from: CommitState,
        to: CommitState,
        block: u64,
        chain_epoch: Option<u64>,
    ) -> Result<(), Error> {
        self.journal.advance_commit(row.epoch, row.mecid, from, to, block, chain_epoch).await?;
        self.pauses.remove(&(row.epoch, row.mecid));
        metrics::counter!("clawrank_validator_commits_total", "state" => to.to_string()).increment(1);
        tracing::info!(epoch = row.epoch, mecid = row.mecid, %from, %to, block, "weights moved");
        self.reporter.publish(&self.journal, row.epoch).await
    }

    async fn send(&mut self, view: &View, row: CommitRow) -> Result<(), Error> {
        let me = self.keypair.public();
        let mut row = row;
        // Only what no block can hold may change: a row that was sent goes out again as it is.
        if row.state == CommitState::Prepared
            && let Some(fresh) = refresh(&row, &view.subnet, &me, self.version_key)?
        {
            self.journal.prepare_commit(&fresh).await?;
            row = CommitRow { attempts: row.attempts, ..fresh };
            if row.uids.is_empty() {
                return Ok(());
            }
        }
        let block = view.block();
        if row.state == CommitState::Prepared {
            // Written before it is sent: from here on it may be on chain whatever happens to this process.
            let (from, to) = (CommitState::Prepared, CommitState::Submitted);
            self.journal.advance_commit(row.epoch, row.mecid, from, to, block, None).await?;
        } else {
            self.journal.note_commit(row.epoch, row.mecid, block, "sent again").await?;
        }
        let call = first_call(&row, view.subnet.netuid);
        match self.chain.submit(&self.keypair, call).await {
            Ok(submitted) => self.sent(&row, &submitted).await,
            Err(error) => self.refused(&row, block, error).await,
        }
    }

    /// The transaction is in a final block and succeeded: weights are set. A commit is looked up with the next pass.
    async fn sent(&mut self, row: &CommitRow, submitted: &Submitted) -> Result<(), Error> {
        tracing::info!(
            epoch = row.epoch,
            mecid = row.mecid,
            block = submitted.block_number,
            extrinsic = hex::encode(submitted.extrinsic),
            "weights are in a block"
        );
        self.pauses.remove(&(row.epoch, row.mecid));
        self.journal.note_commit(row.epoch, row.mecid, submitted.block_number, "").await?;
        if row.commit_reveal {
            return Ok(());
        }
        let (from, to) = (CommitState::Submitted, CommitState::Revealed);
        self.advance(row, from, to, submitted.block_number, None).await
    }

    /// Sorts a failure by whether the transaction can still get into a block.
    async fn refused(&mut self, row: &CommitRow, block: u64, error: ClientError) -> Result<(), Error> {
        metrics::counter!("clawrank_validator_submit_errors_total").increment(1);
        let retryable = error.is_retryable();
        tracing::warn!(epoch = row.epoch, mecid = row.mecid, retryable, %error, "weights were not taken");
        self.pause(row.epoch, row.mecid, block);
        let detail = error.to_string();
        match error {
            // It may still arrive up to that block; until then it is only looked for.
            ClientError::OutcomeUnknown { valid_until, .. } => {
                let sent_at = valid_until.saturating_sub(self.resubmit_after_blocks);
                self.journal.note_commit(row.epoch, row.mecid, sent_at.max(block), &detail).await?;
            }
            // Refused for good or for now: no block has it and none will.
            ClientError::Dispatch { .. }
            | ClientError::Pool { .. }
            | ClientError::Expired { .. }
            | ClientError::InvalidCall { .. }
            | ClientError::UnsupportedRuntime { .. }
            | ClientError::QueueFull { .. } => {
                let (from, to) = (CommitState::Submitted, CommitState::Prepared);
                self.journal.advance_commit(row.epoch, row.mecid, from, to, block, None).await?;
                self.journal.note_commit(row.epoch, row.mecid, block, &detail).await?;
            }
            _ => self.journal.note_commit(row.epoch, row.mecid, block, &detail).await?,
        }
        self.reporter.publish(&self.journal, row.epoch).await
    }

    async fn reveal(&mut self, view: &View, row: &CommitRow) -> Result<(), Error> {
        for (uid, hotkey) in row.uids.iter().zip(&row.hotkeys) {
            if view.subnet.neurons.get(usize::from(*uid)).is_some_and(|neuron| neuron.hotkey != *hotkey) {
                tracing::warn!(
                    epoch = row.epoch,
                    mecid = row.mecid,
                    uid,
                    "uid was replaced after the commit; its weight stands until the next reveal"
                );
            }
        }
        match self.chain.submit(&self.keypair, reveal_call(row, view.subnet.netuid)).await {
            Ok(submitted) => {
                tracing::info!(
                    epoch = row.epoch,
                    mecid = row.mecid,
                    block = submitted.block_number,
                    "reveal is in a block"
                );
                self.pauses.remove(&(row.epoch, row.mecid));
                Ok(self.journal.note_commit(row.epoch, row.mecid, row.block, "revealed").await?)
            }
            Err(error) => {
                metrics::counter!("clawrank_validator_submit_errors_total").increment(1);
                tracing::warn!(epoch = row.epoch, mecid = row.mecid, %error, "reveal was not taken");
                self.pause(row.epoch, row.mecid, view.block());
                self.journal.note_commit(row.epoch, row.mecid, row.block, &error.to_string()).await?;
                self.reporter.publish(&self.journal, row.epoch).await
            }
        }
    }

    /// Sends verdicts of the running epoch; those of an epoch that is over are settled as they are.
    async fn verdicts(&mut self, view: &View, clock: &EpochClock, row: VerdictRow) -> Result<(), Error> {
        let over = row.epoch != clock.epoch || !clock.is_open_at(view.block());
        if !self.chain.has_provider_rank() || over {
            if self.chain.has_provider_rank() {
                tracing::warn!(epoch = row.epoch, "verdicts were not taken before their epoch ended");
            }
            return Ok(self.journal.settle_verdicts(row.epoch, view.block()).await?);
        }
        if self.is_paused(row.epoch, VERDICTS, view.block()) {
            return Ok(());
        }
        let verdicts: Vec<MinerVerdict> = serde_json::from_str(&row.payload).map_err(|error| Error::Stored {
            what: "verdicts",
            epoch: row.epoch,
            why: error.to_string(),
        })?;
        let call = Call::SubmitVerdicts { netuid: view.subnet.netuid, epoch: row.epoch, verdicts };
        match self.chain.submit(&self.keypair, call).await {
            Ok(submitted) => {
                tracing::info!(epoch = row.epoch, block = submitted.block_number, "verdicts are in a block");
                Ok(self.journal.settle_verdicts(row.epoch, submitted.block_number).await?)
            }
            Err(error) => {
                metrics::counter!("clawrank_validator_submit_errors_total").increment(1);
                tracing::warn!(epoch = row.epoch, %error, "verdicts were not taken");
                self.pause(row.epoch, VERDICTS, view.block());
                Ok(())
            }
        }
    }

    fn is_paused(&self, epoch: u64, what: u8, block: u64) -> bool {
        self.pauses.get(&(epoch, what)).is_some_and(|(_, until)| block < *until)
    }

    /// Doubles the pause with each failure in a row: 1, 2, 4, 8, then 16 blocks.
    fn pause(&mut self, epoch: u64, what: u8, block: u64) {
        let (failures, until) = self.pauses.entry((epoch, what)).or_default();
        let blocks = 1u64.checked_shl(*failures).unwrap_or(MAX_PAUSE_BLOCKS).min(MAX_PAUSE_BLOCKS);
        *failures = failures.saturating_add(1);
        *until = block.saturating_add(blocks);
    }
}
