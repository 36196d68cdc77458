// SPDX-License-Identifier: Apache-2.0
//! A 256-bit unsigned integer with just what exact proportions of `u128` scores need.

use clawrank_units::{mul_div_floor, mul_div_rem, mul_wide};

#[cfg(test)]
mod tests;

/// `high · 2^128 + low`. The field order makes the derived order the numeric one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wide {
    high: u128,
    low: u128,
}

impl From<u128> for Wide {
    fn from(low: u128) -> Self {
        Self { high: 0, low }
    }
}

impl Wide {
    /// The value as `u64`, if it is one.
    pub(crate) fn as_u64(self) -> Option<u64> {
        if self.high == 0 { u64::try_from(self.low).ok() } else { None }
    }

    pub(crate) const fn is_zero(self) -> bool {
        self.high == 0 && self.low == 0
    }

    /// Number of bits up to the highest one that is set.
    pub(crate) const fn bits(self) -> u32 {
        match self.high {
            0 => 128_u32.saturating_sub(self.low.leading_zeros()),
            high => 256_u32.saturating_sub(high.leading_zeros()),
        }
    }

    /// The low 128 bits of `floor(self / 2^by)`.
    pub(crate) fn shifted_down(self, by: u32) -> u128 {
        match by {
            0 => self.low,
            1..128 => (self.low >> by) | self.high.checked_shl(128_u32.saturating_sub(by)).unwrap_or(0),
            _ => self.high.checked_shr(by.saturating_sub(128)).unwrap_or(0),
        }
    }

    /// `a · b`.
    pub(crate) const fn product(a: u128, b: u128) -> Self {
        let (high, low) = mul_wide(a, b);
        Self { high, low }
    }

    /// `self + other`, modulo 2^256; sums of fewer than 2^128 scores never reach it.
    pub(crate) const fn wrapping_add(self, other: Self) -> Self {
        let (low, carry) = self.low.overflowing_add(other.low);
        Self { high: self.high.wrapping_add(other.high).wrapping_add(carry as u128), low }
    }

    /// `self - other`, modulo 2^256.
    pub(crate) const fn wrapping_sub(self, other: Self) -> Self {
        let (low, borrow) = self.low.overflowing_sub(other.low);
        Self { high: self.high.wrapping_sub(other.high).wrapping_sub(borrow as u128), low }
    }

    /// `self · factor`; `None` from 2^256 on.
    pub(crate) fn checked_mul(self, factor: u128) -> Option<Self> {
        let (carry, low) = mul_wide(self.low, factor);
        let high = self.high.checked_mul(factor)?.checked_add(carry)?;
        Some(Self { high, low })
    }

    /// `(floor(part · units / whole), remainder)` for `part <= whole`; `(0, 0)` when `whole` is zero.
    pub(crate) fn share(part: u128, units: u128, whole: Self) -> (u128, Self) {
        if whole.high == 0 {
            let (quotient, remainder) = mul_div_rem(part, units, whole.low).unwrap_or_default();
            return (quotient, remainder.into());
        }
        // Estimate from the leading 127 bits of `whole`, with the denominator rounded up and the numerator down, so
        // never too high, and too low by only a few units: those are then counted off the exact remainder.
        let drop = 129_u32.saturating_sub(whole.high.leading_zeros());
        let lead = whole.shifted_down(drop);
        let part_lead = part.checked_shr(drop).unwrap_or(0);
        let mut quotient = mul_div_floor(part_lead, units, lead.wrapping_add(1)).unwrap_or_default();
        let taken = whole.checked_mul(quotient).unwrap_or_default();
        let mut remainder = Self::product(part, units).wrapping_sub(taken);
        while remainder >= whole {
            remainder = remainder.wrapping_sub(whole);
            quotient = quotient.wrapping_add(1);
        }
        (quotient, remainder)
    }
}
