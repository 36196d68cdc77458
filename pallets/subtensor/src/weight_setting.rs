// SPDX-License-Identifier: Apache-2.0

//! Setting weights: one function per check, in the order of the public chain.

use alloc::{collections::BTreeSet, vec::Vec};
use frame_support::{ensure, pallet_prelude::DispatchResult};
use frame_system::{ensure_signed, pallet_prelude::OriginFor};

use crate::{pallet::*, types::*};

/// One hotkey's weights on one mechanism, as they came in.
pub(crate) struct NewWeights {
    pub(crate) netuid: NetUid,
    pub(crate) mecid: MechId,
    pub(crate) uids: Vec<u16>,
    pub(crate) values: Vec<u16>,
    pub(crate) version_key: u64,
}

impl<T: Config> Pallet<T> {
    /// # Errors
    ///
    /// [`Error::CommitRevealEnabled`] while the subnet wants commit and reveal, a bad origin, or any of
    /// [`Self::do_set_weights`].
    pub(crate) fn do_set_plain_weights(
        origin: OriginFor<T>,
        netuid: NetUid,
        mecid: MechId,
        uids: Vec<u16>,
        values: Vec<u16>,
        version_key: u64,
    ) -> DispatchResult {
        ensure!(!CommitRevealWeightsEnabled::<T>::get(netuid), Error::<T>::CommitRevealEnabled);
        let hotkey = ensure_signed(origin)?;
        Self::do_set_weights(&hotkey, NewWeights { netuid, mecid, uids, values, version_key })
    }

    /// Puts weights in force, from plain calls and from reveals alike.
    ///
    /// # Errors
    ///
    /// The checks in their order, each with its own error; see the functions called.
    pub(crate) fn do_set_weights(hotkey: &T::AccountId, new: NewWeights) -> DispatchResult {
        let NewWeights { netuid, mecid, uids, values, version_key } = new;
        let commit_reveal = CommitRevealWeightsEnabled::<T>::get(netuid);
        let index = NetUidStorageIndex::new(netuid, mecid);
        let block = Self::block();

        Self::ensure_not_root(netuid)?;
        Self::ensure_equal_lengths(&uids, &values)?;
        Self::ensure_mechanism_exists(netuid, mecid)?;
        let n = SubnetworkN::<T>::get(netuid);
        Self::ensure_not_more_than_neurons(&uids, n)?;
        let uid = Self::ensure_registered(netuid, hotkey)?;
        Self::ensure_stake_for_weights(netuid, hotkey)?;
        Self::ensure_version_key(netuid, version_key)?;
        if !commit_reveal {
            ensure!(Self::is_within_rate_limit(index, uid, block), Error::<T>::SettingWeightsTooFast);
        }
        Self::ensure_may_weigh_others(netuid, hotkey, uid, &uids)?;
        Self::ensure_no_duplicates(&uids)?;
        Self::ensure_on_subnet(&uids, n)?;
        Self::ensure_enough_weights(netuid, uid, &uids, n)?;

        let row = uids.into_iter().zip(max_upscale(&values)).collect();
        // As many weights as neurons at most, which `MAX_UIDS` bounds.
        Weights::<T>::insert(index, uid, WeightRow::truncated(row));
        if !commit_reveal {
            Self::touch(index, uid, block);
        }
        Self::deposit_event(Event::WeightsSet(index, uid));
        Ok(())
    }

    /// # Errors
    ///
    /// [`Error::CanNotSetRootNetworkWeights`] on netuid 0.
    pub(crate) fn ensure_not_root(netuid: NetUid) -> Result<(), Error<T>> {
        ensure!(!netuid.is_root(), Error::<T>::CanNotSetRootNetworkWeights);
        Ok(())
    }

    /// # Errors
    ///
    /// [`Error::WeightVecNotEqualSize`].
    fn ensure_equal_lengths(uids: &[u16], values: &[u16]) -> Result<(), Error<T>> {
        ensure!(uids.len() == values.len(), Error::<T>::WeightVecNotEqualSize);
        Ok(())
    }

    /// # Errors
    ///
    /// [`Error::MechanismDoesNotExist`]: no such subnet, or it has fewer mechanisms.
    pub fn ensure_mechanism_exists(netuid: NetUid, mecid: MechId) -> Result<(), Error<T>> {
        ensure!(
            NetworksAdded::<T>::get(netuid) && mecid < MechanismCountCurrent::<T>::get(netuid),
            Error::<T>::MechanismDoesNotExist
        );
        Ok(())
    }

    /// [`Self::ensure_mechanism_exists`] as reveals ask it.
    ///
    /// # Errors
    ///
    /// [`Error::SubnetNotExists`], [`Error::MechanismDoesNotExist`].
    pub(crate) fn ensure_subnet_and_mechanism_exist(netuid: NetUid, mecid: MechId) -> Result<(), Error<T>> {
        ensure!(NetworksAdded::<T>::get(netuid), Error::<T>::SubnetNotExists);
        Self::ensure_mechanism_exists(netuid, mecid)
    }

    /// # Errors
    ///
    /// [`Error::UidsLengthExceedUidsInSubNet`].
    fn ensure_not_more_than_neurons(uids: &[u16], n: u16) -> Result<(), Error<T>> {
        ensure!(uids.len() <= usize::from(n), Error::<T>::UidsLengthExceedUidsInSubNet);
        Ok(())
    }

