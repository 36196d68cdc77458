// SPDX-License-Identifier: Apache-2.0

//! Per-cell telemetry, recomputed from attempts (rules §2.3).

use alloc::{collections::BTreeMap, vec::Vec};

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{AnswerVerdict, Attempt, AttemptStatus, Hash, SchemaVerdict};

/// What the attempts of one cell amount to.
///
/// Latencies and speed are over `Ok` attempts only and are 0 when there is none; counts and cost are over all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CellTelemetry {
    /// [`Cell::id`](crate::Cell::id).
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub cell: Hash,
    /// Attempts.
    pub n: u32,
    /// Attempts that ended `Ok`.
    pub ok: u32,
    /// Attempts that ended `Timeout`.
    pub timeouts: u32,
    /// Attempts whose schema check was made and passed.
    pub schema_valid: u32,
    /// Attempts whose schema check was made.
    pub schema_checked: u32,
    /// Attempts whose answer was checked and right.
    pub answers_right: u32,
    /// Attempts whose answer was checked.
    pub answers_checked: u32,
    /// Median time to first token, nearest rank, milliseconds.
    pub p50_ttft_ms: u32,
    /// 95th percentile of time to first token, nearest rank, milliseconds.
    pub p95_ttft_ms: u32,
    /// Median total time, nearest rank, milliseconds.
    pub p50_total_ms: u32,
    /// 95th percentile of total time, nearest rank, milliseconds.
    pub p95_total_ms: u32,
    /// Output tokens per 1,000 seconds of total time, rounded down.
    pub tokens_per_second_milli: u64,
    /// Cost of 1,000 input and output tokens in 10⁻⁹ dollars, rounded down; 0 without tokens.
    pub cost_per_1k_tokens_nano_usd: u64,
}

/// The nearest-rank percentile of `values`: the `⌈percent·n/100⌉`-th smallest; 0 of nothing. Reorders `values`. O(n).
#[must_use]
pub fn nearest_rank(values: &mut [u32], percent: u32) -> u32 {
    let rank = values.len().saturating_mul(usize::try_from(percent).unwrap_or(usize::MAX)).div_ceil(100);
    let index = rank.saturating_sub(1);
    if index >= values.len() {
        return values.iter().copied().max().unwrap_or(0);
    }
    let (_, value, _) = values.select_nth_unstable(index);
    *value
}

/// Sums of one cell while the attempts pass.
#[derive(Default)]
struct Sums {
    telemetry: CellTelemetry,
    ttft_ms: Vec<u32>,
    total_ms: Vec<u32>,
    ok_output_tokens: u64,
    ok_total_ms: u64,
    tokens: u128,
    cost_micro_usd: u128,
}

impl Sums {
    fn add(&mut self, attempt: &Attempt) {
        let t = &mut self.telemetry;
        bump(&mut t.n, true);
        bump(&mut t.timeouts, attempt.status == AttemptStatus::Timeout);
        bump(&mut t.schema_checked, attempt.schema != SchemaVerdict::NotChecked);
        bump(&mut t.schema_valid, attempt.schema == SchemaVerdict::Valid);
        bump(&mut t.answers_checked, attempt.answer != AnswerVerdict::NotChecked);
        bump(&mut t.answers_right, attempt.answer == AnswerVerdict::Right);
        let tokens = u128::from(attempt.input_tokens).saturating_add(u128::from(attempt.output_tokens));
        self.tokens = self.tokens.saturating_add(tokens);
        self.cost_micro_usd = self.cost_micro_usd.saturating_add(u128::from(attempt.cost.get()));
        if attempt.status == AttemptStatus::Ok {
            bump(&mut t.ok, true);
            self.ttft_ms.push(attempt.ttft_ms);
            self.total_ms.push(attempt.total_ms);
            self.ok_output_tokens = self.ok_output_tokens.saturating_add(u64::from(attempt.output_tokens));
            self.ok_total_ms = self.ok_total_ms.saturating_add(u64::from(attempt.total_ms));
        }
    }

    fn finish(mut self, cell: Hash) -> CellTelemetry {
        let speed =
            u128::from(self.ok_output_tokens).saturating_mul(1_000_000).checked_div(u128::from(self.ok_total_ms));
        let cost = self.cost_micro_usd.saturating_mul(1_000_000).checked_div(self.tokens);
        CellTelemetry {
            cell,
            p50_ttft_ms: nearest_rank(&mut self.ttft_ms, 50),
            p95_ttft_ms: nearest_rank(&mut self.ttft_ms, 95),
            p50_total_ms: nearest_rank(&mut self.total_ms, 50),
            p95_total_ms: nearest_rank(&mut self.total_ms, 95),
            tokens_per_second_milli: saturated(speed.unwrap_or(0)),
            cost_per_1k_tokens_nano_usd: saturated(cost.unwrap_or(0)),
            ..self.telemetry
        }
    }
}

fn bump(counter: &mut u32, condition: bool) {
    *counter = counter.saturating_add(u32::from(condition));
}

fn saturated(value: u128) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

/// Telemetry of every cell that occurs in `attempts`, ordered by cell id. One pass, O(n log cells).
#[must_use]
pub fn summarise(attempts: &[Attempt]) -> Vec<CellTelemetry> {
    let mut cells: BTreeMap<&Hash, Sums> = BTreeMap::new();
    for attempt in attempts {
        cells.entry(&attempt.cell).or_default().add(attempt);
    }
    cells.into_iter().map(|(cell, sums)| sums.finish(*cell)).collect()
}

#[cfg(test)]
mod tests;
