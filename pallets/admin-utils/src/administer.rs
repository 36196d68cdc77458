// SPDX-License-Identifier: Apache-2.0

//! Who asks, and what every call has in common.

use codec::FullCodec;
use frame_support::{BoundedVec, ensure, pallet_prelude::DispatchResult};
use frame_system::{ensure_root, pallet_prelude::OriginFor};
use pallet_subtensor::{
    self as subtensor, Hyperparameter, MAX_UIDS, MaxAllowedUids, MechanismCountCurrent, MinAllowedUids, NetUid,
    NetworksAdded, OwnerLimit, SubnetworkN,
};

use crate::pallet::*;

/// What values have to lie between.
pub(crate) mod bounds {
    use core::ops::RangeInclusive;
    use sp_runtime::PerU16;

    /// The least price of a registration is below this, in rao.
    pub(crate) const MIN_BURN_BELOW: u64 = 1_000_000_000;
    /// The highest price of a registration is above this, in rao.
    pub(crate) const MAX_BURN_ABOVE: u64 = 100_000_000;
    /// Most that owners may let bonds keep per epoch, in millionths.
    pub(crate) const OWNER_BONDS_MOVING_AVERAGE: u64 = 975_000;
    /// Blocks in which the price of a registration halves.
    pub(crate) const BURN_HALF_LIFE: RangeInclusive<u16> = 1..=36_100;
    /// What a registration multiplies the price by, times 2^64: 1 to 3.
    pub(crate) const BURN_INCREASE: RangeInclusive<u128> = (1 << 64)..=(3 << 64);
    /// Tempos, in thousandths, after which a neuron is inactive.
    pub(crate) const ACTIVITY_FACTOR_MILLI: RangeInclusive<u32> = 1_000..=50_000;
    /// Highest of the least takes of child hotkeys: the highest take, 18 %.
    pub(crate) const CHILDKEY_TAKE: PerU16 = PerU16::from_parts(11_796);
    /// Most of a registration's price that can be locked, of 65,535: 95 %.
    pub(crate) const COLLATERAL_LOCK_SHARE: u16 = 62_258;
    /// Collateral released per alpha earned, times 2^64: above 0, at most 10.
    pub(crate) const COLLATERAL_DRAIN_RATIO: RangeInclusive<u128> = 1..=(10 << 64);
}

/// Replaces the authorities.
pub trait SwapAuthorities<AuthorityId, Max> {
    /// `new`, which is not empty, makes the blocks from the next on.
    fn swap(new: BoundedVec<AuthorityId, Max>);
}

impl<AuthorityId, Max> SwapAuthorities<AuthorityId, Max> for () {
    fn swap(_: BoundedVec<AuthorityId, Max>) {}
}

/// Who a change comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    Root,
    Owner,
}

impl<T: Config> Pallet<T> {
    /// # Errors
    ///
    /// [`Error::NotPermittedOnRootSubnet`] for the root network, [`Error::SubnetDoesNotExist`] for none.
    fn ensure_subnet(netuid: NetUid) -> Result<(), Error<T>> {
        ensure!(!netuid.is_root(), Error::<T>::NotPermittedOnRootSubnet);
        ensure!(NetworksAdded::<T>::get(netuid), Error::<T>::SubnetDoesNotExist);
        Ok(())
    }

    /// The public chain's calls on mechanisms and on trimming leave it to `SubtensorModule` to look for the subnet.
    ///
    /// # Errors
    ///
    /// Those of [`Self::ensure_subnet`], but `MechanismDoesNotExist` or `SubnetNotExists` from these calls.
    fn ensure_subnet_for(netuid: NetUid, limit: OwnerLimit) -> DispatchResult {
        match (Self::ensure_subnet(netuid), limit) {
            (Err(Error::<T>::SubnetDoesNotExist), OwnerLimit::MechanismCount | OwnerLimit::MechanismEmission) => {
                Err(subtensor::Error::<T>::MechanismDoesNotExist.into())
            }
            (Err(Error::<T>::SubnetDoesNotExist), OwnerLimit::Trimming) => {
                Err(subtensor::Error::<T>::SubnetNotExists.into())
            }
            (result, _) => Ok(result?),
        }
    }

    /// Lets root, or the owner of `netuid` within `limit`, make a change outside the freeze window, and counts an owner's
    /// against the limit.
    ///
    /// # Errors
    ///
    /// - `BadOrigin`: neither root nor the owner.
    /// - `TxRateLimitExceeded`: an owner, too soon.
    /// - `AdminActionProhibitedDuringWeightsWindow`: an epoch is near.
    /// - [`Error::NotPermittedOnRootSubnet`], [`Error::SubnetDoesNotExist`]: no subnet; from calls on mechanisms
    ///   `MechanismDoesNotExist`, from trimming `SubnetNotExists`.
    /// - Those of `change`.
    pub(crate) fn by_owner(
        origin: OriginFor<T>,
        netuid: NetUid,
        limit: impl Into<OwnerLimit>,
        change: impl FnOnce(Asker) -> DispatchResult,
    ) -> DispatchResult {
        let limit = limit.into();
        let owner = subtensor::Pallet::<T>::ensure_admin(origin, netuid)?;
        match &owner {
            Some(owner) => subtensor::Pallet::<T>::ensure_owner_may(owner, netuid, limit)?,
            None => Self::ensure_root_may(netuid, limit)?,
        }
        Self::ensure_subnet_for(netuid, limit)?;
        change(if owner.is_some() { Asker::Owner } else { Asker::Root })?;
        if let Some(owner) = &owner {
            subtensor::Pallet::<T>::note_limited_change(owner, netuid, limit);
        }
        Ok(())
    }

