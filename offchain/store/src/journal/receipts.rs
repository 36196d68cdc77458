// SPDX-License-Identifier: Apache-2.0
//! Receipts: ids seen once, traffic in minute buckets, and where to read on (rules §1.1).

use super::{Journal, JournalError, Key, int};

/// What the journal keeps of a valid receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptRow {
    /// The request's id; unique over all gateways.
    pub id: Vec<u8>,
    /// Who served.
    pub miner: Key,
    /// Who paid, as the receipt names it.
    pub payer: Key,
    /// Minute of the gateway's time, Unix.
    pub minute: u64,
    /// Input and output tokens.
    pub tokens: u64,
    /// What was paid, in millionths of a dollar.
    pub fee_micro_usd: u64,
}

/// Traffic of one miner and payer in one minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrafficRow {
    /// Who served.
    pub miner: Key,
    /// Who paid.
    pub payer: Key,
    /// Which minute, Unix.
    pub minute: u64,
    /// Input and output tokens.
    pub tokens: u64,
    /// What was paid, in millionths of a dollar.
    pub fee_micro_usd: u64,
}

/// What became of a page of receipts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ingested {
    /// Counted for the first time.
    pub new: u64,
    /// Already counted.
    pub seen: u64,
}

impl Journal {
    /// Counts a page of valid receipts, each id once, and moves the gateway's cursor, all or nothing.
    ///
    /// # Errors
    ///
    /// [`JournalError::TooLarge`], [`JournalError::Full`] or [`JournalError::Database`]; nothing of the page is stored.
    pub async fn record_receipts(
        &self,
        gateway: &Key,
        receipts: &[ReceiptRow],
        next: u64,
    ) -> Result<Ingested, JournalError> {
        let mut ingested = Ingested::default();
        let mut tx = self.write().await?;
        for receipt in receipts {
            let minute = int("minute", receipt.minute)?;
            let fresh = sqlx::query("INSERT INTO receipts (id, minute) VALUES (?, ?) ON CONFLICT DO NOTHING")
                .bind(receipt.id.as_slice())
                .bind(minute)
                .execute(&mut *tx)
                .await
                .map_err(|e| self.fail(e))?
                .rows_affected();
            if fresh == 0 {
                ingested.seen = ingested.seen.saturating_add(1);
                continue;
            }
            ingested.new = ingested.new.saturating_add(1);
            sqlx::query(
                "INSERT INTO traffic (miner, payer, minute, tokens, fee_micro_usd, receipts) VALUES (?, ?, ?, ?, ?, 1) \
                 ON CONFLICT DO UPDATE SET tokens = tokens + excluded.tokens, \
                 fee_micro_usd = fee_micro_usd + excluded.fee_micro_usd, receipts = receipts + 1",
            )
            .bind(receipt.miner.as_slice())
            .bind(receipt.payer.as_slice())
            .bind(minute)
            .bind(int("tokens", receipt.tokens)?)
            .bind(int("fee_micro_usd", receipt.fee_micro_usd)?)
            .execute(&mut *tx)
            .await
            .map_err(|e| self.fail(e))?;
        }
        sqlx::query("INSERT INTO cursors (gateway, next) VALUES (?, ?) ON CONFLICT DO UPDATE SET next = excluded.next")
            .bind(gateway.as_slice())
            .bind(int("next", next)?)
            .execute(&mut *tx)
            .await
            .map_err(|e| self.fail(e))?;
        tx.commit().await.map_err(|e| self.fail(e))?;
        Ok(ingested)
    }

    /// Where to read on at a gateway; 0 for one never read.
    ///
    /// # Errors
    ///
    /// [`JournalError::Database`] or [`JournalError::BadValue`].
    pub async fn cursor(&self, gateway: &Key) -> Result<u64, JournalError> {
        let row = sqlx::query("SELECT next FROM cursors WHERE gateway = ?")
            .bind(gateway.as_slice())
            .fetch_optional(&self.readers)
            .await
            .map_err(|e| self.fail(e))?;
        row.map_or(Ok(0), |row| self.uint(&row, "cursors", "next"))
    }

    /// Adds to the count of receipts that a gateway showed and this validator refused for `reason`.
    ///
    /// # Errors
    ///
    /// [`JournalError::Full`] or [`JournalError::Database`].
    pub async fn record_refusals(&self, gateway: &Key, reason: &str, count: u64) -> Result<(), JournalError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO refusals (gateway, reason, count) VALUES (?, ?, ?) \
             ON CONFLICT DO UPDATE SET count = count + excluded.count",
        )
        .bind(gateway.as_slice())
        .bind(reason)
        .bind(int("count", count)?)
        .execute(&mut *tx)
        .await
        .map_err(|e| self.fail(e))?;
        tx.commit().await.map_err(|e| self.fail(e))
    }

    /// Refused receipts: `(gateway, reason, count)`.
    ///
    /// # Errors
    ///
    /// [`JournalError::Database`] or [`JournalError::BadValue`].
    pub async fn refusals(&self) -> Result<Vec<(Key, String, u64)>, JournalError> {
        let rows = sqlx::query("SELECT gateway, reason, count FROM refusals ORDER BY gateway, reason")
            .fetch_all(&self.readers)
            .await
            .map_err(|e| self.fail(e))?;
        rows.iter()
            .map(|row| {
                Ok((
                    self.key(row, "refusals", "gateway")?,
                    self.text(row, "reason")?,
                    self.uint(row, "refusals", "count")?,
                ))
            })
            .collect()
    }

    /// Minute buckets from `first` to `last`, both included, by miner, payer, minute.
    ///
    /// # Errors
    ///
    /// [`JournalError::Database`] or [`JournalError::BadValue`].
    pub async fn traffic(&self, first: u64, last: u64) -> Result<Vec<TrafficRow>, JournalError> {
        let rows = sqlx::query(
            "SELECT miner, payer, minute, tokens, fee_micro_usd FROM traffic WHERE minute BETWEEN ? AND ? \
             ORDER BY miner, payer, minute",
        )
        .bind(int("minute", first)?)
        .bind(int("minute", last)?)
        .fetch_all(&self.readers)
        .await
        .map_err(|e| self.fail(e))?;
        rows.iter()
            .map(|row| {
                Ok(TrafficRow {
                    miner: self.key(row, "traffic", "miner")?,
                    payer: self.key(row, "traffic", "payer")?,
                    minute: self.uint(row, "traffic", "minute")?,
                    tokens: self.uint(row, "traffic", "tokens")?,
                    fee_micro_usd: self.uint(row, "traffic", "fee_micro_usd")?,
                })
            })
            .collect()
    }

    /// Forgets ids and buckets of minutes before `minute`. Pass one beyond what any gateway may still show, since a
    /// forgotten id would count again.
    ///
    /// # Errors
    ///
    /// [`JournalError::Full`] or [`JournalError::Database`].
    pub async fn forget_traffic_before(&self, minute: u64) -> Result<(), JournalError> {
        let minute = int("minute", minute)?;
        let mut tx = self.write().await?;
        for sql in ["DELETE FROM receipts WHERE minute < ?", "DELETE FROM traffic WHERE minute < ?"] {
            sqlx::query(sql).bind(minute).execute(&mut *tx).await.map_err(|e| self.fail(e))?;
        }
        tx.commit().await.map_err(|e| self.fail(e))
    }
}
