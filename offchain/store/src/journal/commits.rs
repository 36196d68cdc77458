// SPDX-License-Identifier: Apache-2.0
//! What goes to the chain: payload and salt are durable before anyone hears of them.

use core::fmt;

use sqlx::{Row as _, sqlite::SqliteRow};

use super::{Journal, JournalError, Key, int};

/// How far a commit of weights is.
///
/// ```text
/// prepared ──▶ submitted ──▶ committed ──▶ revealed
///    ▲  │       │  │  └────────(plain weights)──▲
///    │  │       │  │            │
///    └──┼───────┘  └────────────┴──▶ expired
///       └─────────────────────────▶
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommitState {
    /// Payload and salt are on disk; nothing was sent, or the chain refused it for good. It may still be replaced.
    Prepared,
    /// Handed to the chain client; it may or may not have reached a block.
    Submitted,
    /// Seen on chain, waiting to be revealed.
    Committed,
    /// The weights are on chain. Final.
    Revealed,
    /// The chain will never take it. Final, and an alarm.
    Expired,
}

impl CommitState {
    /// Whether nothing is left to do.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Revealed | Self::Expired)
    }

    fn code(self) -> i64 {
        match self {
            Self::Prepared => 0,
            Self::Submitted => 1,
            Self::Committed => 2,
            Self::Revealed => 3,
            Self::Expired => 4,
        }
    }

    fn from_code(code: u64) -> Option<Self> {
        Some(match code {
            0 => Self::Prepared,
            1 => Self::Submitted,
            2 => Self::Committed,
            3 => Self::Revealed,
            4 => Self::Expired,
            _ => return None,
        })
    }

    pub(super) fn may_become(self, next: Self) -> bool {
        use CommitState::{Committed, Expired, Prepared, Revealed, Submitted};
        matches!(
            (self, next),
            (Prepared, Submitted | Expired)
                | (Submitted, Prepared | Committed | Revealed | Expired)
                | (Committed, Revealed | Expired)
        )
    }
}

impl fmt::Display for CommitState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prepared => "prepared",
            Self::Submitted => "submitted",
            Self::Committed => "committed",
            Self::Revealed => "revealed",
            Self::Expired => "expired",
        })
    }
}

