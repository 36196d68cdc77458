// SPDX-License-Identifier: Apache-2.0

//! What miners sign, commit and open, and how anyone checks it (rules §1.1, §2.1, §2.2, §2.3).
//!
//! - [`Cell`], [`Attempt`], [`Bundle`], [`CellTelemetry`], [`SignalEntry`]: the intel submission and its root.
//! - [`merkle`]: streaming tree, inclusion proofs. [`Opening`]: one leaf with the texts behind its salted hashes.
//! - [`Claim`], [`Receipt`], [`SignedReceipt`]: what a served request leaves behind.
//! - [`RequestAuth`], [`Hello`]: signed HTTP requests and the first frame of a miner's connection.
//! - [`Domain`], [`signing_payload`], [`verify`]: one signature scheme, sr25519, with a domain per use.
//! - [`challenge`], [`commitment`]: what randomness selects; the bytes put on chain. [`weights_commit_hash`]: what a
//!   validator commits to.
//! - [`ss58`], and with the feature `sign` `Keypair`: addresses and keys as Substrate writes them.
//!
//! Everything here is pure: no clock, storage or I/O. Everything that decodes foreign bytes has caps.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::float_arithmetic))]

extern crate alloc;

mod attempt;
mod auth;
mod bundle;
mod cell;
pub mod challenge;
mod commit_hash;
pub mod commitment;
mod error;
mod hash;
#[cfg(feature = "sign")]
mod keypair;
mod limits;
pub mod merkle;
mod opening;
mod receipt;
#[cfg(feature = "serde")]
pub mod serde_hex;
mod signing;
pub mod ss58;
pub mod telemetry;
#[cfg(test)]
mod testing;
mod text;

pub use attempt::{AnswerVerdict, Attempt, AttemptStatus, SchemaVerdict};
pub use auth::{HELLO_VERSION, Hello, Method, REQUEST_WINDOW_MS, RequestAuth};
pub use bundle::{
    BUNDLE_VERSION, Bundle, BundleHeader, MAX_ATTEMPTS, MAX_BUNDLE_BYTES, MAX_CELLS, MAX_ENDPOINTS, SignalEntry,
    SubnetEpoch, bundle_root, summary_hash,
};
pub use cell::{Cell, EndpointName, ModelName, TaskType};
pub use commit_hash::weights_commit_hash;
pub use commitment::Commitment;
pub use error::ProofError;
pub use hash::{Hash, HotkeyId, Salt, Signature, blake2_256, salted_hash};
#[cfg(feature = "sign")]
pub use keypair::{DEV_MINI_SECRET, Keypair};
pub use merkle::{InclusionProof, MerkleBuilder};
pub use opening::{MAX_OPENED_BYTES, Opening};
pub use receipt::{Claim, MAX_RECEIPT_BYTES, RECEIPT_VERSION, Receipt, SignedReceipt};
pub use signing::{Domain, SIGNING_CONTEXT, signing_payload, verify};
pub use telemetry::{CellTelemetry, summarise};
pub use text::Text;
