// SPDX-License-Identifier: Apache-2.0

use clawrank_units::MicroUsd;
use sqlx::{SqliteConnection, error::ErrorKind};

use super::{
    int, payer_of, uint,
    writer::{Outcome, Work},
};
use crate::ledger::{BundleRow, KeyKind, LedgerError, NewRequest, Payer, Settlement};

/// Rows that one `prune` deletes per table, so that customers never wait long behind it.
const PRUNE_ROWS: i64 = 5_000;

/// States of a request, as the table has them.
const SERVED: i64 = 1;
const FAILED: i64 = 2;

/// Executes one job inside the writer's transaction. A refusal changes nothing.
pub(super) async fn apply(db: &mut SqliteConnection, work: &Work) -> Result<Outcome, LedgerError> {
    match work {
        Work::Reserve(request) => reserve(db, request).await,
        Work::Settle(settlement) => settle(db, settlement).await,
        Work::CreateKey { name, payer, kind, hash, now_ms } => {
            let payer = account(db, payer).await?;
            sqlx::query("INSERT INTO api_keys (name, payer, kind, hash, created_ms) VALUES (?1, ?2, ?3, ?4, ?5)")
                .bind(name)
                .bind(payer)
                .bind(i64::from(*kind == KeyKind::Free))
                .bind(hash.as_slice())
                .bind(int(*now_ms)?)
                .execute(db)
                .await
                .map_err(|error| taken(error, "API key"))?;
            Ok(Outcome::Done)
        }
        Work::RevokeKey { id, now_ms } => {
            let done = sqlx::query("UPDATE api_keys SET revoked_ms = ?2 WHERE id = ?1 AND revoked_ms IS NULL")
                .bind(id)
                .bind(int(*now_ms)?)
                .execute(db)
                .await?;
            Ok(Outcome::Flag(done.rows_affected() > 0))
        }
        Work::Deposit { payer, amount } => deposit(db, payer, *amount).await.map(Outcome::Payer),
        Work::Recover => recover(db).await.map(Outcome::Count),
        Work::UseNonce { sender, nonce, now_ms, expires_ms } => {
            let done = sqlx::query(
                "INSERT INTO nonces (sender, nonce, expires_ms) VALUES (?1, ?2, ?4)
                 ON CONFLICT (sender, nonce) DO UPDATE SET expires_ms = excluded.expires_ms
                 WHERE nonces.expires_ms < ?3",
            )
            .bind(sender.as_slice())
            .bind(nonce.as_slice())
            .bind(int(*now_ms)?)
            .bind(int(*expires_ms)?)
            .execute(db)
            .await?;
            Ok(Outcome::Flag(done.rows_affected() > 0))
        }
        Work::PutBundle { bundle, keep, now_ms } => put_bundle(db, bundle, *keep, *now_ms).await.map(Outcome::Flag),
        Work::Prune { before_ms } => prune(db, *before_ms).await.map(Outcome::Count),
    }
}

fn taken(error: sqlx::Error, what: &'static str) -> LedgerError {
    match error.as_database_error() {
        Some(cause) if cause.is_unique_violation() => LedgerError::Taken { what },
        _ => error.into(),
    }
}

/// Number of a payer's account, made where there is none.
async fn account(db: &mut SqliteConnection, payer: &str) -> Result<i64, LedgerError> {
    sqlx::query("INSERT INTO payers (name) VALUES (?1) ON CONFLICT (name) DO NOTHING")
        .bind(payer)
        .execute(&mut *db)
        .await?;
    Ok(sqlx::query_scalar("SELECT id FROM payers WHERE name = ?1").bind(payer).fetch_one(db).await?)
}

async fn deposit(db: &mut SqliteConnection, payer: &str, amount: MicroUsd) -> Result<Payer, LedgerError> {
    let amount = int(amount.get())?;
    let before: Option<i64> =
        sqlx::query_scalar("SELECT balance FROM payers WHERE name = ?1").bind(payer).fetch_optional(&mut *db).await?;
    before.unwrap_or(0).checked_add(amount).ok_or(LedgerError::AmountTooLarge)?;
    let id = account(db, payer).await?;
    let row = sqlx::query("UPDATE payers SET balance = balance + ?1 WHERE id = ?2 RETURNING name, balance, spent")
        .bind(amount)
        .bind(id)
        .fetch_one(db)
        .await?;
    Ok(payer_of(&row)?)
}

