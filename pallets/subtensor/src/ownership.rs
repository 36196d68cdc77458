// SPDX-License-Identifier: Apache-2.0

//! Which coldkey owns which hotkeys.

use frame_support::ensure;

use crate::{pallet::*, types::*};

impl<T: Config> Pallet<T> {
    /// Books `hotkey` as `coldkey`'s, and lists it among the coldkey's. Nothing changes when the hotkey has an owner:
    /// who may register it, and whether the lists have room, is checked before.
    pub(crate) fn own(hotkey: &T::AccountId, coldkey: &T::AccountId) {
        if Owner::<T>::contains_key(hotkey) {
            return;
        }
        Owner::<T>::insert(hotkey, coldkey);
        OwnedHotkeys::<T>::mutate(coldkey, |hotkeys| list(hotkeys, hotkey));
        StakingHotkeys::<T>::mutate(coldkey, |hotkeys| list(hotkeys, hotkey));
    }

    /// Whether `coldkey` can own one hotkey more.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyStakingHotkeys`]: it has [`MAX_OWNED_HOTKEYS`], or has them together with those it stakes to.
    pub(crate) fn ensure_hotkeys_can_grow(coldkey: &T::AccountId) -> Result<(), Error<T>> {
        let most = usize::try_from(MAX_OWNED_HOTKEYS).unwrap_or(usize::MAX);
        let owned = OwnedHotkeys::<T>::get(coldkey).len();
        let staking = StakingHotkeys::<T>::get(coldkey).len();
        ensure!(owned < most && staking < most, Error::<T>::TooManyStakingHotkeys);
        Ok(())
    }

    /// Whether `coldkey` stakes to `hotkey`, or can stake to one hotkey more.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyStakingHotkeys`]: it has [`MAX_STAKING_HOTKEYS`] others.
    pub(crate) fn ensure_staking_can_grow(coldkey: &T::AccountId, hotkey: &T::AccountId) -> Result<(), Error<T>> {
        let hotkeys = StakingHotkeys::<T>::get(coldkey);
        let most = usize::try_from(MAX_STAKING_HOTKEYS).unwrap_or(usize::MAX);
        ensure!(hotkeys.len() < most || hotkeys.contains(hotkey), Error::<T>::TooManyStakingHotkeys);
        Ok(())
    }

    /// Lists `hotkey` among those that `coldkey` stakes to.
    pub(crate) fn list_staking(coldkey: &T::AccountId, hotkey: &T::AccountId) {
        StakingHotkeys::<T>::mutate(coldkey, |hotkeys| list(hotkeys, hotkey));
    }

    /// Strikes `hotkey` off those that `coldkey` stakes to, unless it has stake there on any subnet, or owns the hotkey.
    pub(crate) fn unlist_staking(coldkey: &T::AccountId, hotkey: &T::AccountId) {
        let stays =
            Owner::<T>::get(hotkey) == *coldkey || AlphaV2::<T>::iter_prefix((hotkey, coldkey)).next().is_some();
        if stays {
            return;
        }
        StakingHotkeys::<T>::mutate_exists(coldkey, |hotkeys| {
            let mut rest = hotkeys.take().unwrap_or_default();
            if let Some(position) = rest.iter().position(|listed| listed == hotkey) {
                rest.remove(position);
            }
            *hotkeys = Some(rest).filter(|rest| !rest.is_empty());
        });
    }
}

/// Appends `hotkey` unless it is there; a full list stays as it is.
fn list<AccountId: Clone + PartialEq>(hotkeys: &mut Hotkeys<AccountId>, hotkey: &AccountId) {
    if !hotkeys.contains(hotkey) {
        let _ = hotkeys.try_push(hotkey.clone());
    }
}
