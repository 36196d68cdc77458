// SPDX-License-Identifier: Apache-2.0

use clawrank_units::Ppb;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// A step of the response-time score: below this time, this much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct ResponseTier {
    /// Strictly below this many milliseconds.
    pub below_ms: u32,
    /// Part of the response-time weight.
    pub score: Ppb,
}

/// Parameters of serving (rules §1).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct ServingParams {
    /// Part of the emission that is shared by base; the rest by eligible tokens.
    pub base_pool: Ppb,
    /// Weight of a whitelisted model in base.
    pub weight_whitelist: Ppb,
    /// Weight of an answered last probe in base.
    pub weight_answered: Ppb,
    /// Weight of the last probe's response time in base.
    pub weight_response: Ppb,
    /// Weight of the share of probes answered in base.
    pub weight_reliability: Ppb,
    /// Steps of the response-time score, fastest first.
    pub response_tiers: [ResponseTier; 4],
    /// Response-time score beyond the last step.
    pub response_rest: Ppb,
    /// Probes that reliability looks back on; at most 128.
    pub probe_history: u32,
    /// Deadline of a probe, milliseconds.
    pub probe_deadline_ms: u32,
    /// Output tokens of a probe.
    pub probe_output_tokens: u32,
    /// Length of the rolling window, minutes.
    pub window_minutes: u32,
    /// Tokens that one micro-dollar of fee makes eligible; `None` asks for no fee.
    pub tokens_per_micro_usd: Option<u64>,
    /// Largest part of a miner's eligible tokens that one payer may be.
    pub payer_cap: Ppb,
    /// Factor within which claimed and recounted tokens must agree, both ways.
    pub recount_factor: u32,
}

impl ServingParams {
    /// The subnet's parameters. The fee is 0.10 dollars per million tokens.
    #[must_use]
    pub const fn clawrank() -> Self {
        Self {
            base_pool: Ppb::from_percent(10),
            weight_whitelist: Ppb::from_percent(30),
            weight_answered: Ppb::from_percent(40),
            weight_response: Ppb::from_percent(20),
            weight_reliability: Ppb::from_percent(10),
            response_tiers: [
                ResponseTier { below_ms: 100, score: Ppb::from_percent(100) },
                ResponseTier { below_ms: 500, score: Ppb::from_percent(80) },
                ResponseTier { below_ms: 1_000, score: Ppb::from_percent(60) },
                ResponseTier { below_ms: 2_000, score: Ppb::from_percent(40) },
            ],
            response_rest: Ppb::from_percent(20),
            probe_history: 100,
            probe_deadline_ms: 8_000,
            probe_output_tokens: 5,
            window_minutes: 1_440,
            tokens_per_micro_usd: Some(10),
            payer_cap: Ppb::from_percent(40),
            recount_factor: 2,
        }
    }

    /// Parameters of local chains: no minimum fee, one payer may be all of it. Volume can be bought from oneself here.
    #[must_use]
    pub const fn local() -> Self {
        Self { tokens_per_micro_usd: None, payer_cap: Ppb::from_percent(100), ..Self::clawrank() }
    }
}

impl Default for ServingParams {
    fn default() -> Self {
        Self::clawrank()
    }
}

/// Parameters of the intel score (rules §4.1).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct IntelParams {
    /// Weight of accuracy, A.
    pub weight_accuracy: Ppb,
    /// Weight of usefulness, U.
    pub weight_usefulness: Ppb,
    /// Weight of freshness, F.
    pub weight_freshness: Ppb,
    /// Weight of coverage times accuracy, C · A.
    pub weight_coverage: Ppb,
    /// Relative error at which accuracy reaches 0.
    pub band: Ppb,
    /// Age at which freshness has halved, epochs.
    pub half_life_epochs: u32,
    /// Attempts from which on a cell is not discounted.
    pub n_min: u32,
    /// The operator's exchange rate: what a second of waiting costs.
    pub micro_usd_per_second: u64,
}

impl IntelParams {
    /// The subnet's parameters. A second of waiting costs 0.001 dollars.
    #[must_use]
    pub const fn clawrank() -> Self {
        Self {
            weight_accuracy: Ppb::from_percent(45),
            weight_usefulness: Ppb::from_percent(25),
            weight_freshness: Ppb::from_percent(20),
            weight_coverage: Ppb::from_percent(10),
            band: Ppb::from_percent(50),
            half_life_epochs: 1,
            n_min: 10,
            micro_usd_per_second: 1_000,
        }
    }
}

impl Default for IntelParams {
    fn default() -> Self {
        Self::clawrank()
    }
}