/// One insert; a trigger takes the reservation off the balance, and fails the insert when it is too low.
async fn reserve(db: &mut SqliteConnection, request: &NewRequest) -> Result<Outcome, LedgerError> {
    let inserted = sqlx::query(
        "INSERT INTO requests (id, payer, model, task_type, received_ms, reserved) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )
    .bind(request.id.as_slice())
    .bind(request.payer_id)
    .bind(&request.model)
    .bind(&request.task_type)
    .bind(int(request.received_ms)?)
    .bind(if request.payer_id.is_some() { int(request.reserve.get())? } else { 0 })
    .execute(&mut *db)
    .await;
    let Err(error) = inserted else { return Ok(Outcome::Done) };
    let kind = error.as_database_error().map(sqlx::error::DatabaseError::kind);
    match (kind, request.payer_id) {
        (Some(ErrorKind::UniqueViolation), _) => Err(LedgerError::Taken { what: "request id" }),
        (Some(ErrorKind::ForeignKeyViolation), Some(id)) => Err(LedgerError::UnknownPayer { id }),
        (Some(ErrorKind::CheckViolation), Some(id)) => {
            let balance: Option<i64> =
                sqlx::query_scalar("SELECT balance FROM payers WHERE id = ?1").bind(id).fetch_optional(db).await?;
            let balance = MicroUsd(uint(balance.unwrap_or(0)));
            Err(LedgerError::InsufficientBalance { balance, needed: request.reserve })
        }
        _ => Err(error.into()),
    }
}

/// One update; a trigger books fee and refund, and files receipt and demand.
async fn settle(db: &mut SqliteConnection, settlement: &Settlement) -> Result<Outcome, LedgerError> {
    // All rows are asked for, though there is one at most: SQLite commits at the statement's end, and whoever stops at the
    // first row never hears that the commit failed.
    let fees: Vec<i64> = sqlx::query_scalar(
        "UPDATE requests SET state = ?2, demand = ?3, fee = MIN(?4, reserved), input_tokens = ?5, output_tokens = ?6,
         served_by = ?7, receipt = ?8 WHERE id = ?1 AND state = 0 RETURNING fee",
    )
    .bind(settlement.id.as_slice())
    .bind(if settlement.served { SERVED } else { FAILED })
    .bind(i64::from(settlement.demand))
    .bind(i64::try_from(settlement.fee.get()).unwrap_or(i64::MAX))
    .bind(i64::from(settlement.input_tokens))
    .bind(i64::from(settlement.output_tokens))
    .bind(settlement.served_by.as_deref())
    .bind(settlement.receipt.as_deref())
    .fetch_all(db)
    .await?;
    let fee = fees.first().copied().ok_or_else(|| LedgerError::NotOpen { id: hex::encode(settlement.id) })?;
    Ok(Outcome::Fee(MicroUsd(uint(fee))))
}

/// The trigger gives the reservations back.
async fn recover(db: &mut SqliteConnection) -> Result<u64, LedgerError> {
    Ok(sqlx::query("UPDATE requests SET state = 3 WHERE state = 0").execute(db).await?.rows_affected())
}

async fn put_bundle(
    db: &mut SqliteConnection,
    bundle: &BundleRow,
    keep: u32,
    now_ms: u64,
) -> Result<bool, LedgerError> {
    let done = sqlx::query(
        "INSERT INTO bundles (root, hotkey, epoch, stored_ms, bytes) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (root, hotkey) DO NOTHING",
    )
    .bind(bundle.root.as_slice())
    .bind(bundle.hotkey.as_slice())
    .bind(int(bundle.epoch)?)
    .bind(int(now_ms)?)
    .bind(bundle.bytes.as_slice())
    .execute(&mut *db)
    .await?;
    sqlx::query(
        "DELETE FROM bundles WHERE hotkey = ?1 AND root NOT IN
         (SELECT root FROM bundles WHERE hotkey = ?1 ORDER BY stored_ms DESC, epoch DESC LIMIT ?2)",
    )
    .bind(bundle.hotkey.as_slice())
    .bind(i64::from(keep.max(1)))
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

async fn prune(db: &mut SqliteConnection, before_ms: u64) -> Result<u64, LedgerError> {
    let before = int(before_ms)?;
    let mut rows = 0u64;
    for statement in [
        "DELETE FROM receipts WHERE request IN
         (SELECT id FROM requests WHERE received_ms < ?1 AND state > 0 ORDER BY received_ms LIMIT ?2)",
        "DELETE FROM requests WHERE id IN
         (SELECT id FROM requests WHERE received_ms < ?1 AND state > 0 ORDER BY received_ms LIMIT ?2)",
        "DELETE FROM bundles WHERE root IN (SELECT root FROM bundles WHERE stored_ms < ?1 LIMIT ?2)",
        "DELETE FROM nonces WHERE expires_ms < ?1 AND ?2 > 0",
        "DELETE FROM demand WHERE minute < ?1 / 60000 AND ?2 > 0",
    ] {
        let done = sqlx::query(statement).bind(before).bind(PRUNE_ROWS).execute(&mut *db).await?;
        rows = rows.saturating_add(done.rows_affected());
    }
    Ok(rows)
}
