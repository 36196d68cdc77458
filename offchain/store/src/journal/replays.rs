// SPDX-License-Identifier: Apache-2.0
//! Replays: the validator's own measurements of a cell (rules §3).

use super::{Journal, JournalError, Key, int};

/// One replay of one task on one cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayRow {
    /// Epoch it belongs to.
    pub epoch: u64,
    /// Id of the cell.
    pub cell: Key,
    /// The task.
    pub task_id: Key,
    /// When it began, Unix milliseconds, the validator's clock.
    pub started_ms: u64,
    /// Time to the first token, milliseconds.
    pub ttft_ms: u32,
    /// Time to the last token, milliseconds.
    pub total_ms: u32,
    /// Tokens of the request.
    pub input_tokens: u32,
    /// Tokens of the response.
    pub output_tokens: u32,
    /// SCALE index of the status.
    pub status: u8,
    /// SCALE index of the schema verdict.
    pub schema: u8,
    /// SCALE index of the answer verdict.
    pub answer: u8,
    /// Price of the call, in millionths of a dollar.
    pub cost_micro_usd: u64,
}

impl Journal {
    /// Stores a replay; a second one of the same epoch, cell and task is ignored: the first stays.
    ///
    /// # Errors
    ///
    /// [`JournalError::TooLarge`], [`JournalError::Full`] or [`JournalError::Database`].
    pub async fn record_replay(&self, replay: &ReplayRow) -> Result<(), JournalError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO replays (epoch, cell, task_id, started_ms, ttft_ms, total_ms, input_tokens, output_tokens, \
             status, schema_verdict, answer_verdict, cost_micro_usd) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
             ON CONFLICT DO NOTHING",
        )
        .bind(int("epoch", replay.epoch)?)
        .bind(replay.cell.as_slice())
        .bind(replay.task_id.as_slice())
        .bind(int("started_ms", replay.started_ms)?)
        .bind(i64::from(replay.ttft_ms))
        .bind(i64::from(replay.total_ms))
        .bind(i64::from(replay.input_tokens))
        .bind(i64::from(replay.output_tokens))
        .bind(i64::from(replay.status))
        .bind(i64::from(replay.schema))
        .bind(i64::from(replay.answer))
        .bind(int("cost_micro_usd", replay.cost_micro_usd)?)
        .execute(&mut *tx)
        .await
        .map_err(|e| self.fail(e))?;
        tx.commit().await.map_err(|e| self.fail(e))
    }

    /// All replays of an epoch, by cell and task.
    ///
    /// # Errors
    ///
    /// [`JournalError::Database`] or [`JournalError::BadValue`].
    pub async fn replays(&self, epoch: u64) -> Result<Vec<ReplayRow>, JournalError> {
        let rows = sqlx::query("SELECT * FROM replays WHERE epoch = ? ORDER BY cell, task_id")
            .bind(int("epoch", epoch)?)
            .fetch_all(&self.readers)
            .await
            .map_err(|e| self.fail(e))?;
        rows.iter()
            .map(|row| {
                Ok(ReplayRow {
                    epoch: self.uint(row, "replays", "epoch")?,
                    cell: self.key(row, "replays", "cell")?,
                    task_id: self.key(row, "replays", "task_id")?,
                    started_ms: self.uint(row, "replays", "started_ms")?,
                    ttft_ms: self.narrow(row, "replays", "ttft_ms")?,
                    total_ms: self.narrow(row, "replays", "total_ms")?,
                    input_tokens: self.narrow(row, "replays", "input_tokens")?,
                    output_tokens: self.narrow(row, "replays", "output_tokens")?,
                    status: self.narrow(row, "replays", "status")?,
                    schema: self.narrow(row, "replays", "schema_verdict")?,
                    answer: self.narrow(row, "replays", "answer_verdict")?,
                    cost_micro_usd: self.uint(row, "replays", "cost_micro_usd")?,
                })
            })
            .collect()
    }
}
