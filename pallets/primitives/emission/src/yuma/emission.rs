// SPDX-License-Identifier: Apache-2.0
//! Amounts: an epoch's emission by incentive and dividends, and a subnet's emission by role and mechanism.

use alloc::vec::Vec;
use clawrank_units::{Rao, mul_div_floor};

use super::{
    fixed::{PartOf, Q32, normalise, sum},
    stake::Stakes,
};

#[cfg(test)]
mod tests;

/// Amounts by uid.
pub(super) struct Pay {
    pub(super) server: Vec<Rao>,
    pub(super) validator: Vec<Rao>,
    pub(super) combined: Vec<Rao>,
}

impl Pay {
    /// Splits `emission` by `incentive` and `dividends`, which weigh the same. When nobody earned either, validators
    /// get it by active stake, or by stake when nobody is active.
    pub(super) fn new(incentive: &[Q32], dividends: &[Q32], stakes: &Stakes, emission: Rao) -> Self {
        let combined: Vec<Q32> = incentive.iter().zip(dividends).map(|(&a, &b)| a.plus(b)).collect();
        let total = sum(&combined);
        let amounts = |shares: &[Q32]| shares.iter().map(|&share| amount(share, emission)).collect::<Vec<_>>();
        if total.is_zero() {
            let fallback = if sum(&stakes.active_stake).is_zero() { &stakes.stake } else { &stakes.active_stake };
            let mut shares = fallback.clone();
            normalise(&mut shares);
            let validator = amounts(&shares);
            return Self { server: shares.iter().map(|_| Rao::ZERO).collect(), combined: validator.clone(), validator };
        }
        let part = PartOf::new(total);
        let shares = |values: &[Q32]| values.iter().map(|&value| part.of(value)).collect::<Vec<_>>();
        Self {
            server: amounts(&shares(incentive)),
            validator: amounts(&shares(dividends)),
            combined: amounts(&shares(&combined)),
        }
    }
}

/// `share · emission`, rounded down; a share is at most one.
fn amount(share: Q32, emission: Rao) -> Rao {
    let product = u128::from(share.bits()).saturating_mul(emission.into());
    Rao(u64::try_from(product >> 32).unwrap_or(u64::MAX))
}

/// A subnet's emission by role; the parts sum exactly to what was split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmissionSplit {
    /// The subnet owner's cut.
    pub owner: Rao,
    /// What serves: paid by incentive.
    pub server: Rao,
    /// What validates: paid by dividends.
    pub validator: Rao,
    /// What goes to root: half of the validators' half, by root's part of the stake.
    pub root: Rao,
}

/// Splits a subnet's emission: the owner's cut off the top, then half to servers and half to validators, of which root
/// takes its part. With the default cut of 18 % and no root stake: 41 / 41 / 18 (rules §4.6).
///
/// `owner_cut` and `root_proportion` are in 1/65,535; 11,796 is 18 %. Root gets `root_proportion / 2` of the
/// validators' half. Owner, server and root are rounded down; the validators get what is left, so the sum is exact.
#[must_use]
pub fn split_41_41_18(total: Rao, owner_cut: u16, root_proportion: u16) -> EmissionSplit {
    let part = |amount: Rao, parts: u16, of: u128| {
        let share = mul_div_floor(amount.into(), parts.into(), of).unwrap_or(0);
        Rao(u64::try_from(share).unwrap_or(0))
    };
    let owner = part(total, owner_cut, u16::MAX.into());
    let rest = total.saturating_sub(owner);
    let server = part(rest, 1, 2);
    let validators = rest.saturating_sub(server);
    let root = part(validators, root_proportion, 131_070);
    EmissionSplit { owner, server, validator: validators.saturating_sub(root), root }
}

/// Splits a subnet's emission among its mechanisms by `proportions` (any unit), or evenly when they are all zero.
///
/// Each part is rounded down and the first gets what is left, so `Σ == total`. No mechanisms, no parts.
#[must_use]
pub fn split_mechanisms(total: Rao, proportions: &[u16]) -> Vec<Rao> {
    let sum: u128 = proportions.iter().map(|&part| u128::from(part)).sum();
    let weight = |part: u16| if sum == 0 { 1 } else { u128::from(part) };
    let whole = if sum == 0 { proportions.len() as u128 } else { sum };
    let mut parts: Vec<Rao> = proportions
        .iter()
        .map(|&part| mul_div_floor(total.into(), weight(part), whole).map_or(Rao::ZERO, |amount| Rao(amount as u64)))
        .collect();
    let rest = total.saturating_sub(parts.iter().copied().sum());
    if let Some(first) = parts.first_mut() {
        *first = first.saturating_add(rest);
    }
    parts
}
