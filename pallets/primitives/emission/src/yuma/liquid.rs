// SPDX-License-Identifier: Apache-2.0
//! Liquid alpha: how fast each bond moves, by a logistic function in fixed point.

use super::{LiquidAlpha, fixed::Q32};

#[cfg(test)]
mod tests;

/// ln 2 in units of 2^-64.
const LN_2: u128 = 0xB172_17F7_D1CF_79AB;
/// log2 e in units of 2^-63.
const LOG2_E: u128 = 0xB8AA_3B29_5C17_F0BC;
/// Arguments of the exponential are clamped to ±20: beyond, the function is 0 or 1 to nine digits.
const LIMIT: u64 = 20 << 32;
/// `2^(-i/256)` in units of 2^-32.
static POWERS: [u64; 256] = powers();

/// Speed of bonds between two bounds, per edge.
pub(super) struct Speed {
    low: Q32,
    high: Q32,
    /// Steepness in units of 2^-32, signed.
    steepness: i64,
}

impl Speed {
    pub(super) const fn new(params: &LiquidAlpha) -> Self {
        let low = Q32::from_u16(params.alpha_low);
        let high = Q32::from_u16(params.alpha_high);
        Self { low, high, steepness: ((params.steepness as i64) << 32) / 100 }
    }

    /// The speed of one bond: by how far the weight leads consensus when buying (`weight >= bond`), by how far the
    /// bond leads the weight when selling.
    #[inline]
    pub(super) fn of(&self, weight: Q32, bond: Q32, consensus: Q32) -> Q32 {
        let ahead = if weight >= bond { weight.minus(consensus) } else { bond.minus(weight) };
        let rise = logistic(self.steepness, ahead.min(Q32::ONE));
        self.low.plus(rise.times(self.high.minus(self.low)))
    }
}

/// `1 / (1 + exp(-steepness · (at - 1/2)))` for `at` in 0 ..= 1, error below 1e-8.
#[inline]
fn logistic(steepness: i64, at: Q32) -> Q32 {
    let centred = (at.bits() as i64).wrapping_sub(1 << 31);
    // |steepness| < 2^41 and |centred| <= 2^31, so the product fits.
    let argument = ((steepness as i128).wrapping_mul(centred as i128) >> 32) as i64;
    let falling = exp_neg(argument.unsigned_abs().min(LIMIT));
    // 2^63 / ((2^32 + e) / 2): one half ..= one, in units of 2^-32.
    let half = (Q32::ONE.bits().wrapping_add(falling)) >> 1;
    let upper = (1_u64 << 63).checked_div(half).unwrap_or(0).min(Q32::ONE.bits());
    Q32::from_bits(if argument >= 0 { upper } else { Q32::ONE.bits().wrapping_sub(upper) })
}

/// `exp(-x)` for `x` in units of 2^-32, at most 20, in the same units; error below 1e-8.
///
/// `exp(-x) = 2^-whole · 2^-(i/256) · exp(-rest)`: a shift, a table and three terms of the series.
#[inline]
fn exp_neg(x: u64) -> u64 {
    let exponent = ((x as u128).wrapping_mul(LOG2_E) >> 63) as u64;
    let (whole, index, rest) = (exponent >> 32, (exponent >> 24) & 0xFF, exponent & 0xFF_FFFF);
    let power = POWERS.get(index as usize).copied().unwrap_or(0);
    // rest < 2^24 and ln 2 < 2^32 / 2^32: all products below fit into 64 bits.
    let rest = rest.wrapping_mul((LN_2 >> 32) as u64) >> 32;
    let square = rest.wrapping_mul(rest) >> 32;
    let cube = square.wrapping_mul(rest) >> 32;
    let series = Q32::ONE.bits().wrapping_sub(rest).wrapping_add(square >> 1).wrapping_sub(cube / 6);
    let value = ((power as u128).wrapping_mul(series as u128) >> 32) as u64;
    value.checked_shr(whole as u32).unwrap_or(0)
}

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time, where an index out of range is an error")]
const fn powers() -> [u64; 256] {
    let mut powers = [0; 256];
    let mut index = 0;
    while index < 256 {
        // exp(-i·ln2/256) by its series, in units of 2^-60; 24 terms of an argument below 0.7.
        let argument = (LN_2.wrapping_mul(index as u128) >> 8) >> 4;
        let one = 1_u128 << 60;
        let (mut term, mut even, mut odd, mut n) = (one, one, 0_u128, 1_u128);
        while n <= 24 {
            term = match (term.wrapping_mul(argument) >> 60).checked_div(n) {
                Some(term) => term,
                None => 0,
            };
            if n.is_multiple_of(2) {
                even = even.wrapping_add(term);
            } else {
                odd = odd.wrapping_add(term);
            }
            n = n.wrapping_add(1);
        }
        powers[index] = (even.wrapping_sub(odd).wrapping_add(1 << 27) >> 28) as u64;
        index = index.wrapping_add(1);
    }
    powers
}
