// SPDX-License-Identifier: Apache-2.0
//! The stake of a hotkey on one subnet as a pool of which every coldkey that stakes has shares (rules §4.7): dividends
//! raise what a share is worth, so that paying them costs the same however many share them.

use clawrank_units::{Rao, mul_div_ceil, mul_div_floor};
use core::fmt;

#[cfg(test)]
mod tests;

/// What shares are counted in when a pool begins, as a power of ten.
const EXPONENT: i64 = -9;
/// Shares that one rao gets in an empty pool.
const SHARES_PER_RAO: u128 = 1_000_000_000;
/// Shares that a rao in the pool has at least, so that rounding them is far below a rao, whatever was earned.
const LEAST_SHARES_PER_RAO: u128 = 1_000_000;
/// What shares are split into, and its power of ten, when earnings have left a rao fewer.
const SPLIT: (u128, i64) = (1_000, 3);
/// 100 % of a take.
const WHOLE_TAKE: u128 = 65_535;

/// Shares in a pool: `count · 10^exponent`. None by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    /// The number without its power of ten.
    pub count: u128,
    /// The power of ten.
    pub exponent: i64,
}

/// Why a pool stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolError {
    /// A number would leave its type, which the whole issuance cannot make happen.
    Overflow,
    /// Nobody has shares who could be rewarded.
    Empty,
    /// More than the shares are worth.
    AboveWorth {
        /// What they are worth.
        worth: Rao,
    },
}

impl fmt::Display for PoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Overflow => f.write_str("the pool cannot hold that much; take in less"),
            Self::Empty => f.write_str("nobody has shares in the pool; give the reward to somebody by name"),
            Self::AboveWorth { worth } => write!(f, "the shares are worth {} rao; take out no more", worth.get()),
        }
    }
}

impl core::error::Error for PoolError {}

/// Alpha in a pool and the shares of it that exist: both zero, or neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StakePool {
    alpha: Rao,
    /// Of all coldkeys, in units of `10^exponent`.
    shares: u128,
    exponent: i64,
}

impl Default for StakePool {
    fn default() -> Self {
        Self { alpha: Rao::ZERO, shares: 0, exponent: EXPONENT }
    }
}

impl StakePool {
    /// The pool of this alpha and the shares of all coldkeys; one without shares is empty.
    #[must_use]
    pub fn new(alpha: Rao, all: Shares) -> Self {
        if all.count == 0 {
            return Self::default();
        }
        Self { alpha, shares: all.count, exponent: all.exponent }
    }

    /// What is in the pool.
    #[must_use]
    pub const fn alpha(&self) -> Rao {
        self.alpha
    }

    /// The shares of all coldkeys.
    #[must_use]
    pub fn all(&self) -> Shares {
        self.counted(self.shares)
    }

    /// What is counted in this pool's units; no shares are none, whatever the units.
    fn counted(&self, count: u128) -> Shares {
        if count == 0 { Shares::default() } else { Shares { count, exponent: self.exponent } }
    }

    /// Shares in this pool's units, which are never larger than those that they were counted in.
    #[must_use]
    pub fn units(&self, shares: Shares) -> u128 {
        let split = shares.exponent.saturating_sub(self.exponent);
        let factor = u32::try_from(split).ok().and_then(|split| 10_u128.checked_pow(split));
        factor.map_or(0, |factor| shares.count.saturating_mul(factor)).min(self.shares)
    }

    /// What shares are worth: `alpha · shares / all`, rounded down; all of them are worth all alpha. Others who come and
    /// go can cost a stake less than a millionth of a rao, which shows when it was whole.
    #[must_use]
    pub fn worth(&self, shares: Shares) -> Rao {
        mul_div_floor(self.alpha.get().into(), self.units(shares), self.shares)
            .and_then(|worth| u64::try_from(worth).ok())
            .map(Rao)
            .unwrap_or_default()
    }

    /// Takes `alpha` in for one who has `own`; what that one has then. The shares are rounded up, so that they are worth
    /// as much as was taken in.
    ///
    /// # Errors
    ///
    /// [`PoolError::Overflow`].
    pub fn add(&mut self, own: Shares, alpha: Rao) -> Result<Shares, PoolError> {
        self.try_add(own, alpha).ok_or(PoolError::Overflow)
    }

