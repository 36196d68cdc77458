// SPDX-License-Identifier: Apache-2.0
//! The validator's durable memory: what it measured, what it saw, and what it committed.
//!
//! One SQLite file in WAL mode with `synchronous = FULL`: when a call returns, what it wrote survives `kill -9` and
//! power loss. Every write is one transaction. A lock file beside it admits one process, since two validators with one
//! hotkey would commit twice; it also remembers that the database exists, so that a lost one is noticed.
//!
//! | table | holds | kept for |
//! |---|---|---|
//! | `probes` | every probe | the last 100 of each hotkey |
//! | `receipts`, `traffic` | ids seen; minute buckets by miner and payer | [`Journal::forget_traffic_before`] |
//! | `cursors`, `refusals` | where to read on at a gateway; how many receipts were refused, by reason | ever |
//! | `bundles` | outcome of checks, telemetry and signal | [`Journal::forget_epochs_before`] |
//! | `replays`, `epochs` | the validator's own measurements; parameters, seed, facts and report of an epoch | the same |
//! | `commits`, `verdicts` | payload, salt, ciphertext and state of what goes to the chain | the same, unless unfinished |
//! | `sent` | hashes of all that may be on chain under this hotkey | the same |

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read as _, Write as _},
    ops::{Deref, DerefMut},
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    Row as _, Sqlite, SqliteConnection, SqlitePool,
    pool::PoolConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous},
};

use crate::transaction;

mod bundles;
mod commits;
mod epochs;
mod error;
mod probes;
mod receipts;
mod replays;
mod schema;
#[cfg(test)]
mod tests;
mod verdicts;

pub use bundles::BundleRow;
pub use commits::{CommitForm, CommitKey, CommitRow, CommitState};
pub use epochs::EpochRow;
pub use error::JournalError;
pub use probes::{PROBES_KEPT, ProbeRow};
pub use receipts::{Ingested, ReceiptRow, TrafficRow};
pub use replays::ReplayRow;
pub use verdicts::VerdictRow;

/// 32 bytes: a block hash, a root, a public key.
pub type Key = [u8; 32];

/// What a lock file says once its database exists.
const IN_USE: &[u8] = b"journal in use\n";

/// Whose journal this is. A journal never serves another chain, subnet or hotkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Hash of the chain's block 0.
    pub genesis: Key,
    /// The subnet.
    pub netuid: u16,
    /// The validator.
    pub hotkey: Key,
}

/// How to open a [`Journal`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Largest size of the database, in pages of 4,096 bytes; `None` for as much as the disk holds.
    pub max_pages: Option<u32>,
}

/// The validator's journal; see the [module](self).
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    /// One connection: SQLite has one writer, and waiting for a connection is fair where its busy handler is not.
    writer: SqlitePool,
    readers: SqlitePool,
    /// Dropping it lets the next process in.
    lock: File,
}

