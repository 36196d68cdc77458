// SPDX-License-Identifier: Apache-2.0
//! Many exact divisions by one divisor, without dividing.

use crate::wide::Wide;

#[cfg(test)]
mod tests;

/// `floor(part · units / whole)` for many parts of the same whole, by one precomputed reciprocal.
///
/// Exact: the reciprocal gives the quotient or one less, and the exact remainder tells which. Two multiplications
/// instead of a 128-bit division, which matters most in Wasm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ratio {
    whole: u64,
    units: u64,
    reciprocal: u128,
}

impl Ratio {
    /// For `floor(part · units / whole)`; a `whole` of zero makes every quotient zero. `units < 2^63`.
    pub(crate) fn new(units: u64, whole: u64) -> Self {
        let reciprocal = (u128::from(units) << 64).checked_div(u128::from(whole)).unwrap_or(0);
        Self { whole, units, reciprocal }
    }

    /// `(quotient, remainder)` of `part · units / whole`, for `part <= whole`.
    ///
    /// With `r = units·2^64/whole - e`, `0 <= e < 1`: `part·r/2^64` is below the true value by less than
    /// `part/2^64 < 1`, and `part·r <= units·2^64` fits into 128 bits.
    #[inline]
    pub(crate) const fn of(&self, part: u64) -> (u64, u64) {
        let estimate = ((part as u128).wrapping_mul(self.reciprocal) >> 64) as u64;
        let product = (part as u128).wrapping_mul(self.units as u128);
        let rest = product.wrapping_sub((estimate as u128).wrapping_mul(self.whole as u128));
        if self.whole == 0 {
            (0, 0)
        } else if rest >= self.whole as u128 {
            (estimate.wrapping_add(1), rest.wrapping_sub(self.whole as u128) as u64)
        } else {
            (estimate, rest as u64)
        }
    }
}

/// [`Ratio`] for wholes of any width, `units <= 2^62`.
///
/// The leading 62 bits of part and whole, rounded so that the estimate is never too high, give the quotient or at most
/// two less; the exact 256-bit remainder tells how many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WideRatio {
    whole: Wide,
    units: u64,
    drop: u32,
    lead: Ratio,
}

impl WideRatio {
    pub(crate) fn new(units: u64, whole: Wide) -> Self {
        let drop = whole.bits().saturating_sub(62);
        // Below 2^62, so neither the cast nor the step up loses anything.
        let lead = (whole.shifted_down(drop) as u64).saturating_add(u64::from(drop > 0));
        Self { whole, units, drop, lead: Ratio::new(units, lead) }
    }

    /// `(quotient, remainder)` of `part · units / whole`, for `part <= whole`.
    pub(crate) fn of(&self, part: u128) -> (u64, Wide) {
        if self.whole.is_zero() {
            return (0, Wide::default());
        }
        let (mut quotient, _) = self.lead.of(part.checked_shr(self.drop).unwrap_or(0) as u64);
        let taken = self.whole.checked_mul(quotient.into()).unwrap_or_default();
        let mut remainder = Wide::product(part, self.units.into()).wrapping_sub(taken);
        while remainder >= self.whole {
            remainder = remainder.wrapping_sub(self.whole);
            quotient = quotient.wrapping_add(1);
        }
        (quotient, remainder)
    }
}
