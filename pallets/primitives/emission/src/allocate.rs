// SPDX-License-Identifier: Apache-2.0
//! Scores to shares, chain units and weights.

use alloc::{vec, vec::Vec};
use clawrank_units::{Ppb, mul_div_ceil};

use crate::{
    cap::{CapParams, Shortfall},
    error::EmissionError,
    fill::Field,
    ratio::Ratio,
};

#[cfg(test)]
mod tests;

/// The largest weight that the chain stores.
const MAX_WEIGHT: u128 = u16::MAX as u128;

/// One division of an epoch's emission, in the three forms that are needed. One entry per score, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// Shares in parts per billion; `Σ == 1_000_000_000`, each at most the cap unless [`Self::shortfall_used`].
    pub shares_ppb: Vec<u32>,
    /// Chain units: `Σ == ⌈65,535 / cap⌉`, each at most 65,535 unless [`Self::shortfall_used`].
    pub units: Vec<u32>,
    /// Weights as the chain stores them: the largest is 65,535, so that its own upscaling changes nothing. No
    /// weight is above the cap's part of `Σ weights` unless [`Self::shortfall_used`].
    pub weights_u16: Vec<u16>,
    /// Number of scores whose share is the cap, by the exact rule of [`allocate`].
    pub capped: usize,
    /// Whether the cap could not hold and [`CapParams::shortfall`] decided.
    pub shortfall_used: bool,
}

impl Allocation {
    /// The `(uid, weight)` pairs to set on chain: zeros dropped, in ascending order of uid.
    pub fn nonzero_weights(&self) -> impl Iterator<Item = (u16, u16)> + '_ {
        self.weights_u16
            .iter()
            .enumerate()
            .filter(|&(_, &weight)| weight > 0)
            .filter_map(|(index, &weight)| Some((u16::try_from(index).ok()?, weight)))
    }

    /// The shares as [`Ppb`].
    pub fn shares(&self) -> impl Iterator<Item = Ppb> + '_ {
        self.shares_ppb.iter().map(|&parts| Ppb::from_ppb_clamped(parts.into()))
    }
}

/// Divides emission among `scores` in proportion, no one above the cap (rules §4.2, §4.3, §4.4).
///
/// What the cap cuts off is shared again among the rest, in proportion, until no one is above it: the unique
/// `share_i = min(cap, λ · score_i)` with `Σ share = 1`. With the scores sorted descending, the number of capped ones
/// is the smallest `k` with `score_(k+1) · (1 - k·cap) <= cap · Σ scores after the k-th`, decided in integers.
/// Each form of the result rounds down and hands out the remainder by largest fraction, ties to the lower index.
/// Weights follow from the units when somebody is capped, else from the scores by ceiling, `⌈65,535 · score / max⌉`,
/// so that `max / Σ` never rises. `owner` is the index of the subnet owner's uid. O(n + k·log k) in time.
///
/// # Errors
///
/// - [`EmissionError::NoScore`]: every score is zero and the shortfall rule is not [`Shortfall::ToOwner`].
/// - [`EmissionError::CapInfeasible`]: too few positive scores and the rule is [`Shortfall::Skip`].
/// - [`EmissionError::OwnerMissing`], [`EmissionError::IndexOutOfRange`]: the rest goes to an owner that is not there.
/// - [`EmissionError::CapTooSmall`]: the cap is below [`CapParams::MIN_CAP`].
pub fn allocate(scores: &[u128], cap: &CapParams, owner: Option<usize>) -> Result<Allocation, EmissionError> {
    let needed = cap.needed()?;
    let total_units = cap.chain_units()?;
    let field = Field::new(scores, u128::from(needed).saturating_add(1));
    let mut allocation = Allocation {
        shares_ppb: vec![0; field.len()],
        units: vec![0; field.len()],
        weights_u16: Vec::with_capacity(field.len()),
        capped: 0,
        shortfall_used: false,
    };
    let (whole, most) = (Ppb::PARTS.into(), cap.cap.parts().into());
    match plan(&field, cap, owner)? {
        Plan::Capped => {
            allocation.capped = field.fill(whole, most, adder(&mut allocation.shares_ppb));
            let capped = field.fill(total_units.into(), MAX_WEIGHT, adder(&mut allocation.units));
            allocation.weights_u16 = if capped > 0 {
                allocation.units.iter().map(|&units| units.min(u16::MAX.into()) as u16).collect()
            } else {
                upscale(scores, &field)
            };
        }
        Plan::Uniform => {
            allocation.shortfall_used = true;
            let equal: Vec<u128> = scores.iter().map(|&score| u128::from(score > 0)).collect();
            let equal = Field::new(&equal, 1);
            equal.fill(whole, whole, adder(&mut allocation.shares_ppb));
            equal.fill(total_units.into(), total_units.into(), adder(&mut allocation.units));
            allocation.weights_u16 = scores.iter().map(|&score| if score > 0 { u16::MAX } else { 0 }).collect();
        }
        Plan::ToOwner(owner) => {
            allocation.shortfall_used = true;
            give_rest(&mut allocation.shares_ppb, scores, owner, cap.cap.parts(), Ppb::PARTS);
            give_rest(&mut allocation.units, scores, owner, u16::MAX.into(), total_units);
            allocation.capped = field.positives().saturating_sub(usize::from(is_positive(scores, owner)));
            // Scaled down by the owner's units where those are the largest; down, so that no miner passes the cap.
            let largest = allocation.units.iter().copied().max().unwrap_or(1);
            let ratio = Ratio::new(u16::MAX.into(), largest.into());
            allocation.weights_u16 = allocation.units.iter().map(|&units| ratio.of(units.into()).0 as u16).collect();
        }
    }
    Ok(allocation)
}

