// SPDX-License-Identifier: Apache-2.0
//! Scores and a pot to amounts.

use alloc::{vec, vec::Vec};
use clawrank_units::{Ppb, Rao};

use crate::{
    allocate::{Plan, plan},
    cap::CapParams,
    error::EmissionError,
    fill::Field,
    wide::Wide,
};

#[cfg(test)]
mod tests;

/// What one epoch pays from a pot; `Σ amounts + dust == pool`, always.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payouts {
    /// Amount of each score, in their order.
    pub amounts: Vec<Rao>,
    /// What rounding leaves in the pot: less than one rao per positive score.
    pub dust: Rao,
    /// Number of scores whose share is the cap.
    pub capped: usize,
    /// Whether the cap could not hold and [`CapParams::shortfall`] decided.
    pub shortfall_used: bool,
}

/// Pays `floor(share_i · pool)` to each score, from the exact share of rules §4.2, not a rounded one (rules §4.5).
///
/// A capped score gets `floor(cap · pool)`, any other `floor(score · (1 - k·cap) · pool / Σ uncapped scores)`: one
/// rounding, down. The dust stays in the pot. O(n).
///
/// # Errors
///
/// As [`allocate`](crate::allocate()).
pub fn payouts(scores: &[u128], cap: &CapParams, owner: Option<usize>, pool: Rao) -> Result<Payouts, EmissionError> {
    let field = Field::new(scores, u128::from(cap.needed()?).saturating_add(1));
    let plan = plan(&field, cap, owner)?;
    let mut payouts = Payouts {
        amounts: vec![Rao::ZERO; field.len()],
        dust: pool,
        capped: 0,
        shortfall_used: !matches!(plan, Plan::Capped),
    };
    let billion = u128::from(Ppb::PARTS);
    let most = pool.mul_floor(cap.cap);
    match plan {
        Plan::Capped => {
            let level = field.level(billion, cap.cap.parts().into());
            payouts.capped = level.capped;
            field.capped(&level).for_each(|index| payouts.pay(index, most));
            // Both are exact: below 2^94, and below 2^30 times a sum of fewer than 2^64 scores.
            let units = level.free.saturating_mul(pool.into());
            let whole = level.rest.checked_mul(billion).unwrap_or_default();
            for (index, score) in field.uncapped(&level) {
                let (amount, _) = Wide::share(score, units, whole);
                payouts.pay(index, Rao(u64::try_from(amount).unwrap_or(0)));
            }
        }
        Plan::Uniform => {
            let amount = pool.get().checked_div(field.positives() as u64).unwrap_or(0);
            for index in positive(scores) {
                payouts.pay(index, Rao(amount));
            }
        }
        Plan::ToOwner(owner) => {
            let mut rest = Ppb::ONE;
            for index in positive(scores).filter(|&index| index != owner) {
                payouts.pay(index, most);
                payouts.capped = payouts.capped.saturating_add(1);
                rest = rest.saturating_sub(cap.cap);
            }
            payouts.pay(owner, pool.mul_floor(rest));
        }
    }
    Ok(payouts)
}

impl Payouts {
    /// Moves `amount` from what is left to one entry.
    fn pay(&mut self, index: usize, amount: Rao) {
        if let (Some(entry), Some(dust)) = (self.amounts.get_mut(index), self.dust.checked_sub(amount)) {
            *entry = entry.saturating_add(amount);
            self.dust = dust;
        }
    }
}

/// The indices of the scores above zero.
fn positive(scores: &[u128]) -> impl Iterator<Item = usize> + '_ {
    scores.iter().enumerate().filter(|&(_, &score)| score > 0).map(|(index, _)| index)
}
