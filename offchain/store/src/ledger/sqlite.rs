// SPDX-License-Identifier: Apache-2.0

//! The ledger on SQLite: WAL, `synchronous=FULL`, one writer that commits in groups.
//!
//! Callers hand their operation to the writer and wait. While one commit is on its way to the disk the next operations
//! queue up and share the next commit, so the number of disk flushes does not grow with the load.
//!
//! A file beside the database counts receipts and writes, so that one which lost its last ones is refused.

mod apply;
mod mark;
mod open;
mod writer;

use std::{fs::File, path::Path};

use async_trait::async_trait;
use clawrank_protocol::proof::{Hash, HotkeyId};
use clawrank_units::MicroUsd;
use sqlx::{Row, sqlite::SqlitePool, sqlite::SqliteRow};
use tokio::sync::{mpsc, oneshot};

use super::{
    ApiKey, BundleRow, DemandRow, KeyKind, Ledger, LedgerError, NewRequest, Payer, ReceiptRow, Reservation, Settlement,
};
pub(super) use writer::Outcome;
use writer::{Job, Work};

/// How to open a ledger.
#[derive(Clone, Copy, Debug)]
pub struct LedgerOptions {
    /// Largest size of the file, in pages of 4,096 bytes; `None` leaves it to the disk.
    pub max_pages: Option<u32>,
    /// How long to wait for another process that writes, in milliseconds.
    pub busy_timeout_ms: u64,
    /// Whether this process alone may serve from the ledger: true for a gateway, false for a tool beside it.
    pub exclusive: bool,
    /// Operations that may wait for the writer; more wait in their callers.
    pub queue: usize,
}

impl Default for LedgerOptions {
    fn default() -> Self {
        Self { max_pages: None, busy_timeout_ms: 5_000, exclusive: false, queue: 1_024 }
    }
}

/// [`Ledger`] on one SQLite file. Cheap to share behind an `Arc`; dropping it ends the writer.
#[derive(Debug)]
pub struct SqliteLedger {
    readers: SqlitePool,
    jobs: mpsc::Sender<Job>,
    /// Dropping it lets the next gateway in.
    _lock: Option<File>,
}

impl SqliteLedger {
    /// Opens the ledger at `path`, or makes it.
    ///
    /// # Errors
    ///
    /// - [`LedgerError::Corrupt`]: the file is damaged, cut short or not a database.
    /// - [`LedgerError::ReceiptsLost`], [`LedgerError::WritesLost`]: the file or its `-wal` lacks what was acknowledged.
    /// - [`LedgerError::Foreign`]: a database of another program.
    /// - [`LedgerError::Locked`]: `exclusive`, and another gateway serves from it.
    /// - [`LedgerError::Io`], [`LedgerError::Migration`], [`LedgerError::Database`], [`LedgerError::Full`].
    pub async fn open(path: &Path, options: LedgerOptions) -> Result<Self, LedgerError> {
        let lock = if options.exclusive { Some(open::lock(path)?) } else { None };
        let (connection, readers, mark) = open::open(path, options).await?;
        let (jobs, queue) = mpsc::channel(options.queue.max(1));
        tokio::spawn(writer::run(connection, mark, queue));
        Ok(Self { readers, jobs, _lock: lock })
    }

    /// Hands work to the writer and waits for the commit.
    async fn write(&self, work: Work) -> Result<Outcome, LedgerError> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Job { work, decided: None, reply }).await.map_err(|_| LedgerError::Closed)?;
        answer.await.map_err(|_| LedgerError::Closed)?
    }

    async fn write_flag(&self, work: Work) -> Result<bool, LedgerError> {
        match self.write(work).await? {
            Outcome::Flag(flag) => Ok(flag),
            _ => Err(LedgerError::Closed),
        }
    }

    async fn write_count(&self, work: Work) -> Result<u64, LedgerError> {
        match self.write(work).await? {
            Outcome::Count(count) => Ok(count),
            _ => Err(LedgerError::Closed),
        }
    }
}

