// SPDX-License-Identifier: Apache-2.0

//! Miners that cheat, for demonstrations and tests of the defences. The production miner has none of this.
//!
//! | cheat | does | is to be caught by |
//! |---|---|---|
//! | [`ghost`] | says hello, answers pings, serves nobody | probes (rules §1.2) |
//! | [`liar`] | measures, then reports shorter latencies | replays: `LatencyOutOfTolerance` (rules §3) |
//! | [`copier`] | signs the attempts of another miner as its own | `Duplicate` (rules §3) |
//!
//! A washer, who buys traffic from himself, needs no code: it is an honest serving miner and a client with a free key;
//! traffic without a fee does not count (rules §1.1).

mod copier;
mod ghost;
mod intel;
mod liar;

pub use copier::copier;
pub use ghost::{GhostConfig, ghost};
pub use liar::{liar, shorten_latencies};
