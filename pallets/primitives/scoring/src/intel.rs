// SPDX-License-Identifier: Apache-2.0

use clawrank_proof::{CellTelemetry, EndpointName};
use clawrank_units::Ppb;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{IntelParams, freshness};

const BILLION: u128 = 1_000_000_000;

/// A, accuracy: the mean over `(claim, reference)` pairs of `max(0, 1 − |claim − reference| / (band · reference))`.
///
/// Where the reference is 0, the claim is right if it is 0 and wrong otherwise. No pairs are worth 0. Rounds down. O(n).
#[must_use]
pub fn accuracy(pairs: impl IntoIterator<Item = (u64, u64)>, band: Ppb) -> Ppb {
    let (mut sum, mut count) = (0u128, 0u128);
    for (claim, reference) in pairs {
        let error = u128::from(claim.abs_diff(reference));
        // |claim − reference| / (band · reference), in parts per billion and rounded up.
        let tolerated = u128::from(reference).saturating_mul(u128::from(band.parts()));
        let lost = match error {
            0 => 0,
            _ if tolerated == 0 => BILLION,
            _ => error.saturating_mul(BILLION).saturating_mul(BILLION).div_ceil(tolerated).min(BILLION),
        };
        sum = sum.saturating_add(BILLION.saturating_sub(lost));
        count = count.saturating_add(1);
    }
    Ppb::from_ppb_clamped(sum.checked_div(count).unwrap_or(0))
}

/// Accuracy of a cell's telemetry against the validator's own.
///
/// Metrics: success rate, p50 of time to first token, p50 and p95 of total time, tokens per second, cost; the rate of
/// right answers too, where both sides checked any.
#[must_use]
pub fn cell_accuracy(claim: &CellTelemetry, reference: &CellTelemetry, band: Ppb) -> Ppb {
    let rate =
        |hits: u32, n: u32| Ppb::from_ratio_floor(u128::from(hits.min(n)), u128::from(n)).map(|r| u64::from(r.parts()));
    let metrics = |t: &CellTelemetry| {
        [
            rate(t.ok, t.n),
            Some(u64::from(t.p50_ttft_ms)),
            Some(u64::from(t.p50_total_ms)),
            Some(u64::from(t.p95_total_ms)),
            Some(t.tokens_per_second_milli),
            Some(t.cost_per_1k_tokens_nano_usd),
            rate(t.answers_right, t.answers_checked),
        ]
    };
    let pairs = metrics(claim).into_iter().zip(metrics(reference)).filter_map(|(a, b)| Some((a?, b?)));
    accuracy(pairs, band)
}

/// What a request to an endpoint costs in the next window, in 10⁻⁹ dollars: price, and time at the operator's rate.
#[must_use]
pub fn endpoint_cost(total_ms: u32, price_nano_usd: u64, params: &IntelParams) -> u128 {
    // A micro-dollar per second is 10⁻⁹ dollars per millisecond.
    u128::from(price_nano_usd)
        .saturating_add(u128::from(total_ms).saturating_mul(u128::from(params.micro_usd_per_second)))
}

/// Measured cost of one endpoint of a (model, task type).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct EndpointCost {
    /// Endpoint.
    pub endpoint: EndpointName,
    /// [`endpoint_cost`].
    pub cost: u128,
}

/// U, usefulness of a signal: `1 − regret(primary) / regret(uniform choice)`, in 0 ..= 1 (rules §4.1).
///
/// `measured` is what the validator measured in the window after the signal. Where all endpoints cost the same, any
/// signal is worth 1. No signal, or a primary that was not measured, is worth 0. Rounds down. O(n).
#[must_use]
pub fn usefulness(signal: &[EndpointName], measured: &[EndpointCost]) -> Ppb {
    let nothing = Ppb::from_percent(0);
    let (Some(primary), Some(best)) = (signal.first(), measured.iter().map(|m| m.cost).min()) else {
        return nothing;
    };
    let regret = |cost: u128| cost.saturating_sub(best);
    // Regret of the uniform choice is this sum over the number of endpoints.
    let sum = measured.iter().fold(0u128, |sum, m| sum.saturating_add(regret(m.cost)));
    if sum == 0 {
        return Ppb::from_percent(100);
    }
    let Some(chosen) = measured.iter().find(|m| m.endpoint == *primary) else {
        return nothing;
    };
    let count = u128::try_from(measured.len()).unwrap_or(u128::MAX);
    let left = sum.saturating_sub(regret(chosen.cost).saturating_mul(count));
    Ppb::from_ratio_floor(left, sum).unwrap_or(nothing)
}

/// C, coverage: value of the covered cells over value of all cells, rounded down; 0 where nothing has value.
#[must_use]
pub fn coverage(covered_value: u128, total_value: u128) -> Ppb {
    Ppb::from_ratio_floor(covered_value.min(total_value), total_value).unwrap_or(Ppb::from_percent(0))
}

/// What decides the score of one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct CellInput {
    /// Whether the gate is open and the cell verified.
    pub gate: bool,
    /// A.
    pub accuracy: Ppb,
    /// U.
    pub usefulness: Ppb,
    /// F.
    pub freshness: Ppb,
    /// C of the miner.
    pub coverage: Ppb,
}

/// S, the score of a cell: `gate · (0.45 A + 0.25 U + 0.20 F + 0.10 · C · A)` (rules §4.1). Rounds down once. O(1).
#[must_use]
pub fn cell_score(input: &CellInput, params: &IntelParams) -> Ppb {
    if !input.gate {
        return Ppb::from_percent(0);
    }
    // In units of 10⁻²⁷: every product is of three ratios in parts per billion.
    let term = |weight: Ppb, a: Ppb, b: u128| {
        u128::from(weight.parts()).saturating_mul(u128::from(a.parts())).saturating_mul(b)
    };
    let sum = term(params.weight_accuracy, input.accuracy, BILLION)
        .saturating_add(term(params.weight_usefulness, input.usefulness, BILLION))
        .saturating_add(term(params.weight_freshness, input.freshness, BILLION))
        .saturating_add(term(params.weight_coverage, input.accuracy, u128::from(input.coverage.parts())));
    Ppb::from_ppb_clamped(sum / (BILLION * BILLION))
}

/// The intel score of a miner: `Σ value · S` over its cells, in value times parts per billion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IntelScore(u128);

impl IntelScore {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(0)
    }

    /// Adds a cell of this value (demand seen by the gateway). Exact up to 2^34 cells of any value.
    pub fn add(&mut self, value: u64, score: Ppb) {
        self.0 = self.0.saturating_add(u128::from(value).saturating_mul(u128::from(score.parts())));
    }

    /// The sum.
    #[must_use]
    pub const fn get(self) -> u128 {
        self.0
    }
}

/// F of a cell whose newest attempt is `age_blocks` old, where an epoch has `epoch_blocks`.
#[must_use]
pub fn cell_freshness(age_blocks: u64, epoch_blocks: u64, n: u32, params: &IntelParams) -> Ppb {
    freshness(age_blocks, epoch_blocks.saturating_mul(u64::from(params.half_life_epochs)), n, params.n_min)
}

#[cfg(test)]
mod tests;