/// Divides `total` whole units among `scores` in proportion, at most `floor(cap · total)` each; `Σ == total`.
///
/// The integer division behind [`allocate`]: `allocate`'s shares are `divide` of 10^9, its chain units are `divide`
/// of `⌈65,535 / cap⌉`. Rounds down, then one unit each by largest remainder, ties to the lower index. Where
/// `total` is so small that `floor(cap · total)` cannot hold though the cap can, the maximum is one unit more. With
/// too few positive scores for the cap, [`CapParams::shortfall`] decides as in [`allocate`].
///
/// # Errors
///
/// As [`allocate`].
pub fn divide(scores: &[u128], cap: &CapParams, owner: Option<usize>, total: u128) -> Result<Vec<u128>, EmissionError> {
    cap.needed()?;
    let mut most = cap.cap.mul_floor(total);
    let positives = scores.iter().filter(|&&score| score > 0).count() as u128;
    if positives.checked_mul(most).is_some_and(|room| room < total) {
        most = cap.cap.mul_ceil(total);
    }
    let depth = total.checked_div(most).unwrap_or(0).saturating_add(1);
    let field = Field::new(scores, depth);
    let mut parts = vec![0_u128; field.len()];
    let add = |parts: &mut [u128], index: usize, units: u128| {
        if let Some(part) = parts.get_mut(index) {
            *part = part.saturating_add(units);
        }
    };
    match plan(&field, cap, owner)? {
        Plan::Capped => {
            field.fill(total, most, |index, units| add(&mut parts, index, units));
        }
        Plan::Uniform => {
            let equal: Vec<u128> = scores.iter().map(|&score| u128::from(score > 0)).collect();
            Field::new(&equal, 1).fill(total, total, |index, units| add(&mut parts, index, units));
        }
        Plan::ToOwner(owner) => {
            let most = cap.cap.mul_floor(total);
            let mut rest = total;
            for (index, _) in scores.iter().enumerate().filter(|&(index, &score)| score > 0 && index != owner) {
                add(&mut parts, index, most);
                rest = rest.saturating_sub(most);
            }
            add(&mut parts, owner, rest);
        }
    }
    Ok(parts)
}

/// How a division is made.
pub(crate) enum Plan {
    /// In proportion under the cap.
    Capped,
    /// Equally among the positive scores.
    Uniform,
    /// The cap for each positive score and the rest for this index.
    ToOwner(usize),
}

/// Decides between the cap and the shortfall rule.
pub(crate) fn plan(field: &Field<'_>, cap: &CapParams, owner: Option<usize>) -> Result<Plan, EmissionError> {
    let needed = cap.needed()?;
    let positives = u32::try_from(field.positives()).unwrap_or(u32::MAX);
    if positives >= needed {
        return Ok(Plan::Capped);
    }
    match cap.shortfall {
        Shortfall::ToOwner => {
            let owner = owner.ok_or(EmissionError::OwnerMissing)?;
            if owner >= field.len() {
                let index = u32::try_from(owner).unwrap_or(u32::MAX);
                return Err(EmissionError::IndexOutOfRange { index, len: field.len() as u32 });
            }
            Ok(Plan::ToOwner(owner))
        }
        _ if positives == 0 => Err(EmissionError::NoScore),
        Shortfall::Uniform => Ok(Plan::Uniform),
        Shortfall::Skip => Err(EmissionError::CapInfeasible { positives, needed }),
    }
}

/// Adds units to one entry of `parts`. No entry passes `u32::MAX`: totals are below 2^32.
fn adder(parts: &mut [u32]) -> impl FnMut(usize, u128) + '_ {
    |index, units| {
        if let Some(part) = parts.get_mut(index) {
            *part = part.wrapping_add(units as u32);
        }
    }
}

fn is_positive(scores: &[u128], index: usize) -> bool {
    scores.get(index).is_some_and(|&score| score > 0)
}

/// `most` for each positive score except the owner's, and the rest of `total` for the owner.
fn give_rest(parts: &mut [u32], scores: &[u128], owner: usize, most: u32, total: u32) {
    let mut rest = total;
    for (index, (part, &score)) in parts.iter_mut().zip(scores).enumerate() {
        if score > 0 && index != owner {
            *part = most;
            rest = rest.saturating_sub(most);
        }
    }
    if let Some(part) = parts.get_mut(owner) {
        *part = rest;
    }
}

/// `⌈65,535 · score / largest score⌉` for each score.
fn upscale(scores: &[u128], field: &Field<'_>) -> Vec<u16> {
    let largest = field.largest();
    if field.narrow_sum().is_some() {
        let ratio = Ratio::new(u16::MAX.into(), largest as u64);
        return scores
            .iter()
            .map(|&score| {
                let (weight, remainder) = ratio.of(score as u64);
                (weight as u16).saturating_add(u16::from(remainder > 0))
            })
            .collect();
    }
    let weight = |&score: &u128| mul_div_ceil(score, MAX_WEIGHT, largest).unwrap_or(0) as u16;
    scores.iter().map(weight).collect()
}
