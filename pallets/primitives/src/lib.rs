// SPDX-License-Identifier: Apache-2.0

//! The rules of the subnet, for chain and workers alike, and all their parameters in one value.
//!
//! | module | holds | rules |
//! |---|---|---|
//! | [`units`] | ratios and amounts as integers | introduction |
//! | [`schedule`] | when epochs run | §2.2 |
//! | [`proof`] | attempts, bundles, receipts, signatures | §1.1, §2 |
//! | [`scoring`] | measurements to scores | §1, §4.1 |
//! | [`gate`] | replay evidence to open or tripped | §3 |
//! | [`emission`] | scores to shares, weights and payouts; Yuma | §4.2 – §4.6 |
//! | [`timelock`] | weights locked until a beacon's round | – |
//!
//! [`Params`] is the one value that parametrises them; several can be used side by side.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::float_arithmetic))]

mod params;

pub use clawrank_emission as emission;
pub use clawrank_gate as gate;
pub use clawrank_proof as proof;
pub use clawrank_schedule as schedule;
pub use clawrank_scoring as scoring;
pub use clawrank_timelock as timelock;
pub use clawrank_units as units;
pub use params::{ChallengeParams, PARAMS_VERSION, Params, ParamsError, ServingRule};

/// Mechanism of the subnet that pays for serving.
pub const MECID_SERVING: u8 = 0;

/// Mechanism of the subnet that pays for intel.
pub const MECID_INTEL: u8 = 1;
