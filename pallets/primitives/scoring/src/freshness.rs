// SPDX-License-Identifier: Apache-2.0

use clawrank_units::{Ppb, mul_div_floor};

const BILLION: u64 = 1_000_000_000;
/// Steps between 2^0 and 2^(−1). The interpolation error is at most (ln 2 / STEPS)² / 8 = 2.3e-7.
const STEPS: usize = 512;
/// Steps of the table, in binary digits.
const STEP_BITS: u32 = 9;
/// `TABLE[i] = 2^(−i/512)` in units of 2^(−62), from square roots of 1/2 and their products, each exact to 2^(−60).
const TABLE: [u64; STEPS + 1] = table();

#[allow(clippy::indexing_slicing, reason = "the index is below the length it was compared with, at compile time")]
const fn table() -> [u64; STEPS + 1] {
    // 2^(−1/2), 2^(−1/4), … in units of 2^(−62): the square root of x·2^62 is that of the number x stands for.
    let mut root: u128 = 1 << 61;
    let mut halvings = 0;
    while halvings < STEP_BITS {
        root = (root << 62).isqrt();
        halvings = halvings.wrapping_add(1);
    }
    // Products are kept in units of 2^(−62) and rounded to nearest, so that 512 of them err by less than 2^(−52).
    let mut out = [0u64; STEPS + 1];
    let mut value: u128 = 1 << 62;
    let mut i = 0;
    while i < out.len() {
        out[i] = value as u64;
        value = value.wrapping_mul(root).wrapping_add(1 << 61) >> 62;
        i = i.wrapping_add(1);
    }
    out
}

/// `2^(−age / half_life)`, by table and linear interpolation, rounded to nearest; the error is below 1e-6.
///
/// `age` and `half_life` are in the same unit, blocks or milliseconds. A half-life of 0 makes everything but age 0
/// worthless. O(1).
#[must_use]
pub fn half_power(age: u64, half_life: u64) -> Ppb {
    let (Some(halvings), Some(rest)) = (age.checked_div(half_life), age.checked_rem(half_life)) else {
        return if age == 0 { Ppb::from_percent(100) } else { Ppb::from_percent(0) };
    };
    // The fraction of a half-life as step and position within the step, in units of 2^(−32) of a step.
    let fraction =
        mul_div_floor(u128::from(rest), 1 << (STEP_BITS.saturating_add(32)), u128::from(half_life)).unwrap_or(0);
    let step = usize::try_from(fraction >> 32).unwrap_or(STEPS);
    let within = fraction & 0xffff_ffff;
    let at = |index: usize| u128::from(TABLE.get(index).or(TABLE.last()).copied().unwrap_or(0));
    let (left, right) = (at(step), at(step.saturating_add(1)));
    let drop = left.saturating_sub(right).saturating_mul(within) >> 32;
    let power = left.saturating_sub(drop).saturating_mul(u128::from(BILLION));
    let shift = u32::try_from(halvings).unwrap_or(u32::MAX).saturating_add(62);
    // Half a unit of the last digit makes the shift round to nearest.
    let half = 1u128.checked_shl(shift.saturating_sub(1)).unwrap_or(0);
    Ppb::from_ppb_clamped(power.saturating_add(half).checked_shr(shift).unwrap_or(0))
}

/// F, freshness: `2^(−age / half_life) · min(1, n / n_min)`, rounded down at the product (rules §4.1).
#[must_use]
pub fn freshness(age: u64, half_life: u64, n: u32, n_min: u32) -> Ppb {
    let discount = Ppb::from_ratio_floor(u128::from(n.min(n_min)), u128::from(n_min)).unwrap_or(Ppb::from_percent(100));
    half_power(age, half_life).times_floor(discount)
}

#[cfg(test)]
mod tests;
