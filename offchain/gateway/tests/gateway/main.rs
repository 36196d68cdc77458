// SPDX-License-Identifier: Apache-2.0

//! The gateway as its peers see it: real HTTP, real WebSockets, a real ledger, a fake chain.

#![allow(missing_docs, dead_code, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod bundles;
mod chat;
mod durability;
mod endpoints;
mod handshake;
mod hostile;
mod killed;
mod miner;
mod money;
mod needs;
mod proxies;
mod signed;
mod support;
