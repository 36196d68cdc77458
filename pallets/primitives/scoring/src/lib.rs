// SPDX-License-Identifier: Apache-2.0

//! Measurements to scores: serving (rules §1) and intel (rules §2.3, §4.1).
//!
//! Serving: [`payer_tokens`] and [`eligible_tokens`] say what traffic counts, [`base`] what a probe is worth,
//! [`serving_scores`] shares both pools. Intel: [`accuracy`], [`usefulness`], [`freshness`], [`coverage`] and
//! [`cell_score`], summed by [`IntelScore`]. All scores are integers to be fed to `clawrank-emission`, which normalises.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::float_arithmetic))]

extern crate alloc;

mod base;
mod eligible;
mod freshness;
mod intel;
mod params;
mod shares;
mod tensorclaw;
mod window;

pub use base::{MAX_PROBE_HISTORY, ProbeWindow, ServingInput, base};
pub use eligible::{Refusal, countable, eligible_tokens, payer_tokens, tokens_agree};
pub use freshness::{freshness, half_power};
pub use intel::{
    CellInput, EndpointCost, IntelScore, accuracy, cell_accuracy, cell_freshness, cell_score, coverage, endpoint_cost,
    usefulness,
};
pub use params::{IntelParams, ResponseTier, ServingParams};
pub use shares::{SCORE_ONE, ServingMiner, serving_scores};
pub use tensorclaw::{MAX_TIER, NANO_POINT, TensorclawScore, tensorclaw_v1};
pub use window::{MinuteWindow, Usage};
