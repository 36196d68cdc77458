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

    /// Registers `hotkey` of `coldkey` on the root network and burns the price, which moves as on a subnet; when it is
    /// full, in place of the hotkey with the least root stake of those without immunity (among equals the one registered
    /// first, then the lowest uid). It needs no stake.
    ///
    /// # Errors
    ///
    /// - [`Error::RootNetworkDoesNotExist`]: the chain has none.
    /// - [`Error::TooManyRegistrationsThisBlock`]: `MaxRegistrationsPerBlock` is reached.
    /// - [`Error::TooManyRegistrationsThisInterval`]: three times `TargetRegistrationsPerInterval` is reached.
    /// - [`Error::HotKeyAlreadyRegisteredInSubNet`]: the hotkey has a seat.
    /// - [`Error::NonAssociatedColdKey`], [`Error::CannotUseSystemAccount`], [`Error::TooManyStakingHotkeys`]: another's
    ///   hotkey; the pallet's; one more than the coldkey may own.
    /// - [`Error::NoNeuronIdAvailable`]: full, and every seat is immune.
    /// - [`Error::NotEnoughBalanceToStake`]: the coldkey cannot pay the price.
    pub(crate) fn do_root_register(coldkey: &T::AccountId, hotkey: &T::AccountId) -> DispatchResult {
        let root = NetUid::ROOT;
        ensure!(NetworksAdded::<T>::get(root), Error::<T>::RootNetworkDoesNotExist);
        let count = RegistrationsThisBlock::<T>::get(root);
        ensure!(count < MaxRegistrationsPerBlock::<T>::get(root), Error::<T>::TooManyRegistrationsThisBlock);
        let in_interval = RegistrationsThisInterval::<T>::get(root);
        let most = TargetRegistrationsPerInterval::<T>::get(root).saturating_mul(3);
        ensure!(in_interval < most, Error::<T>::TooManyRegistrationsThisInterval);
        ensure!(!Uids::<T>::contains_key(root, hotkey), Error::<T>::HotKeyAlreadyRegisteredInSubNet);
        Self::ensure_may_own(coldkey, hotkey)?;
        let n = SubnetworkN::<T>::get(root);
        let has_room = n < MaxAllowedUids::<T>::get(root).min(MAX_ROOT_UIDS);
        let uid = if has_room { Some(n) } else { Self::least_root_seat() };
        let uid = uid.ok_or(Error::<T>::NoNeuronIdAvailable)?;
        let cost = Burn::<T>::get(root);
        Self::ensure_can_pay(coldkey, cost, Error::<T>::NotEnoughBalanceToStake)?;

        Self::charge_registration(coldkey, root, cost)?;
        Self::own(hotkey, coldkey);
        Self::seat(root, uid, hotkey);
        RegistrationsThisBlock::<T>::insert(root, count.saturating_add(1));
        RegistrationsThisInterval::<T>::insert(root, in_interval.saturating_add(1));
        Self::deposit_event(Event::NeuronRegistered(root, uid, hotkey.clone()));
        Ok(())
    }

    /// What every block does for the root network: the price of a seat falls, and registrations are counted anew, those
    /// of the interval every `AdjustmentInterval` blocks.
    pub(crate) fn step_root(block: u64) {
        let root = NetUid::ROOT;
        if !NetworksAdded::<T>::get(root) {
            return;
        }
        Self::decay_price(root);
        let passed = block.saturating_sub(LastAdjustmentBlock::<T>::get(root));
        if passed >= u64::from(AdjustmentInterval::<T>::get(root)) {
            RegistrationsThisInterval::<T>::remove(root);
            LastAdjustmentBlock::<T>::insert(root, block);
        }
    }

    /// The seat that has to go first; `None` when all are immune.
    fn least_root_seat() -> Option<u16> {
        let block = Self::block();
        Keys::<T>::iter_prefix(NetUid::ROOT)
            .map(|(uid, hotkey)| (hotkey, BlockAtRegistration::<T>::get(NetUid::ROOT, uid), uid))
            .filter(|(_, registered, _)| !Self::is_immune(NetUid::ROOT, *registered, block))
            .map(|(hotkey, registered, uid)| (TotalHotkeyAlpha::<T>::get(hotkey, NetUid::ROOT), registered, uid))
            .min()
            .map(|(_, _, uid)| uid)
    }
}
