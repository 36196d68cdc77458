// SPDX-License-Identifier: Apache-2.0

//! [`StakePool`]s in storage.

use clawrank_emission::stake::{PoolError, Shares, StakePool};
use clawrank_units::Rao;

use crate::{
    pallet::*,
    types::{AlphaBalance, NetUid, SafeFloat},
};

impl From<SafeFloat> for Shares {
    fn from(stored: SafeFloat) -> Self {
        Self { count: stored.mantissa, exponent: stored.exponent }
    }
}

impl From<Shares> for SafeFloat {
    fn from(shares: Shares) -> Self {
        Self { mantissa: shares.count, exponent: shares.exponent }
    }
}

impl<T> From<PoolError> for Error<T> {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Overflow | PoolError::Empty => Self::Overflow,
            PoolError::AboveWorth { .. } => Self::NotEnoughStakeToWithdraw,
        }
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn stake_pool(hotkey: &T::AccountId, netuid: NetUid) -> StakePool {
        Self::stake_pool_of(hotkey, netuid, TotalHotkeyAlpha::<T>::get(hotkey, netuid))
    }

    /// [`Self::stake_pool`] with its alpha already read.
    pub(crate) fn stake_pool_of(hotkey: &T::AccountId, netuid: NetUid, alpha: AlphaBalance) -> StakePool {
        StakePool::new(Rao(alpha.0), TotalHotkeySharesV2::<T>::get(hotkey, netuid).into())
    }

    /// Stores what differs from `before`, the pool that is stored.
    pub(crate) fn put_stake_pool(hotkey: &T::AccountId, netuid: NetUid, before: &StakePool, pool: &StakePool) {
        if pool.alpha().is_zero() {
            TotalHotkeyAlpha::<T>::remove(hotkey, netuid);
            TotalHotkeySharesV2::<T>::remove(hotkey, netuid);
            return;
        }
        if pool.alpha() != before.alpha() {
            TotalHotkeyAlpha::<T>::insert(hotkey, netuid, AlphaBalance(pool.alpha().get()));
        }
        if pool.all() != before.all() {
            TotalHotkeySharesV2::<T>::insert(hotkey, netuid, SafeFloat::from(pool.all()));
        }
    }
}
