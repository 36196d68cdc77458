// SPDX-License-Identifier: Apache-2.0

//! The root network: stake on it counts on every subnet. It has neither weights nor epochs.

use frame_support::{ensure, pallet_prelude::DispatchResult};

use crate::{pallet::*, reader_types::FixedI128, types::*};

impl<T: Config> Pallet<T> {
    /// Writes what the root network has, unless it exists.
    pub(crate) fn create_root() {
        if NetworksAdded::<T>::get(NetUid::ROOT) {
            return;
        }
        NetworksAdded::<T>::insert(NetUid::ROOT, true);
        SubnetMovingPrice::<T>::insert(NetUid::ROOT, FixedI128::from_int(1));
        NetworkPowRegistrationAllowed::<T>::insert(NetUid::ROOT, false);
        MaxAllowedUids::<T>::insert(NetUid::ROOT, MAX_ROOT_UIDS);
        MaxAllowedValidators::<T>::insert(NetUid::ROOT, MAX_ROOT_UIDS);
        MinAllowedWeights::<T>::insert(NetUid::ROOT, 0);
    }

    /// Registers `hotkey` of `coldkey` on the root network, free of charge; when it is full, in place of the hotkey with
    /// the least root stake (among equals the one registered first, then the lowest uid).
    ///
    /// # Errors
    ///
    /// - [`Error::RootNetworkDoesNotExist`]: the chain has none.
    /// - [`Error::TooManyRegistrationsThisBlock`]: `MaxRegistrationsPerBlock` is reached.
    /// - [`Error::HotKeyAlreadyRegisteredInSubNet`]: the hotkey has a seat.
    /// - [`Error::NonAssociatedColdKey`], [`Error::CannotUseSystemAccount`]: another's hotkey; the pallet's.
    /// - [`Error::StakeTooLowForRoot`]: full, and the hotkey's root stake is not above the least.
    pub(crate) fn do_root_register(coldkey: &T::AccountId, hotkey: &T::AccountId) -> DispatchResult {
        let root = NetUid::ROOT;
        ensure!(NetworksAdded::<T>::get(root), Error::<T>::RootNetworkDoesNotExist);
        let count = RegistrationsThisBlock::<T>::get(root);
        ensure!(count < MaxRegistrationsPerBlock::<T>::get(root), Error::<T>::TooManyRegistrationsThisBlock);
        ensure!(!Uids::<T>::contains_key(root, hotkey), Error::<T>::HotKeyAlreadyRegisteredInSubNet);
        Self::ensure_may_own(coldkey, hotkey)?;
        let n = SubnetworkN::<T>::get(root);
        let uid = if n < MaxAllowedUids::<T>::get(root).min(MAX_ROOT_UIDS) {
            n
        } else {
            let (least, uid) = Self::least_root_seat().ok_or(Error::<T>::StakeTooLowForRoot)?;
            ensure!(TotalHotkeyAlpha::<T>::get(hotkey, root) > least, Error::<T>::StakeTooLowForRoot);
            uid
        };

        Self::own(hotkey, coldkey);
        Self::seat(root, uid, hotkey);
        RegistrationsThisBlock::<T>::insert(root, count.saturating_add(1));
        Self::deposit_event(Event::NeuronRegistered(root, uid, hotkey.clone()));
        Ok(())
    }

    /// Root stake and uid of the seat that has to go first.
    fn least_root_seat() -> Option<(AlphaBalance, u16)> {
        Keys::<T>::iter_prefix(NetUid::ROOT)
            .map(|(uid, hotkey)| {
                let registered = BlockAtRegistration::<T>::get(NetUid::ROOT, uid);
                (TotalHotkeyAlpha::<T>::get(&hotkey, NetUid::ROOT), registered, uid)
            })
            .min()
            .map(|(stake, _, uid)| (stake, uid))
    }
}
