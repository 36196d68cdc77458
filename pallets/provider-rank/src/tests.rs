// SPDX-License-Identifier: Apache-2.0
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    unreachable_pub
)]

mod cells;
mod genesis;
pub(crate) mod mock;
mod params;
mod retention;
mod settlement;
mod verdicts;
mod windows;
