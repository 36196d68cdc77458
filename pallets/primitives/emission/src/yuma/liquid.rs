// SPDX-License-Identifier: Apache-2.0
//! Liquid alpha: how fast each bond moves, by a logistic function in fixed point.

use super::{LiquidAlpha, fixed::Q32};

#[cfg(test)]
mod tests;

/// ln 2 in units of 2^-64.
const LN_2: u128 = 0xB172_17F7_D1CF_79AB;
/// log2 e in units of 2^-63.
const LOG2_E: u128 = 0xB8AA_3B29_5C17_F0BC;
/// Arguments of the exponential are clamped to ±20: beyond, the function is 0 or 1 to eight digits. In units of 2^-32,
/// as a power of two: 20 · log2 e.
const LIMIT: u64 = (((20 << 32) * LOG2_E) >> 63) as u64;
/// `2^(-i/1024)` in units of 2^-32.
static POWERS: [u64; 1024] = powers();

/// Speed of bonds between two bounds, per edge.
pub(super) struct Speed {
    low: Q32,
    span: Q32,
    curve: Logistic,
    /// The speed of a weight that does not lead: the most frequent one.
    level: Q32,
}

impl Speed {
    pub(super) fn new(params: &LiquidAlpha) -> Self {
        let low = Q32::from_u16(params.alpha_low);
        let span = Q32::from_u16(params.alpha_high).minus(low);
        let curve = Logistic::new(params.steepness);
        Self { low, span, level: low.plus(curve.at(Q32::ZERO).times(span)), curve }
    }

    /// The speed of one bond: by how far the weight leads consensus when buying (`weight >= bond`), by how far the
    /// bond leads the weight when selling.
    #[inline]
    pub(super) fn of(&self, weight: Q32, bond: Q32, consensus: Q32) -> Q32 {
        let ahead = if weight >= bond { weight.minus(consensus) } else { bond.minus(weight) };
        if ahead.is_zero() { self.level } else { self.low.plus(self.curve.at(ahead.min(Q32::ONE)).times(self.span)) }
    }
}

/// `1 / (1 + exp(-steepness · (at - 1/2)))`, with the steepness in hundredths.
struct Logistic {
    /// `|steepness| · log2 e` in units of 2^-54; below 2^63.
    slope: u64,
    falls: bool,
}

impl Logistic {
    fn new(steepness: i16) -> Self {
        let slope = u128::from(steepness.unsigned_abs()).wrapping_mul(LOG2_E) / 100;
        Self { slope: (slope >> 9) as u64, falls: steepness < 0 }
    }

    /// The value at a point of 0 ..= 1; error below 1e-8.
    #[inline]
    fn at(&self, at: Q32) -> Q32 {
        let half = Q32::ONE.bits() >> 1;
        let distance = at.bits().abs_diff(half);
        let exponent = ((self.slope as u128).wrapping_mul(distance as u128) >> 54) as u64;
        let tail = power_of_half(exponent.min(LIMIT));
        // 2^63 / ((2^32 + tail) / 2): one half ..= one, in units of 2^-32.
        let upper = (1_u64 << 63).checked_div(Q32::ONE.bits().wrapping_add(tail) >> 1).unwrap_or(0);
        let upper = Q32::from_bits(upper).min(Q32::ONE);
        if (at.bits() >= half) != self.falls { upper } else { Q32::ONE.minus(upper) }
    }
}

/// `2^-x` for `x` below 2^37 in units of 2^-32, in the same units; error below 1e-9.
///
/// `2^-whole · 2^-(i/1024) · exp(-rest · ln 2)`: a shift, a table and two terms of the series, the next of which would
/// be below 6e-11.
#[inline]
fn power_of_half(x: u64) -> u64 {
    let (whole, index, rest) = (x >> 32, (x >> 22) & 0x3FF, x & 0x3F_FFFF);
    let power = POWERS.get(index as usize).copied().unwrap_or(0);
    // Below 2^22 each, so the products fit into 64 bits.
    let rest = rest.wrapping_mul((LN_2 >> 32) as u64) >> 32;
    let series = Q32::ONE.bits().wrapping_sub(rest).wrapping_add(rest.wrapping_mul(rest) >> 33);
    let value = ((power as u128).wrapping_mul(series as u128) >> 32) as u64;
    value.checked_shr(whole as u32).unwrap_or(0)
}

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time, where an index out of range is an error")]
const fn powers() -> [u64; 1024] {
    let mut powers = [0; 1024];
    let mut index = 0;
    while index < 1024 {
        // exp(-i·ln2/1024) by its series, in units of 2^-60; 24 terms of an argument below 0.7.
        let argument = (LN_2.wrapping_mul(index as u128) >> 10) >> 4;
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
