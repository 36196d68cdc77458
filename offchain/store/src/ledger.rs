// SPDX-License-Identifier: Apache-2.0

//! The gateway's ledger: who may ask, who pays, what was served.
//!
//! Money moves in two steps. [`Ledger::reserve`] takes the highest possible fee off the payer's balance before the
//! request goes out; [`Ledger::settle`] gives back what was not used, once. A balance never goes below zero. A crash
//! in between leaves an open request, which [`Ledger::recover`] gives back in full.

mod error;
mod secret;
mod sqlite;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use clawrank_protocol::proof::{Hash, HotkeyId};
use clawrank_units::MicroUsd;
use serde::{Deserialize, Serialize};

pub use error::LedgerError;
pub use secret::{ApiSecret, SECRET_PREFIX};
pub use sqlite::{LedgerOptions, SqliteLedger};

/// Whether requests of a key cost its payer something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// Requests are priced and paid from the payer's balance.
    Paid,
    /// The fee is always 0.
    Free,
}

/// An API key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Number of the key.
    pub id: i64,
    /// The operator's name for it.
    pub name: String,
    /// Account that pays.
    pub payer: String,
    /// Number of that account.
    #[serde(skip)]
    pub payer_id: i64,
    /// Whether it pays.
    pub kind: KeyKind,
    /// When it was made, Unix milliseconds.
    pub created_ms: u64,
    /// When it was revoked.
    pub revoked_ms: Option<u64>,
}

/// An account that pays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payer {
    /// Its name.
    pub name: String,
    /// What is free to reserve.
    pub balance: MicroUsd,
    /// What it paid so far.
    pub spent: MicroUsd,
}

/// A request before it goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRequest {
    /// Its id, never used before.
    pub id: [u8; 16],
    /// [`ApiKey::payer_id`]; `None` for a probe.
    pub payer_id: Option<i64>,
    /// Model asked for.
    pub model: String,
    /// Kind of task.
    pub task_type: String,
    /// When it came, Unix milliseconds.
    pub received_ms: u64,
    /// Highest fee it can cost; 0 for free keys and probes.
    pub reserve: MicroUsd,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Which request.
    pub id: [u8; 16],
    /// Whether it was served.
    pub served: bool,
    /// What it costs; more than the reservation is cut to the reservation.
    pub fee: MicroUsd,
    /// Input tokens counted.
    pub input_tokens: u32,
    /// Output tokens counted.
    pub output_tokens: u32,
    /// Hotkey or endpoint that served.
    pub served_by: Option<String>,
    /// SCALE of the signed receipt, where a miner served.
    pub receipt: Option<Vec<u8>>,
    /// Whether it counts as customers' demand: not for probes.
    pub demand: bool,
}

/// A stored receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptRow {
    /// Position; grows without end, never re-used.
    pub seq: u64,
    /// SCALE of the signed receipt.
    pub bytes: Vec<u8>,
}

/// A bundle's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleRow {
    /// Its root.
    pub root: Hash,
    /// Whose.
    pub hotkey: HotkeyId,
    /// Epoch of its header.
    pub epoch: u64,
    /// SCALE of the bundle.
    pub bytes: Vec<u8>,
}

/// Demand of one (model, task type) over a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemandRow {
    /// Model.
    pub model: String,
    /// Kind of task.
    pub task_type: String,
    /// Requests served.
    pub requests: u64,
    /// Input and output tokens.
    pub tokens: u64,
}

/// A reservation that was decided but may not be on disk yet.
#[derive(Debug)]
#[must_use = "a reservation is on disk only once `durable` returns"]
pub struct Reservation {
    /// `None` when it is on disk.
    durable: Option<tokio::sync::oneshot::Receiver<Result<sqlite::Outcome, LedgerError>>>,
}

impl Reservation {
    /// Waits until the request's row is on disk.
    ///
    /// # Errors
    ///
    /// Why it could not be written; the reservation then does not exist.
    pub async fn durable(self) -> Result<(), LedgerError> {
        match self.durable {
            Some(durable) => durable.await.map_err(|_| LedgerError::Closed)?.map(drop),
            None => Ok(()),
        }
    }
}

/// The gateway's durable memory. Every method that writes returns after the write is on disk, unless said otherwise.
#[async_trait]
pub trait Ledger: Send + Sync + 'static {
    /// Makes a key for `payer`, making the account where there is none. `hash` is [`ApiSecret::hash`].
    async fn create_key(
        &self,
        name: &str,
        payer: &str,
        kind: KeyKind,
        hash: Hash,
        now_ms: u64,
    ) -> Result<ApiKey, LedgerError>;

    /// All keys, oldest first.
    async fn keys(&self) -> Result<Vec<ApiKey>, LedgerError>;

    /// The key with this hash, revoked or not.
    async fn key_by_hash(&self, hash: &Hash) -> Result<Option<ApiKey>, LedgerError>;

    /// Revokes a key; `false` when there is no such key in use.
    async fn revoke_key(&self, id: i64, now_ms: u64) -> Result<bool, LedgerError>;

    /// Adds to a payer's balance, making the account where there is none.
    async fn deposit(&self, payer: &str, amount: MicroUsd) -> Result<Payer, LedgerError>;

    /// All payers, by name.
    async fn payers(&self) -> Result<Vec<Payer>, LedgerError>;

    /// Takes the reservation off the balance and records the request, in one step. With `early` returns once that is
    /// decided, and [`Reservation::durable`] waits for the disk; without, it is on disk already.
    ///
    /// # Errors
    ///
    /// [`LedgerError::InsufficientBalance`] and those of the disk.
    async fn reserve(&self, request: NewRequest, early: bool) -> Result<Reservation, LedgerError>;

    /// Ends a request: fee, refund, receipt and demand in one step. Returns the fee that was taken.
    ///
    /// # Errors
    ///
    /// [`LedgerError::NotOpen`] when the request is unknown or ended before, and those of the disk.
    async fn settle(&self, settlement: Settlement) -> Result<MicroUsd, LedgerError>;

    /// Gives back the reservations of all open requests; for the start, before any request is taken. Returns how many.
    async fn recover(&self) -> Result<u64, LedgerError>;

    /// Receipts with `seq > since`, oldest first.
    async fn receipts(&self, since: u64, limit: u32) -> Result<Vec<ReceiptRow>, LedgerError>;

    /// Whether a nonce is remembered at `now_ms`; reads only.
    async fn has_nonce(&self, sender: &HotkeyId, nonce: &[u8; 16], now_ms: u64) -> Result<bool, LedgerError>;

    /// Remembers a nonce until `expires_ms`; `false` when it was there already.
    async fn use_nonce(
        &self,
        sender: &HotkeyId,
        nonce: &[u8; 16],
        now_ms: u64,
        expires_ms: u64,
    ) -> Result<bool, LedgerError>;

    /// Stores a bundle, keeping the newest `keep` of its hotkey; `false` when that hotkey's was there already.
    async fn put_bundle(&self, bundle: BundleRow, keep: u32, now_ms: u64) -> Result<bool, LedgerError>;

    /// The bundle of this hotkey with this root.
    async fn bundle(&self, root: &Hash, hotkey: &HotkeyId) -> Result<Option<BundleRow>, LedgerError>;

    /// Demand since a time, by (model, task type).
    async fn demand(&self, since_ms: u64) -> Result<Vec<DemandRow>, LedgerError>;

    /// Forgets ended requests, receipts, demand, bundles and nonces older than `before_ms`. Returns how many rows.
    async fn prune(&self, before_ms: u64) -> Result<u64, LedgerError>;
}
