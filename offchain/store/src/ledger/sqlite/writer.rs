// SPDX-License-Identifier: Apache-2.0

use clawrank_protocol::proof::{Hash, HotkeyId};
use clawrank_units::MicroUsd;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::{apply::apply, mark::Mark};
use crate::{
    ledger::{BundleRow, KeyKind, LedgerError, NewRequest, Payer, Settlement},
    transaction,
};

/// Jobs in one commit.
const GROUP: usize = 256;

/// One write.
#[derive(Debug)]
pub(super) enum Work {
    Reserve(NewRequest),
    Settle(Settlement),
    CreateKey { name: String, payer: String, kind: KeyKind, hash: Hash, now_ms: u64 },
    RevokeKey { id: i64, now_ms: u64 },
    Deposit { payer: String, amount: MicroUsd },
    Recover,
    UseNonce { sender: HotkeyId, nonce: [u8; 16], now_ms: u64, expires_ms: u64 },
    PutBundle { bundle: BundleRow, keep: u32, now_ms: u64 },
    Prune { before_ms: u64 },
}

impl Work {
    fn has_receipt(&self) -> bool {
        matches!(self, Self::Settle(Settlement { receipt: Some(_), .. }))
    }
}

/// What a write did.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// Nothing to tell.
    Done,
    /// Whether it changed something.
    Flag(bool),
    /// How many rows it changed.
    Count(u64),
    /// The account after it.
    Payer(Payer),
    /// The fee that was taken.
    Fee(MicroUsd),
}

/// Work and who waits for it.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) work: Work,
    /// Told once the outcome is decided, before the commit.
    pub(super) decided: Option<oneshot::Sender<Result<(), LedgerError>>>,
    /// Told once the outcome is on disk.
    pub(super) reply: oneshot::Sender<Result<Outcome, LedgerError>>,
}

/// Commits jobs in groups until every sender is gone.
pub(super) async fn run(mut connection: SqliteConnection, mut mark: Option<Mark>, mut queue: mpsc::Receiver<Job>) {
    let mut jobs = Vec::with_capacity(GROUP);
    while queue.recv_many(&mut jobs, GROUP).await > 0 {
        let outcomes = match commit(&mut connection, &mut jobs).await {
            Ok(outcomes) => outcomes,
            // One job may have spoilt it for all: each gets a commit of its own.
            Err(error) if jobs.len() > 1 => {
                tracing::warn!(%error, jobs = jobs.len(), "group commit failed; trying each write alone");
                let mut outcomes = Vec::with_capacity(jobs.len());
                for job in &mut jobs {
                    outcomes.push(match commit(&mut connection, core::slice::from_mut(job)).await {
                        Ok(mut one) => one.pop().unwrap_or(Err(LedgerError::Closed)),
                        Err(error) => Err(error),
                    });
                }
                outcomes
            }
            Err(error) => {
                tracing::warn!(%error, "write failed");
                vec![Err(error)]
            }
        };
        if let Some(mark) = &mut mark {
            let stored = jobs.iter().zip(&outcomes).filter(|(job, outcome)| outcome.is_ok() && job.work.has_receipt());
            mark.advance(u64::try_from(stored.count()).unwrap_or(0));
        }
        for (mut job, outcome) in jobs.drain(..).zip(outcomes) {
            if let Some(decided) = job.decided.take() {
                let _ = decided.send(outcome.as_ref().map(|_| ()).map_err(LedgerError::clone));
            }
            let _ = job.reply.send(outcome);
        }
    }
    if let Err(error) = connection.close().await {
        tracing::warn!(%error, "ledger did not close cleanly; the log is replayed at the next start");
    }
}

/// Whether the work is one statement, which SQLite commits by itself.
fn is_one_statement(work: &Work) -> bool {
    matches!(work, Work::Reserve(_) | Work::Settle(_) | Work::UseNonce { .. })
}

/// Applies all jobs in one transaction. Refusals (no balance, not open) are outcomes; an error rolls everything back.
async fn commit(
    connection: &mut SqliteConnection,
    jobs: &mut [Job],
) -> Result<Vec<Result<Outcome, LedgerError>>, LedgerError> {
    // Alone, such a job needs no transaction around it: three messages to SQLite's thread become one.
    if let [Job { work, decided: None, .. }] = jobs
        && is_one_statement(work)
    {
        return match apply(connection, work).await {
            Err(error) if !is_refusal(&error) => Err(error),
            outcome => Ok(vec![outcome]),
        };
    }
    transaction::begin(connection).await?;
    match apply_all(connection, jobs).await {
        Ok(outcomes) => {
            transaction::commit(connection).await?;
            Ok(outcomes)
        }
        Err(error) => {
            // Where SQLite has undone it already, there is none.
            let _ = transaction::rollback(connection).await;
            Err(error)
        }
    }
}

async fn apply_all(
    connection: &mut SqliteConnection,
    jobs: &mut [Job],
) -> Result<Vec<Result<Outcome, LedgerError>>, LedgerError> {
    let mut outcomes = Vec::with_capacity(jobs.len());
    for job in jobs.iter_mut() {
        let outcome = match apply(connection, &job.work).await {
            Err(error) if !is_refusal(&error) => return Err(error),
            outcome => outcome,
        };
        if let Some(decided) = job.decided.take() {
            let _ = decided.send(outcome.as_ref().map(|_| ()).map_err(LedgerError::clone));
        }
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

/// Whether an error says no to one job without having changed anything.
fn is_refusal(error: &LedgerError) -> bool {
    matches!(
        error,
        LedgerError::InsufficientBalance { .. }
            | LedgerError::UnknownPayer { .. }
            | LedgerError::NotOpen { .. }
            | LedgerError::Taken { .. }
            | LedgerError::AmountTooLarge
    )
}
