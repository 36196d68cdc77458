// SPDX-License-Identifier: Apache-2.0

use clawrank_units::MicroUsd;
use sqlx::{Row, SqliteConnection};

use super::{
    int, payer_of, uint,
    writer::{Outcome, Work},
};
use crate::ledger::{BundleRow, KeyKind, LedgerError, NewRequest, Payer, Settled, Settlement};

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
            sqlx::query("DELETE FROM nonces WHERE expires_ms < ?1").bind(int(*now_ms)?).execute(&mut *db).await?;
            let done = sqlx::query("INSERT OR IGNORE INTO nonces (sender, nonce, expires_ms) VALUES (?1, ?2, ?3)")
                .bind(sender.as_slice())
                .bind(nonce.as_slice())
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

async fn reserve(db: &mut SqliteConnection, request: &NewRequest) -> Result<Outcome, LedgerError> {
    let amount = int(request.reserve.get())?;
    let received_ms = int(request.received_ms)?;
    let known: Option<i64> = sqlx::query_scalar("SELECT 1 FROM requests WHERE id = ?1")
        .bind(request.id.as_slice())
        .fetch_optional(&mut *db)
        .await?;
    if known.is_some() {
        return Err(LedgerError::Taken { what: "request id" });
    }
    if let Some(payer) = request.payer_id.filter(|_| amount > 0) {
        let done = sqlx::query("UPDATE payers SET balance = balance - ?1 WHERE id = ?2 AND balance >= ?1")
            .bind(amount)
            .bind(payer)
            .execute(&mut *db)
            .await?;
        if done.rows_affected() == 0 {
            let balance: Option<i64> = sqlx::query_scalar("SELECT balance FROM payers WHERE id = ?1")
                .bind(payer)
                .fetch_optional(db)
                .await?;
            return Err(match balance {
                Some(balance) => {
                    LedgerError::InsufficientBalance { balance: MicroUsd(uint(balance)), needed: request.reserve }
                }
                None => LedgerError::UnknownPayer { id: payer },
            });
        }
    }
    sqlx::query(
        "INSERT INTO requests (id, payer, model, task_type, received_ms, reserved, state, fee, input_tokens, output_tokens)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, 0, 0)",
    )
    .bind(request.id.as_slice())
    .bind(request.payer_id)
    .bind(&request.model)
    .bind(&request.task_type)
    .bind(received_ms)
    .bind(if request.payer_id.is_some() { amount } else { 0 })
    .execute(db)
    .await?;
    Ok(Outcome::Done)
}

async fn settle(db: &mut SqliteConnection, settlement: &Settlement) -> Result<Outcome, LedgerError> {
    let row = sqlx::query(
        "SELECT payer, model, task_type, received_ms, reserved FROM requests WHERE id = ?1 AND state = 0",
    )
    .bind(settlement.id.as_slice())
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = row else {
        return Err(LedgerError::NotOpen { id: hex::encode(settlement.id) });
    };
    let payer: Option<i64> = row.try_get("payer")?;
    let received_ms: i64 = row.try_get("received_ms")?;
    let reserved: i64 = row.try_get("reserved")?;
    let fee = i64::try_from(settlement.fee.get()).unwrap_or(i64::MAX).min(reserved);
    sqlx::query(
        "UPDATE requests SET state = ?2, fee = ?3, input_tokens = ?4, output_tokens = ?5, served_by = ?6 WHERE id = ?1",
    )
    .bind(settlement.id.as_slice())
    .bind(if settlement.served { SERVED } else { FAILED })
    .bind(fee)
    .bind(i64::from(settlement.input_tokens))
    .bind(i64::from(settlement.output_tokens))
    .bind(settlement.served_by.as_deref())
    .execute(&mut *db)
    .await?;
    if let Some(payer) = payer.filter(|_| reserved > 0) {
        sqlx::query("UPDATE payers SET balance = balance + ?2, spent = spent + ?3 WHERE id = ?1")
            .bind(payer)
            .bind(reserved.saturating_sub(fee))
            .bind(fee)
            .execute(&mut *db)
            .await?;
    }
    let seq = match &settlement.receipt {
        Some(bytes) => Some(uint(
            sqlx::query_scalar("INSERT INTO receipts (request, received_ms, bytes) VALUES (?1, ?2, ?3) RETURNING seq")
                .bind(settlement.id.as_slice())
                .bind(received_ms)
                .bind(bytes.as_slice())
                .fetch_one(&mut *db)
                .await?,
        )),
        None => None,
    };
    if settlement.demand && settlement.served {
        sqlx::query(
            "INSERT INTO demand (minute, model, task_type, requests, tokens) VALUES (?1, ?2, ?3, 1, ?4)
             ON CONFLICT (minute, model, task_type)
             DO UPDATE SET requests = requests + 1, tokens = tokens + excluded.tokens",
        )
        .bind(received_ms.wrapping_div(60_000))
        .bind(row.try_get::<String, _>("model")?)
        .bind(row.try_get::<String, _>("task_type")?)
        .bind(i64::from(settlement.input_tokens).saturating_add(i64::from(settlement.output_tokens)))
        .execute(db)
        .await?;
    }
    Ok(Outcome::Settled(Settled { fee: MicroUsd(uint(fee)), seq }))
}

async fn recover(db: &mut SqliteConnection) -> Result<u64, LedgerError> {
    sqlx::query(
        "UPDATE payers SET balance = balance + open.amount
         FROM (SELECT payer, SUM(reserved) AS amount FROM requests WHERE state = 0 GROUP BY payer) AS open
         WHERE open.payer = payers.id",
    )
    .execute(&mut *db)
    .await?;
    Ok(sqlx::query("UPDATE requests SET state = 3 WHERE state = 0").execute(db).await?.rows_affected())
}

async fn put_bundle(db: &mut SqliteConnection, bundle: &BundleRow, keep: u32, now_ms: u64) -> Result<bool, LedgerError> {
    let done = sqlx::query(
        "INSERT INTO bundles (root, hotkey, epoch, stored_ms, bytes) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (root) DO NOTHING",
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
        "DELETE FROM requests WHERE id IN
         (SELECT id FROM requests WHERE received_ms < ?1 AND state > 0 ORDER BY received_ms LIMIT ?2)",
        "DELETE FROM receipts WHERE seq IN (SELECT seq FROM receipts WHERE received_ms < ?1 ORDER BY received_ms LIMIT ?2)",
        "DELETE FROM bundles WHERE root IN (SELECT root FROM bundles WHERE stored_ms < ?1 LIMIT ?2)",
        "DELETE FROM nonces WHERE expires_ms < ?1 AND ?2 > 0",
        "DELETE FROM demand WHERE minute < ?1 / 60000 AND ?2 > 0",
    ] {
        let done = sqlx::query(statement).bind(before).bind(PRUNE_ROWS).execute(&mut *db).await?;
        rows = rows.saturating_add(done.rows_affected());
    }
    Ok(rows)
}
