// SPDX-License-Identifier: Apache-2.0
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    unreachable_pub
)]

mod administration;
mod batches;
mod commit_reveal;
mod epochs;
mod extension;
mod genesis;
mod interface;
pub(crate) mod mock;
mod money;
mod owner;
mod prices;
mod pruning;
mod refusals;
mod registration;
mod root;
mod schedule;
mod serving;
mod staking;
mod take;
mod timelock;
mod timelock_reveal;
mod weight_checks;
