// SPDX-License-Identifier: Apache-2.0

use alloc::vec::Vec;

use clawrank_units::{Ppb, mul_div_floor};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::ServingParams;

/// The score of a miner with the whole emission: scores of [`serving_scores`] are parts of 10²⁷.
pub const SCORE_ONE: u128 = 1_000_000_000_000_000_000_000_000_000;

const BILLION: u128 = 1_000_000_000;
/// A score before it is multiplied by its pool in parts per billion.
const POOL_ONE: u128 = SCORE_ONE / BILLION;

/// What decides a miner's serving share.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct ServingMiner {
    /// [`base`](crate::base).
    pub base: Ppb,
    /// [`eligible_tokens`](crate::eligible_tokens).
    pub eligible_tokens: u64,
    /// Whether the miner is a ghost: it has no share until it answers a probe.
    pub ghost: bool,
}

/// Serving scores, before the emission cap: `10 % · base_i / Σ base + 90 % · E_i / Σ E` (rules §1.2).
///
/// In parts of [`SCORE_ONE`], rounded down: the sum is at most `SCORE_ONE` and less than two per miner below it. Without
/// eligible traffic the second pool is shared by base as well; without any base too, every score is 0. O(n).
#[must_use]
pub fn serving_scores(miners: &[ServingMiner], params: &ServingParams) -> Vec<u128> {
    let base = |miner: &ServingMiner| if miner.ghost { 0 } else { u128::from(miner.base.parts()) };
    let tokens = |miner: &ServingMiner| if miner.ghost { 0 } else { u128::from(miner.eligible_tokens) };
    let total =
        |part: &dyn Fn(&ServingMiner) -> u128| miners.iter().fold(0u128, |sum, miner| sum.saturating_add(part(miner)));
    let (total_base, total_tokens) = (total(&base), total(&tokens));
    let (base_pool, token_pool) = match (total_base, total_tokens) {
        (_, 0) => (BILLION, 0),
        (0, _) => (0, BILLION),
        _ => (u128::from(params.base_pool.parts()), u128::from(params.base_pool.complement().parts())),
    };
    // value · pool stays below 2^64 · 2^30; the product with POOL_ONE is taken in 256 bits.
    let part =
        |value: u128, total: u128, pool: u128| mul_div_floor(value.saturating_mul(pool), POOL_ONE, total).unwrap_or(0);
    miners
        .iter()
        .map(|miner| {
            let by_base = part(base(miner), total_base, base_pool);
            by_base.saturating_add(part(tokens(miner), total_tokens, token_pool))
        })
        .collect()
}

#[cfg(test)]
mod tests;
