// SPDX-License-Identifier: Apache-2.0
//! What goes to the chain: payload and salt are durable before anyone hears of them.

use core::fmt;
use std::collections::BTreeSet;

use sqlx::{Row as _, sqlite::SqliteRow};

use super::{Journal, JournalError, Key, int};

/// How weights get onto the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommitForm {
    /// Set at once: the subnet has no commit-reveal.
    Plain,
    /// A salted hash is committed and revealed by a second call.
    Salted,
    /// A ciphertext is committed; the chain itself reveals it once a round of its beacon is known.
    Timelocked,
}

impl CommitForm {
    fn code(self) -> i64 {
        match self {
            Self::Plain => 0,
            Self::Salted => 1,
            Self::Timelocked => 2,
        }
    }

    fn from_code(code: u64) -> Option<Self> {
        Some(match code {
            0 => Self::Plain,
            1 => Self::Salted,
            2 => Self::Timelocked,
            _ => return None,
        })
    }
}

impl fmt::Display for CommitForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Salted => "salted",
            Self::Timelocked => "timelocked",
        })
    }
}

/// How far a commit of weights is.
///
/// ```text
/// prepared ──▶ submitted ──▶ committed ──▶ revealed
///    ▲  │       │  │  └────────(plain weights)──▲
///    │  │       │  │            │
///    └──┼───────┘  └────────────┴──▶ expired, superseded
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
    /// A later commit took its place. Final.
    Superseded,
}

impl CommitState {
    /// Whether nothing is left to do.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Revealed | Self::Expired | Self::Superseded)
    }

    fn code(self) -> i64 {
        match self {
            Self::Prepared => 0,
            Self::Submitted => 1,
            Self::Committed => 2,
            Self::Revealed => 3,
            Self::Expired => 4,
            Self::Superseded => 5,
        }
    }

    fn from_code(code: u64) -> Option<Self> {
        Some(match code {
            0 => Self::Prepared,
            1 => Self::Submitted,
            2 => Self::Committed,
            3 => Self::Revealed,
            4 => Self::Expired,
            5 => Self::Superseded,
            _ => return None,
        })
    }

    pub(super) fn may_become(self, next: Self) -> bool {
        use CommitState::{Committed, Expired, Prepared, Revealed, Submitted, Superseded};
        matches!(
            (self, next),
            (Prepared, Submitted | Expired | Superseded)
                | (Submitted, Prepared | Committed | Revealed | Expired | Superseded)
                | (Committed, Revealed | Expired | Superseded)
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
            Self::Superseded => "superseded",
        })
    }
}

/// Which commit of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommitKey {
    /// Epoch whose measurements it carries.
    pub epoch: u64,
    /// Mechanism of the subnet.
    pub mecid: u8,
    /// 0 for the first of its epoch and mechanism; one that had to be made again counts on.
    pub seq: u32,
}

impl fmt::Display for CommitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch {}, mechanism {}, attempt {}", self.epoch, self.mecid, self.seq)
    }
}

/// One setting of weights, from its preparation to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitRow {
    /// Epoch whose measurements it carries.
    pub epoch: u64,
    /// Mechanism of the subnet.
    pub mecid: u8,
    /// 0 for the first of its epoch and mechanism; one that had to be made again counts on.
    pub seq: u32,
    /// Epoch of the chain in which it is to be committed: `epoch`, or a later one where it was made again.
    pub commit_epoch: u64,
    /// How it gets onto the chain.
    pub form: CommitForm,
    /// Whether the chain runs one mechanism, so that the calls without `mecid` are used.
    pub single_mechanism: bool,
    /// Whom, by uid.
    pub uids: Vec<u16>,
    /// How much, aligned with `uids`.
    pub values: Vec<u16>,
    /// Whom, by hotkey, aligned with `uids`: a uid can pass to another miner.
    pub hotkeys: Vec<Key>,
    /// Secret until the reveal; empty where nothing is salted.
    pub salt: Vec<u16>,
    /// Version key, part of hash and ciphertext.
    pub version_key: u64,
    /// What is committed; empty but for [`CommitForm::Timelocked`].
    pub ciphertext: Vec<u8>,
    /// Round of the beacon that opens the ciphertext; 0 where there is none.
    pub round: u64,
    /// Hash by which it is found on chain: the committed one, or blake2-256 of the ciphertext.
    pub hash: Key,
    /// How far it is.
    pub state: CommitState,
    /// Block in which the state was entered, or at which it was last sent.
    pub block: u64,
    /// Epoch in which the chain put the commit, once seen.
    pub chain_epoch: Option<u64>,
    /// Block of the commit, once seen.
    pub commit_block: Option<u64>,
    /// How often something was sent for it.
    pub attempts: u32,
    /// Last answer of the chain that was not a success; empty when there was none.
    pub detail: String,
}

