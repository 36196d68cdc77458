// SPDX-License-Identifier: Apache-2.0

//! The stake of a hotkey on one subnet as a pool of which every coldkey that stakes has shares: dividends raise what a
//! share is worth, so that paying them costs the same however many share them.

use sp_runtime::{PerU16, Rounding, helpers_128bit::multiply_by_rational_with_rounding};

use crate::types::SafeFloat;

/// What shares are counted in when a pool begins, as a power of ten.
const EXPONENT: i64 = -9;
/// Shares that one rao gets in an empty pool.
const SHARES_PER_RAO: u128 = 1_000_000_000;
/// Shares that a rao in the pool has at least, so that rounding them is far below a rao, whatever was earned.
const LEAST_SHARES_PER_RAO: u128 = 1_000_000;
/// What shares are split into, and its power of ten, when earnings have left a rao fewer.
const SPLIT: (u128, i64) = (1_000, 3);

/// Alpha in a pool and the shares of it that exist: both zero, or neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StakePool {
    /// In rao.
    pub(crate) alpha: u64,
    /// Of all coldkeys, in units of `10^exponent`.
    shares: u128,
    exponent: i64,
}

impl Default for StakePool {
    fn default() -> Self {
        Self { alpha: 0, shares: 0, exponent: EXPONENT }
    }
}

impl StakePool {
    /// The pool as it is stored; one without shares is empty.
    pub(crate) fn load(alpha: u64, shares: SafeFloat) -> Self {
        if shares.mantissa == 0 {
            return Self::default();
        }
        Self { alpha, shares: shares.mantissa, exponent: shares.exponent }
    }

    /// The shares of all coldkeys, as they are stored.
    pub(crate) fn all(&self) -> SafeFloat {
        self.store(self.shares)
    }

    /// What is counted in this pool's units as it is stored.
    pub(crate) fn store(&self, shares: u128) -> SafeFloat {
        if shares == 0 { SafeFloat::default() } else { SafeFloat { mantissa: shares, exponent: self.exponent } }
    }

    /// Stored shares in this pool's units, which are never larger than those that they were stored in.
    pub(crate) fn units(&self, stored: SafeFloat) -> u128 {
        let split = stored.exponent.saturating_sub(self.exponent);
        let factor = u32::try_from(split).ok().and_then(|split| 10_u128.checked_pow(split));
        factor.map_or(0, |factor| stored.mantissa.saturating_mul(factor)).min(self.shares)
    }

    /// What shares are worth: `alpha · shares / all`, in rao, rounded down; all of them are worth all alpha. Others who
    /// come and go can cost a stake less than a millionth of a rao, which shows when it was whole.
    pub(crate) fn worth(&self, stored: SafeFloat) -> u64 {
        multiply_by_rational_with_rounding(self.alpha.into(), self.units(stored), self.shares, Rounding::Down)
            .and_then(|worth| u64::try_from(worth).ok())
            .unwrap_or_default()
    }

    /// Takes `alpha` in for one who has `own`; what that one has then. The shares are rounded up, so that they are worth
    /// as much as was taken in. `None` when it does not fit.
    pub(crate) fn add(&mut self, own: SafeFloat, alpha: u64) -> Option<SafeFloat> {
        let given = if self.alpha == 0 {
            u128::from(alpha).checked_mul(SHARES_PER_RAO)?
        } else {
            multiply_by_rational_with_rounding(alpha.into(), self.shares, self.alpha.into(), Rounding::Up)?
        };
        let own = self.units(own).checked_add(given)?;
        let (alpha, shares) = (self.alpha.checked_add(alpha)?, self.shares.checked_add(given)?);
        *self = Self { alpha, shares, ..*self };
        Some(self.store(own))
    }

    /// Takes `alpha` in for all who have shares, in proportion. `None` when nobody has, or it does not fit.
    pub(crate) fn reward(&mut self, alpha: u64) -> Option<()> {
        if self.shares == 0 {
            return None;
        }
        self.alpha = self.alpha.checked_add(alpha)?;
        self.split_shares()
    }

    /// Gives `alpha` out to one who has `own`; what that one has then. All shares go when `alpha` is what they are worth,
    /// else as many as `alpha` is worth, rounded up. `None` when they are worth less.
    pub(crate) fn remove(&mut self, own: SafeFloat, alpha: u64) -> Option<SafeFloat> {
        let (worth, own) = (self.worth(own), self.units(own));
        let rest = worth.checked_sub(alpha)?;
        let taken = if rest == 0 {
            own
        } else {
            multiply_by_rational_with_rounding(alpha.into(), self.shares, self.alpha.into(), Rounding::Up)?
        };
        let left = self.store(own.checked_sub(taken)?);
        let (alpha, shares) = (self.alpha.checked_sub(alpha)?, self.shares.checked_sub(taken)?);
        *self = if shares == 0 { Self::default() } else { Self { alpha, shares, ..*self } };
        self.split_shares()?;
        Some(left)
    }

    /// Divides dividends: what the owner of the hotkey takes of them, rounded down, and the rest, which goes to all who
    /// have shares. An empty pool has nobody to share with: the owner takes all.
    pub(crate) fn divide(&self, dividends: u64, take: PerU16) -> (u64, u64) {
        let taken = if self.shares == 0 { dividends } else { take.mul_floor(dividends) };
        (taken, dividends.saturating_sub(taken))
    }

    /// Counts shares in smaller units, a thousandth at a time, until a rao has [`LEAST_SHARES_PER_RAO`]. What coldkeys
    /// have is counted in them when it is read.
    fn split_shares(&mut self) -> Option<()> {
        let (into, power) = SPLIT;
        let least = u128::from(self.alpha).checked_mul(LEAST_SHARES_PER_RAO)?;
        while self.shares > 0 && self.shares < least {
            self.shares = self.shares.checked_mul(into)?;
            self.exponent = self.exponent.checked_sub(power)?;
        }
        Some(())
    }
}
