// SPDX-License-Identifier: Apache-2.0
//! From scores to money: capped proportional shares, chain weights, payouts, Yuma consensus, stake, and prices.
//!
//! | function | does | `docs/rules.md` |
//! |---|---|---|
//! | [`allocate`] | scores to shares, chain units and `u16` weights | §4.2, §4.3, §4.4 |
//! | [`divide`] | scores to whole units of any total, the division behind the others | §4.2 |
//! | [`payouts`] | scores and a pot to amounts, and the dust that stays | §4.5 |
//! | [`judge`], [`weighted_median`], [`gate_majority`] | many validators' reports to one value | §4.5 |
//! | [`quorum`] | whether enough validators reported to pay | §4.5 |
//! | [`blend`] | two mechanisms' shares to one score vector | introduction |
//! | [`yuma::epoch`] | weights, stake and bonds to incentive, dividends and emission | §4.6 |
//! | [`stake::StakePool`], [`stake::stake_weight`] | stake and dividends by shares; what stake counts | §4.7 |
//! | [`price`] | what a uid, a subnet and a stranger's call cost | §4.8 |
//!
//! Pure integer arithmetic: no floats, clock, storage or panics, and the same result natively and in Wasm.
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![deny(clippy::arithmetic_side_effects, clippy::float_arithmetic)]

extern crate alloc;

mod allocate;
mod blend;
mod cap;
mod error;
mod fill;
mod median;
mod payout;
pub mod price;
mod ratio;
pub mod stake;
mod wide;
pub mod yuma;

pub use allocate::{Allocation, allocate, divide};
pub use blend::blend;
pub use cap::{CapParams, Shortfall};
pub use error::EmissionError;
pub use median::{Finding, gate_majority, judge, quorum, weighted_median};
pub use payout::{Payouts, payouts};
