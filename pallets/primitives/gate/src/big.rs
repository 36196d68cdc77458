// SPDX-License-Identifier: Apache-2.0

use alloc::vec::Vec;
use core::cmp::Ordering;

/// A natural number of any size: little-endian limbs, the last one not zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Big(Vec<u64>);

impl Big {
    /// One.
    pub(crate) fn one() -> Self {
        Self(alloc::vec![1])
    }

    /// Zero.
    pub(crate) const fn zero() -> Self {
        Self(Vec::new())
    }

    /// Multiplies by a small number.
    pub(crate) fn mul(&mut self, factor: u64) {
        if factor == 0 {
            self.0.clear();
            return;
        }
        let mut carry = 0u64;
        for limb in &mut self.0 {
            (*limb, carry) = limb.carrying_mul(factor, carry);
        }
        if carry > 0 {
            self.0.push(carry);
        }
    }

    /// Divides by a small number and drops the remainder; by zero gives zero.
    pub(crate) fn div(&mut self, divisor: u64) {
        let mut rest = 0u128;
        for limb in self.0.iter_mut().rev() {
            let value = (rest << 64) | u128::from(*limb);
            // The quotient fits a limb because the remainder is below the divisor.
            *limb = u64::try_from(value.checked_div(u128::from(divisor)).unwrap_or(0)).unwrap_or(u64::MAX);
            rest = value.checked_rem(u128::from(divisor)).unwrap_or(0);
        }
        self.trim();
    }

    /// Adds.
    pub(crate) fn add(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        let mut carry = false;
        for (limb, addend) in self.0.iter_mut().zip(other.0.iter().copied().chain(core::iter::repeat(0))) {
            (*limb, carry) = limb.carrying_add(addend, carry);
        }
        if carry {
            self.0.push(1);
        }
    }

    /// Subtracts; zero when `other` is larger.
    pub(crate) fn sub(&mut self, other: &Self) {
        if (*self).cmp(other) == Ordering::Less {
            self.0.clear();
            return;
        }
        let mut borrow = false;
        for (limb, subtrahend) in self.0.iter_mut().zip(other.0.iter().copied().chain(core::iter::repeat(0))) {
            (*limb, borrow) = limb.borrowing_sub(subtrahend, borrow);
        }
        self.trim();
    }

    /// Compares.
    pub(crate) fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    /// `self · factor`.
    pub(crate) fn times(&self, factor: u64) -> Self {
        let mut product = self.clone();
        product.mul(factor);
        product
    }

    /// `base^exponent`.
    pub(crate) fn power(base: u64, exponent: u32) -> Self {
        let mut power = Self::one();
        for _ in 0..exponent {
            power.mul(base);
        }
        power
    }

    /// The number of ways to choose `k` of `n`.
    pub(crate) fn choose(n: u32, k: u32) -> Self {
        let mut ways = if k > n { Self::zero() } else { Self::one() };
        for (taken, left) in (1..=k.min(n.saturating_sub(k))).zip((0..=n).rev()) {
            ways.mul(u64::from(left));
            ways.div(u64::from(taken));
        }
        ways
    }

    /// Limbs, little-endian.
    #[cfg(test)]
    pub(crate) fn limbs(&self) -> &[u64] {
        &self.0
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }
}
