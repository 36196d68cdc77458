// SPDX-License-Identifier: Apache-2.0
//! What leaves for the chain: weights, commits, reveals and verdicts.

use clawrank_client::{
    ClientError, PoolReason,
    types::{Call, MinerVerdict, Submitted},
};
use clawrank_store::journal::{CommitForm, CommitRow, CommitState, VerdictRow};
use tokio::time::timeout;

use super::{
    Seal,
    blocked::blocked,
    committer::{Committer, Paused},
    drop_replaced, first_call,
    plan::{Facts, Step, is_sealed, next},
    reveal_call, seal,
    survey::Read,
};
use crate::{
    Error,
    clock::EpochClock,
    heads::{View, timed_out},
};

impl Committer {
    /// Sends a row, after a last look at the chain: who has which uid, and whether it still is the time for it.
    pub(super) async fn send(&mut self, mut row: CommitRow) -> Result<(), Error> {
        let (view, read) = match self.last_look(&row).await {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(()),
            Err(error) => {
                tracing::warn!(key = %row.key(), %error, "cannot look at the chain before committing");
                return Ok(());
            }
        };
        let (Some(clock), Some(on_chain)) = (view.clock, read.mechanisms.get(&row.mecid)) else { return Ok(()) };
        let facts = self.facts(&view, &clock, on_chain, &read, false);
        let block = view.block();
        match next(&row, &facts) {
            Step::Send => {}
            Step::Reseal(why) => {
                let (from, to) = (CommitState::Submitted, CommitState::Prepared);
                self.journal.advance_commit(row.key(), from, to, block, None).await?;
                self.journal.note_commit(row.key(), block, &why).await?;
                row.state = to;
            }
            // The next pass finds out the same and deals with it.
            _ => return Ok(()),
        }
        // Only what no block can hold may change: a row that was sent goes out again as it is.
        if row.state == CommitState::Prepared {
            let Some(sealed) = self.sealed(&facts, row).await? else { return Ok(()) };
            row = sealed;
            // Written before it is sent: from here on it may be on chain whatever happens to this process.
            let (from, to) = (CommitState::Prepared, CommitState::Submitted);
            self.journal.advance_commit(row.key(), from, to, block, None).await?;
        } else {
            self.journal.note_commit(row.key(), block, "sent again").await?;
        }
        let call = first_call(&row, view.subnet.netuid);
        match self.chain.submit(&self.keypair, call).await {
            Ok(submitted) => self.sent(&row, &submitted).await,
            Err(error) => self.refused(&row, block, error).await,
        }
    }

    /// The subnet and the row's mechanism as they are now: others may have been waited for since the pass began.
    async fn last_look(&self, row: &CommitRow) -> Result<Option<(View, Read)>, ClientError> {
        let Some(netuid) = self.views.borrow().as_ref().map(|view| view.subnet.netuid) else { return Ok(None) };
        let look = async {
            let view = View::new(self.chain.subnet(netuid).await?, &self.schedule);
            let read = self.read(&view, std::slice::from_ref(row)).await?;
            Ok(Some((view, read)))
        };
        timeout(self.read_deadline, look).await.unwrap_or_else(|_| Err(timed_out("subnet", self.read_deadline)))
    }

    /// The row as it must go out now, on disk; `None` where it must not.
    async fn sealed(&self, facts: &Facts<'_>, row: CommitRow) -> Result<Option<CommitRow>, Error> {
        // It may be that of the epoch before, which could not be sent in time.
        let commit_epoch = facts.next_epoch();
        let mut fresh = CommitRow { version_key: self.version_key, commit_epoch, ..row.clone() };
        drop_replaced(&mut fresh, facts.subnet);
        let why_not = blocked(facts, fresh.mecid, fresh.version_key, fresh.uids.len());
        if fresh.uids.is_empty() || why_not.is_some() {
            let why = why_not.map_or_else(|| "none of its miners is left".to_owned(), |why| why.to_string());
            tracing::warn!(key = %row.key(), why, "weights are not sent");
            self.journal.note_commit(row.key(), row.block, &why).await?;
            return Ok(None);
        }
        if fresh != row || !is_sealed(&fresh, facts) {
            fresh.block = facts.head();
            let how = match (facts.form(), facts.beacon, facts.reveal_plan()) {
                (Ok(CommitForm::Plain), ..) => Seal::Plain,
                (Ok(CommitForm::Salted), ..) => Seal::Salted,
                (Ok(CommitForm::Timelocked), Some(beacon), Ok(plan)) => Seal::Timelocked { beacon, round: plan.round },
                // `blocked` names each of these.
                _ => return Ok(None),
            };
            if let Err(error) = seal(&mut fresh, facts.subnet, &self.keypair.public(), how) {
                tracing::error!(key = %row.key(), %error, "weights cannot be sealed");
                self.journal.note_commit(row.key(), row.block, &error.to_string()).await?;
                return Ok(None);
            }
            self.journal.prepare_commit(&fresh).await?;
            tracing::info!(key = %row.key(), form = %fresh.form, round = fresh.round, "weights are sealed");
        }
        Ok(Some(fresh))
    }

