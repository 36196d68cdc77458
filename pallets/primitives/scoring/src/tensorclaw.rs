// SPDX-License-Identifier: Apache-2.0

use clawrank_units::Ppb;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Units in one point of a [`TensorclawScore`].
pub const NANO_POINT: u64 = 1_000_000_000;

/// Highest tier.
pub const MAX_TIER: u8 = 20;

/// Most points that volume gives.
const MAX_VOLUME: u64 = 70 * NANO_POINT;
/// Nano points per token of the last 24 hours: a point per 10,000.
const PER_TOKEN: u64 = NANO_POINT / 10_000;

/// The parts of the older rule's score, in nano points (10⁻⁹ of a percent point). All exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TensorclawScore {
    /// 0 ..= 100 points.
    pub base: u64,
    /// 0 ..= 90 points.
    pub business: u64,
    /// 0 ..= 91 points.
    pub total: u64,
}

/// `0.10 · base + 0.90 · business` with `business = tier + min(70, tokens_24h / 10,000)` (rules §1.3).
///
/// Saturates at 700,000 tokens, as the older rule does; a tier above 20 is 20. Exact, no rounding. O(1).
#[must_use]
pub fn tensorclaw_v1(base: Ppb, tier: u8, tokens_24h: u64) -> TensorclawScore {
    let base = u64::from(base.parts()).saturating_mul(100);
    let volume = tokens_24h.saturating_mul(PER_TOKEN).min(MAX_VOLUME);
    let business = u64::from(tier.min(MAX_TIER)).saturating_mul(NANO_POINT).saturating_add(volume);
    // base is a multiple of 100 and business of 100,000, so both tenths are whole.
    let total = (base / 10).saturating_add((business / 10).saturating_mul(9));
    TensorclawScore { base, business, total }
}

#[cfg(test)]
mod tests;
