// SPDX-License-Identifier: Apache-2.0

use clawrank_protocol::proof::{Hash, HotkeyId};
use clawrank_units::MicroUsd;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::{apply::apply, mark::Mark, uint};
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
    /// Receipts and, as the tables' triggers count them, writes of requests and nonces that it made.
    fn counted(&self, outcome: &Outcome) -> (u64, u64) {
        match (self, outcome) {
            (Self::Settle(settlement), _) => (u64::from(settlement.receipt.is_some()), 1),
            (Self::Reserve(_), _) | (Self::UseNonce { .. }, Outcome::Flag(true)) => (0, 1),
            (Self::Recover, Outcome::Count(rows)) => (0, *rows),
            _ => (0, 0),
        }
    }

    /// Whether it made a write of the other kind that somebody is told of.
    fn is_account(&self, outcome: &Outcome) -> bool {
        match self {
            Self::CreateKey { .. } | Self::Deposit { .. } => true,
            Self::RevokeKey { .. } | Self::PutBundle { .. } => matches!(outcome, Outcome::Flag(true)),
            Self::Reserve(_) | Self::Settle(_) | Self::Recover | Self::UseNonce { .. } | Self::Prune { .. } => false,
        }
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

/// What came of a group of jobs, in their order.
struct Committed {
    outcomes: Vec<Result<Outcome, LedgerError>>,
    /// Writes of accounts that were ever made, where the group made any.
    accounts: Option<u64>,
}

/// Commits jobs in groups until every sender is gone.
pub(super) async fn run(mut connection: SqliteConnection, mut mark: Mark, mut queue: mpsc::Receiver<Job>) {
    let mut jobs = Vec::with_capacity(GROUP);
    while queue.recv_many(&mut jobs, GROUP).await > 0 {
        let Committed { outcomes, accounts } = match commit(&mut connection, &mut jobs).await {
            Ok(committed) => committed,
            // One job may have spoilt it for all: each gets a commit of its own.
            Err(error) if jobs.len() > 1 => {
                tracing::warn!(%error, jobs = jobs.len(), "group commit failed; trying each write alone");
                let mut all = Committed { outcomes: Vec::with_capacity(jobs.len()), accounts: None };
                for job in &mut jobs {
                    match commit(&mut connection, core::slice::from_mut(job)).await {
                        Ok(one) => {
                            all.outcomes.extend(one.outcomes);
                            all.accounts = one.accounts.or(all.accounts);
                        }
                        Err(error) => all.outcomes.push(Err(error)),
                    }
                }
                all
            }
            Err(error) => {
                tracing::warn!(%error, "write failed");
                Committed { outcomes: vec![Err(error)], accounts: None }
            }
        };
        let done = jobs.iter().zip(&outcomes).filter_map(|(job, outcome)| Some((job, outcome.as_ref().ok()?)));
        let (receipts, requests) = done
            .map(|(job, outcome)| job.work.counted(outcome))
            .fold((0u64, 0u64), |sum, one| (sum.0.saturating_add(one.0), sum.1.saturating_add(one.1)));
        mark.advance(receipts, requests, accounts);
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
async fn commit(connection: &mut SqliteConnection, jobs: &mut [Job]) -> Result<Committed, LedgerError> {
    // Alone, such a job needs no transaction around it: three messages to SQLite's thread become one.
    if let [Job { work, decided: None, .. }] = jobs
        && is_one_statement(work)
    {
        return match apply(connection, work).await {
            Err(error) if !is_refusal(&error) => Err(error),
            outcome => Ok(Committed { outcomes: vec![outcome], accounts: None }),
        };
    }
    transaction::begin(connection).await?;
    match apply_all(connection, jobs).await {
        Ok(committed) => {
            transaction::commit(connection).await?;
            Ok(committed)
        }
        Err(error) => {
            // Where SQLite has undone it already, there is none.
            let _ = transaction::rollback(connection).await;
            Err(error)
        }
    }
}

async fn apply_all(connection: &mut SqliteConnection, jobs: &mut [Job]) -> Result<Committed, LedgerError> {
    let mut is_account = false;
    let mut outcomes = Vec::with_capacity(jobs.len());
    for job in jobs.iter_mut() {
        let outcome = match apply(connection, &job.work).await {
            Err(error) if !is_refusal(&error) => return Err(error),
            outcome => outcome,
        };
        is_account |= outcome.as_ref().is_ok_and(|outcome| job.work.is_account(outcome));
        if let Some(decided) = job.decided.take() {
            let _ = decided.send(outcome.as_ref().map(|_| ()).map_err(LedgerError::clone));
        }
        outcomes.push(outcome);
    }
    let accounts = if is_account {
        let count: i64 = sqlx::query_scalar("UPDATE writes SET accounts = accounts + 1 RETURNING accounts")
            .fetch_one(connection)
            .await?;
        Some(uint(count))
    } else {
        None
    };
    Ok(Committed { outcomes, accounts })
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
