// SPDX-License-Identifier: Apache-2.0
//! What is known of an epoch as a whole: its parameters, its seed, the facts found with it, the report.

use super::{Journal, JournalError, Key, int};

/// An epoch that the validator has begun to work on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochRow {
    /// Which epoch.
    pub epoch: u64,
    /// Its first block.
    pub start_block: u64,
    /// Last block in which a bundle counts.
    pub deadline_block: u64,
    /// The challenge seed, once known.
    pub seed: Option<Key>,
    /// The rules' parameters, encoded by the caller; only where they were read from the chain.
    pub params: Option<Vec<u8>>,
    /// Whether all its bundles were checked and all its replays made.
    pub checked: bool,
    /// What else was found with the seed (demand, times), encoded by the caller; empty before.
    pub facts: String,
    /// The report, encoded by the caller; empty before there is one.
    pub report: String,
}

impl Journal {
    /// Begins an epoch; of one begun before, only the blocks change, and only while it has no seed: an owner who changes
    /// the tempo moves both. Parameters that were read at another first block are forgotten then.
    ///
    /// # Errors
    ///
    /// [`JournalError::TooLarge`], [`JournalError::Full`] or [`JournalError::Database`].
    pub async fn begin_epoch(&self, epoch: u64, start_block: u64, deadline_block: u64) -> Result<(), JournalError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO epochs (epoch, start_block, deadline_block) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET \
             params = CASE WHEN start_block = excluded.start_block THEN params END, \
             start_block = excluded.start_block, deadline_block = excluded.deadline_block WHERE seed IS NULL",
        )
        .bind(int("epoch", epoch)?)
        .bind(int("start_block", start_block)?)
        .bind(int("deadline_block", deadline_block)?)
        .execute(&mut *tx)
        .await
        .map_err(|e| self.fail(e))?;
        tx.commit().await.map_err(|e| self.fail(e))
    }

    /// Fixes the parameters of an epoch, as they were at its first block; the first stay.
    ///
    /// # Errors
    ///
    /// [`JournalError::TooLarge`], [`JournalError::Full`] or [`JournalError::Database`].
    pub async fn fix_params(&self, epoch: u64, start_block: u64, params: &[u8]) -> Result<(), JournalError> {
        let mut tx = self.write().await?;
        sqlx::query("UPDATE epochs SET params = ? WHERE epoch = ? AND start_block = ? AND params IS NULL")
            .bind(params)
            .bind(int("epoch", epoch)?)
            .bind(int("start_block", start_block)?)
            .execute(&mut *tx)
            .await
            .map_err(|e| self.fail(e))?;
        tx.commit().await.map_err(|e| self.fail(e))
    }

    /// Fixes the seed and the facts of an epoch; the first stays.
    ///
    /// # Errors
    ///
    /// [`JournalError::TooLarge`], [`JournalError::Full`] or [`JournalError::Database`].
    pub async fn fix_seed(&self, epoch: u64, seed: &Key, facts: &str) -> Result<(), JournalError> {
        let mut tx = self.write().await?;
        sqlx::query("UPDATE epochs SET seed = ?, facts = ? WHERE epoch = ? AND seed IS NULL")
            .bind(seed.as_slice())
            .bind(facts)
            .bind(int("epoch", epoch)?)
            .execute(&mut *tx)
            .await
            .map_err(|e| self.fail(e))?;
        tx.commit().await.map_err(|e| self.fail(e))
    }

    /// Marks an epoch's checks and replays as complete.
    ///
    /// # Errors
    ///
    /// [`JournalError::TooLarge`], [`JournalError::Full`] or [`JournalError::Database`].
    pub async fn mark_checked(&self, epoch: u64) -> Result<(), JournalError> {
        let mut tx = self.write().await?;
        sqlx::query("UPDATE epochs SET checked = 1 WHERE epoch = ?")
            .bind(int("epoch", epoch)?)
            .execute(&mut *tx)
            .await
            .map_err(|e| self.fail(e))?;
        tx.commit().await.map_err(|e| self.fail(e))
    }

    /// Stores the report of an epoch; the newest stays.
    ///
    /// # Errors
    ///
    /// [`JournalError::TooLarge`], [`JournalError::Full`] or [`JournalError::Database`].
    pub async fn store_report(&self, epoch: u64, report: &str) -> Result<(), JournalError> {
        let mut tx = self.write().await?;
        sqlx::query("UPDATE epochs SET report = ? WHERE epoch = ?")
            .bind(report)
            .bind(int("epoch", epoch)?)
            .execute(&mut *tx)
            .await
            .map_err(|e| self.fail(e))?;
        tx.commit().await.map_err(|e| self.fail(e))
    }

    /// An epoch, if it was begun.
    ///
    /// # Errors
    ///
    /// [`JournalError::Database`] or [`JournalError::BadValue`].
    pub async fn epoch(&self, epoch: u64) -> Result<Option<EpochRow>, JournalError> {
        let row = sqlx::query("SELECT * FROM epochs WHERE epoch = ?")
            .bind(int("epoch", epoch)?)
            .fetch_optional(&self.readers)
            .await
            .map_err(|e| self.fail(e))?;
        let Some(row) = row else { return Ok(None) };
        let seed: Option<&[u8]> = sqlx::Row::try_get(&row, "seed").map_err(|e| self.fail(e))?;
        let seed = match seed {
            None => None,
            Some(bytes) => {
                Some(Key::try_from(bytes).map_err(|_| JournalError::BadValue { table: "epochs", column: "seed" })?)
            }
        };
        Ok(Some(EpochRow {
            epoch: self.uint(&row, "epochs", "epoch")?,
            start_block: self.uint(&row, "epochs", "start_block")?,
            deadline_block: self.uint(&row, "epochs", "deadline_block")?,
            seed,
            params: sqlx::Row::try_get(&row, "params").map_err(|e| self.fail(e))?,
            checked: self.uint(&row, "epochs", "checked")? == 1,
            facts: self.text(&row, "facts")?,
            report: self.text(&row, "report")?,
        }))
    }

    /// Forgets bundles, replays, reports and finished commits of epochs before `epoch`. Commits that may still
    /// have to be revealed stay; `epoch` must be so old that finished ones are no longer on chain.
    ///
    /// # Errors
    ///
    /// [`JournalError::TooLarge`], [`JournalError::Full`] or [`JournalError::Database`].
    pub async fn forget_epochs_before(&self, epoch: u64) -> Result<(), JournalError> {
        let epoch = int("epoch", epoch)?;
        let mut tx = self.write().await?;
        for sql in [
            "DELETE FROM bundles WHERE epoch < ?",
            "DELETE FROM replays WHERE epoch < ?",
            "DELETE FROM epochs WHERE epoch < ?",
            "DELETE FROM verdicts WHERE epoch < ? AND done = 1",
            "DELETE FROM commits WHERE epoch < ? AND state >= 3",
            "DELETE FROM sent WHERE epoch < ? AND hash NOT IN (SELECT hash FROM commits)",
        ] {
            sqlx::query(sql).bind(epoch).execute(&mut *tx).await.map_err(|e| self.fail(e))?;
        }
        tx.commit().await.map_err(|e| self.fail(e))
    }
}