impl CommitRow {
    /// Which row this is.
    #[must_use]
    pub fn key(&self) -> CommitKey {
        CommitKey { epoch: self.epoch, mecid: self.mecid, seq: self.seq }
    }
}

impl Journal {
    /// Stores payload, salt and ciphertext before anything is sent.
    ///
    /// A row in [`CommitState::Prepared`] is replaced: it is not on chain and never will be.
    ///
    /// # Errors
    ///
    /// - [`JournalError::AlreadyPrepared`]: there is one of this key that may have reached the chain.
    /// - [`JournalError::TooLarge`], [`JournalError::Full`] or [`JournalError::Database`].
    pub async fn prepare_commit(&self, row: &CommitRow) -> Result<(), JournalError> {
        let key = row.key();
        let mut tx = self.write().await?;
        let done = sqlx::query(
            "INSERT INTO commits (epoch, mecid, seq, commit_epoch, form, single_mechanism, uids, vals, hotkeys, salt, \
             version_key, ciphertext, round, hash, state, block) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?) \
             ON CONFLICT DO UPDATE SET commit_epoch = excluded.commit_epoch, form = excluded.form, \
             single_mechanism = excluded.single_mechanism, uids = excluded.uids, vals = excluded.vals, \
             hotkeys = excluded.hotkeys, salt = excluded.salt, version_key = excluded.version_key, \
             ciphertext = excluded.ciphertext, round = excluded.round, hash = excluded.hash, block = excluded.block \
             WHERE state = 0",
        )
        .bind(int("epoch", row.epoch)?)
        .bind(i64::from(row.mecid))
        .bind(i64::from(row.seq))
        .bind(int("commit_epoch", row.commit_epoch)?)
        .bind(row.form.code())
        .bind(i64::from(row.single_mechanism))
        .bind(numbers(&row.uids))
        .bind(numbers(&row.values))
        .bind(row.hotkeys.concat())
        .bind(numbers(&row.salt))
        .bind(row.version_key.to_string())
        .bind(row.ciphertext.as_slice())
        .bind(int("round", row.round)?)
        .bind(row.hash.as_slice())
        .bind(int("block", row.block)?)
        .execute(&mut *tx)
        .await
        .map_err(|e| self.fail(e))?
        .rows_affected();
        if done == 0 {
            tx.rollback().await.map_err(|e| self.fail(e))?;
            let state = self.commit_at(key).await?.map_or(CommitState::Submitted, |row| row.state);
            return Err(JournalError::AlreadyPrepared { key, state });
        }
        tx.commit().await.map_err(|e| self.fail(e))
    }