    /// The freeze window binds root as it binds owners, but for the activity factor.
    ///
    /// # Errors
    ///
    /// `AdminActionProhibitedDuringWeightsWindow`.
    fn ensure_root_may(netuid: NetUid, limit: OwnerLimit) -> DispatchResult {
        if limit != OwnerLimit::Hyperparameter(Hyperparameter::ActivityCutoffFactorMilli) {
            subtensor::Pallet::<T>::ensure_admin_window_open(netuid)?;
        }
        Ok(())
    }

    /// Lets root change `netuid` outside the freeze window.
    ///
    /// # Errors
    ///
    /// Those of [`Self::by_root`], and `AdminActionProhibitedDuringWeightsWindow`.
    pub(crate) fn by_root_in_time(
        origin: OriginFor<T>,
        netuid: NetUid,
        change: impl FnOnce() -> DispatchResult,
    ) -> DispatchResult {
        ensure_root(origin.clone())?;
        subtensor::Pallet::<T>::ensure_admin_window_open(netuid)?;
        Self::by_root(origin, netuid, change)
    }

    /// Lets root change `netuid`, at any time.
    ///
    /// # Errors
    ///
    /// `BadOrigin`, [`Error::NotPermittedOnRootSubnet`], [`Error::SubnetDoesNotExist`], and those of `change`.
    pub(crate) fn by_root(
        origin: OriginFor<T>,
        netuid: NetUid,
        change: impl FnOnce() -> DispatchResult,
    ) -> DispatchResult {
        ensure_root(origin)?;
        Self::ensure_subnet(netuid)?;
        change()
    }

    /// [`Self::by_owner`] for a parameter that takes any value.
    pub(crate) fn owner_sets<M: StorageMapOf<V>, V: FullCodec + Copy>(
        origin: OriginFor<T>,
        netuid: NetUid,
        limit: impl Into<OwnerLimit>,
        value: V,
        event: fn(NetUid, V) -> subtensor::Event<T>,
    ) -> DispatchResult {
        Self::by_owner(origin, netuid, limit, |_| Self::put::<M, V>(netuid, value, event))
    }

    /// [`Self::by_root_in_time`] for a parameter that takes any value.
    pub(crate) fn root_sets_in_time<M: StorageMapOf<V>, V: FullCodec + Copy>(
        origin: OriginFor<T>,
        netuid: NetUid,
        value: V,
        event: fn(NetUid, V) -> subtensor::Event<T>,
    ) -> DispatchResult {
        Self::by_root_in_time(origin, netuid, || Self::put::<M, V>(netuid, value, event))
    }

    /// [`Self::by_root`] for a parameter that takes any value.
    pub(crate) fn root_sets<M: StorageMapOf<V>, V: FullCodec + Copy>(
        origin: OriginFor<T>,
        netuid: NetUid,
        value: V,
        event: fn(NetUid, V) -> subtensor::Event<T>,
    ) -> DispatchResult {
        Self::by_root(origin, netuid, || Self::put::<M, V>(netuid, value, event))
    }

    /// Lets root set a parameter of the chain that takes any value.
    ///
    /// # Errors
    ///
    /// `BadOrigin`.
    pub(crate) fn root_sets_global<S: frame_support::storage::StorageValue<V>, V: FullCodec + Copy>(
        origin: OriginFor<T>,
        value: V,
        event: fn(V) -> subtensor::Event<T>,
    ) -> DispatchResult {
        ensure_root(origin)?;
        subtensor::Pallet::<T>::set_global::<S, V>(value, event);
        Ok(())
    }

    /// Writes a checked value of which the public chain says nothing.
    pub(crate) fn write<M: StorageMapOf<V>, V: FullCodec>(netuid: NetUid, value: V) -> DispatchResult {
        M::insert(netuid, value);
        Ok(())
    }

    /// Sets how many neurons `netuid` holds.
    ///
    /// # Errors
    ///
    /// - [`Error::MaxAllowedUidsLessThanMinAllowedUids`], [`Error::MaxAllowedUIdsLessThanCurrentUIds`]: too few.
    /// - [`Error::MaxAllowedUidsGreaterThanDefaultMaxAllowedUids`], `TooManyUIDsPerMechanism`: too many.
    pub(crate) fn do_set_max_uids(netuid: NetUid, most: u16) -> DispatchResult {
        ensure!(most >= MinAllowedUids::<T>::get(netuid), Error::<T>::MaxAllowedUidsLessThanMinAllowedUids);
        ensure!(most >= SubnetworkN::<T>::get(netuid), Error::<T>::MaxAllowedUIdsLessThanCurrentUIds);
        ensure!(u32::from(most) <= MAX_UIDS, Error::<T>::MaxAllowedUidsGreaterThanDefaultMaxAllowedUids);
        subtensor::Pallet::<T>::ensure_uids_fit(most, MechanismCountCurrent::<T>::get(netuid))?;
        Self::put::<MaxAllowedUids<T>, _>(netuid, most, subtensor::Event::MaxAllowedUidsSet)
    }

    /// Writes a checked value and says so.
    pub(crate) fn put<M: StorageMapOf<V>, V: FullCodec + Copy>(
        netuid: NetUid,
        value: V,
        event: fn(NetUid, V) -> subtensor::Event<T>,
    ) -> DispatchResult {
        subtensor::Pallet::<T>::set_parameter::<M, V>(netuid, value, event);
        Ok(())
    }
}

/// A value per subnet.
pub(crate) trait StorageMapOf<V: FullCodec>: frame_support::storage::StorageMap<NetUid, V> {}

impl<V: FullCodec, M: frame_support::storage::StorageMap<NetUid, V>> StorageMapOf<V> for M {}
