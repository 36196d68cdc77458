// SPDX-License-Identifier: Apache-2.0

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use clawrank_proof::{AnswerVerdict, AttemptStatus, CellTelemetry, Hash, SchemaVerdict};
use clawrank_units::Ppb;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{
    CellReport, CellStatus, Evidence, GateParams, Metric, Side, StatisticEvidence, Trip,
    tail::{
        MAX_TRIALS, Tail, binomial_tail_at_least, binomial_tail_at_most, hypergeometric_tail_at_least,
        sign_tail_at_least,
    },
};

const BILLION: u64 = 1_000_000_000;

/// One call that a validator made itself, under the pinned parameters of the task.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Replay {
    /// Cell.
    #[cfg_attr(feature = "serde", serde(with = "clawrank_proof::serde_hex"))]
    pub cell: Hash,
    /// Task; a task counts once per cell.
    #[cfg_attr(feature = "serde", serde(with = "clawrank_proof::serde_hex"))]
    pub task_id: Hash,
    /// How the call ended.
    pub status: AttemptStatus,
    /// Time to first token, milliseconds.
    pub ttft_ms: u32,
    /// Total time, milliseconds.
    pub total_ms: u32,
    /// Verdict of the schema check.
    pub schema: SchemaVerdict,
    /// Verdict of the check against the known answer.
    pub answer: AnswerVerdict,
}

/// The replays of one cell.
#[derive(Default)]
struct Sample<'a> {
    tasks: BTreeSet<&'a Hash>,
    k: u32,
    ok: u32,
    answers_checked: u32,
    answers_right: u32,
    ttft_ms: Vec<u32>,
    total_ms: Vec<u32>,
}

impl<'a> Sample<'a> {
    fn add(&mut self, replay: &'a Replay) {
        if self.k == MAX_TRIALS || !self.tasks.insert(&replay.task_id) {
            return;
        }
        bump(&mut self.k, true);
        bump(&mut self.answers_checked, replay.answer != AnswerVerdict::NotChecked);
        bump(&mut self.answers_right, replay.answer == AnswerVerdict::Right);
        if replay.status == AttemptStatus::Ok {
            bump(&mut self.ok, true);
            self.ttft_ms.push(replay.ttft_ms);
            self.total_ms.push(replay.total_ms);
        }
    }
}

/// One test: what was claimed, what was seen, and how to weigh it.
struct Test {
    cell: Hash,
    metric: Metric,
    side: Side,
    claimed: u64,
    bound: u64,
    n: u32,
    /// `Ok` or right attempts of a rate's claim; 0 for a latency.
    hits: u32,
    k: u32,
    observed: u32,
}

impl Test {
    fn is_latency(&self) -> bool {
        matches!(self.metric, Metric::Ttft | Metric::Total)
    }

    /// Whether the replays lie on the claim's own side of the bound, where every tail is 1/2 or more.
    ///
    /// The median of a binomial is within one of `k·p`, between its floor and its ceiling.
    fn is_unremarkable(&self) -> bool {
        let (observed, k) = (u64::from(self.observed), u64::from(self.k));
        let expected = k.saturating_mul(if self.is_latency() { BILLION / 2 } else { self.bound });
        match (self.is_latency(), self.side) {
            (true, _) | (false, Side::Better) => observed <= expected / BILLION,
            (false, Side::Worse) => observed >= expected.div_ceil(BILLION),
        }
    }

    /// Probability of what was seen, or more of it, if the truth were the claim moved by the tolerance.
    fn tail(&self) -> Option<Tail> {
        let rate = Ppb::from_ppb_clamped(u128::from(self.bound));
        match (self.is_latency(), self.side) {
            (true, _) => sign_tail_at_least(self.observed, self.k),
            (false, Side::Worse) => binomial_tail_at_most(self.observed, self.k, rate),
            (false, Side::Better) => binomial_tail_at_least(self.observed, self.k, rate),
        }
    }

