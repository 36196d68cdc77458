// SPDX-License-Identifier: Apache-2.0
//! Bonds and dividends, Yuma 3 and classic.

use alloc::{vec, vec::Vec};

use super::{
    ConsensusMode, YumaInput,
    consensus::Verdict,
    fixed::{PartOf, Q32, normalise, parts_of},
    liquid::Speed,
    rows::Rows,
    stake::Stakes,
};

/// Bonds to store and what they pay.
pub(super) struct Settled {
    /// Bonds in the stored scale, a matrix of the shape of [`Rows`].
    pub(super) bonds: Vec<Q32>,
    /// Share of dividends by uid.
    pub(super) dividends: Vec<Q32>,
}

/// Moves the bonds toward the weights and pays dividends by them.
pub(super) fn settle(input: &YumaInput, rows: &Rows, stakes: &Stakes, verdict: &Verdict) -> Settled {
    let target = Target::new(input.params.bonds_penalty);
    if input.params.yuma3 {
        settle_yuma3(input, rows, stakes, verdict, target)
    } else {
        settle_classic(input, rows, stakes, verdict, target)
    }
}

/// Where bonds move to: weights, drawn toward the clipped weights by the penalty.
#[derive(Clone, Copy)]
enum Target {
    /// No penalty: the weight.
    Weight,
    /// Full penalty: the clipped weight.
    Clipped,
    /// In between.
    Between(Q32),
}

impl Target {
    const fn new(penalty: u16) -> Self {
        match penalty {
            0 => Self::Weight,
            u16::MAX => Self::Clipped,
            _ => Self::Between(Q32::from_u16(penalty)),
        }
    }

    /// `W + penalty · (min(W, C) - W)`; the penalty's product is rounded up, so the target down.
    #[inline]
    fn of(self, weight: Q32, limit: Q32) -> Q32 {
        match self {
            Self::Weight => weight,
            Self::Clipped => weight.min(limit),
            Self::Between(penalty) => weight.minus(weight.minus(limit).times_ceil(penalty)),
        }
    }

    /// Whether a weight that is present still gives a target; without one, liquid alpha drops the bond. A weight that
    /// was set to zero stays a target until a penalty moves it.
    #[inline]
    fn remains(self, weight: Q32, limit: Q32) -> bool {
        match self {
            Self::Weight => true,
            Self::Clipped => weight.is_zero() || !limit.is_zero(),
            Self::Between(_) => !self.of(weight, limit).is_zero(),
        }
    }
}

/// Stored bonds as a matrix of the shape of `rows`, without those to uids taken since the last epoch.
fn stored(input: &YumaInput, rows: &Rows, scale: impl Fn(u16) -> Q32) -> Vec<Q32> {
    let since = match input.last_step_block {
        0 => input.block.saturating_sub(input.params.tempo),
        block => block.saturating_add(1),
    };
    let is_kept = |&uid: &usize| input.neurons.get(uid).is_some_and(|neuron| since > neuron.registered_at);
    let kept: Vec<bool> = rows.targets.iter().map(is_kept).collect();
    let mut bonds = vec![Q32::ZERO; rows.weights.len()];
    for (&uid, line) in rows.uids.iter().zip(bonds.chunks_exact_mut(rows.width())) {
        for &(target, bond) in input.bonds.get(uid).into_iter().flatten() {
            let Some(column) = rows.column(target) else { continue };
            if let (Some(true), Some(slot)) = (kept.get(column), line.get_mut(column)) {
                *slot = scale(bond);
            }
        }
    }
    bonds
}

/// Speed of every bond without liquid alpha: `1 - moving_average / 10^6`.
fn common_speed(moving_average: u64) -> Q32 {
    let million = Q32::from_bits(1_000_000);
    Q32::ONE.minus(PartOf::new(million).of(Q32::from_bits(moving_average.min(1_000_000))))
}

/// Bonds as fixed proportions: `B' = (1 - α) B + α W_b`; dividends by column shares of them, incentive and stake.
fn settle_yuma3(input: &YumaInput, rows: &Rows, stakes: &Stakes, verdict: &Verdict, target: Target) -> Settled {
    let mut bonds = stored(input, rows, Q32::from_u16);
    let width = rows.width();
    let mut totals = vec![Q32::ZERO; rows.targets.len()];
    let liquid = liquid(input, rows, verdict);
    let common = common_speed(input.params.bonds_moving_average);
    let lines = bonds.chunks_exact_mut(width).zip(rows.split(&rows.weights)).zip(rows.split(&rows.present));
    for ((line, weights), present) in lines {
        let edges = line.iter_mut().zip(weights).zip(&mut totals).zip(&verdict.consensus);
        match &liquid {
            Some((speed, consensus)) => {
                for (((((bond, &weight), total), &limit), &present), &reference) in edges.zip(present).zip(consensus) {
                    *bond = if present && target.remains(weight, limit) {
                        let goal = target.of(weight, limit);
                        moved(*bond, goal, speed.of(goal, *bond, reference)).min(Q32::ONE)
                    } else {
                        Q32::ZERO
                    };
                    *total = total.plus(*bond);
                }
            }
            None => {
                for (((bond, &weight), total), &limit) in edges {
                    *bond = moved(*bond, target.of(weight, limit), common);
                    *total = total.plus(*bond);
                }
            }
        }
    }
    let parts = parts_of(&totals);
    let mut dividends = vec![Q32::ZERO; stakes.stake.len()];
    for ((&uid, stake), line) in rows.uids.iter().zip(rows.of_rows(&stakes.active_stake)).zip(rows.split(&bonds)) {
        if stake.is_zero() {
            continue;
        }
        let earned = line
            .iter()
            .zip(&parts)
            .zip(&verdict.incentive)
            .fold(Q32::ZERO, |sum, ((&bond, part), &incentive)| sum.plus(part.of(bond).times(incentive)));
        if let Some(slot) = dividends.get_mut(uid) {
            *slot = earned.times(stake);
        }
    }
    normalise(&mut dividends);
    Settled { bonds, dividends }
}

