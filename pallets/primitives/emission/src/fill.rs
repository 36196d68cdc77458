// SPDX-License-Identifier: Apache-2.0
//! Capped proportional division into whole units: the one kernel behind shares, chain units and [`divide`](crate::divide).

use alloc::vec::Vec;
use core::cmp::Reverse;

use crate::{
    ratio::{Ratio, WideRatio},
    wide::Wide,
};

#[cfg(test)]
mod tests;

/// Scores with what every division of them needs: their sum, and the largest ones in order.
pub(crate) struct Field<'a> {
    scores: &'a [u128],
    positives: usize,
    sum: Wide,
    top: Vec<usize>,
}

/// Which scores are capped when `total` units are divided with at most `max` each.
pub(crate) struct Level {
    /// Number of capped scores: the first of [`Field::top`].
    pub(crate) capped: usize,
    /// Units left for the others.
    pub(crate) free: u128,
    /// Sum of the others' scores.
    pub(crate) rest: Wide,
    /// The last capped score and its index.
    last: Option<(u128, usize)>,
}

impl Level {
    /// Whether the score at `index` is among the capped ones.
    fn is_capped(&self, index: usize, score: u128) -> bool {
        self.last.is_some_and(|(least, at)| score > least || (score == least && index <= at))
    }
}

impl<'a> Field<'a> {
    /// Reads the scores and orders the `depth` largest, ties to the lower index. O(n + depth · log depth).
    pub(crate) fn new(scores: &'a [u128], depth: u128) -> Self {
        let mut sum = Wide::default();
        let mut top = Vec::with_capacity(scores.len());
        for (index, &score) in scores.iter().enumerate() {
            if score > 0 {
                sum = sum.wrapping_add(score.into());
                top.push((Reverse(score), index));
            }
        }
        let positives = top.len();
        let depth = usize::try_from(depth).unwrap_or(usize::MAX).min(positives);
        if depth > 0 && depth < positives {
            top.select_nth_unstable(depth);
            top.truncate(depth);
        }
        top.sort_unstable();
        let top = top.into_iter().map(|(_, index)| index).collect();
        Self { scores, positives, sum, top }
    }

    /// Number of scores above zero.
    pub(crate) const fn positives(&self) -> usize {
        self.positives
    }

    /// Number of scores.
    pub(crate) const fn len(&self) -> usize {
        self.scores.len()
    }

    /// The largest score.
    pub(crate) fn largest(&self) -> u128 {
        self.top.first().and_then(|&index| self.scores.get(index)).copied().unwrap_or(0)
    }

    /// The sum of the scores as `u64`, if it is one.
    pub(crate) fn narrow_sum(&self) -> Option<u64> {
        self.sum.as_u64()
    }

    /// The smallest number `k` of capped scores with `score_(k+1) · (total - k·max) <= max · Σ scores after k`.
    ///
    /// Needs `positives · max >= total` and the `total / max + 1` largest scores.
    pub(crate) fn level(&self, total: u128, max: u128) -> Level {
        let mut level = Level { capped: 0, free: total, rest: self.sum, last: None };
        for &index in &self.top {
            let score = self.scores.get(index).copied().unwrap_or(0);
            // A right side of 2^256 or more is above any left side.
            let fits = level.rest.checked_mul(max).is_none_or(|right| Wide::product(score, level.free) <= right);
            if fits {
                break;
            }
            level.capped = level.capped.saturating_add(1);
            level.free = level.free.saturating_sub(max);
            level.rest = level.rest.wrapping_sub(score.into());
            level.last = Some((score, index));
        }
        level
    }

    /// The scores above zero that are not capped, with their indices.
    pub(crate) fn uncapped<'b>(&'b self, level: &'b Level) -> impl Iterator<Item = (usize, u128)> + 'b {
        self.scores.iter().copied().enumerate().filter(|&(index, score)| score > 0 && !level.is_capped(index, score))
    }

    /// The indices of the capped scores, largest first.
    pub(crate) fn capped<'b>(&'b self, level: &Level) -> impl Iterator<Item = usize> + 'b {
        self.top.iter().copied().take(level.capped)
    }

    /// Divides `total` units among the scores in proportion, at most `max` each, and gives the parts to
    /// `add(index, units)`. Rounds down, then one unit each by largest remainder, ties to the lower index. O(n).
    ///
    /// Needs `positives · max >= total`. Returns the number of capped scores.
    pub(crate) fn fill(&self, total: u128, max: u128, mut add: impl FnMut(usize, u128)) -> usize {
        let level = self.level(total, max);
        self.capped(&level).for_each(|index| add(index, max));
        match (level.rest.as_u64(), u64::try_from(level.free)) {
            (Some(rest), Ok(free)) if free < (1 << 63) => self.fill_narrow(&level, free, rest, add),
            _ => self.fill_wide(&level, add),
        }
        level.capped
    }

    /// [`Self::fill`] of the uncapped scores when their sum and the units fit into 64 bits.
    fn fill_narrow(&self, level: &Level, free: u64, rest: u64, mut add: impl FnMut(usize, u128)) {
        let ratio = Ratio::new(free, rest);
        let mut left = free;
        let mut keys = Vec::with_capacity(self.positives);
        for (index, score) in self.uncapped(level) {
            let (units, remainder) = ratio.of(score as u64);
            add(index, units.into());
            left = left.saturating_sub(units);
            // One integer that orders by remainder, then by lower index.
            keys.push((u128::from(remainder) << 64) | u128::from(!(index as u64)));
        }
        for key in largest(&mut keys, left) {
            add(!(*key as u64) as usize, 1);
        }
    }

    /// [`Self::fill`] of the uncapped scores at full width.
    fn fill_wide(&self, level: &Level, mut add: impl FnMut(usize, u128)) {
        let mut left = level.free;
        let mut keys = Vec::with_capacity(self.positives);
        let few = u64::try_from(level.free).ok().filter(|&free| free <= 1 << 62);
        let ratio = few.map(|free| WideRatio::new(free, level.rest));
        for (index, score) in self.uncapped(level) {
            let (units, remainder) = match &ratio {
                Some(ratio) => {
                    let (units, remainder) = ratio.of(score);
                    (units.into(), remainder)
                }
                None => Wide::share(score, level.free, level.rest),
            };
            add(index, units);
            left = left.saturating_sub(units);
            keys.push((remainder, Reverse(index)));
        }
        for (_, Reverse(index)) in largest(&mut keys, u64::try_from(left).unwrap_or(u64::MAX)) {
            add(*index, 1);
        }
    }
}

/// The `count` largest keys, in no particular order.
fn largest<K: Ord>(keys: &mut [K], count: u64) -> &[K] {
    let count = usize::try_from(count).unwrap_or(usize::MAX).min(keys.len());
    if count > 0 && count < keys.len() {
        keys.select_nth_unstable_by(count, |a, b| b.cmp(a));
    }
    keys.get(..count).unwrap_or_default()
}
