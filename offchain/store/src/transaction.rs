// SPDX-License-Identifier: Apache-2.0
//! Transactions of SQLite that outlive a full disk.
//!
//! SQLite undoes a transaction by itself when the disk is full. sqlx counts it as open for good then, and begins no
//! other on that connection. So the statements are sent as they are, and SQLite is asked what is open.

use sqlx::SqliteConnection;

/// Begins a transaction that holds the write lock from its start, so that it never fails half way for want of it. One
/// that was left half way is undone first.
///
/// # Errors
///
/// What SQLite says; then none is open.
pub(crate) async fn begin(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let Err(error) = run(connection, "BEGIN IMMEDIATE").await else { return Ok(()) };
    // Refused where none is open: then it was for another reason that none could begin.
    if run(connection, "ROLLBACK").await.is_err() {
        return Err(error);
    }
    run(connection, "BEGIN IMMEDIATE").await
}

/// Commits the open transaction.
///
/// # Errors
///
/// What SQLite says; then nothing of it is stored and none is open.
pub(crate) async fn commit(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let done = run(connection, "COMMIT").await;
    if done.is_err() {
        // Refused where SQLite has undone it already.
        let _ = run(connection, "ROLLBACK").await;
    }
    done
}

/// Undoes the open transaction.
///
/// # Errors
///
/// What SQLite says.
pub(crate) async fn rollback(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    run(connection, "ROLLBACK").await
}

async fn run(connection: &mut SqliteConnection, statement: &'static str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(statement).execute(connection).await.map(drop)
}