    /// Probability of what was seen, or more of it, if attempts and replays were drawn alike: the claim is a sample too.
    fn noise(&self) -> Option<Tail> {
        let n = self.n.min(MAX_TRIALS);
        let total = n.checked_add(self.k)?;
        if self.is_latency() {
            // The claim is the j-th smallest of n. At least x replays above it: at least j attempts among the first
            // k − x + j of all. At least x below it: at least x replays among the first x + j − 1.
            let j = n.div_ceil(2);
            return match self.side {
                Side::Worse => {
                    let draws = self.k.checked_sub(self.observed)?.checked_add(j)?;
                    hypergeometric_tail_at_least(j, draws, n, total)
                }
                Side::Better => {
                    let draws = self.observed.checked_add(j)?.checked_sub(1)?;
                    hypergeometric_tail_at_least(self.observed, draws, self.k, total)
                }
            };
        }
        // Scaled down to n with the rounding that brings the claim nearer to the replays.
        let scaled = u64::from(self.hits).checked_mul(u64::from(n))?;
        let hits = match self.side {
            Side::Worse => scaled.checked_div(u64::from(self.n))?,
            Side::Better => scaled.div_ceil(u64::from(self.n).max(1)),
        };
        let hits = u32::try_from(hits).ok()?;
        let seen = hits.checked_add(self.observed)?;
        match self.side {
            // Few hits among the replays are many misses.
            Side::Worse => hypergeometric_tail_at_least(
                self.k.checked_sub(self.observed)?,
                self.k,
                total.checked_sub(seen)?,
                total,
            ),
            Side::Better => hypergeometric_tail_at_least(self.observed, self.k, seen, total),
        }
    }

    fn run(&self, tests: u32, params: &GateParams) -> Option<Trip> {
        if self.is_unremarkable() {
            return None;
        }
        let tail = self.tail()?;
        let (noise, of) = if self.is_latency() { (params.noise, 1) } else { (params.alpha, tests) };
        if !tail.is_below(params.alpha, tests) || !self.noise()?.is_below(noise, of) {
            return None;
        }
        let Self { cell, metric, side, claimed, bound, n, k, observed, .. } = *self;
        let tail = tail.to_ppb_ceil();
        let evidence = StatisticEvidence { cell, metric, side, claimed, bound, n, k, observed, tail, tests };
        Some(Trip { reason: metric.reason(), evidence: Evidence::Statistic(evidence) })
    }
}

/// Holds the telemetry of every cell against its replays (rules §3).
///
/// Per cell with at least `n_min` `Ok` attempts and `k_min` `Ok` replays (at most 256 count, a task once): both medians
/// on both sides by the sign test, success and answers by the binomial test at the claimed rate moved by `tol`. A side
/// on which no outcome could contradict the claim is no test. The level is `alpha` over all tests of the submission.
///
/// A claim is a sample as well: the median of thirty is off by a tenth, a rate of thirty by more. So a test trips only
/// when, in addition, the exact two-sample probability of the same outcome (attempts and replays drawn alike) is too
/// small: for a rate below the same level, for a median, where the tolerance leaves more room, below `noise`.
///
/// Returns the cells in the order of the telemetry, the number of tests, and the first trip. Replays of a cell that the
/// telemetry does not list are ignored.
#[must_use]
pub fn check_statistics(
    telemetry: &[CellTelemetry],
    replays: &[Replay],
    params: &GateParams,
) -> (Vec<CellReport>, u32, Option<Trip>) {
    let mut samples: BTreeMap<&Hash, Sample<'_>> = BTreeMap::new();
    for replay in replays {
        samples.entry(&replay.cell).or_default().add(replay);
    }
    let (mut reports, mut tests) = (Vec::with_capacity(telemetry.len()), Vec::new());
    for claim in telemetry {
        let sample = samples.remove(&claim.cell).unwrap_or_default();
        let status = plan(claim, &sample, params, &mut tests);
        reports.push(CellReport { cell: claim.cell, replays: sample.k, status });
    }
    let count = u32::try_from(tests.len()).unwrap_or(u32::MAX);
    let trip = tests.iter().find_map(|test| test.run(count, params));
    (reports, count, trip)
}