/// One setting of weights, from its preparation to its end. There is at most one per epoch and mechanism.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitRow {
    /// Epoch whose measurements it carries and in which it is committed.
    pub epoch: u64,
    /// Mechanism of the subnet.
    pub mecid: u8,
    /// Whether it is committed and revealed (`true`) or set at once.
    pub commit_reveal: bool,
    /// Whether the chain runs one mechanism, so that the calls without `mecid` are used.
    pub single_mechanism: bool,
    /// Whom, by uid.
    pub uids: Vec<u16>,
    /// How much, aligned with `uids`.
    pub values: Vec<u16>,
    /// Whom, by hotkey, aligned with `uids`: a uid can pass to another miner.
    pub hotkeys: Vec<Key>,
    /// Secret until the reveal.
    pub salt: Vec<u16>,
    /// Version key, part of the hash.
    pub version_key: u64,
    /// Hash that is committed.
    pub hash: Key,
    /// How far it is.
    pub state: CommitState,
    /// Block in which the state was entered, or at which it was last sent.
    pub block: u64,
    /// Epoch in which the chain put the commit, once seen.
    pub chain_epoch: Option<u64>,
    /// How often something was sent for it.
    pub attempts: u32,
    /// Last answer of the chain that was not a success; empty when there was none.
    pub detail: String,
}

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
    /// Stores payload and salt before anything is sent.
    ///
    /// A row in [`CommitState::Prepared`] is replaced: it is not on chain and never will be.
    ///
    /// # Errors
    ///
    /// - [`JournalError::AlreadyPrepared`]: the epoch and mechanism have one that may have reached the chain.
    /// - [`JournalError::TooLarge`], [`JournalError::Full`] or [`JournalError::Database`].
    pub async fn prepare_commit(&self, row: &CommitRow) -> Result<(), JournalError> {
        let mut tx = self.write().await?;
        let done = sqlx::query(
            "INSERT INTO commits (epoch, mecid, commit_reveal, single_mechanism, uids, vals, hotkeys, salt, \
             version_key, hash, state, block) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?) \
             ON CONFLICT DO UPDATE SET commit_reveal = excluded.commit_reveal, \
             single_mechanism = excluded.single_mechanism, uids = excluded.uids, vals = excluded.vals, \
             hotkeys = excluded.hotkeys, salt = excluded.salt, version_key = excluded.version_key, \
             hash = excluded.hash, block = excluded.block WHERE state = 0",
        )
        .bind(int("epoch", row.epoch)?)
        .bind(i64::from(row.mecid))
        .bind(i64::from(row.commit_reveal))
        .bind(i64::from(row.single_mechanism))
        .bind(numbers(&row.uids))
        .bind(numbers(&row.values))
        .bind(row.hotkeys.concat())
        .bind(numbers(&row.salt))
        .bind(row.version_key.to_string())
        .bind(row.hash.as_slice())
        .bind(int("block", row.block)?)
        .execute(&mut *tx)
        .await
        .map_err(|e| self.fail(e))?
        .rows_affected();
        if done == 0 {
            tx.rollback().await.map_err(|e| self.fail(e))?;
            let state = self.commit(row.epoch, row.mecid).await?.map_or(CommitState::Submitted, |row| row.state);
            return Err(JournalError::AlreadyPrepared { epoch: row.epoch, mecid: row.mecid, state });
        }
        tx.commit().await.map_err(|e| self.fail(e))
    }

    /// Moves a commit from one state to the next, if it is in the first.
    ///
    /// Entering [`CommitState::Submitted`] counts an attempt. `chain_epoch` is stored when given.
    ///
    /// # Errors
    ///
    /// - [`JournalError::Transition`]: it is in another state, or the step is not one of [`CommitState`].
    /// - [`JournalError::TooLarge`], [`JournalError::Full`] or [`JournalError::Database`].
    pub async fn advance_commit(
        &self,
        epoch: u64,
        mecid: u8,
        from: CommitState,
        to: CommitState,
        block: u64,
        chain_epoch: Option<u64>,
    ) -> Result<(), JournalError> {
        let wrong = |found: String| JournalError::Transition { epoch, mecid, from, to, found };
        if !from.may_become(to) {
            return Err(wrong(from.to_string()));
        }
        let chain_epoch = chain_epoch.map(|epoch| int("chain_epoch", epoch)).transpose()?;
        let mut tx = self.write().await?;
        let done = sqlx::query(
            "UPDATE commits SET state = ?1, block = ?2, chain_epoch = coalesce(?3, chain_epoch), \
             attempts = attempts + ?4 WHERE epoch = ?5 AND mecid = ?6 AND state = ?7",
        )
        .bind(to.code())
        .bind(int("block", block)?)
        .bind(chain_epoch)
        .bind(i64::from(to == CommitState::Submitted))
        .bind(int("epoch", epoch)?)
        .bind(i64::from(mecid))
        .bind(from.code())
        .execute(&mut *tx)
        .await
        .map_err(|e| self.fail(e))?
        .rows_affected();
        if done == 0 {
            tx.rollback().await.map_err(|e| self.fail(e))?;
            let found =
                self.commit(epoch, mecid).await?.map_or_else(|| "absent".to_owned(), |row| row.state.to_string());
            return Err(wrong(found));
        }
        tx.commit().await.map_err(|e| self.fail(e))
    }

    /// Notes that something was sent for a commit at `block`, or what the chain answered, without moving it.
    ///
    /// # Errors
    ///
    /// [`JournalError::TooLarge`], [`JournalError::Full`] or [`JournalError::Database`].
    pub async fn note_commit(&self, epoch: u64, mecid: u8, block: u64, detail: &str) -> Result<(), JournalError> {
        let mut tx = self.write().await?;
        sqlx::query("UPDATE commits SET block = ?, detail = ? WHERE epoch = ? AND mecid = ?")
            .bind(int("block", block)?)
            .bind(detail)
            .bind(int("epoch", epoch)?)
            .bind(i64::from(mecid))
            .execute(&mut *tx)
            .await
            .map_err(|e| self.fail(e))?;
        tx.commit().await.map_err(|e| self.fail(e))
    }

    /// One commit.
    ///
    /// # Errors
    ///
    /// [`JournalError::Database`] or [`JournalError::BadValue`].
    pub async fn commit(&self, epoch: u64, mecid: u8) -> Result<Option<CommitRow>, JournalError> {
        let row = sqlx::query("SELECT * FROM commits WHERE epoch = ? AND mecid = ?")
            .bind(int("epoch", epoch)?)
            .bind(i64::from(mecid))
            .fetch_optional(&self.readers)
            .await
            .map_err(|e| self.fail(e))?;
        row.map(|row| self.commit_row(&row)).transpose()
    }

    /// Every commit that is not final, oldest epoch first.
    ///
    /// # Errors
    ///
    /// [`JournalError::Database`] or [`JournalError::BadValue`].
    pub async fn open_commits(&self) -> Result<Vec<CommitRow>, JournalError> {
        let rows = sqlx::query("SELECT * FROM commits WHERE state < 3 ORDER BY epoch, mecid")
            .fetch_all(&self.readers)
            .await
            .map_err(|e| self.fail(e))?;
        rows.iter().map(|row| self.commit_row(row)).collect()
    }

    fn commit_row(&self, row: &SqliteRow) -> Result<CommitRow, JournalError> {
        const TABLE: &str = "commits";
        let bad = |column| JournalError::BadValue { table: TABLE, column };
        let list = |column| {
            let text: &str = row.try_get(column).map_err(|e| self.fail(e))?;
            serde_json::from_str::<Vec<u16>>(text).map_err(|_| bad(column))
        };
        let uids = list("uids")?;
        let values = list("vals")?;
        let hotkeys: &[u8] = row.try_get("hotkeys").map_err(|e| self.fail(e))?;
        let (hotkeys, rest) = hotkeys.as_chunks::<32>();
        if !rest.is_empty() || hotkeys.len() != uids.len() || values.len() != uids.len() {
            return Err(bad("hotkeys"));
        }
        let chain_epoch: Option<i64> = row.try_get("chain_epoch").map_err(|e| self.fail(e))?;
        Ok(CommitRow {
            epoch: self.uint(row, TABLE, "epoch")?,
            mecid: self.narrow(row, TABLE, "mecid")?,
            commit_reveal: self.uint(row, TABLE, "commit_reveal")? == 1,
            single_mechanism: self.uint(row, TABLE, "single_mechanism")? == 1,
            uids,
            values,
            hotkeys: hotkeys.to_vec(),
            salt: list("salt")?,
            version_key: self.text(row, "version_key")?.parse().map_err(|_| bad("version_key"))?,
            hash: self.key(row, TABLE, "hash")?,
            state: CommitState::from_code(self.uint(row, TABLE, "state")?).ok_or(bad("state"))?,
            block: self.uint(row, TABLE, "block")?,
            chain_epoch: chain_epoch.map(u64::try_from).transpose().map_err(|_| bad("chain_epoch"))?,
            attempts: self.narrow(row, TABLE, "attempts")?,
            detail: self.text(row, "detail")?,
        })
    }

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

/// A list of numbers as SQLite holds it: a JSON array.
fn numbers(list: &[u16]) -> String {
    let mut text = String::from("[");
    for (i, number) in list.iter().enumerate() {
        if i > 0 {
            text.push(',');
        }
        text.push_str(&number.to_string());
    }
    text.push(']');
    text
}
