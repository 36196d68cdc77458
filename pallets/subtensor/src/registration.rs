// SPDX-License-Identifier: Apache-2.0

//! Registration of neurons and of subnets.

use frame_support::{ensure, pallet_prelude::DispatchResult, traits::tokens::Preservation};
use sp_runtime::PerU16;

use crate::{pallet::*, reader_types::FixedI128, traits::OnNeuronRemoved, types::*};

/// What `init_new_network` of the public chain writes where it differs from the storage default.
mod new_subnet {
    pub(super) const MAX_ALLOWED_VALIDATORS: u16 = 64;
    pub(super) const MIN_ALLOWED_WEIGHTS: u16 = 1;
    pub(super) const IMMUNITY_PERIOD: u16 = 5_000;
}

impl<T: Config> Pallet<T> {
    /// Registers `hotkey` of `coldkey` on `netuid` and burns the price.
    ///
    /// # Errors
    ///
    /// - [`Error::RegistrationNotPermittedOnRootSubnet`], [`Error::SubnetNotExists`],
    ///   [`Error::SubNetRegistrationDisabled`]: root; no such subnet; closed.
    /// - [`Error::TooManyRegistrationsThisBlock`]: `MaxRegistrationsPerBlock` is reached.
    /// - [`Error::HotKeyAlreadyRegisteredInSubNet`]: the hotkey has a uid there.
    /// - [`Error::NonAssociatedColdKey`], [`Error::CannotUseSystemAccount`], [`Error::TooManyStakingHotkeys`]: another's
    ///   hotkey; the pallet's; one more than the coldkey may own.
    /// - [`Error::NotEnoughBalanceToStake`]: the coldkey cannot pay the price.
    /// - [`Error::NoNeuronIdAvailable`]: full, and nobody may go; see [`Self::uid_to_replace`].
    pub(crate) fn do_burned_register(coldkey: &T::AccountId, netuid: NetUid, hotkey: &T::AccountId) -> DispatchResult {
        ensure!(!netuid.is_root(), Error::<T>::RegistrationNotPermittedOnRootSubnet);
        ensure!(NetworksAdded::<T>::get(netuid), Error::<T>::SubnetNotExists);
        ensure!(NetworkRegistrationAllowed::<T>::get(netuid), Error::<T>::SubNetRegistrationDisabled);
        let count = RegistrationsThisBlock::<T>::get(netuid);
        ensure!(count < MaxRegistrationsPerBlock::<T>::get(netuid), Error::<T>::TooManyRegistrationsThisBlock);
        ensure!(!Uids::<T>::contains_key(netuid, hotkey), Error::<T>::HotKeyAlreadyRegisteredInSubNet);
        Self::ensure_may_own(coldkey, hotkey)?;
        let cost = Burn::<T>::get(netuid);
        Self::ensure_can_pay(coldkey, cost, Error::<T>::NotEnoughBalanceToStake)?;
        let uid = Self::free_uid(netuid).ok_or(Error::<T>::NoNeuronIdAvailable)?;

        Self::charge_registration(coldkey, netuid, cost)?;
        Self::own(hotkey, coldkey);
        Self::seat(netuid, uid, hotkey);
        RegistrationsThisBlock::<T>::insert(netuid, count.saturating_add(1));
        Self::deposit_event(Event::NeuronRegistered(netuid, uid, hotkey.clone()));
        Ok(())
    }

    /// Burns the price of a registration on `netuid`, and raises it for the next.
    pub(crate) fn charge_registration(coldkey: &T::AccountId, netuid: NetUid, cost: TaoBalance) -> DispatchResult {
        Self::burn(coldkey, cost, Preservation::Preserve)?;
        RAORecycledForRegistration::<T>::mutate(netuid, |total| total.0 = total.0.saturating_add(cost.0));
        Self::raise_price(netuid, cost);
        Ok(())
    }

    /// [`Self::do_burned_register`], unless the price of the moment is above `limit_price`.
    ///
    /// # Errors
    ///
    /// [`Error::RegistrationNotPermittedOnRootSubnet`], [`Error::SubnetNotExists`], then
    /// [`Error::RegistrationPriceLimitExceeded`], then what the registration itself says.
    pub(crate) fn do_register_limit(
        coldkey: &T::AccountId,
        netuid: NetUid,
        hotkey: &T::AccountId,
        limit_price: u64,
    ) -> DispatchResult {
        ensure!(!netuid.is_root(), Error::<T>::RegistrationNotPermittedOnRootSubnet);
        ensure!(NetworksAdded::<T>::get(netuid), Error::<T>::SubnetNotExists);
        ensure!(Burn::<T>::get(netuid).0 <= limit_price, Error::<T>::RegistrationPriceLimitExceeded);
        Self::do_burned_register(coldkey, netuid, hotkey)
    }