/// `(1 - speed) · bond + speed · weight`.
#[inline]
fn moved(bond: Q32, weight: Q32, speed: Q32) -> Q32 {
    Q32::ONE.minus(speed).times(bond).plus(speed.times(weight))
}

/// Liquid alpha and the consensus it compares with, unless it is off or that consensus is all zeros.
fn liquid(input: &YumaInput, rows: &Rows, verdict: &Verdict) -> Option<(Speed, Vec<Q32>)> {
    let params = input.params.liquid_alpha.as_ref()?;
    let previous = match params.consensus {
        ConsensusMode::Current => false,
        ConsensusMode::Previous => true,
        ConsensusMode::Auto => input.params.bonds_penalty == u16::MAX,
    };
    if previous {
        // Any uid's consensus turns liquid alpha on, also one that nobody weighs any more.
        let earlier = |uid: usize| Q32::from_u16(input.previous_consensus.get(uid).copied().unwrap_or(0));
        let known = (0..input.neurons.len()).any(|uid| !earlier(uid).is_zero());
        known.then(|| (Speed::new(params), rows.targets.iter().map(|&uid| earlier(uid)).collect()))
    } else {
        let known = verdict.consensus.iter().any(|value| !value.is_zero());
        known.then(|| (Speed::new(params), verdict.consensus.clone()))
    }
}

/// Bonds as shares of a column: `B' = colnorm((1 - α) colnorm(B) + α colnorm(S ∘ W_b))`; dividends by incentive alone.
fn settle_classic(input: &YumaInput, rows: &Rows, stakes: &Stakes, verdict: &Verdict, target: Target) -> Settled {
    let mut bonds = stored(input, rows, |bond| Q32::from_bits(bond.into()));
    normalise_columns(rows, &mut bonds);
    let mut bought = rows.weights.clone();
    for (line, stake) in bought.chunks_exact_mut(rows.width()).zip(rows.of_rows(&stakes.active_stake)) {
        for (weight, &limit) in line.iter_mut().zip(&verdict.consensus) {
            *weight = target.of(*weight, limit).times(stake);
        }
    }
    normalise_columns(rows, &mut bought);
    let speed = common_speed(input.params.bonds_moving_average);
    for (bond, &bought) in bonds.iter_mut().zip(&bought) {
        *bond = moved(*bond, bought, speed);
    }
    normalise_columns(rows, &mut bonds);
    let mut dividends = vec![Q32::ZERO; stakes.stake.len()];
    for (&uid, line) in rows.uids.iter().zip(rows.split(&bonds)) {
        let edges = line.iter().zip(&verdict.incentive);
        let earned = edges.fold(Q32::ZERO, |sum, (&bond, &incentive)| sum.plus(bond.times(incentive)));
        if let Some(slot) = dividends.get_mut(uid) {
            *slot = earned;
        }
    }
    normalise(&mut dividends);
    // Stored so that the largest bond of a column is 65,535.
    let largest = fold_columns(rows, &bonds, Q32::max);
    divide_columns(rows, &mut bonds, &largest);
    Settled { bonds, dividends }
}

fn normalise_columns(rows: &Rows, matrix: &mut [Q32]) {
    let totals = fold_columns(rows, matrix, Q32::plus);
    divide_columns(rows, matrix, &totals);
}

/// One value per column, folded over the rows.
fn fold_columns(rows: &Rows, matrix: &[Q32], fold: impl Fn(Q32, Q32) -> Q32) -> Vec<Q32> {
    let mut totals = vec![Q32::ZERO; rows.targets.len()];
    for line in rows.split(matrix) {
        for (total, &value) in totals.iter_mut().zip(line) {
            *total = fold(*total, value);
        }
    }
    totals
}

/// Divides every column by its entry of `wholes`.
fn divide_columns(rows: &Rows, matrix: &mut [Q32], wholes: &[Q32]) {
    let parts = parts_of(wholes);
    for line in matrix.chunks_exact_mut(rows.width()) {
        for (value, part) in line.iter_mut().zip(&parts) {
            *value = part.of(*value);
        }
    }
}