    /// Moves a commit from one state to the next, if it is in the first.
    ///
    /// Entering [`CommitState::Submitted`] counts an attempt and remembers the hash as this journal's for as long as it
    /// may be on chain. Entering [`CommitState::Committed`] takes `block` for the commit's. `chain_epoch` is stored when
    /// given.
    ///
    /// # Errors
    ///
    /// - [`JournalError::Transition`]: it is in another state, or the step is not one of [`CommitState`].
    /// - [`JournalError::TooLarge`], [`JournalError::Full`] or [`JournalError::Database`].
    pub async fn advance_commit(
        &self,
        key: CommitKey,
        from: CommitState,
        to: CommitState,
        block: u64,
        chain_epoch: Option<u64>,
    ) -> Result<(), JournalError> {
        let wrong = |found: String| JournalError::Transition { key, from, to, found };
        if !from.may_become(to) {
            return Err(wrong(from.to_string()));
        }
        let chain_epoch = chain_epoch.map(|epoch| int("chain_epoch", epoch)).transpose()?;
        let mut tx = self.write().await?;
        let done = sqlx::query(
            "UPDATE commits SET state = ?1, block = ?2, chain_epoch = coalesce(?3, chain_epoch), \
             attempts = attempts + ?4, commit_block = CASE WHEN ?1 = 2 THEN ?2 ELSE commit_block END \
             WHERE epoch = ?5 AND mecid = ?6 AND seq = ?7 AND state = ?8",
        )
        .bind(to.code())
        .bind(int("block", block)?)
        .bind(chain_epoch)
        .bind(i64::from(to == CommitState::Submitted))
        .bind(int("epoch", key.epoch)?)
        .bind(i64::from(key.mecid))
        .bind(i64::from(key.seq))
        .bind(from.code())
        .execute(&mut *tx)
        .await
        .map_err(|e| self.fail(e))?
        .rows_affected();
        if done == 0 {
            tx.rollback().await.map_err(|e| self.fail(e))?;
            let found = self.commit_at(key).await?.map_or_else(|| "absent".to_owned(), |row| row.state.to_string());
            return Err(wrong(found));
        }
        if to == CommitState::Submitted {
            sqlx::query(
                "INSERT INTO sent (hash, epoch) SELECT hash, commit_epoch FROM commits \
                 WHERE epoch = ? AND mecid = ? AND seq = ? ON CONFLICT DO NOTHING",
            )
            .bind(int("epoch", key.epoch)?)
            .bind(i64::from(key.mecid))
            .bind(i64::from(key.seq))
            .execute(&mut *tx)
            .await
            .map_err(|e| self.fail(e))?;
        }
        tx.commit().await.map_err(|e| self.fail(e))
    }

    /// Notes that something was sent for a commit at `block`, or what the chain answered, without moving it.
    ///
    /// # Errors
    ///
    /// [`JournalError::TooLarge`], [`JournalError::Full`] or [`JournalError::Database`].
    pub async fn note_commit(&self, key: CommitKey, block: u64, detail: &str) -> Result<(), JournalError> {
        let mut tx = self.write().await?;
        sqlx::query("UPDATE commits SET block = ?, detail = ? WHERE epoch = ? AND mecid = ? AND seq = ?")
            .bind(int("block", block)?)
            .bind(detail)
            .bind(int("epoch", key.epoch)?)
            .bind(i64::from(key.mecid))
            .bind(i64::from(key.seq))
            .execute(&mut *tx)
            .await
            .map_err(|e| self.fail(e))?;
        tx.commit().await.map_err(|e| self.fail(e))
    }

    /// Takes the commits with these hashes for this journal's own: another process with the same hotkey made them, and
    /// this one takes its place.
    ///
    /// # Errors
    ///
    /// [`JournalError::TooLarge`], [`JournalError::Full`] or [`JournalError::Database`].
    pub async fn adopt_commits(&self, hashes: &[(Key, u64)]) -> Result<(), JournalError> {
        let mut tx = self.write().await?;
        for (hash, epoch) in hashes {
            sqlx::query("INSERT INTO sent (hash, epoch) VALUES (?, ?) ON CONFLICT DO NOTHING")
                .bind(hash.as_slice())
                .bind(int("epoch", *epoch)?)
                .execute(&mut *tx)
                .await
                .map_err(|e| self.fail(e))?;
        }
        tx.commit().await.map_err(|e| self.fail(e))
    }

