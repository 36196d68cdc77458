// SPDX-License-Identifier: Apache-2.0
//! Many validators' reports to one value, weighted by stake.

use alloc::vec::Vec;

use crate::wide::Wide;

#[cfg(test)]
mod tests;

/// The lower weighted median of `(value, stake)` reports: the smallest reported value at which the stake behind it or
/// a smaller one is at least half of all reporting stake.
///
/// Validators with less than half of the stake cannot move it outside what the others reported. Reports without
/// stake are ignored; `None` when there is no stake at all. Exact for every `u128`. O(n log n). Rules §4.5.
#[must_use]
pub fn weighted_median(values: &[(u128, u128)]) -> Option<u128> {
    let mut reports: Vec<(u128, u128)> = values.iter().copied().filter(|&(_, stake)| stake > 0).collect();
    reports.sort_unstable();
    let total = sum(reports.iter().map(|&(_, stake)| stake));
    let mut below = Wide::default();
    reports.into_iter().find_map(|(value, stake)| {
        below = below.wrapping_add(stake.into());
        (below.wrapping_add(below) >= total).then_some(value)
    })
}

/// Whether `(tripped, stake)` reports trip a gate: strictly more than half of the reporting stake says so.
///
/// Half is not enough, and no report at all does not trip: the gate is innocent until a majority measured otherwise.
/// Rules §4.5.
#[must_use]
pub fn gate_majority(votes: &[(bool, u128)]) -> bool {
    let total = sum(votes.iter().map(|&(_, stake)| stake));
    let tripped = sum(votes.iter().filter(|&&(tripped, _)| tripped).map(|&(_, stake)| stake));
    tripped.wrapping_add(tripped) > total
}

/// What one validator found of one miner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether it tripped the miner's gate.
    pub tripped: bool,
    /// The miner's score, in any unit that all validators share.
    pub score: u128,
}

/// What all validators' `(finding, stake)` reports come to for one miner: whether its gate tripped, and its score.
///
/// The gate trips by [`gate_majority`], and the score is then 0. Otherwise it is the [`weighted_median`] of the scores, where
/// who found nothing of the miner, or tripped its gate, counts as a score of 0. Rules §4.5.
#[must_use]
pub fn judge(reports: &[(Option<Finding>, u128)]) -> Finding {
    let votes: Vec<(bool, u128)> =
        reports.iter().map(|(found, stake)| (found.is_some_and(|found| found.tripped), *stake)).collect();
    if gate_majority(&votes) {
        return Finding { tripped: true, score: 0 };
    }
    let scores: Vec<(u128, u128)> = reports
        .iter()
        .map(|(found, stake)| (found.filter(|found| !found.tripped).map_or(0, |found| found.score), *stake))
        .collect();
    Finding { tripped: false, score: weighted_median(&scores).unwrap_or_default() }
}

/// Whether an epoch may be paid: validators with strictly more than half of all validators' stake have reported.
///
/// Rules §4.5.
#[must_use]
pub const fn quorum(reporting: u64, total: u64) -> bool {
    // What is left is the smaller part; nothing is doubled, so nothing overflows.
    match total.checked_sub(reporting) {
        Some(silent) => reporting > silent,
        None => true,
    }
}

fn sum(stakes: impl Iterator<Item = u128>) -> Wide {
    stakes.fold(Wide::default(), |sum, stake| sum.wrapping_add(stake.into()))
}
