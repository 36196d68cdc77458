// SPDX-License-Identifier: Apache-2.0

//! Both miners against a gateway over real sockets, emulated endpoints and a chain in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs, unreachable_pub)]

mod chain;
mod cheats;
mod full_disk;
mod gateway;
mod keys;
mod log;
mod measure;
mod node;
mod real_gateway;
mod real_node;
mod serve;
mod serve_faults;

use clawrank_emulator::{Emulator, Profile};
use tokio_util::sync::CancellationToken;

/// A running emulator with one endpoint `a` and one model `m`.
pub async fn emulator(model: &str) -> Emulator {
    emulators(&format!("[[endpoint]]\nid = \"a\"\n[[endpoint.model]]\nid = \"m\"\n{model}")).await
}

/// A running emulator of a profile.
pub async fn emulators(profile: &str) -> Emulator {
    let profile = Profile::parse(profile, "test").unwrap();
    Emulator::start(profile, "127.0.0.1:0".parse().unwrap(), CancellationToken::new()).await.unwrap()
}

pub const FAST: &str = "latency = { ttft_median_ms = 3.0, tokens_per_second = 5000.0 }\n\
    price_in_micro_usd_per_mtok = 1000000\nprice_out_micro_usd_per_mtok = 2000000\n";

/// Slow enough for something to happen in between.
pub const SLOW: &str = "latency = { ttft_median_ms = 60.0, tokens_per_second = 4000.0 }\n\
    price_in_micro_usd_per_mtok = 1000000\nprice_out_micro_usd_per_mtok = 2000000\n";