    /// Hashes of everything that was sent or adopted and may still be on chain.
    ///
    /// # Errors
    ///
    /// [`JournalError::Database`] or [`JournalError::BadValue`].
    pub async fn sent_commits(&self) -> Result<BTreeSet<Key>, JournalError> {
        let rows = sqlx::query("SELECT hash FROM sent").fetch_all(&self.readers).await.map_err(|e| self.fail(e))?;
        rows.iter().map(|row| self.key(row, "sent", "hash")).collect()
    }

    /// The newest commit of an epoch and mechanism.
    ///
    /// # Errors
    ///
    /// [`JournalError::Database`] or [`JournalError::BadValue`].
    pub async fn commit(&self, epoch: u64, mecid: u8) -> Result<Option<CommitRow>, JournalError> {
        let row = sqlx::query("SELECT * FROM commits WHERE epoch = ? AND mecid = ? ORDER BY seq DESC LIMIT 1")
            .bind(int("epoch", epoch)?)
            .bind(i64::from(mecid))
            .fetch_optional(&self.readers)
            .await
            .map_err(|e| self.fail(e))?;
        row.map(|row| self.commit_row(&row)).transpose()
    }

    async fn commit_at(&self, key: CommitKey) -> Result<Option<CommitRow>, JournalError> {
        let row = sqlx::query("SELECT * FROM commits WHERE epoch = ? AND mecid = ? AND seq = ?")
            .bind(int("epoch", key.epoch)?)
            .bind(i64::from(key.mecid))
            .bind(i64::from(key.seq))
            .fetch_optional(&self.readers)
            .await
            .map_err(|e| self.fail(e))?;
        row.map(|row| self.commit_row(&row)).transpose()
    }

    /// Every commit that carries the measurements of an epoch, by mechanism and attempt.
    ///
    /// # Errors
    ///
    /// [`JournalError::Database`] or [`JournalError::BadValue`].
    pub async fn commits_of(&self, epoch: u64) -> Result<Vec<CommitRow>, JournalError> {
        let rows = sqlx::query("SELECT * FROM commits WHERE epoch = ? ORDER BY mecid, seq")
            .bind(int("epoch", epoch)?)
            .fetch_all(&self.readers)
            .await
            .map_err(|e| self.fail(e))?;
        rows.iter().map(|row| self.commit_row(row)).collect()
    }

    /// Every commit that is not final, oldest epoch first.
    ///
    /// # Errors
    ///
    /// [`JournalError::Database`] or [`JournalError::BadValue`].
    pub async fn open_commits(&self) -> Result<Vec<CommitRow>, JournalError> {
        let rows = sqlx::query("SELECT * FROM commits WHERE state < 3 ORDER BY epoch, mecid, seq")
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
        let optional = |column| {
            let value: Option<i64> = row.try_get(column).map_err(|e| self.fail(e))?;
            value.map(u64::try_from).transpose().map_err(|_| bad(column))
        };
        let ciphertext: &[u8] = row.try_get("ciphertext").map_err(|e| self.fail(e))?;
        Ok(CommitRow {
            epoch: self.uint(row, TABLE, "epoch")?,
            mecid: self.narrow(row, TABLE, "mecid")?,
            seq: self.narrow(row, TABLE, "seq")?,
            commit_epoch: self.uint(row, TABLE, "commit_epoch")?,
            form: CommitForm::from_code(self.uint(row, TABLE, "form")?).ok_or(bad("form"))?,
            single_mechanism: self.uint(row, TABLE, "single_mechanism")? == 1,
            uids,
            values,
            hotkeys: hotkeys.to_vec(),
            salt: list("salt")?,
            version_key: self.text(row, "version_key")?.parse().map_err(|_| bad("version_key"))?,
            ciphertext: ciphertext.to_vec(),
            round: self.uint(row, TABLE, "round")?,
            hash: self.key(row, TABLE, "hash")?,
            state: CommitState::from_code(self.uint(row, TABLE, "state")?).ok_or(bad("state"))?,
            block: self.uint(row, TABLE, "block")?,
            chain_epoch: optional("chain_epoch")?,
            commit_block: optional("commit_block")?,
            attempts: self.narrow(row, TABLE, "attempts")?,
            detail: self.text(row, "detail")?,
        })
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
