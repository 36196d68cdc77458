// SPDX-License-Identifier: Apache-2.0
//! Consensus by weighted median, clipping, trust, ranks and incentive.

use alloc::{vec, vec::Vec};

use super::{
    fixed::{Q32, normalise, sum},
    rows::Rows,
};

#[cfg(test)]
mod tests;

/// Columns that are gathered together, so that each row's cache lines are read once.
const BLOCK: usize = 8;

/// What the validators together say.
pub(super) struct Verdict {
    /// Largest weight that a kappa majority of active stake supports, per column.
    pub(super) consensus: Vec<Q32>,
    /// Share of stake-weighted clipped weights, per column.
    pub(super) incentive: Vec<Q32>,
    /// Sum of the clipped weights, per uid.
    pub(super) trust: Vec<Q32>,
}

/// Computes consensus, then clips every weight to it and sums up rows (trust) and columns (ranks, by stake).
pub(super) fn judge(rows: &Rows, active_stake: &[Q32], kappa: u16) -> Verdict {
    let consensus = consensus(rows, active_stake, kappa);
    let mut trust = vec![Q32::ZERO; active_stake.len()];
    let mut ranks = vec![Q32::ZERO; rows.targets.len()];
    let stakes = rows.of_rows(active_stake);
    for ((&uid, stake), weights) in rows.uids.iter().zip(stakes).zip(rows.split(&rows.weights)) {
        let mut kept = Q32::ZERO;
        for ((&weight, &limit), rank) in weights.iter().zip(&consensus).zip(&mut ranks) {
            let clipped = weight.min(limit);
            kept = kept.plus(clipped);
            *rank = rank.plus(clipped.times(stake));
        }
        if let Some(slot) = trust.get_mut(uid) {
            *slot = kept;
        }
    }
    normalise(&mut ranks);
    Verdict { consensus, incentive: ranks, trust }
}

/// The weighted median of every column over the rows with active stake.
fn consensus(rows: &Rows, active_stake: &[Q32], kappa: u16) -> Vec<Q32> {
    let mut stakes: Vec<Q32> = rows.of_rows(active_stake).filter(|stake| !stake.is_zero()).collect();
    normalise(&mut stakes);
    let voters: Vec<&[Q32]> = rows
        .of_rows(active_stake)
        .zip(rows.split(&rows.weights))
        .filter(|(stake, _)| !stake.is_zero())
        .map(|(_, weights)| weights)
        .collect();
    let total = sum(&stakes);
    // Negative when kappa is more than all active stake: then the smallest weight is the median.
    let minority = (total.bits() as i64).saturating_sub(Q32::from_u16(kappa).bits() as i64);
    let mut consensus = vec![Q32::ZERO; rows.targets.len()];
    let mut block: [Vec<Vote>; BLOCK] = Default::default();
    for (number, medians) in consensus.chunks_mut(BLOCK).enumerate() {
        let start = number.saturating_mul(BLOCK);
        block.iter_mut().for_each(Vec::clear);
        for (voter, weights) in voters.iter().enumerate() {
            let weights = weights.get(start..).unwrap_or_default();
            for (votes, &weight) in block.iter_mut().zip(weights) {
                if !weight.is_zero() {
                    votes.push(Vote::new(weight, voter));
                }
            }
        }
        for (slot, votes) in medians.iter_mut().zip(&mut block) {
            let silent = (total.bits() as i64).wrapping_sub(stake_of(votes, &stakes));
            let zero_is_enough = votes.len() < stakes.len() && silent > minority;
            if !zero_is_enough {
                *slot = median(votes, &stakes, silent, minority);
            }
        }
    }
    consensus
}

/// A weight and who gave it as one integer that orders by weight: a weight is at most one, so 33 bits, and a voter is a
/// uid's row, so 16 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Vote(u64);

impl Vote {
    const fn new(weight: Q32, voter: usize) -> Self {
        Self((weight.bits() << 16) | (voter as u64 & 0xFFFF))
    }

    const fn weight(self) -> Q32 {
        Q32::from_bits(self.0 >> 16)
    }

    fn stake(self, stakes: &[Q32]) -> i64 {
        stakes.get((self.0 & 0xFFFF) as usize).map_or(0, |stake| stake.bits() as i64)
    }
}

/// The stake behind votes; all stake together is at most one, so nothing wraps.
fn stake_of(votes: &[Vote], stakes: &[Q32]) -> i64 {
    votes.iter().fold(0, |sum: i64, vote| sum.wrapping_add(vote.stake(stakes)))
}

/// The smallest weight at which `below` and the stake up to it are more than `minority`; the largest if none is.
///
/// By repeated halving, so expected O(n).
fn median(votes: &mut [Vote], stakes: &[Q32], below: i64, minority: i64) -> Q32 {
    let mut votes = votes;
    let mut below = below;
    let mut found = Q32::ZERO;
    while !votes.is_empty() {
        let middle = votes.len() >> 1;
        let (lower, pivot, upper) = votes.select_nth_unstable(middle);
        let up_to = below.wrapping_add(stake_of(lower, stakes)).wrapping_add(pivot.stake(stakes));
        if up_to > minority {
            // The pivot is enough; perhaps less is.
            found = pivot.weight();
            votes = lower;
        } else {
            if upper.is_empty() {
                // Without a better one, the largest weight stands.
                found = found.max(pivot.weight());
            }
            below = up_to;
            votes = upper;
        }
    }
    found
}
