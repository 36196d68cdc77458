// SPDX-License-Identifier: Apache-2.0

use clawrank_units::Ppb;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::ServingParams;

/// Most probes a [`ProbeWindow`] can look back on.
pub const MAX_PROBE_HISTORY: u32 = 128;

/// Outcomes of a miner's last probes, the newest in the lowest bit.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ProbeWindow {
    answered: u128,
    len: u32,
    last_ms: Option<u32>,
}

impl ProbeWindow {
    /// No probes yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { answered: 0, len: 0, last_ms: None }
    }

    /// Adds a probe: its response time, or `None` when it was not answered within the deadline.
    pub fn push(&mut self, response_ms: Option<u32>) {
        self.answered = (self.answered << 1) | u128::from(response_ms.is_some());
        self.len = self.len.saturating_add(1).min(MAX_PROBE_HISTORY);
        self.last_ms = response_ms;
    }

    /// Response time of the last probe; `None` when it failed or there was none.
    #[must_use]
    pub const fn last_ms(&self) -> Option<u32> {
        self.last_ms
    }

    /// Answered probes and all probes among the last `history`.
    #[must_use]
    pub fn counts(&self, history: u32) -> (u32, u32) {
        let len = self.len.min(history);
        let mask = u128::MAX.checked_shr(MAX_PROBE_HISTORY.saturating_sub(len)).unwrap_or(0);
        ((self.answered & mask).count_ones(), len)
    }

    /// What [`base`] needs, for a miner whose model is on the whitelist or not.
    #[must_use]
    pub fn input(&self, whitelisted: bool, params: &ServingParams) -> ServingInput {
        let (answered, probes) = self.counts(params.probe_history);
        ServingInput { whitelisted, last_probe_ms: self.last_ms, answered, probes }
    }
}

/// What is known of a miner without its traffic.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct ServingInput {
    /// Whether the declared model is on the whitelist.
    pub whitelisted: bool,
    /// Response time of the last probe; `None` when it was not answered.
    pub last_probe_ms: Option<u32>,
    /// Probes answered among the last ones.
    pub answered: u32,
    /// Those last ones.
    pub probes: u32,
}

impl ServingInput {
    /// Whether the miner is a ghost: its last probe failed, or it was never probed (rules §1.2).
    #[must_use]
    pub const fn is_ghost(&self) -> bool {
        self.last_probe_ms.is_none()
    }
}

/// Base of a miner, 0 ..= 1 (rules §1.2): whitelist, answered, response time and reliability by their weights.
///
/// A ghost has 0. Rounds down. O(1).
#[must_use]
pub fn base(input: &ServingInput, params: &ServingParams) -> Ppb {
    let Some(last_ms) = input.last_probe_ms else {
        return Ppb::from_percent(0);
    };
    let whitelist = if input.whitelisted { params.weight_whitelist } else { Ppb::from_percent(0) };
    let tier = params.response_tiers.iter().find(|tier| last_ms < tier.below_ms);
    let response = params.weight_response.times_floor(tier.map_or(params.response_rest, |tier| tier.score));
    let answered = u128::from(input.answered.min(input.probes));
    let reliability = Ppb::from_ratio_floor(answered, u128::from(input.probes)).unwrap_or(Ppb::from_percent(0));
    whitelist
        .saturating_add(params.weight_answered)
        .saturating_add(response)
        .saturating_add(params.weight_reliability.times_floor(reliability))
}

#[cfg(test)]
mod tests;
