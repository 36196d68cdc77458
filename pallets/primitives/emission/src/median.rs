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

fn sum(stakes: impl Iterator<Item = u128>) -> Wide {
    stakes.fold(Wide::default(), |sum, stake| sum.wrapping_add(stake.into()))
}
