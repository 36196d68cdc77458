// SPDX-License-Identifier: Apache-2.0

//! What root and the owners of subnets may change, how often an owner may, and when not.

mod mechanisms;
mod trim;

use codec::FullCodec;
use frame_support::{
    ensure,
    pallet_prelude::{DispatchError, DispatchResult},
    storage::{StorageMap, StorageValue},
    traits::Get,
};
use frame_system::{ensure_signed_or_root, pallet_prelude::OriginFor};

use crate::{pallet::*, types::*};

/// Blocks between two changes of the owner's hotkey by the owner.
const OWNER_HOTKEY_BLOCKS: u64 = 50_400;
/// Blocks between two changes of the number of mechanisms, or of their parts of the emission, by the owner.
const MECHANISM_BLOCKS: u64 = 7_200;
/// Blocks between two trimmings of the uids by the owner.
const TRIMMING_BLOCKS: u64 = 216_000;
/// Fewest and most neurons of the owner's coldkey that can be made safe from replacement.
const IMMUNE_OWNER_UIDS: core::ops::RangeInclusive<u16> = 1..=10;
/// Fewest and most epochs from a commit to its reveal.
const REVEAL_PERIOD_EPOCHS: core::ops::RangeInclusive<u64> = 1..=100;
/// Least bonds rate of liquid alpha: a fortieth of 65,535.
const LEAST_ALPHA: u16 = u16::MAX / 40;

/// How often an owner may make one kind of change; root may at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerLimit {
    /// Once in `OwnerHyperparamRateLimit` tempos, each parameter by itself.
    Hyperparameter(Hyperparameter),
    /// Once in `WeightsVersionKeyRateLimit` tempos.
    WeightsVersionKey,
    /// The owner's hotkey: once in 50,400 blocks.
    OwnerHotkey,
    /// The number of mechanisms: once in 7,200 blocks.
    MechanismCount,
    /// The mechanisms' parts of the emission: once in 7,200 blocks.
    MechanismEmission,
    /// Trimming: once in 216,000 blocks.
    Trimming,
    /// The tempo: once in `MinTempo` blocks.
    Tempo,
    /// As often as the owner likes.
    Free,
}

impl From<Hyperparameter> for OwnerLimit {
    fn from(parameter: Hyperparameter) -> Self {
        Self::Hyperparameter(parameter)
    }
}

/// Where the block of an owner's last change is kept.
enum Record<AccountId> {
    Limited(RateLimitKey<AccountId>),
    Transaction(u16),
    None,
}

impl OwnerLimit {
    /// Blocks that have to pass between two changes.
    fn blocks<T: Config>(self, netuid: NetUid) -> u64 {
        let tempos = |count: u64| u64::from(Tempo::<T>::get(netuid)).saturating_mul(count);
        match self {
            Self::Hyperparameter(_) => tempos(OwnerHyperparamRateLimit::<T>::get().into()),
            Self::WeightsVersionKey => tempos(WeightsVersionKeyRateLimit::<T>::get()),
            Self::OwnerHotkey => OWNER_HOTKEY_BLOCKS,
            Self::MechanismCount | Self::MechanismEmission => MECHANISM_BLOCKS,
            Self::Trimming => TRIMMING_BLOCKS,
            Self::Tempo => T::MinTempo::get().into(),
            Self::Free => 0,
        }
    }

    /// The public chain's numbers of these transactions.
    const fn record<AccountId>(self, netuid: NetUid) -> Record<AccountId> {
        match self {
            Self::Hyperparameter(parameter) => Record::Limited(RateLimitKey::OwnerHyperparamUpdate(netuid, parameter)),
            Self::OwnerHotkey => Record::Limited(RateLimitKey::SetSNOwnerHotkey(netuid)),
            Self::WeightsVersionKey => Record::Transaction(4),
            Self::MechanismCount => Record::Transaction(7),
            Self::MechanismEmission => Record::Transaction(8),
            Self::Trimming => Record::Transaction(9),
            Self::Tempo => Record::Transaction(11),
            Self::Free => Record::None,
        }
    }

    fn last<T: Config>(self, owner: &T::AccountId, netuid: NetUid) -> u64 {
        match self.record::<T::AccountId>(netuid) {
            Record::Limited(key) => LastRateLimitedBlock::<T>::get(key),
            Record::Transaction(number) => TransactionKeyLastBlock::<T>::get((owner, netuid, number)),
            Record::None => 0,
        }
    }

    /// Whether enough blocks have passed since the last change of `owner`; always before the first.
    fn allows<T: Config>(self, owner: &T::AccountId, netuid: NetUid) -> bool {
        let last = self.last::<T>(owner, netuid);
        last == 0 || Pallet::<T>::block().saturating_sub(last) >= self.blocks::<T>(netuid)
    }

    fn note<T: Config>(self, owner: &T::AccountId, netuid: NetUid) {
        let block = Pallet::<T>::block();
        match self.record::<T::AccountId>(netuid) {
            Record::Limited(key) => LastRateLimitedBlock::<T>::insert(key, block),
            Record::Transaction(number) => TransactionKeyLastBlock::<T>::insert((owner, netuid, number), block),
            Record::None => {}
        }
    }
}

impl<T: Config> Pallet<T> {
    /// The owner of `netuid` who signed, or `None` for root.
    ///
    /// # Errors
    ///
    /// [`DispatchError::BadOrigin`]: neither.
    pub fn ensure_admin(origin: OriginFor<T>, netuid: NetUid) -> Result<Option<T::AccountId>, DispatchError> {
        let Some(who) = ensure_signed_or_root(origin)? else { return Ok(None) };
        ensure!(SubnetOwner::<T>::try_get(netuid).is_ok_and(|owner| owner == who), DispatchError::BadOrigin);
        Ok(Some(who))
    }