impl Journal {
    /// Opens `folder/journal.db`, creating folder and file where they are missing.
    ///
    /// Checks the whole file, which takes about a second per GB.
    ///
    /// # Errors
    ///
    /// - [`JournalError::Folder`]: the folder cannot be used.
    /// - [`JournalError::Held`]: another process has it open.
    /// - [`JournalError::Damaged`], [`JournalError::Lost`]: the file is truncated, overwritten or gone.
    /// - [`JournalError::Foreign`]: it belongs to another chain, subnet or hotkey.
    /// - [`JournalError::Schema`]: it was written by another version.
    /// - [`JournalError::Full`], [`JournalError::Database`]: as any write.
    pub async fn open(folder: &Path, identity: Identity, options: Options) -> Result<Self, JournalError> {
        std::fs::create_dir_all(folder)
            .map_err(|source| JournalError::Folder { path: folder.to_path_buf(), source })?;
        let path = folder.join("journal.db");
        let lock_path = folder.join("journal.lock");
        let (lock, was_in_use) = lock_file(&lock_path)?;

        let size = std::fs::metadata(&path).map(|meta| meta.len()).unwrap_or(0);
        if was_in_use && size == 0 {
            return Err(JournalError::Lost { path });
        }

        let mut connect = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10));
        if let Some(pages) = options.max_pages {
            connect = connect.pragma("max_page_count", pages.to_string());
        }
        let fail = |source| JournalError::of(&path, source);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(30))
            .connect_with(connect.clone())
            .await
            .map_err(fail)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(30))
            .connect_lazy_with(connect);
        let journal = Self { path: path.clone(), writer, readers, lock };

        journal.check_integrity().await?;
        journal.migrate(identity, was_in_use).await?;
        if !was_in_use {
            let mut lock = &journal.lock;
            lock.write_all(IN_USE)
                .and_then(|()| lock.sync_all())
                .map_err(|source| JournalError::Folder { path: lock_path, source })?;
        }
        Ok(journal)
    }

    /// Where the database is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes what is pending, closes every connection and frees the lock.
    pub async fn close(self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    async fn check_integrity(&self) -> Result<(), JournalError> {
        let rows = sqlx::query("PRAGMA quick_check(1)").fetch_all(&self.writer).await.map_err(|e| self.fail(e))?;
        let verdict: String = match rows.first() {
            Some(row) => row.try_get(0).map_err(|e| self.fail(e))?,
            None => String::from("no answer from the integrity check"),
        };
        if verdict == "ok" { Ok(()) } else { Err(JournalError::Damaged { path: self.path.clone(), detail: verdict }) }
    }

    async fn migrate(&self, identity: Identity, was_in_use: bool) -> Result<(), JournalError> {
        let mut tx = self.write().await?;
        let found: i64 =
            sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *tx).await.map_err(|e| self.fail(e))?;
        match found {
            // SQLite takes a file that is cut to less than a page for an empty one.
            0 if was_in_use => return Err(JournalError::Lost { path: self.path.clone() }),
            0 => {
                for script in [schema::CREATE, schema::COMMITS] {
                    sqlx::raw_sql(script).execute(&mut *tx).await.map_err(|e| self.fail(e))?;
                }
                sqlx::query("INSERT INTO identity (only, genesis, netuid, hotkey) VALUES (1, ?, ?, ?)")
                    .bind(identity.genesis.as_slice())
                    .bind(i64::from(identity.netuid))
                    .bind(identity.hotkey.as_slice())
                    .execute(&mut *tx)
                    .await
                    .map_err(|e| self.fail(e))?;
            }
            1..=schema::SCHEMA => {
                let scripts: &[&str] = match found {
                    1 => &[schema::FROM_1, schema::COMMITS, schema::FROM_1_MOVE, schema::FROM_2],
                    2 => &[schema::FROM_2],
                    _ => &[],
                };
                for script in scripts {
                    sqlx::raw_sql(*script).execute(&mut *tx).await.map_err(|e| self.fail(e))?;
                }
                if !scripts.is_empty() {
                    tracing::info!(journal = %self.path.display(), "journal moved to schema {}", schema::SCHEMA);
                }
                let row = sqlx::query("SELECT genesis, netuid, hotkey FROM identity WHERE only = 1")
                    .fetch_one(&mut *tx)
                    .await
                    .map_err(|e| self.fail(e))?;
                let genesis = self.key(&row, "identity", "genesis")?;
                let netuid = self.uint(&row, "identity", "netuid")?;
                let hotkey = self.key(&row, "identity", "hotkey")?;
                self.same("chain", genesis, identity.genesis)?;
                self.same("hotkey", hotkey, identity.hotkey)?;
                if netuid != u64::from(identity.netuid) {
                    return Err(JournalError::Foreign {
                        path: self.path.clone(),
                        what: "subnet",
                        found: netuid.to_string(),
                        expected: identity.netuid.to_string(),
                    });
                }
            }
            found => {
                return Err(JournalError::Schema { path: self.path.clone(), found, expected: schema::SCHEMA });
            }
        }
        sqlx::raw_sql(schema::SET_SCHEMA).execute(&mut *tx).await.map_err(|e| self.fail(e))?;
        tx.commit().await.map_err(|e| self.fail(e))
    }

    fn same(&self, what: &'static str, found: Key, expected: Key) -> Result<(), JournalError> {
        if found == expected {
            return Ok(());
        }
        Err(JournalError::Foreign {
            path: self.path.clone(),
            what,
            found: hex::encode(found),
            expected: hex::encode(expected),
        })
    }

    /// A transaction that holds the write lock from its start.
    async fn write(&self) -> Result<Write, JournalError> {
        let mut connection = self.writer.acquire().await.map_err(|e| self.fail(e))?;
        transaction::begin(&mut connection).await.map_err(|e| self.fail(e))?;
        Ok(Write(connection))
    }

    fn fail(&self, source: sqlx::Error) -> JournalError {
        JournalError::of(&self.path, source)
    }

    fn uint(&self, row: &SqliteRow, table: &'static str, column: &'static str) -> Result<u64, JournalError> {
        let value: i64 = row.try_get(column).map_err(|e| self.fail(e))?;
        u64::try_from(value).map_err(|_| JournalError::BadValue { table, column })
    }

    fn narrow<T: TryFrom<u64>>(
        &self,
        row: &SqliteRow,
        table: &'static str,
        column: &'static str,
    ) -> Result<T, JournalError> {
        T::try_from(self.uint(row, table, column)?).map_err(|_| JournalError::BadValue { table, column })
    }

    fn key(&self, row: &SqliteRow, table: &'static str, column: &'static str) -> Result<Key, JournalError> {
        let bytes: &[u8] = row.try_get(column).map_err(|e| self.fail(e))?;
        Key::try_from(bytes).map_err(|_| JournalError::BadValue { table, column })
    }

    fn text(&self, row: &SqliteRow, column: &'static str) -> Result<String, JournalError> {
        row.try_get(column).map_err(|e| self.fail(e))
    }
}

/// An open transaction. One that is dropped is undone before the next begins.
struct Write(PoolConnection<Sqlite>);

impl Write {
    async fn commit(mut self) -> Result<(), sqlx::Error> {
        transaction::commit(&mut self.0).await
    }

    async fn rollback(mut self) -> Result<(), sqlx::Error> {
        transaction::rollback(&mut self.0).await
    }
}

impl Deref for Write {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.0
    }
}

impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.0
    }
}

/// A number as SQLite holds it.
fn int(field: &'static str, value: u64) -> Result<i64, JournalError> {
    i64::try_from(value).map_err(|_| JournalError::TooLarge { field, value })
}

/// Takes the lock; says whether the database beside it was ever in use.
fn lock_file(path: &Path) -> Result<(File, bool), JournalError> {
    let fail = |source| JournalError::Folder { path: path.to_path_buf(), source };
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(fail)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(JournalError::Held { path: path.to_path_buf() }),
        Err(TryLockError::Error(source)) => return Err(fail(source)),
    }
    let mut found = Vec::new();
    (&mut file).take(64).read_to_end(&mut found).map_err(fail)?;
    Ok((file, found == IN_USE))
}
