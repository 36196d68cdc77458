// SPDX-License-Identifier: Apache-2.0
//! Evidence in words, for reports and logs.

use clawrank_primitives::{
    gate::{DuplicateKind, Evidence, Metric, Side, StatisticEvidence, Trip},
    units::Ppb,
};

/// Evidence of a bundle whose body no gateway has.
pub(crate) const BODY_MISSING: &str =
    "Unauthentic: a root is on chain and no gateway has the bundle behind it; upload it right after committing";

/// A tripped gate in one sentence: the reason, then what shows it.
pub(crate) fn trip(trip: &Trip) -> String {
    format!("{}: {}", trip.reason, evidence(&trip.evidence))
}

fn evidence(evidence: &Evidence) -> String {
    match evidence {
        Evidence::Proof(error) => error.to_string(),
        Evidence::NotCommitted => "no root was on chain by the deadline".to_owned(),
        Evidence::Late { block, deadline } => format!("committed in block {block}, the deadline was {deadline}"),
        Evidence::OtherCommitment => "epoch, count or root of the bundle is not the committed one".to_owned(),
        Evidence::OtherSubject => "the bundle is of another chain, subnet, mechanism, epoch or hotkey".to_owned(),
        Evidence::Telemetry { cell, field, claimed, recomputed } => {
            format!("{field:?} of cell {} is claimed as {claimed}, its attempts give {recomputed}", short(cell))
        }
        Evidence::Window { index, start_ms, total_ms } => {
            format!("attempt {index}, started at {start_ms} ms and lasting {total_ms} ms, has impossible times")
        }
        Evidence::Task { index } => {
            format!("the task of attempt {index} is none of this epoch's for this miner and cell, or was there before")
        }
        Evidence::NotOpened { index } => format!("leaf {index} was asked for and not opened in time"),
        Evidence::Opening { index, error } => format!("leaf {index} failed: {error}"),
        Evidence::Schema { index, claimed, found } => {
            format!("the schema check of leaf {index} gives {found:?}, claimed was {claimed:?}")
        }
        Evidence::Duplicate { kind, uid, block, attempts } => {
            let what = match kind {
                DuplicateKind::Root => "the root",
                DuplicateKind::ResponseHash => "salted response hashes",
                DuplicateKind::Attempts => "cell, task, times and tokens",
            };
            format!("{attempts} attempts were committed by uid {uid} in block {block} before; equal are {what}")
        }
        Evidence::Statistic(evidence) => statistic(evidence),
    }
}

fn statistic(evidence: &StatisticEvidence) -> String {
    let StatisticEvidence { cell, metric, side, claimed, bound, n, k, observed, tail, tests } = evidence;
    let rate = |parts: u64| Ppb::from_ppb_clamped(u128::from(parts)).to_string();
    let cell = short(cell);
    match metric {
        Metric::Ttft | Metric::Total => {
            let what = if *metric == Metric::Ttft { "time to first token" } else { "total time" };
            let beyond = if *side == Side::Worse { "slower than" } else { "faster than" };
            format!(
                "cell {cell}: median {what} is claimed as {claimed} ms over {n} attempts; {observed} of {k} replays \
                 were {beyond} {bound} ms, which has probability {tail} ({tests} tests)"
            )
        }
        Metric::Success | Metric::Answers => {
            let what = if *metric == Metric::Success { "successes" } else { "right answers" };
            format!(
                "cell {cell}: {} {what} are claimed over {n} attempts; {observed} of {k} replays, against {} after \
                 tolerance, have probability {tail} ({tests} tests)",
                rate(*claimed),
                rate(*bound),
            )
        }
    }
}

fn short(hash: &[u8; 32]) -> String {
    hex::encode(hash).chars().take(12).collect()
}
