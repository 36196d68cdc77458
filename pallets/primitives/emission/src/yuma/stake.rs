// SPDX-License-Identifier: Apache-2.0
//! Who counts: stake, activity and permits.

use alloc::{vec, vec::Vec};
use clawrank_units::mul_div_floor;

use super::{
    YumaInput,
    fixed::{Q32, normalise},
};

/// Stake shares, activity and permits of an epoch, by uid.
pub(super) struct Stakes {
    /// Stake after the threshold, as parts of its sum.
    pub(super) stake: Vec<Q32>,
    /// The same of active uids with a permit only, as parts of their sum.
    pub(super) active_stake: Vec<Q32>,
    /// Whether the uid updated within the cutoff.
    pub(super) active: Vec<bool>,
    /// Permits that the epoch runs with; the owner has one.
    pub(super) permits: Vec<bool>,
    /// Permits from now on.
    pub(super) new_permits: Vec<bool>,
}

impl Stakes {
    pub(super) fn new(input: &YumaInput) -> Self {
        let params = &input.params;
        let is_owner = |uid: usize| input.owner.is_some_and(|owner| usize::from(owner) == uid);
        let neurons = || input.neurons.iter().enumerate();
        let active: Vec<bool> = neurons()
            .map(|(_, neuron)| neuron.last_update.saturating_add(params.activity_cutoff) >= input.block)
            .collect();
        let permits: Vec<bool> = neurons().map(|(uid, neuron)| neuron.permit || is_owner(uid)).collect();
        let counted: Vec<u64> = neurons()
            .map(|(uid, neuron)| if neuron.stake < params.stake_threshold && !is_owner(uid) { 0 } else { neuron.stake })
            .collect();
        let stake = shares(&counted);
        let mut active_stake: Vec<Q32> = stake
            .iter()
            .zip(active.iter().zip(&permits))
            .map(|(&stake, (&active, &permit))| if active && permit { stake } else { Q32::ZERO })
            .collect();
        normalise(&mut active_stake);
        let mut new_permits = largest_nonzero(&stake, params.max_allowed_validators.into());
        if let Some(permit) = input.owner.and_then(|owner| new_permits.get_mut(usize::from(owner))) {
            *permit = true;
        }
        Self { stake, active_stake, active, permits, new_permits }
    }
}

/// Each amount as a part of the sum, rounded down.
fn shares(amounts: &[u64]) -> Vec<Q32> {
    let total = amounts.iter().fold(0_u128, |sum, &amount| sum.saturating_add(amount.into()));
    amounts
        .iter()
        .map(|&amount| {
            let bits = mul_div_floor(amount.into(), Q32::ONE.bits().into(), total).unwrap_or(0);
            Q32::from_bits(bits as u64)
        })
        .collect()
}

/// Marks the `count` largest values that are not zero; of equal ones, the higher uid comes first.
fn largest_nonzero(values: &[Q32], count: usize) -> Vec<bool> {
    let mut order: Vec<(Q32, usize)> =
        values.iter().enumerate().filter(|(_, value)| !value.is_zero()).map(|(uid, &value)| (value, uid)).collect();
    order.sort_unstable_by(|a, b| b.cmp(a));
    let mut marks = vec![false; values.len()];
    for (_, uid) in order.into_iter().take(count) {
        if let Some(mark) = marks.get_mut(uid) {
            *mark = true;
        }
    }
    marks
}