    /// Registers a subnet for `coldkey`, with `hotkey` as uid 0, and burns the price.
    ///
    /// # Errors
    ///
    /// - [`Error::InvalidIdentity`]: a field of the identity is too long.
    /// - [`Error::NonAssociatedColdKey`], [`Error::CannotUseSystemAccount`], [`Error::TooManyStakingHotkeys`]: another's
    ///   hotkey; the pallet's; one more than the coldkey may own.
    /// - [`Error::NetworkTxRateLimitExceeded`]: fewer than `NetworkRateLimit` blocks since the last one.
    /// - [`Error::SubnetLimitReached`]: as many subnets as there can be.
    /// - [`Error::CannotAffordLockCost`]: the coldkey cannot pay the price.
    pub(crate) fn do_register_network(
        coldkey: &T::AccountId,
        hotkey: &T::AccountId,
        identity: Option<SubnetIdentityV3>,
    ) -> DispatchResult {
        ensure!(identity.as_ref().is_none_or(SubnetIdentityV3::is_valid), Error::<T>::InvalidIdentity);
        Self::ensure_may_own(coldkey, hotkey)?;
        ensure!(Self::may_register_network(), Error::<T>::NetworkTxRateLimitExceeded);
        let netuid = Self::free_netuid().ok_or(Error::<T>::SubnetLimitReached)?;
        let cost = Self::network_lock_cost();
        Self::ensure_can_pay(coldkey, cost, Error::<T>::CannotAffordLockCost)?;

        Self::burn(coldkey, cost, Preservation::Preserve)?;
        NetworkLastLockCost::<T>::put(cost);
        LastRateLimitedBlock::<T>::insert(RateLimitKey::<T::AccountId>::NetworkLastRegistered, Self::block());
        Self::own(hotkey, coldkey);
        Self::create_network(netuid, coldkey, hotkey);
        SubnetLocked::<T>::insert(netuid, cost);
        Self::seat(netuid, 0, hotkey);
        if let Some(identity) = identity {
            SubnetIdentitiesV3::<T>::insert(netuid, identity);
            Self::deposit_event(Event::SubnetIdentitySet(netuid));
        }
        Self::deposit_event(Event::NetworkAdded(netuid, 0));
        Self::deposit_event(Event::NeuronRegistered(netuid, 0, hotkey.clone()));
        Ok(())
    }

    /// Starts a subnet: stake moves at once, emission flows from the next block.
    ///
    /// # Errors
    ///
    /// - [`Error::SubnetNotExists`], [`DispatchError::BadOrigin`](frame_support::pallet_prelude::DispatchError::BadOrigin):
    ///   no such subnet; another's.
    /// - [`Error::FirstEmissionBlockNumberAlreadySet`]: it runs already.
    /// - [`Error::StartCallNotReady`]: fewer than `StartCallDelay` blocks since its registration.
    pub(crate) fn do_start_call(coldkey: &T::AccountId, netuid: NetUid) -> DispatchResult {
        Self::ensure_owner(coldkey, netuid)?;
        ensure!(!FirstEmissionBlockNumber::<T>::contains_key(netuid), Error::<T>::FirstEmissionBlockNumberAlreadySet);
        let passed = Self::block().saturating_sub(NetworkRegisteredAt::<T>::get(netuid));
        ensure!(passed >= StartCallDelay::<T>::get(), Error::<T>::StartCallNotReady);
        let first = Self::block().saturating_add(1);
        Self::start_network(netuid, first);
        Self::deposit_event(Event::FirstEmissionBlockNumberSet(netuid, first));
        Ok(())
    }

    pub(crate) fn start_network(netuid: NetUid, first_emission: u64) {
        SubtokenEnabled::<T>::insert(netuid, true);
        FirstEmissionBlockNumber::<T>::insert(netuid, first_emission);
    }

    /// Whether `coldkey` owns `hotkey`, or nobody does and it may.
    ///
    /// # Errors
    ///
    /// [`Error::CannotUseSystemAccount`], [`Error::NonAssociatedColdKey`], [`Error::TooManyStakingHotkeys`]: the pallet's
    /// account; another's hotkey; nobody's, and the coldkey has as many as it may.
    pub(crate) fn ensure_may_own(coldkey: &T::AccountId, hotkey: &T::AccountId) -> Result<(), Error<T>> {
        let own = Self::account();
        ensure!(*hotkey != own && *coldkey != own, Error::<T>::CannotUseSystemAccount);
        let Ok(owner) = Owner::<T>::try_get(hotkey) else { return Self::ensure_hotkeys_can_grow(coldkey) };
        ensure!(owner == *coldkey, Error::<T>::NonAssociatedColdKey);
        Ok(())
    }

    /// Whether enough blocks have passed since a subnet was registered; always before the first.
    pub fn may_register_network() -> bool {
        match LastRateLimitedBlock::<T>::try_get(RateLimitKey::<T::AccountId>::NetworkLastRegistered) {
            Ok(last) => Self::block().saturating_sub(last) >= NetworkRateLimit::<T>::get(),
            Err(()) => true,
        }
    }

    /// The lowest netuid that no subnet has, from 1.
    fn free_netuid() -> Option<NetUid> {
        let limit = SubnetLimit::<T>::get().min(MECHANISM_STRIDE.saturating_sub(1));
        if TotalNetworks::<T>::get() >= limit {
            return None;
        }
        (1..=limit).map(NetUid).find(|netuid| !NetworksAdded::<T>::get(netuid))
    }

