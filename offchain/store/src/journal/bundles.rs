// SPDX-License-Identifier: Apache-2.0
//! Bundles: what the checks gave, and what is needed of them later (rules §2, §3).

use super::{Journal, JournalError, Key, int};

/// Outcome of the checks of one miner's bundle of one epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleRow {
    /// Epoch it was committed in.
    pub epoch: u64,
    /// Whose.
    pub hotkey: Key,
    /// The committed root.
    pub root: Key,
    /// Number of attempts the header declares.
    pub count: u32,
    /// Block of the commitment.
    pub block: u64,
    /// Code of the gate's reason, 0 where every check before the replays passed.
    pub reason: u8,
    /// What was found, in words; empty where nothing was.
    pub evidence: String,
    /// What scoring needs of the bundle, encoded by the caller; empty where the body was not usable.
    pub summary: Vec<u8>,
}

impl Journal {
    /// Stores the outcome of a bundle's checks; a second one for the same epoch and hotkey is ignored: the first stays.
    ///
    /// # Errors
    ///
    /// [`JournalError::TooLarge`], [`JournalError::Full`] or [`JournalError::Database`].
    pub async fn record_bundle(&self, bundle: &BundleRow) -> Result<(), JournalError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO bundles (epoch, hotkey, root, count, block, reason, evidence, summary) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(int("epoch", bundle.epoch)?)
        .bind(bundle.hotkey.as_slice())
        .bind(bundle.root.as_slice())
        .bind(i64::from(bundle.count))
        .bind(int("block", bundle.block)?)
        .bind(i64::from(bundle.reason))
        .bind(&bundle.evidence)
        .bind(bundle.summary.as_slice())
        .execute(&mut *tx)
        .await
        .map_err(|e| self.fail(e))?;
        tx.commit().await.map_err(|e| self.fail(e))
    }

    /// All outcomes of an epoch, by hotkey.
    ///
    /// # Errors
    ///
    /// [`JournalError::Database`] or [`JournalError::BadValue`].
    pub async fn bundles(&self, epoch: u64) -> Result<Vec<BundleRow>, JournalError> {
        let rows = sqlx::query(
            "SELECT epoch, hotkey, root, count, block, reason, evidence, summary FROM bundles WHERE epoch = ? \
             ORDER BY hotkey",
        )
        .bind(int("epoch", epoch)?)
        .fetch_all(&self.readers)
        .await
        .map_err(|e| self.fail(e))?;
        rows.iter()
            .map(|row| {
                Ok(BundleRow {
                    epoch: self.uint(row, "bundles", "epoch")?,
                    hotkey: self.key(row, "bundles", "hotkey")?,
                    root: self.key(row, "bundles", "root")?,
                    count: self.narrow(row, "bundles", "count")?,
                    block: self.uint(row, "bundles", "block")?,
                    reason: self.narrow(row, "bundles", "reason")?,
                    evidence: self.text(row, "evidence")?,
                    summary: sqlx::Row::try_get(row, "summary").map_err(|e| self.fail(e))?,
                })
            })
            .collect()
    }
}
