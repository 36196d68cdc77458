// SPDX-License-Identifier: Apache-2.0

use std::{path::PathBuf, sync::Arc};

use clawrank_units::MicroUsd;

use crate::code;

/// Why the ledger refused or failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The payer's balance is below the reservation.
    #[error("balance of {} micro-USD is below the {} micro-USD that this request may cost; deposit or lower max_tokens", balance.get(), needed.get())]
    InsufficientBalance {
        /// What is free.
        balance: MicroUsd,
        /// What the request may cost.
        needed: MicroUsd,
    },
    /// No such account.
    #[error("payer number {id} does not exist")]
    UnknownPayer {
        /// The number.
        id: i64,
    },
    /// The request is unknown or has ended.
    #[error("request {id} is not open; it was settled before or never reserved")]
    NotOpen {
        /// The request's id.
        id: String,
    },
    /// An id or a name that must be new is taken.
    #[error("{what} exists already; choose another")]
    Taken {
        /// What is taken.
        what: &'static str,
    },
    /// An amount over what the ledger can hold.
    #[error("amount exceeds 9,223,372,036,854,775,807 micro-USD")]
    AmountTooLarge,
    /// The disk, or the size the operator allows, is full.
    #[error("ledger is full; free disk space or raise its limit")]
    Full,
    /// Another process holds the lock for longer than the ledger waits.
    #[error("ledger is locked by another process; stop it")]
    Locked,
    /// The file is damaged.
    #[error("ledger {} is damaged: {message}; restore it from a copy", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// SQLite's words.
        message: String,
    },
    /// Receipts that were acknowledged are gone: the file or its `-wal` was cut, removed or replaced by an older one.
    #[error(
        "ledger {} lacks the last {missing} of {acknowledged} receipts that were acknowledged; put it and its -wal back \
         as they were, or, to go on without them, rename {} to {}",
        path.display(), mark.display(), given_up.display()
    )]
    ReceiptsLost {
        /// The ledger.
        path: PathBuf,
        /// Receipts that were acknowledged.
        acknowledged: u64,
        /// How many of them it lacks.
        missing: u64,
        /// The file that says so.
        mark: PathBuf,
        /// That file's name once the operator gave them up.
        given_up: PathBuf,
    },
    /// The same of other writes.
    #[error(
        "ledger {} lacks the last {missing} of {acknowledged} {what} that were acknowledged; put it and its -wal back as \
         they were, or, to go on without them, rename {} to {}",
        path.display(), mark.display(), given_up.display()
    )]
    WritesLost {
        /// The ledger.
        path: PathBuf,
        /// Which writes.
        what: &'static str,
        /// Writes that were acknowledged.
        acknowledged: u64,
        /// How many of them it lacks.
        missing: u64,
        /// The file that says so.
        mark: PathBuf,
        /// That file's name once the operator gave them up.
        given_up: PathBuf,
    },
    /// The file is a database of another program.
    #[error("{} is a database of another program (application id {found:#x}); give another path", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Its application id.
        found: i64,
    },
    /// Another error of the database or its file.
    #[error("ledger failed: {source}")]
    Database {
        /// The cause.
        #[source]
        source: Arc<sqlx::Error>,
    },
    /// A file beside the database could not be made.
    #[error("cannot open {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Arc<std::io::Error>,
    },
    /// A migration failed.
    #[error("ledger's tables could not be brought up to date: {source}")]
    Migration {
        /// The cause.
        #[source]
        source: Arc<sqlx::migrate::MigrateError>,
    },
    /// The operating system gave no randomness.
    #[error("no randomness from the operating system")]
    NoRandomness,
    /// The writer has ended.
    #[error("ledger is closed")]
    Closed,
}

impl LedgerError {
    /// Whether the same call may succeed later, unchanged.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Full | Self::Locked | Self::Database { .. })
    }

    pub(crate) fn io(path: &std::path::Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source: Arc::new(source) }
    }
}

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        match code::primary(&error) {
            _ if code::is_full(&error) => Self::Full,
            Some(code::BUSY | code::LOCKED) => Self::Locked,
            _ => Self::Database { source: Arc::new(error) },
        }
    }
}