/// An amount or a time as SQLite stores it.
pub(crate) fn int(value: u64) -> Result<i64, LedgerError> {
    i64::try_from(value).map_err(|_| LedgerError::AmountTooLarge)
}

/// A stored number that is never negative.
pub(crate) fn uint(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn key_of(row: &SqliteRow) -> Result<ApiKey, sqlx::Error> {
    Ok(ApiKey {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        payer: row.try_get("payer")?,
        payer_id: row.try_get("payer_id")?,
        kind: if row.try_get::<i64, _>("kind")? == 0 { KeyKind::Paid } else { KeyKind::Free },
        created_ms: uint(row.try_get("created_ms")?),
        revoked_ms: row.try_get::<Option<i64>, _>("revoked_ms")?.map(uint),
    })
}

pub(crate) fn payer_of(row: &SqliteRow) -> Result<Payer, sqlx::Error> {
    Ok(Payer {
        name: row.try_get("name")?,
        balance: MicroUsd(uint(row.try_get("balance")?)),
        spent: MicroUsd(uint(row.try_get("spent")?)),
    })
}

const SELECT_KEY: &str = "SELECT k.id, k.name, p.name AS payer, k.payer AS payer_id, k.kind, k.created_ms, k.revoked_ms
    FROM api_keys k JOIN payers p ON p.id = k.payer WHERE k.hash = ?1";
const SELECT_KEYS: &str =
    "SELECT k.id, k.name, p.name AS payer, k.payer AS payer_id, k.kind, k.created_ms, k.revoked_ms
    FROM api_keys k JOIN payers p ON p.id = k.payer ORDER BY k.id";

#[async_trait]
impl Ledger for SqliteLedger {
    async fn create_key(
        &self,
        name: &str,
        payer: &str,
        kind: KeyKind,
        hash: Hash,
        now_ms: u64,
    ) -> Result<ApiKey, LedgerError> {
        let (name, payer) = (name.to_owned(), payer.to_owned());
        self.write(Work::CreateKey { name, payer, kind, hash, now_ms }).await?;
        self.key_by_hash(&hash).await?.ok_or(LedgerError::Closed)
    }

    async fn keys(&self) -> Result<Vec<ApiKey>, LedgerError> {
        let rows = sqlx::query(SELECT_KEYS).fetch_all(&self.readers).await?;
        Ok(rows.iter().map(key_of).collect::<Result<_, _>>()?)
    }

    async fn key_by_hash(&self, hash: &Hash) -> Result<Option<ApiKey>, LedgerError> {
        let row = sqlx::query(SELECT_KEY).bind(hash.as_slice()).fetch_optional(&self.readers).await?;
        Ok(row.as_ref().map(key_of).transpose()?)
    }

    async fn revoke_key(&self, id: i64, now_ms: u64) -> Result<bool, LedgerError> {
        self.write_flag(Work::RevokeKey { id, now_ms }).await
    }

    async fn deposit(&self, payer: &str, amount: MicroUsd) -> Result<Payer, LedgerError> {
        let payer = payer.to_owned();
        match self.write(Work::Deposit { payer, amount }).await? {
            Outcome::Payer(payer) => Ok(payer),
            _ => Err(LedgerError::Closed),
        }
    }

    async fn payers(&self) -> Result<Vec<Payer>, LedgerError> {
        let rows =
            sqlx::query("SELECT name, balance, spent FROM payers ORDER BY name").fetch_all(&self.readers).await?;
        Ok(rows.iter().map(payer_of).collect::<Result<_, _>>()?)
    }

    async fn reserve(&self, request: NewRequest, early: bool) -> Result<Reservation, LedgerError> {
        let work = Work::Reserve(request);
        if !early {
            self.write(work).await?;
            return Ok(Reservation { durable: None });
        }
        let (decided, decision) = oneshot::channel();
        let (reply, durable) = oneshot::channel();
        let job = Job { work, decided: Some(decided), reply };
        self.jobs.send(job).await.map_err(|_| LedgerError::Closed)?;
        decision.await.map_err(|_| LedgerError::Closed)??;
        Ok(Reservation { durable: Some(durable) })
    }

    async fn settle(&self, settlement: Settlement) -> Result<MicroUsd, LedgerError> {
        match self.write(Work::Settle(settlement)).await? {
            Outcome::Fee(fee) => Ok(fee),
            _ => Err(LedgerError::Closed),
        }
    }

    async fn recover(&self) -> Result<u64, LedgerError> {
        self.write_count(Work::Recover).await
    }

    async fn receipts(&self, since: u64, limit: u32) -> Result<Vec<ReceiptRow>, LedgerError> {
        let rows = sqlx::query(
            "SELECT c.seq, r.receipt AS bytes FROM receipts c JOIN requests r ON r.id = c.request
             WHERE c.seq > ?1 ORDER BY c.seq LIMIT ?2",
        )
        .bind(i64::try_from(since).unwrap_or(i64::MAX))
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        let read = |row: &SqliteRow| Ok(ReceiptRow { seq: uint(row.try_get("seq")?), bytes: row.try_get("bytes")? });
        Ok(rows.iter().map(read).collect::<Result<_, sqlx::Error>>()?)
    }

    async fn has_nonce(&self, sender: &HotkeyId, nonce: &[u8; 16], now_ms: u64) -> Result<bool, LedgerError> {
        let found = sqlx::query("SELECT 1 FROM nonces WHERE sender = ?1 AND nonce = ?2 AND expires_ms >= ?3")
            .bind(sender.as_slice())
            .bind(nonce.as_slice())
            .bind(int(now_ms)?)
            .fetch_optional(&self.readers)
            .await?;
        Ok(found.is_some())
    }

    async fn use_nonce(
        &self,
        sender: &HotkeyId,
        nonce: &[u8; 16],
        now_ms: u64,
        expires_ms: u64,
    ) -> Result<bool, LedgerError> {
        let (sender, nonce) = (*sender, *nonce);
        self.write_flag(Work::UseNonce { sender, nonce, now_ms, expires_ms }).await
    }

    async fn put_bundle(&self, bundle: BundleRow, keep: u32, now_ms: u64) -> Result<bool, LedgerError> {
        self.write_flag(Work::PutBundle { bundle, keep, now_ms }).await
    }

    async fn bundle(&self, root: &Hash, hotkey: &HotkeyId) -> Result<Option<BundleRow>, LedgerError> {
        let row = sqlx::query("SELECT epoch, bytes FROM bundles WHERE root = ?1 AND hotkey = ?2")
            .bind(root.as_slice())
            .bind(hotkey.as_slice())
            .fetch_optional(&self.readers)
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(BundleRow {
            root: *root,
            hotkey: *hotkey,
            epoch: uint(row.try_get("epoch")?),
            bytes: row.try_get("bytes")?,
        }))
    }

    async fn demand(&self, since_ms: u64) -> Result<Vec<DemandRow>, LedgerError> {
        let rows = sqlx::query(
            "SELECT model, task_type, SUM(requests) AS requests, SUM(tokens) AS tokens FROM demand
             WHERE minute >= ?1 GROUP BY model, task_type ORDER BY model, task_type",
        )
        .bind(int(since_ms / 60_000)?)
        .fetch_all(&self.readers)
        .await?;
        let read = |row: &SqliteRow| {
            Ok(DemandRow {
                model: row.try_get("model")?,
                task_type: row.try_get("task_type")?,
                requests: uint(row.try_get("requests")?),
                tokens: uint(row.try_get("tokens")?),
            })
        };
        Ok(rows.iter().map(read).collect::<Result<_, sqlx::Error>>()?)
    }

    async fn prune(&self, before_ms: u64) -> Result<u64, LedgerError> {
        self.write_count(Work::Prune { before_ms }).await
    }
}