    /// Lets an owner change something now. Root is not asked: it is bound neither by limits nor by the window.
    ///
    /// # Errors
    ///
    /// - [`Error::TxRateLimitExceeded`]: the owner made the same change too few blocks ago.
    /// - [`Error::AdminActionProhibitedDuringWeightsWindow`]: an epoch is near; see [`Self::is_in_admin_freeze_window`].
    pub fn ensure_owner_may(owner: &T::AccountId, netuid: NetUid, limit: OwnerLimit) -> Result<(), Error<T>> {
        Self::ensure_owner_rate_limit(owner, netuid, limit)?;
        Self::ensure_admin_window_open(netuid)
    }

    /// # Errors
    ///
    /// [`Error::TxRateLimitExceeded`]: the owner made the same change too few blocks ago.
    pub(crate) fn ensure_owner_rate_limit(
        owner: &T::AccountId,
        netuid: NetUid,
        limit: OwnerLimit,
    ) -> Result<(), Error<T>> {
        ensure!(limit.allows::<T>(owner, netuid), Error::<T>::TxRateLimitExceeded);
        Ok(())
    }

    /// Counts a change of an owner against its limit.
    pub fn note_limited_change(owner: &T::AccountId, netuid: NetUid, limit: OwnerLimit) {
        limit.note::<T>(owner, netuid);
    }

    /// Writes a parameter of `netuid` and says so.
    pub fn set_parameter<M, V>(netuid: NetUid, value: V, event: fn(NetUid, V) -> Event<T>)
    where
        M: StorageMap<NetUid, V>,
        V: FullCodec + Copy,
    {
        M::insert(netuid, value);
        Self::deposit_event(event(netuid, value));
    }

    /// Writes a parameter of the chain and says so.
    pub fn set_global<S, V>(value: V, event: fn(V) -> Event<T>)
    where
        S: StorageValue<V>,
        V: FullCodec + Copy,
    {
        S::put(value);
        Self::deposit_event(event(value));
    }

    /// Sets the tempo to anything, for root: see [`Self::do_set_tempo`] for owners. 0 stops the epochs.
    pub fn force_set_tempo(netuid: NetUid, tempo: u16) {
        Tempo::<T>::insert(netuid, tempo);
        LastEpochBlock::<T>::insert(netuid, Self::block());
        PendingEpochAt::<T>::remove(netuid);
        Self::deposit_event(Event::TempoSet(netuid, tempo));
    }

    /// Sets the epochs from a commit to its reveal.
    ///
    /// # Errors
    ///
    /// [`Error::RevealPeriodTooSmall`] below 1, [`Error::RevealPeriodTooLarge`] above 100.
    pub fn do_set_reveal_period(netuid: NetUid, epochs: u64) -> DispatchResult {
        ensure!(epochs >= *REVEAL_PERIOD_EPOCHS.start(), Error::<T>::RevealPeriodTooSmall);
        ensure!(epochs <= *REVEAL_PERIOD_EPOCHS.end(), Error::<T>::RevealPeriodTooLarge);
        Self::set_parameter::<RevealPeriodEpochs<T>, _>(netuid, epochs, Event::CommitRevealPeriodsSet);
        Ok(())
    }

    /// Sets the lowest and highest bonds rate of liquid alpha, of 65,535.
    ///
    /// # Errors
    ///
    /// - [`Error::LiquidAlphaDisabled`]: liquid alpha is off.
    /// - [`Error::AlphaHighTooLow`], [`Error::AlphaLowOutOfRange`]: below 1,638; the lowest is above the highest.
    pub fn do_set_alpha_values(netuid: NetUid, low: u16, high: u16) -> DispatchResult {
        ensure!(LiquidAlphaOn::<T>::get(netuid), Error::<T>::LiquidAlphaDisabled);
        ensure!(high >= LEAST_ALPHA, Error::<T>::AlphaHighTooLow);
        ensure!((LEAST_ALPHA..=high).contains(&low), Error::<T>::AlphaLowOutOfRange);
        AlphaValues::<T>::insert(netuid, (low, high));
        Ok(())
    }

    /// Names the hotkey of the subnet's owner: it keeps its uid, validates with any stake, and gets the owner's cut. A
    /// hotkey that nobody owns becomes the owner's.
    ///
    /// # Errors
    ///
    /// [`Error::CannotUseSystemAccount`], [`Error::TooManyStakingHotkeys`]: the pallet's account; nobody's hotkey, and
    /// the owner has as many as it may.
    pub fn do_set_owner_hotkey(netuid: NetUid, hotkey: &T::AccountId) -> DispatchResult {
        ensure!(*hotkey != Self::account(), Error::<T>::CannotUseSystemAccount);
        if !Owner::<T>::contains_key(hotkey) {
            let owner = SubnetOwner::<T>::get(netuid);
            Self::ensure_hotkeys_can_grow(&owner)?;
            Self::own(hotkey, &owner);
        }
        SubnetOwnerHotkey::<T>::insert(netuid, hotkey);
        Self::deposit_event(Event::SubnetOwnerHotkeySet(netuid, hotkey.clone()));
        Ok(())
    }

    /// Sets how many neurons of the owner's coldkey cannot be replaced.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`]: not 1 ..= 10.
    pub fn do_set_immune_owner_uids(netuid: NetUid, limit: u16) -> DispatchResult {
        ensure!(IMMUNE_OWNER_UIDS.contains(&limit), Error::<T>::InvalidValue);
        ImmuneOwnerUidsLimit::<T>::insert(netuid, limit);
        Ok(())
    }
}