    /// # Errors
    ///
    /// [`Error::HotKeyNotRegisteredInSubNet`].
    pub fn ensure_registered(netuid: NetUid, hotkey: &T::AccountId) -> Result<u16, Error<T>> {
        Uids::<T>::get(netuid, hotkey).ok_or(Error::<T>::HotKeyNotRegisteredInSubNet)
    }

    /// # Errors
    ///
    /// [`Error::NotEnoughStakeToSetWeights`]: below `StakeThreshold`, and not the owner's hotkey.
    pub(crate) fn ensure_stake_for_weights(netuid: NetUid, hotkey: &T::AccountId) -> Result<(), Error<T>> {
        ensure!(Self::has_stake_for_weights(netuid, hotkey), Error::<T>::NotEnoughStakeToSetWeights);
        Ok(())
    }

    /// # Errors
    ///
    /// [`Error::IncorrectWeightVersionKey`]: below the subnet's, which is not 0.
    fn ensure_version_key(netuid: NetUid, version_key: u64) -> Result<(), Error<T>> {
        let least = WeightsVersionKey::<T>::get(netuid);
        ensure!(least == 0 || version_key >= least, Error::<T>::IncorrectWeightVersionKey);
        Ok(())
    }

    /// Whether `WeightsSetRateLimit` blocks have passed since the last update of `uid`; always when there was none.
    pub fn is_within_rate_limit(index: NetUidStorageIndex, uid: u16, block: u64) -> bool {
        let last = LastUpdate::<T>::get(index).get(usize::from(uid)).copied().unwrap_or_default();
        last == 0 || block.saturating_sub(last) >= WeightsSetRateLimit::<T>::get(index.split().0)
    }

    /// # Errors
    ///
    /// [`Error::NeuronNoValidatorPermit`]: weights on others without a permit, and not the owner's hotkey.
    fn ensure_may_weigh_others(netuid: NetUid, hotkey: &T::AccountId, uid: u16, uids: &[u16]) -> Result<(), Error<T>> {
        let allowed = is_self_weight(uid, uids)
            || Self::is_owner_hotkey(netuid, hotkey)
            || Self::has_validator_permit(netuid, uid);
        ensure!(allowed, Error::<T>::NeuronNoValidatorPermit);
        Ok(())
    }

    /// Whether the neuron of `uid` holds a validator permit.
    pub fn has_validator_permit(netuid: NetUid, uid: u16) -> bool {
        ValidatorPermit::<T>::get(netuid).get(usize::from(uid)).copied().unwrap_or_default()
    }

    /// # Errors
    ///
    /// [`Error::DuplicateUids`].
    fn ensure_no_duplicates(uids: &[u16]) -> Result<(), Error<T>> {
        let mut seen = BTreeSet::new();
        ensure!(uids.iter().all(|uid| seen.insert(*uid)), Error::<T>::DuplicateUids);
        Ok(())
    }

    /// # Errors
    ///
    /// [`Error::UidVecContainInvalidOne`]: a uid is not below the number of neurons.
    fn ensure_on_subnet(uids: &[u16], n: u16) -> Result<(), Error<T>> {
        ensure!(uids.iter().all(|uid| *uid < n), Error::<T>::UidVecContainInvalidOne);
        Ok(())
    }

    /// # Errors
    ///
    /// [`Error::WeightVecLengthIsLow`]: fewer than `min(neurons, MinAllowedWeights)`, and not a self-weight.
    fn ensure_enough_weights(netuid: NetUid, uid: u16, uids: &[u16], n: u16) -> Result<(), Error<T>> {
        let least = usize::from(MinAllowedWeights::<T>::get(netuid).min(n));
        ensure!(is_self_weight(uid, uids) || uids.len() >= least, Error::<T>::WeightVecLengthIsLow);
        Ok(())
    }

    /// Notes `block` as the last update of `uid`.
    pub(crate) fn touch(index: NetUidStorageIndex, uid: u16, block: u64) {
        LastUpdate::<T>::mutate(index, |blocks| {
            if let Some(last) = blocks.get_mut(usize::from(uid)) {
                *last = block;
            }
        });
    }
}

/// Whether the only weight is on oneself.
fn is_self_weight(uid: u16, uids: &[u16]) -> bool {
    matches!(uids, [only] if *only == uid)
}

/// Scales `values` so that the largest is 65,535, as the public chain does it in 32.32 fixed point.
///
/// `round(value · 65,535 / max)` while `max` is at most 32,768, else `round(value · (65,535 / max))`, every quotient
/// cut to 32 fractional bits and halves rounded up. All zeros stay.
pub(crate) fn max_upscale(values: &[u16]) -> Vec<u16> {
    const MAX: u64 = u16::MAX as u64;
    const HALF: u64 = 1 << 31;
    let largest = u64::from(values.iter().copied().max().unwrap_or_default());
    if largest == 0 {
        return values.to_vec();
    }
    values
        .iter()
        .map(|value| {
            let value = u64::from(*value);
            // Below 2^64 in both branches: 2^16 · 2^16 · 2^32 is never reached, since one factor is below 2^16.
            let fixed = if largest > 32_768 {
                value.saturating_mul((MAX << 32).checked_div(largest).unwrap_or_default())
            } else {
                (value.saturating_mul(MAX) << 32).checked_div(largest).unwrap_or_default()
            };
            u16::try_from(fixed.saturating_add(HALF) >> 32).unwrap_or(u16::MAX)
        })
        .collect()
}