    fn try_add(&mut self, own: Shares, alpha: Rao) -> Option<Shares> {
        let given = if self.alpha.is_zero() {
            u128::from(alpha.get()).checked_mul(SHARES_PER_RAO)?
        } else {
            mul_div_ceil(alpha.get().into(), self.shares, self.alpha.get().into())?
        };
        let own = self.units(own).checked_add(given)?;
        let (alpha, shares) = (self.alpha.checked_add(alpha)?, self.shares.checked_add(given)?);
        *self = Self { alpha, shares, ..*self };
        Some(self.counted(own))
    }

    /// Takes `alpha` in for all who have shares, in proportion.
    ///
    /// # Errors
    ///
    /// [`PoolError::Empty`], [`PoolError::Overflow`].
    pub fn reward(&mut self, alpha: Rao) -> Result<(), PoolError> {
        if self.shares == 0 {
            return Err(PoolError::Empty);
        }
        let alpha = self.alpha.checked_add(alpha).ok_or(PoolError::Overflow)?;
        *self = Self { alpha, ..*self }.split().ok_or(PoolError::Overflow)?;
        Ok(())
    }

    /// Gives `alpha` out to one who has `own`; what that one has then. All shares go when `alpha` is what they are worth,
    /// else as many as `alpha` is worth, rounded up.
    ///
    /// # Errors
    ///
    /// [`PoolError::AboveWorth`], [`PoolError::Overflow`].
    pub fn remove(&mut self, own: Shares, alpha: Rao) -> Result<Shares, PoolError> {
        let worth = self.worth(own);
        if alpha > worth {
            return Err(PoolError::AboveWorth { worth });
        }
        self.try_remove(own, alpha, alpha == worth).ok_or(PoolError::Overflow)
    }

    fn try_remove(&mut self, own: Shares, alpha: Rao, is_all: bool) -> Option<Shares> {
        let own = self.units(own);
        let taken = if is_all { own } else { mul_div_ceil(alpha.get().into(), self.shares, self.alpha.get().into())? };
        let left = own.checked_sub(taken)?;
        let (alpha, shares) = (self.alpha.checked_sub(alpha)?, self.shares.checked_sub(taken)?);
        let before = self.counted(left);
        *self = if shares == 0 { Self::default() } else { Self { alpha, shares, ..*self }.split()? };
        Some(before)
    }

    /// Divides dividends: what the owner of the hotkey takes of them, `take / 65,535` rounded down, and the rest, which
    /// goes to all who have shares. An empty pool has nobody to share with: the owner takes all.
    #[must_use]
    pub fn divide(&self, dividends: Rao, take: u16) -> (Rao, Rao) {
        let taken = if self.shares == 0 {
            dividends
        } else {
            mul_div_floor(dividends.get().into(), take.into(), WHOLE_TAKE)
                .and_then(|taken| u64::try_from(taken).ok())
                .map_or(dividends, Rao)
        };
        (taken, dividends.saturating_sub(taken))
    }

    /// Counts shares in smaller units, a thousandth at a time, until a rao has [`LEAST_SHARES_PER_RAO`]. What coldkeys
    /// have is counted in them when it is read.
    fn split(mut self) -> Option<Self> {
        let (into, power) = SPLIT;
        let least = u128::from(self.alpha.get()).checked_mul(LEAST_SHARES_PER_RAO)?;
        while self.shares > 0 && self.shares < least {
            self.shares = self.shares.checked_mul(into)?;
            self.exponent = self.exponent.checked_sub(power)?;
        }
        Some(self)
    }
}

/// Stake weight of a hotkey on a subnet: its alpha there, plus its stake on the root network times
/// `tao_weight / u64::MAX`, rounded down; at most [`Rao::MAX`].
#[must_use]
pub fn stake_weight(alpha: Rao, root: Rao, tao_weight: u64) -> Rao {
    // Two factors of 64 bits: the product fits, and the quotient is at most `root`.
    let counted = u128::from(root.get()).saturating_mul(tao_weight.into()).checked_div(u64::MAX.into());
    alpha.saturating_add(Rao(counted.and_then(|counted| u64::try_from(counted).ok()).unwrap_or_default()))
}