    /// Writes what a new subnet has.
    pub(crate) fn create_network(netuid: NetUid, coldkey: &T::AccountId, hotkey: &T::AccountId) {
        Self::create_ownerless_network(netuid);
        SubnetOwner::<T>::insert(netuid, coldkey);
        SubnetOwnerHotkey::<T>::insert(netuid, hotkey);
    }

    /// Writes what a new subnet has, but for its owner.
    pub(crate) fn create_ownerless_network(netuid: NetUid) {
        let block = Self::block();
        NetworksAdded::<T>::insert(netuid, true);
        TotalNetworks::<T>::mutate(|total| *total = total.saturating_add(1));
        NetworkRegisteredAt::<T>::insert(netuid, block);
        SubnetMechanism::<T>::insert(netuid, 0);
        SubnetMovingPrice::<T>::insert(netuid, FixedI128::from_int(1));
        NetworkPowRegistrationAllowed::<T>::insert(netuid, false);
        TokenSymbol::<T>::insert(netuid, <DefaultSymbol as frame_support::traits::Get<_>>::get());
        Tempo::<T>::insert(netuid, <T::InitialTempo as frame_support::traits::Get<u16>>::get());
        LastEpochBlock::<T>::insert(netuid, block);
        MaxAllowedUids::<T>::insert(netuid, MaxAllowedUids::<T>::get(netuid));
        MaxAllowedValidators::<T>::insert(netuid, new_subnet::MAX_ALLOWED_VALIDATORS);
        MinAllowedWeights::<T>::insert(netuid, new_subnet::MIN_ALLOWED_WEIGHTS);
        ImmunityPeriod::<T>::insert(netuid, new_subnet::IMMUNITY_PERIOD);
        Yuma3On::<T>::insert(netuid, true);
        Burn::<T>::insert(netuid, Burn::<T>::get(netuid));
    }

    /// Gives `uid`, which is taken or the next free one, to `hotkey`.
    pub(crate) fn seat(netuid: NetUid, uid: u16, hotkey: &T::AccountId) {
        let n = SubnetworkN::<T>::get(netuid);
        if uid < n {
            Self::unseat(netuid, uid);
        } else {
            SubnetworkN::<T>::insert(netuid, uid.saturating_add(1));
        }
        let block = Self::block();
        Keys::<T>::insert(netuid, uid, hotkey);
        Uids::<T>::insert(netuid, hotkey, uid);
        IsNetworkMember::<T>::insert(hotkey, netuid, true);
        BlockAtRegistration::<T>::insert(netuid, uid, block);
        Self::reset_neuron(netuid, uid, block);
    }

    /// Removes what is stored of the hotkey that has `uid`; its stake stays its own.
    pub(crate) fn unseat(netuid: NetUid, uid: u16) {
        let hotkey = Keys::<T>::get(netuid, uid);
        Uids::<T>::remove(netuid, &hotkey);
        IsNetworkMember::<T>::remove(&hotkey, netuid);
        Axons::<T>::remove(netuid, &hotkey);
        Prometheus::<T>::remove(netuid, &hotkey);
        NeuronCertificates::<T>::remove(netuid, &hotkey);
        T::OnNeuronRemoved::on_neuron_removed(netuid, &hotkey);
        for index in Self::mechanisms(netuid) {
            WeightCommits::<T>::remove(index, &hotkey);
            Weights::<T>::remove(index, uid);
            Bonds::<T>::remove(index, uid);
        }
    }

    /// Every value that is listed by uid, at `uid`, as a new neuron has it; lists are extended up to it.
    fn reset_neuron(netuid: NetUid, uid: u16, block: u64) {
        fn at<V: Clone>(list: &mut PerNeuron<V>, uid: u16, empty: V, value: V) {
            let uid = usize::from(uid);
            if list.len() <= uid {
                list.resize_to(uid.saturating_add(1), empty);
            }
            if let Some(slot) = list.get_mut(uid) {
                *slot = value;
            }
        }
        let none = PerU16::from_parts(0);
        Active::<T>::mutate(netuid, |list| at(list, uid, false, true));
        Consensus::<T>::mutate(netuid, |list| at(list, uid, none, none));
        Dividends::<T>::mutate(netuid, |list| at(list, uid, none, none));
        Emission::<T>::mutate(netuid, |list| at(list, uid, AlphaBalance(0), AlphaBalance(0)));
        StakeWeight::<T>::mutate(netuid, |list| at(list, uid, 0, 0));
        ValidatorTrust::<T>::mutate(netuid, |list| at(list, uid, none, none));
        ValidatorPermit::<T>::mutate(netuid, |list| at(list, uid, false, false));
        for index in Self::mechanisms(netuid) {
            ConsensusByMechanism::<T>::mutate(index, |list| at(list, uid, none, none));
            Incentive::<T>::mutate(index, |list| at(list, uid, none, none));
            LastUpdate::<T>::mutate(index, |list| at(list, uid, 0, block));
        }
    }
}
