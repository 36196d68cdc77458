// SPDX-License-Identifier: Apache-2.0

//! The two miners of the subnet.
//!
//! - [`serve`]: connects to a gateway and answers customers' requests with an OpenAI-compatible backend of its own; paid
//!   by receipts (rules §1).
//! - [`measure`]: measures the endpoints of a catalogue with tasks that follow from the chain, commits the root of what
//!   it found, uploads the bundle and opens what validators ask for; paid by verified cells (rules §2).
//!
//! Both speak to the gateway over one kind of connection ([`link`]) and call HTTP with the same limits ([`upstream`]).
//! URLs that are called come from the operator's own configuration and catalogue, never from a peer.

#![forbid(unsafe_code)]

mod backoff;
mod durable;
mod error;
pub mod link;
pub mod measure;
pub mod serve;
pub mod upstream;

pub use backoff::Backoff;
pub use error::{Error, LinkError, UpstreamError};

use std::time::{SystemTime, UNIX_EPOCH};

/// What a miner calls itself in `hello`.
pub const AGENT: &str = concat!("clawrank-miner/", env!("CARGO_PKG_VERSION"));

/// The system clock, Unix milliseconds; 0 before 1970.
#[must_use]
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
