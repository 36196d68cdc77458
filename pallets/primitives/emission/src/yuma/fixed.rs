// SPDX-License-Identifier: Apache-2.0
//! Unsigned fixed point with 32 fractional bits, truncating.

use alloc::vec::Vec;

#[cfg(test)]
mod tests;

/// A non-negative number in units of 2^-32. Values of an epoch are at most 1, or 65,535 for raw bonds, and a sum has
/// at most 65,536 terms, so every value is at most 2^48 units and every sum below 2^64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Q32(u64);

impl Q32 {
    pub(super) const ZERO: Self = Self(0);
    pub(super) const ONE: Self = Self(1 << 32);

    pub(super) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(super) const fn bits(self) -> u64 {
        self.0
    }

    pub(super) const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// `value / 65,535`, rounded down.
    pub(super) const fn from_u16(value: u16) -> Self {
        Self(((value as u64) << 32) / 65_535)
    }

    /// `self · 65,535`, rounded down and at most 65,535.
    pub(super) const fn to_u16(self) -> u16 {
        if self.0 >= Self::ONE.0 { u16::MAX } else { (self.0.wrapping_mul(65_535) >> 32) as u16 }
    }

    /// `self + other`; never wraps, by the bounds above.
    #[inline]
    pub(super) const fn plus(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }

    /// `self - other`, at least zero.
    pub(super) const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `self · other`, rounded down.
    #[inline]
    pub(super) const fn times(self, other: Self) -> Self {
        Self(((self.0 as u128).wrapping_mul(other.0 as u128) >> 32) as u64)
    }

    /// `self · other`, rounded up.
    #[inline]
    pub(super) const fn times_ceil(self, other: Self) -> Self {
        let product = (self.0 as u128).wrapping_mul(other.0 as u128);
        Self((product.wrapping_add(u32::MAX as u128) >> 32) as u64)
    }
}

/// Division by one common value: `part / whole` for many `part <= whole`, rounded down; 0 when `whole` is 0.
///
/// Exact without dividing: a reciprocal of 63 bits gives the quotient or one less, and the remainder tells which.
#[derive(Clone, Copy)]
pub(super) struct PartOf {
    whole: u64,
    reciprocal: u64,
    shift: u32,
}

impl PartOf {
    /// `whole` is below 2^52, as any sum of an epoch is.
    pub(super) fn new(whole: Q32) -> Self {
        let length = 64_u32.saturating_sub(whole.0.leading_zeros());
        let power = 1_u128.checked_shl(length.saturating_add(62)).unwrap_or(0);
        match power.checked_div(whole.0.into()) {
            // At most 2^63, since `whole` is at least 2^(length - 1).
            Some(reciprocal) => {
                Self { whole: whole.0, reciprocal: reciprocal as u64, shift: length.saturating_add(30) }
            }
            None => Self { whole: u64::MAX, reciprocal: 0, shift: 0 },
        }
    }

    /// The error of the reciprocal is below 1, so that of the estimate below `part / 2^(length + 30) < 2^-30`.
    #[inline]
    pub(super) const fn of(&self, part: Q32) -> Q32 {
        let product = (part.0 as u128).wrapping_mul(self.reciprocal as u128);
        let estimate = product.wrapping_shr(self.shift) as u64;
        // The true remainder is below 2 · whole < 2^53, so it is exact modulo 2^64.
        let rest = (part.0 << 32).wrapping_sub(estimate.wrapping_mul(self.whole));
        Q32(estimate.wrapping_add((rest >= self.whole) as u64))
    }
}

pub(super) fn sum(values: &[Q32]) -> Q32 {
    values.iter().fold(Q32::ZERO, |sum, &value| sum.plus(value))
}

/// Divides every value by the sum of all; zeros stay zeros when the sum is zero.
pub(super) fn normalise(values: &mut [Q32]) {
    let part = PartOf::new(sum(values));
    for value in values {
        *value = part.of(*value);
    }
}

/// [`PartOf`] each entry.
pub(super) fn parts_of(wholes: &[Q32]) -> Vec<PartOf> {
    wholes.iter().map(|&whole| PartOf::new(whole)).collect()
}
