// SPDX-License-Identifier: Apache-2.0
//! A miner's report in words.

use clawrank_primitives::units::Ppb;

use crate::report::{Earned, GateState, IntelReport, MinerReport, ServingReport};

fn percent(parts: u32) -> String {
    // Hundredths of a percent are enough for a sentence.
    Ppb::from_ppb_clamped(u128::from(parts / 100_000) * 100_000).to_string()
}

fn serving(report: &ServingReport) -> String {
    if report.probes == 0 && report.tokens == 0 {
        return "not seen serving".to_owned();
    }
    let probe = match report.last_probe_ms {
        Some(ms) => format!(
            "answered the last probe in {ms} ms ({} of {}), model {} {} the whitelist, base {}",
            report.answered,
            report.probes,
            report.model,
            if report.whitelisted { "is on" } else { "is not on" },
            percent(report.base_ppb),
        ),
        None if report.probes == 0 => "never probed, so no share".to_owned(),
        None => format!("ghost: the last probe failed ({}), so no share until it answers one", report.last_failure),
    };
    let traffic = match (report.tokens, report.eligible_tokens) {
        (0, _) => "no traffic in the window".to_owned(),
        (tokens, 0) => format!("none of {tokens} tokens from {} payers counts: too few payers or fees", report.payers),
        (tokens, eligible) => format!("{eligible} of {tokens} tokens from {} payers count", report.payers),
    };
    format!("{probe}; {traffic}")
}

fn intel(report: &IntelReport) -> String {
    match report.gate {
        GateState::NoBundle => "no checked bundle".to_owned(),
        GateState::Tripped => format!("gate 0 by {}", report.evidence),
        GateState::Open if report.cells_verified == 0 => {
            format!("gate open, none of {} cells had enough attempts and replays to be verified", report.cells_covered)
        }
        GateState::Open => {
            let count = report.cells.len().max(1) as u64;
            let mean = |of: &dyn Fn(&crate::report::CellScore) -> u32| {
                let sum: u64 = report.cells.iter().map(|cell| u64::from(of(cell))).sum();
                percent(u32::try_from(sum / count).unwrap_or(u32::MAX))
            };
            format!(
                "gate open, {} of {} cells verified, on average accuracy {}, usefulness {}, freshness {}; coverage {}",
                report.cells_verified,
                report.cells_covered,
                mean(&|cell| cell.accuracy_ppb),
                mean(&|cell| cell.usefulness_ppb),
                mean(&|cell| cell.freshness_ppb),
                percent(report.coverage_ppb),
            )
        }
    }
}

/// Why the miner has the shares it has.
pub(super) fn sentence(miner: &MinerReport) -> String {
    let earns = |earned: Earned| format!("share {}", percent(earned.share_ppb));
    let (serving, intel) = (serving(&miner.serving), intel(&miner.intel));
    match miner.blended {
        Some(earned) => format!("Serving: {serving}. Intel: {intel}. Together: {}.", earns(earned)),
        None => format!(
            "Serving: {serving}; {}. Intel: {intel}; {}.",
            earns(miner.serving.earned),
            earns(miner.intel.earned)
        ),
    }
}
