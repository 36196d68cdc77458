// SPDX-License-Identifier: Apache-2.0
//! Verdicts on their way to the chain's provider-rank pallet.

use super::{Journal, JournalError, int};

/// Verdicts of an epoch for the chain's provider-rank pallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerdictRow {
    /// Which epoch.
    pub epoch: u64,
    /// The verdicts, encoded by the caller.
    pub payload: String,
    /// Whether the chain has them, or never will.
    pub done: bool,
    /// Block of the last change.
    pub block: u64,
}

impl Journal {
    /// Stores the verdicts of an epoch before they are sent; the first stay.
    ///
    /// # Errors
    ///
    /// [`JournalError::TooLarge`], [`JournalError::Full`] or [`JournalError::Database`].
    pub async fn prepare_verdicts(&self, epoch: u64, payload: &str, block: u64) -> Result<(), JournalError> {
        let mut tx = self.write().await?;
        sqlx::query("INSERT INTO verdicts (epoch, payload, done, block) VALUES (?, ?, 0, ?) ON CONFLICT DO NOTHING")
            .bind(int("epoch", epoch)?)
            .bind(payload)
            .bind(int("block", block)?)
            .execute(&mut *tx)
            .await
            .map_err(|e| self.fail(e))?;
        tx.commit().await.map_err(|e| self.fail(e))
    }

    /// Marks the verdicts of an epoch as settled.
    ///
    /// # Errors
    ///
    /// [`JournalError::TooLarge`], [`JournalError::Full`] or [`JournalError::Database`].
    pub async fn settle_verdicts(&self, epoch: u64, block: u64) -> Result<(), JournalError> {
        let mut tx = self.write().await?;
        sqlx::query("UPDATE verdicts SET done = 1, block = ? WHERE epoch = ?")
            .bind(int("block", block)?)
            .bind(int("epoch", epoch)?)
            .execute(&mut *tx)
            .await
            .map_err(|e| self.fail(e))?;
        tx.commit().await.map_err(|e| self.fail(e))
    }

    /// Verdicts that are not settled, oldest first.
    ///
    /// # Errors
    ///
    /// [`JournalError::Database`] or [`JournalError::BadValue`].
    pub async fn open_verdicts(&self) -> Result<Vec<VerdictRow>, JournalError> {
        let rows = sqlx::query("SELECT epoch, payload, done, block FROM verdicts WHERE done = 0 ORDER BY epoch")
            .fetch_all(&self.readers)
            .await
            .map_err(|e| self.fail(e))?;
        rows.iter()
            .map(|row| {
                Ok(VerdictRow {
                    epoch: self.uint(row, "verdicts", "epoch")?,
                    payload: self.text(row, "payload")?,
                    done: self.uint(row, "verdicts", "done")? == 1,
                    block: self.uint(row, "verdicts", "block")?,
                })
            })
            .collect()
    }
}
