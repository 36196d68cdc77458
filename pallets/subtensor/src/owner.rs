// SPDX-License-Identifier: Apache-2.0

//! What the owner of a subnet may change, and when.

use frame_support::{
    ensure,
    pallet_prelude::{DispatchError, DispatchResult},
};
use frame_system::{ensure_signed_or_root, pallet_prelude::OriginFor};

use crate::{OwnerLimit, pallet::*, types::*};

/// Least and highest activity cutoff, in thousandths of a tempo.
const ACTIVITY_CUTOFF_FACTOR_MILLI: core::ops::RangeInclusive<u32> = 1_000..=50_000;

impl<T: Config> Pallet<T> {
    /// Whether `coldkey` owns `netuid`.
    ///
    /// # Errors
    ///
    /// [`Error::SubnetNotExists`], or [`DispatchError::BadOrigin`] of anybody else.
    pub fn ensure_owner(coldkey: &T::AccountId, netuid: NetUid) -> DispatchResult {
        ensure!(NetworksAdded::<T>::get(netuid), Error::<T>::SubnetNotExists);
        ensure!(Self::is_subnet_owner(coldkey, netuid), DispatchError::BadOrigin);
        Ok(())
    }

    fn is_subnet_owner(coldkey: &T::AccountId, netuid: NetUid) -> bool {
        SubnetOwner::<T>::try_get(netuid).is_ok_and(|owner| owner == *coldkey)
    }

    /// The owner of `netuid` who signed, or `None` for root.
    ///
    /// # Errors
    ///
    /// A bad origin or [`Error::SubnetNotExists`].
    pub fn ensure_owner_or_root(origin: OriginFor<T>, netuid: NetUid) -> Result<Option<T::AccountId>, DispatchError> {
        let signer = ensure_signed_or_root(origin)?;
        match &signer {
            Some(coldkey) => Self::ensure_owner(coldkey, netuid)?,
            None => ensure!(NetworksAdded::<T>::get(netuid), Error::<T>::SubnetNotExists),
        }
        Ok(signer)
    }

    /// Blocks until the tempo of `netuid` is over, from `block`.
    fn blocks_until_tempo_is_over(netuid: NetUid, block: u64) -> u64 {
        let tempo = u64::from(Tempo::<T>::get(netuid));
        LastEpochBlock::<T>::get(netuid).saturating_add(tempo).saturating_sub(block)
    }

    /// Whether `block` is among the last `AdminFreezeWindow` before an epoch of `netuid`, or an epoch was triggered or put
    /// off: its parameters stay as they are then. Never while the tempo is 0.
    pub fn is_in_admin_freeze_window(netuid: NetUid, block: u64) -> bool {
        if Tempo::<T>::get(netuid) == 0 {
            return false;
        }
        PendingEpochAt::<T>::get(netuid) > block
            || Self::blocks_until_tempo_is_over(netuid, block) < u64::from(AdminFreezeWindow::<T>::get())
    }

    /// # Errors
    ///
    /// [`Error::AdminActionProhibitedDuringWeightsWindow`], see [`Self::is_in_admin_freeze_window`].
    pub fn ensure_admin_window_open(netuid: NetUid) -> Result<(), Error<T>> {
        let frozen = Self::is_in_admin_freeze_window(netuid, Self::block());
        ensure!(!frozen, Error::<T>::AdminActionProhibitedDuringWeightsWindow);
        Ok(())
    }

    /// Sets how long a neuron stays active without an update: the owner outside the freeze window and at most every
    /// `OwnerHyperparamRateLimit` tempos, root always.
    ///
    /// # Errors
    ///
    /// [`Error::ActivityCutoffFactorMilliOutOfBounds`], or what the functions called say.
    pub(crate) fn do_set_activity_cutoff_factor(
        origin: OriginFor<T>,
        netuid: NetUid,
        factor_milli: u32,
    ) -> DispatchResult {
        let limit = OwnerLimit::from(Hyperparameter::ActivityCutoffFactorMilli);
        let owner = Self::ensure_owner_or_root(origin, netuid)?;
        let allowed = ACTIVITY_CUTOFF_FACTOR_MILLI.contains(&factor_milli);
        ensure!(allowed, Error::<T>::ActivityCutoffFactorMilliOutOfBounds);
        if let Some(owner) = owner {
            // The window first, then the limit: the order of the public chain's call.
            Self::ensure_admin_window_open(netuid)?;
            Self::ensure_owner_rate_limit(&owner, netuid, limit)?;
            Self::note_limited_change(&owner, netuid, limit);
        }
        ActivityCutoffFactorMilli::<T>::insert(netuid, factor_milli);
        Self::deposit_event(Event::ActivityCutoffFactorMilliSet { netuid, factor_milli });
        Ok(())
    }

    /// Brings the next epoch of `netuid` forward: it is due `AdminFreezeWindow` blocks from now.
    ///
    /// # Errors
    ///
    /// - [`Error::SubnetNotExists`], [`DispatchError::BadOrigin`]: no such subnet; another's.
    /// - [`Error::DynamicTempoBlockedByCommitReveal`]: commits wait for epochs that must come when announced.
    /// - [`Error::EpochTriggerAlreadyPending`], [`Error::AutoEpochAlreadyImminent`]: one comes soon anyway.
    /// - [`Error::TxRateLimitExceeded`]: fewer than `OwnerHyperparamRateLimit` tempos since the last time.
    pub(crate) fn do_trigger_epoch(coldkey: &T::AccountId, netuid: NetUid) -> DispatchResult {
        Self::ensure_owner(coldkey, netuid)?;
        ensure!(!CommitRevealWeightsEnabled::<T>::get(netuid), Error::<T>::DynamicTempoBlockedByCommitReveal);
        ensure!(PendingEpochAt::<T>::get(netuid) == 0, Error::<T>::EpochTriggerAlreadyPending);
        let (block, window) = (Self::block(), u64::from(AdminFreezeWindow::<T>::get()));
        let remaining = Self::blocks_until_tempo_is_over(netuid, block);
        ensure!(remaining >= window, Error::<T>::AutoEpochAlreadyImminent);
        let limit = OwnerLimit::from(Hyperparameter::TriggerEpoch);
        Self::ensure_owner_rate_limit(coldkey, netuid, limit)?;

        let fires_at = block.saturating_add(window);
        PendingEpochAt::<T>::insert(netuid, fires_at);
        Self::note_limited_change(coldkey, netuid, limit);
        Self::deposit_event(Event::EpochTriggered { netuid, by: coldkey.clone(), fires_at });
        Ok(())
    }

    /// # Errors
    ///
    /// [`Error::SubnetNotExists`], [`Error::NotSubnetOwner`] or [`Error::InvalidIdentity`].
    pub(crate) fn do_set_subnet_identity(
        coldkey: &T::AccountId,
        netuid: NetUid,
        identity: SubnetIdentityV3,
    ) -> DispatchResult {
        ensure!(NetworksAdded::<T>::get(netuid), Error::<T>::SubnetNotExists);
        ensure!(Self::is_subnet_owner(coldkey, netuid), Error::<T>::NotSubnetOwner);
        ensure!(identity.is_valid(), Error::<T>::InvalidIdentity);
        SubnetIdentitiesV3::<T>::insert(netuid, identity);
        Self::deposit_event(Event::SubnetIdentitySet(netuid));
        Ok(())
    }
}
