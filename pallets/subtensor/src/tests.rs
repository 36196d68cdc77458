// SPDX-License-Identifier: Apache-2.0
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    unreachable_pub
)]

mod commit_reveal;
mod epochs;
mod extension;
mod genesis;
mod interface;
pub(crate) mod mock;
mod money;
mod prices;
mod registration;
mod schedule;
mod serving;
mod staking;
mod weight_checks;
