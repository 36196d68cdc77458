// SPDX-License-Identifier: Apache-2.0

//! Which coldkey owns which hotkeys.

use crate::pallet::*;

impl<T: Config> Pallet<T> {
    /// Books `hotkey` as `coldkey`'s, and lists it among the coldkey's. Nothing changes when the hotkey has an owner:
    /// who may register it is checked before.
    pub(crate) fn own(hotkey: &T::AccountId, coldkey: &T::AccountId) {
        if Owner::<T>::contains_key(hotkey) {
            return;
        }
        Owner::<T>::insert(hotkey, coldkey);
        OwnedHotkeys::<T>::append(coldkey, hotkey);
        StakingHotkeys::<T>::append(coldkey, hotkey);
    }
}
