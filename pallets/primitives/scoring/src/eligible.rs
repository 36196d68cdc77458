// SPDX-License-Identifier: Apache-2.0

use alloc::vec::Vec;
use core::fmt;

use clawrank_proof::Receipt;
use clawrank_units::{Ppb, mul_div_floor};

use crate::{MinuteWindow, ServingParams, Usage};

const BILLION: u128 = 1_000_000_000;

/// Why a receipt does not count (rules §1.1). Signatures and repeated ids are for the caller to check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The response was not completed.
    Incomplete,
    /// The gateway's time is not in the window.
    OutsideWindow,
    /// Claimed and recounted tokens differ by more than the factor.
    RecountDisagrees,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Incomplete => "response was not completed",
            Self::OutsideWindow => "receipt is outside the rolling window",
            Self::RecountDisagrees => "claimed tokens disagree with the recount",
        })
    }
}

impl core::error::Error for Refusal {}

/// Whether claimed tokens agree with a coarse recount within `factor`, both ways.
#[must_use]
pub fn tokens_agree(claimed: u64, recount: u64, factor: u32) -> bool {
    let (claimed, recount, factor) = (u128::from(claimed), u128::from(recount), u128::from(factor));
    claimed <= recount.saturating_mul(factor) && recount <= claimed.saturating_mul(factor)
}

/// The minute bucket and the usage that a receipt adds, as seen at `now_minute`.
///
/// # Errors
///
/// [`Refusal`], in the order of its variants.
pub fn countable(receipt: &Receipt, now_minute: u64, params: &ServingParams) -> Result<(u64, Usage), Refusal> {
    if !receipt.claim.ok {
        return Err(Refusal::Incomplete);
    }
    let minute = MinuteWindow::minute_of(receipt.received_ms);
    if minute > now_minute || minute < MinuteWindow::first_minute(now_minute, params.window_minutes) {
        return Err(Refusal::OutsideWindow);
    }
    if !tokens_agree(receipt.tokens(), u64::from(receipt.recount_tokens), params.recount_factor) {
        return Err(Refusal::RecountDisagrees);
    }
    Ok((minute, Usage { tokens: receipt.tokens(), fee: receipt.fee }))
}

/// `e_p`: the tokens of one payer that its fees pay for, `min(tokens, fee · tokens_per_micro_usd)`.
#[must_use]
pub fn payer_tokens(usage: Usage, params: &ServingParams) -> u64 {
    match params.tokens_per_micro_usd {
        None => usage.tokens,
        Some(rate) => usage.tokens.min(usage.fee.get().saturating_mul(rate)),
    }
}

/// `E`: the largest solution of `E = Σ min(e_p, payer_cap · E)`, rounded down (rules §1.1).
///
/// With `m` payers at the cap, `E = (sum of the others) / (1 − m·payer_cap)`; `m` is the smallest number for which the
/// next payer stays below the cap. Fewer than `1/payer_cap` payers give 0. Exact until the last division; more than
/// `u64::MAX` is `u64::MAX`. O(n log n).
#[must_use]
pub fn eligible_tokens(payers: &[u64], payer_cap: Ppb) -> u64 {
    let cap = u128::from(payer_cap.parts());
    let mut sorted: Vec<u128> = payers.iter().map(|tokens| u128::from(*tokens)).collect();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    let mut others: u128 = sorted.iter().fold(0, |sum, tokens| sum.saturating_add(*tokens));
    let mut uncapped = BILLION;
    for largest in sorted {
        // Both sides are below 2^128: at most 2^64 payers of 2^64 tokens do not fit a machine, and each side is a sum
        // of tokens times at most 2^30.
        if largest.saturating_mul(uncapped) <= cap.saturating_mul(others) {
            let eligible = mul_div_floor(others, BILLION, uncapped).unwrap_or(u128::MAX);
            return u64::try_from(eligible).unwrap_or(u64::MAX);
        }
        others = others.saturating_sub(largest);
        uncapped = match uncapped.checked_sub(cap) {
            Some(rest) if rest > 0 => rest,
            _ => return 0,
        };
    }
    0
}

#[cfg(test)]
mod tests;