    /// The transaction is in a final block and succeeded: weights are set. A commit is looked up with the next pass.
    async fn sent(&mut self, row: &CommitRow, submitted: &Submitted) -> Result<(), Error> {
        let extrinsic = hex::encode(submitted.extrinsic);
        tracing::info!(key = %row.key(), block = submitted.block_number, extrinsic, "weights are in a block");
        self.pauses.remove(&Paused::Commit(row.key()));
        self.journal.note_commit(row.key(), submitted.block_number, "").await?;
        if row.form != CommitForm::Plain {
            return Ok(());
        }
        let (from, to) = (CommitState::Submitted, CommitState::Revealed);
        self.advance(row, from, to, submitted.block_number, None).await
    }

    /// Sorts a failure by whether the transaction can still get into a block.
    async fn refused(&mut self, row: &CommitRow, block: u64, error: ClientError) -> Result<(), Error> {
        metrics::counter!("clawrank_validator_submit_errors_total").increment(1);
        let (key, retryable) = (row.key(), error.is_retryable());
        tracing::warn!(%key, retryable, %error, "weights were not taken");
        self.pause(Paused::Commit(key), block);
        let detail = error.to_string();
        match error {
            // It may still arrive up to that block; until then it is only looked for.
            ClientError::OutcomeUnknown { valid_until, .. } => {
                let sent_at = valid_until.saturating_sub(self.resubmit_after_blocks);
                self.journal.note_commit(key, sent_at.max(block), &detail).await?;
            }
            // The one that is in the pool with this nonce may be an earlier attempt at the same.
            ClientError::Pool { reason: PoolReason::AlreadyImported | PoolReason::TooLowPriority, .. } => {
                self.journal.note_commit(key, block, &detail).await?;
            }
            // Refused for good or for now: no block has it and none will.
            ClientError::Dispatch { .. }
            | ClientError::Pool { .. }
            | ClientError::Expired { .. }
            | ClientError::InvalidCall { .. }
            | ClientError::UnsupportedRuntime { .. }
            | ClientError::QueueFull { .. } => {
                let (from, to) = (CommitState::Submitted, CommitState::Prepared);
                self.journal.advance_commit(key, from, to, block, None).await?;
                self.journal.note_commit(key, block, &detail).await?;
            }
            _ => self.journal.note_commit(key, block, &detail).await?,
        }
        self.reporter.publish(&self.journal, row.epoch).await
    }

    /// Sends the reveal of a salted row.
    pub(super) async fn reveal(&mut self, view: &View, row: &CommitRow) -> Result<(), Error> {
        let key = row.key();
        for (uid, hotkey) in row.uids.iter().zip(&row.hotkeys) {
            if view.subnet.neurons.get(usize::from(*uid)).is_some_and(|neuron| neuron.hotkey != *hotkey) {
                tracing::warn!(%key, uid, "uid was replaced after the commit; its weight stands until the next reveal");
            }
        }
        match self.chain.submit(&self.keypair, reveal_call(row, view.subnet.netuid)).await {
            Ok(submitted) => {
                tracing::info!(%key, block = submitted.block_number, "reveal is in a block");
                self.pauses.remove(&Paused::Commit(key));
                Ok(self.journal.note_commit(key, row.block, "revealed").await?)
            }
            Err(error) => {
                metrics::counter!("clawrank_validator_submit_errors_total").increment(1);
                tracing::warn!(%key, %error, "reveal was not taken");
                self.pause(Paused::Commit(key), view.block());
                self.journal.note_commit(key, row.block, &error.to_string()).await?;
                self.reporter.publish(&self.journal, row.epoch).await
            }
        }
    }

    /// Sends verdicts of the running epoch; those of an epoch that is over are settled as they are.
    pub(super) async fn verdicts(&mut self, view: &View, clock: &EpochClock, row: VerdictRow) -> Result<(), Error> {
        let over = row.epoch != clock.epoch || !clock.is_open_at(view.block());
        if !self.chain.has_provider_rank() || over {
            if self.chain.has_provider_rank() {
                tracing::warn!(epoch = row.epoch, "verdicts were not taken before their epoch ended");
            }
            return Ok(self.journal.settle_verdicts(row.epoch, view.block()).await?);
        }
        if self.is_paused(Paused::Verdicts(row.epoch), view.block()) {
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
                self.pause(Paused::Verdicts(row.epoch), view.block());
                Ok(())
            }
        }
    }
}