/// Adds the tests that can be made on a cell; verified when both medians and the success rate are among them.
fn plan(claim: &CellTelemetry, sample: &Sample<'_>, params: &GateParams, tests: &mut Vec<Test>) -> CellStatus {
    let enough = |n: u32, k: u32| n >= params.n_min.max(1) && k >= params.k_min.max(1);
    if enough(claim.n, sample.k) {
        let rate = Rate { hits: claim.ok, n: claim.n, k: sample.k, observed: sample.ok };
        rate.plan(claim.cell, Metric::Success, params, tests);
    }
    if enough(claim.answers_checked, sample.answers_checked) {
        let rate = Rate {
            hits: claim.answers_right,
            n: claim.answers_checked,
            k: sample.answers_checked,
            observed: sample.answers_right,
        };
        rate.plan(claim.cell, Metric::Answers, params, tests);
    }
    if !enough(claim.ok, sample.ok) {
        return CellStatus::Unverified;
    }
    plan_median(claim, Metric::Ttft, claim.p50_ttft_ms, &sample.ttft_ms, params, tests);
    plan_median(claim, Metric::Total, claim.p50_total_ms, &sample.total_ms, params, tests);
    CellStatus::Verified
}

/// A claimed rate and the replays of it.
struct Rate {
    hits: u32,
    n: u32,
    k: u32,
    observed: u32,
}

impl Rate {
    fn plan(self, cell: Hash, metric: Metric, params: &GateParams, tests: &mut Vec<Test>) {
        let Self { hits, n, k, observed } = self;
        let scaled = |factor: u64| u64::from(hits).saturating_mul(factor);
        let tol = u64::from(params.tol.parts());
        let claimed = scaled(BILLION).checked_div(u64::from(n)).unwrap_or(0);
        // Both bounds are rounded away from the claim.
        let low = scaled(BILLION.saturating_sub(tol)).checked_div(u64::from(n)).unwrap_or(0);
        let high = scaled(BILLION.saturating_add(tol)).div_ceil(u64::from(n).max(1));
        let test = |side, bound| Test { cell, metric, side, claimed, bound, n, hits, k, observed };
        if low > 0 {
            tests.push(test(Side::Worse, low));
        }
        if high < BILLION {
            tests.push(test(Side::Better, high));
        }
    }
}

fn plan_median(
    claim: &CellTelemetry,
    metric: Metric,
    claimed_ms: u32,
    replays_ms: &[u32],
    params: &GateParams,
    tests: &mut Vec<Test>,
) {
    let (claimed, tol) = (u64::from(claimed_ms), u64::from(params.tol.parts()));
    let slack = u64::from(params.latency_slack_ms);
    let k = u32::try_from(replays_ms.len()).unwrap_or(u32::MAX);
    let count = |beyond: &dyn Fn(u64) -> bool| {
        u32::try_from(replays_ms.iter().filter(|ms| beyond(u64::from(**ms))).count()).unwrap_or(u32::MAX)
    };
    let test = |side, bound, observed| Test {
        cell: claim.cell,
        metric,
        side,
        claimed,
        bound,
        n: claim.ok,
        hits: 0,
        k,
        observed,
    };
    // Whole milliseconds beyond the exact bounds are those beyond the bounds rounded towards the replays.
    let slow = (claimed.saturating_mul(BILLION.saturating_add(tol)) / BILLION).saturating_add(slack);
    tests.push(test(Side::Worse, slow, count(&|ms| ms > slow)));
    let fast = claimed.saturating_mul(BILLION.saturating_sub(tol)).div_ceil(BILLION).saturating_sub(slack);
    if fast > 0 {
        tests.push(test(Side::Better, fast, count(&|ms| ms < fast)));
    }
}

fn bump(counter: &mut u32, condition: bool) {
    *counter = counter.saturating_add(u32::from(condition));
}

#[cfg(test)]
mod tests;
