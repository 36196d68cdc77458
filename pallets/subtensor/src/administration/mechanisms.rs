// SPDX-License-Identifier: Apache-2.0

//! How many mechanisms a subnet has, and their parts of the emission.

use alloc::{vec, vec::Vec};
use frame_support::{ensure, pallet_prelude::DispatchResult};
use sp_runtime::PerU16;

use crate::{pallet::*, types::*};

impl<T: Config> Pallet<T> {
    /// Refuses more uids times mechanisms than one list per neuron can hold.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyUIDsPerMechanism`]: above 256.
    pub fn ensure_uids_fit(uids: u16, mechanisms: MechId) -> Result<(), Error<T>> {
        let all = u32::from(uids).saturating_mul(mechanisms.0.into());
        ensure!(all <= MAX_UIDS, Error::<T>::TooManyUIDsPerMechanism);
        Ok(())
    }

    /// Sets the number of mechanisms. What is stored of those that go is removed, those that come begin empty, and a
    /// split of the emission is forgotten.
    ///
    /// # Errors
    ///
    /// - [`Error::MechanismDoesNotExist`]: no such subnet.
    /// - [`Error::InvalidValue`]: 0, above `MaxMechanismCount`, or above 16.
    /// - [`Error::TooManyUIDsPerMechanism`]: `MaxAllowedUids` times the number is above 256.
    pub fn do_set_mechanism_count(netuid: NetUid, count: MechId) -> DispatchResult {
        ensure!(NetworksAdded::<T>::get(netuid), Error::<T>::MechanismDoesNotExist);
        let most = MaxMechanismCount::<T>::get().min(MechId(MAX_MECHANISMS));
        ensure!((MechId(1)..=most).contains(&count), Error::<T>::InvalidValue);
        Self::ensure_uids_fit(MaxAllowedUids::<T>::get(netuid), count)?;
        let before = MechanismCountCurrent::<T>::get(netuid);
        if before == count {
            return Ok(());
        }
        for mecid in count.0..before.0 {
            Self::remove_mechanism(netuid, MechId(mecid));
        }
        for mecid in before.0..count.0 {
            Self::begin_mechanism(netuid, MechId(mecid));
        }
        MechanismCountCurrent::<T>::insert(netuid, count);
        MechanismEmissionSplit::<T>::remove(netuid);
        Ok(())
    }

    /// Sets what each mechanism gets of the emission, of 65,535, or lets them share evenly. Mechanisms past the end of `split`
    /// get nothing.
    ///
    /// # Errors
    ///
    /// - [`Error::MechanismDoesNotExist`]: no such subnet.
    /// - [`Error::InvalidValue`]: no part, more parts than mechanisms, or parts that do not sum to 65,535.
    pub fn do_set_emission_split(netuid: NetUid, split: Option<Vec<u16>>) -> DispatchResult {
        ensure!(NetworksAdded::<T>::get(netuid), Error::<T>::MechanismDoesNotExist);
        let Some(split) = split else {
            MechanismEmissionSplit::<T>::remove(netuid);
            return Ok(());
        };
        let count = MechanismCountCurrent::<T>::get(netuid).0;
        let whole = split.iter().fold(0_u64, |sum, part| sum.saturating_add(u64::from(*part)));
        ensure!((1..=usize::from(count)).contains(&split.len()), Error::<T>::InvalidValue);
        ensure!(whole == u64::from(u16::MAX), Error::<T>::InvalidValue);
        let split = List::new(split).map_err(|_| Error::<T>::InvalidValue)?;
        MechanismEmissionSplit::<T>::insert(netuid, split);
        Ok(())
    }

    /// Sets how many mechanisms a subnet can have.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`]: not 1 ..= 16.
    pub fn do_set_max_mechanism_count(most: MechId) -> DispatchResult {
        ensure!((1..=MAX_MECHANISMS).contains(&most.0), Error::<T>::InvalidValue);
        MaxMechanismCount::<T>::put(most);
        Ok(())
    }

    /// Removes what is stored of a mechanism: at most one row, or queue, per neuron.
    fn remove_mechanism(netuid: NetUid, mecid: MechId) {
        let index = NetUidStorageIndex::new(netuid, mecid);
        for (_, hotkey) in Keys::<T>::iter_prefix(netuid) {
            WeightCommits::<T>::remove(index, hotkey);
        }
        for uid in 0..SubnetworkN::<T>::get(netuid) {
            Weights::<T>::remove(index, uid);
            Bonds::<T>::remove(index, uid);
        }
        // One queue per epoch that is still to come: a reveal period of them at most.
        let _ = TimelockedWeightCommits::<T>::clear_prefix(index, u32::MAX, None);
        Incentive::<T>::remove(index);
        ConsensusByMechanism::<T>::remove(index);
        LastUpdate::<T>::remove(index);
    }

    /// Gives a new mechanism one entry per neuron: nothing earned, never updated.
    fn begin_mechanism(netuid: NetUid, mecid: MechId) {
        let index = NetUidStorageIndex::new(netuid, mecid);
        let n = usize::from(SubnetworkN::<T>::get(netuid));
        let none = PerU16::from_parts(0);
        Incentive::<T>::insert(index, PerNeuron::truncated(vec![none; n]));
        ConsensusByMechanism::<T>::insert(index, PerNeuron::truncated(vec![none; n]));
        LastUpdate::<T>::insert(index, PerNeuron::truncated(vec![0; n]));
    }
}
