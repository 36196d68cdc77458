// SPDX-License-Identifier: Apache-2.0

//! What the owner of a hotkey takes of its dividends before all who stake to it share them.

use frame_support::{ensure, pallet_prelude::DispatchResult};
use sp_runtime::PerU16;

use crate::{pallet::*, types::*};

impl<T: Config> Pallet<T> {
    /// Lowers the take of `hotkey`, at any time.
    ///
    /// # Errors
    ///
    /// As [`Self::ensure_take`], and [`Error::DelegateTakeTooLow`]: not below the take that it has.
    pub(crate) fn do_decrease_take(coldkey: &T::AccountId, hotkey: &T::AccountId, take: PerU16) -> DispatchResult {
        Self::ensure_take(coldkey, hotkey, take)?;
        ensure!(take < Delegates::<T>::get(hotkey), Error::<T>::DelegateTakeTooLow);

        Delegates::<T>::insert(hotkey, take);
        Self::deposit_event(Event::TakeDecreased(coldkey.clone(), hotkey.clone(), take));
        Ok(())
    }

    /// Raises the take of `hotkey`, at most every `TxDelegateTakeRateLimit` blocks.
    ///
    /// # Errors
    ///
    /// As [`Self::ensure_take`], [`Error::DelegateTakeTooLow`]: not above the take that it has, and
    /// [`Error::DelegateTxRateLimitExceeded`]: it was raised too few blocks ago.
    pub(crate) fn do_increase_take(coldkey: &T::AccountId, hotkey: &T::AccountId, take: PerU16) -> DispatchResult {
        Self::ensure_take(coldkey, hotkey, take)?;
        ensure!(take > Delegates::<T>::get(hotkey), Error::<T>::DelegateTakeTooLow);
        let (key, block) = (RateLimitKey::LastTxBlockDelegateTake(hotkey.clone()), Self::block());
        let allowed = LastRateLimitedBlock::<T>::try_get(&key)
            .map_or(true, |last| block.saturating_sub(last) >= TxDelegateTakeRateLimit::<T>::get());
        ensure!(allowed, Error::<T>::DelegateTxRateLimitExceeded);

        LastRateLimitedBlock::<T>::insert(key, block);
        Delegates::<T>::insert(hotkey, take);
        Self::deposit_event(Event::TakeIncreased(coldkey.clone(), hotkey.clone(), take));
        Ok(())
    }

    /// Whether `take` may be one of a hotkey of `coldkey` at all, whatever it takes now.
    ///
    /// # Errors
    ///
    /// - [`Error::DelegateTakeTooLow`], [`Error::DelegateTakeTooHigh`]: below `MinDelegateTake`, above `MaxDelegateTake`.
    /// - [`Error::HotKeyAccountNotExists`], [`Error::NonAssociatedColdKey`]: the hotkey is nobody's, or another's.
    pub(crate) fn ensure_take(coldkey: &T::AccountId, hotkey: &T::AccountId, take: PerU16) -> Result<(), Error<T>> {
        ensure!(take >= MinDelegateTake::<T>::get(), Error::<T>::DelegateTakeTooLow);
        ensure!(take <= MaxDelegateTake::<T>::get(), Error::<T>::DelegateTakeTooHigh);
        Self::ensure_owns(coldkey, hotkey)
    }
}
