// SPDX-License-Identifier: Apache-2.0

//! Result codes of SQLite that are told apart. An extended code has its primary code in the low byte.

pub(crate) const BUSY: u32 = 5;
pub(crate) const LOCKED: u32 = 6;
pub(crate) const READ_ONLY: u32 = 8;
pub(crate) const IO: u32 = 10;
pub(crate) const CORRUPT: u32 = 11;
pub(crate) const NOT_A_DATABASE: u32 = 26;
/// Extended: the file, or its log, is shorter than it says.
pub(crate) const IO_SHORT_READ: u32 = 522;

const FULL: u32 = 13;
/// Extended: the file of shared memory beside the database cannot grow, which a full disk causes at the first open.
const IO_SHM_SIZE: u32 = 4_874;

/// SQLite's primary code, if the error came from SQLite.
pub(crate) fn primary(error: &sqlx::Error) -> Option<u32> {
    extended(error).map(|code| code & 0xff)
}

/// SQLite's extended code, if the error came from SQLite.
pub(crate) fn extended(error: &sqlx::Error) -> Option<u32> {
    error.as_database_error()?.code()?.parse().ok()
}

/// Whether there is no room for what was written.
pub(crate) fn is_full(error: &sqlx::Error) -> bool {
    primary(error) == Some(FULL) || extended(error) == Some(IO_SHM_SIZE)
}
