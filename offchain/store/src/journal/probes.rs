// SPDX-License-Identifier: Apache-2.0
//! Probes: the last hundred of every hotkey (rules §1.2).

use sqlx::Row as _;

use super::{Journal, JournalError, Key, int};

/// How many probes of a hotkey are kept: as many as the rules look at.
pub const PROBES_KEPT: u32 = 100;

/// One probe of one miner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeRow {
    /// The miner.
    pub hotkey: Key,
    /// The gateway it was reached through.
    pub gateway: Key,
    /// Model asked for.
    pub model: String,
    /// When it was sent, Unix milliseconds, the validator's clock.
    pub at_ms: u64,
    /// Whether a complete answer arrived in time.
    pub answered: bool,
    /// Time until the whole answer was there, milliseconds; the time waited where there was none.
    pub response_ms: u32,
    /// Why there was no answer; empty where there was one.
    pub detail: String,
}

impl Journal {
    /// Appends a probe and forgets all but the last [`PROBES_KEPT`] of its hotkey.
    ///
    /// # Errors
    ///
    /// [`JournalError::Full`] and [`JournalError::Database`], as any write.
    pub async fn record_probe(&self, probe: &ProbeRow) -> Result<(), JournalError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO probes (hotkey, gateway, model, at_ms, answered, response_ms, detail) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(probe.hotkey.as_slice())
        .bind(probe.gateway.as_slice())
        .bind(&probe.model)
        .bind(int("at_ms", probe.at_ms)?)
        .bind(i64::from(probe.answered))
        .bind(i64::from(probe.response_ms))
        .bind(&probe.detail)
        .execute(&mut *tx)
        .await
        .map_err(|e| self.fail(e))?;
        sqlx::query(
            "DELETE FROM probes WHERE hotkey = ?1 AND seq <= \
             (SELECT seq FROM probes WHERE hotkey = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)",
        )
        .bind(probe.hotkey.as_slice())
        .bind(i64::from(PROBES_KEPT))
        .execute(&mut *tx)
        .await
        .map_err(|e| self.fail(e))?;
        tx.commit().await.map_err(|e| self.fail(e))
    }

    /// All probes kept, oldest first within a hotkey, hotkeys in ascending order.
    ///
    /// # Errors
    ///
    /// [`JournalError::Database`] or [`JournalError::BadValue`].
    pub async fn probes(&self) -> Result<Vec<ProbeRow>, JournalError> {
        let rows = sqlx::query(
            "SELECT hotkey, gateway, model, at_ms, answered, response_ms, detail FROM probes ORDER BY hotkey, seq",
        )
        .fetch_all(&self.readers)
        .await
        .map_err(|e| self.fail(e))?;
        rows.iter()
            .map(|row| {
                Ok(ProbeRow {
                    hotkey: self.key(row, "probes", "hotkey")?,
                    gateway: self.key(row, "probes", "gateway")?,
                    model: row.try_get("model").map_err(|e| self.fail(e))?,
                    at_ms: self.uint(row, "probes", "at_ms")?,
                    answered: self.uint(row, "probes", "answered")? == 1,
                    response_ms: self.narrow(row, "probes", "response_ms")?,
                    detail: self.text(row, "detail")?,
                })
            })
            .collect()
    }
}
