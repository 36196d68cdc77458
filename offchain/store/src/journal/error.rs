// SPDX-License-Identifier: Apache-2.0

use std::path::PathBuf;

use super::{CommitKey, CommitState};
use crate::code;

/// Why the journal refused to open, to read or to write.
///
/// Every write is one transaction: after an error nothing of it is stored and everything before it still is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The folder or the lock file cannot be made or read.
    #[error("cannot use {path}: {source}; check that the folder exists and is writable")]
    Folder {
        /// Which path.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// Another process holds the journal.
    #[error("{path} is held by another process; two validators on one journal would commit twice: stop the other one")]
    Held {
        /// The lock file.
        path: PathBuf,
    },
    /// The file is not a complete database.
    #[error(
        "journal {path} is damaged ({detail}); restore it from a backup, or move the folder away to start anew, \
         which forfeits the commits that are not yet revealed"
    )]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The lock file remembers a database that is gone.
    #[error(
        "journal {path} is missing or empty although it was in use; restore it from a backup, or move the folder \
         away to start anew, which forfeits the commits that are not yet revealed"
    )]
    Lost {
        /// The database file.
        path: PathBuf,
    },
    /// The file was written by another version of this program.
    #[error("journal {path} has schema {found} and this program reads {expected}; run the program that wrote it")]
    Schema {
        /// The database file.
        path: PathBuf,
        /// Schema found.
        found: i64,
        /// Schema of this program.
        expected: i64,
    },
    /// The file belongs to another chain, subnet or hotkey.
    #[error(
        "journal {path} belongs to another {what}: it has {found}, this validator is {expected}; use another data folder"
    )]
    Foreign {
        /// The database file.
        path: PathBuf,
        /// `chain`, `subnet` or `hotkey`.
        what: &'static str,
        /// Value in the file.
        found: String,
        /// Value of this validator.
        expected: String,
    },
    /// No room is left for the write.
    #[error("no room left for journal {path}: free disk space; nothing was lost and the write was undone")]
    Full {
        /// The database file.
        path: PathBuf,
    },
    /// Another payload is already stored under this key.
    #[error("{key} already has a commit that may have reached the chain ({state})")]
    AlreadyPrepared {
        /// Which commit.
        key: CommitKey,
        /// How far it is.
        state: CommitState,
    },
    /// The commit is not in the state that the caller believed.
    #[error("commit of {key} cannot go from {from} to {to}: it is {found}")]
    Transition {
        /// Which commit.
        key: CommitKey,
        /// State the caller believed.
        from: CommitState,
        /// State asked for.
        to: CommitState,
        /// State in the journal, `absent` when there is none.
        found: String,
    },
    /// A number that SQLite cannot hold.
    #[error("{field} = {value} is above 2^63 - 1 and cannot be stored")]
    TooLarge {
        /// Which field.
        field: &'static str,
        /// Its value.
        value: u64,
    },
    /// A stored value that this program cannot have written.
    #[error("{table}.{column} holds a value that is out of range; the journal is damaged, restore it from a backup")]
    BadValue {
        /// Which table.
        table: &'static str,
        /// Which column.
        column: &'static str,
    },
    /// Anything else the database says.
    #[error("journal {path}: {source}")]
    Database {
        /// The database file.
        path: PathBuf,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
}

impl JournalError {
    /// Sorts what the database said by what the operator can do about it.
    pub(super) fn of(path: &std::path::Path, source: sqlx::Error) -> Self {
        let path = path.to_path_buf();
        match code::primary(&source) {
            _ if code::is_full(&source) => Self::Full { path },
            Some(code::CORRUPT | code::NOT_A_DATABASE) => Self::Damaged { path, detail: source.to_string() },
            _ => Self::Database { path, source },
        }
    }

    /// Whether the same call may succeed later without anyone changing anything but the load or the disk space.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Full { .. } => true,
            Self::Database { source, .. } => match code::primary(source) {
                Some(code::BUSY | code::LOCKED | code::IO) => true,
                Some(code::READ_ONLY) | Some(_) => false,
                None => matches!(source, sqlx::Error::PoolTimedOut | sqlx::Error::Io(_)),
            },
            _ => false,
        }
    }
}
