// SPDX-License-Identifier: Apache-2.0

//! What must survive `kill -9`.
//!
//! - [`ledger`]: the gateway's keys, balances, requests, receipts, bundles and nonces, behind one trait.
//! - [`journal`]: the validator's measurements, scores and commits.

#![forbid(unsafe_code)]

pub mod journal;
pub mod ledger;

mod code;
mod transaction;

pub use ledger::{Ledger, LedgerError, SqliteLedger};
