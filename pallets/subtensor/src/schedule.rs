// SPDX-License-Identifier: Apache-2.0

//! When epochs run, and what happens in every block before its calls.

use alloc::vec::Vec;
use frame_support::{
    ensure,
    pallet_prelude::{DispatchResult, Weight},
    traits::{
        Get,
        fungible::{Inspect, Mutate},
    },
};
use sp_runtime::traits::UniqueSaturatedInto;

use crate::{pallet::*, price, types::*, weights::WeightInfo};

/// Blocks since the last epoch, by count, after which one runs whatever the tempo says.
const MAX_BLOCKS_SINCE_STEP: u64 = 50_400;

impl<T: Config> Pallet<T> {
    /// The block that runs, or the last one when asked from outside.
    pub fn block() -> u64 {
        frame_system::Pallet::<T>::block_number().unique_saturated_into()
    }

    /// The storage indices of the mechanisms of `netuid`.
    pub fn mechanisms(netuid: NetUid) -> impl Iterator<Item = NetUidStorageIndex> {
        let count = MechanismCountCurrent::<T>::get(netuid).0.min(MAX_MECHANISMS);
        (0..count).map(move |mecid| NetUidStorageIndex::new(netuid, MechId(mecid)))
    }

    /// The subnets that exist, ascending, without the root network.
    pub fn netuids() -> Vec<NetUid> {
        let mut netuids: Vec<NetUid> = NetworksAdded::<T>::iter()
            .filter(|(netuid, added)| *added && !netuid.is_root())
            .map(|(netuid, _)| netuid)
            .collect();
        netuids.sort_unstable();
        netuids
    }

    /// Whether an epoch of `netuid` is due in `block`: an epoch was put off to it or before, the tempo has passed since
    /// the last one, or 50,400 blocks were counted. Never while the tempo is 0.
    pub fn should_run_epoch(netuid: NetUid, block: u64) -> bool {
        let tempo = Tempo::<T>::get(netuid);
        if tempo == 0 {
            return false;
        }
        let pending = PendingEpochAt::<T>::get(netuid);
        (pending > 0 && block >= pending)
            || BlocksSinceLastStep::<T>::get(netuid) > MAX_BLOCKS_SINCE_STEP
            || block.saturating_sub(LastEpochBlock::<T>::get(netuid)) >= u64::from(tempo)
    }

    /// The epoch that calls of this block belong to: one more than `SubnetEpochIndex` while an epoch is due that has
    /// not run.
    pub fn current_epoch_with_lookahead(netuid: NetUid) -> u64 {
        let due = u64::from(Self::should_run_epoch(netuid, Self::block()));
        SubnetEpochIndex::<T>::get(netuid).saturating_add(due)
    }

    /// The block in which the next epoch of `netuid` is due; `None` when there is no such subnet or its tempo is 0.
    pub fn next_epoch_start_block(netuid: NetUid) -> Option<u64> {
        if !NetworksAdded::<T>::get(netuid) {
            return None;
        }
        let tempo = Tempo::<T>::get(netuid);
        if tempo == 0 {
            return None;
        }
        let regular = LastEpochBlock::<T>::get(netuid).saturating_add(u64::from(tempo));
        let pending = PendingEpochAt::<T>::get(netuid);
        Some(if pending > 0 { regular.min(pending) } else { regular })
    }

    /// Sets the tempo and begins the running epoch anew; no epoch stays put off.
    ///
    /// # Errors
    ///
    /// - [`Error::SubnetNotExists`]: no such subnet.
    /// - [`Error::TempoOutOfBounds`]: outside `MinTempo ..= MaxTempo`.
    pub fn do_set_tempo(netuid: NetUid, tempo: u16) -> DispatchResult {
        ensure!(NetworksAdded::<T>::get(netuid), Error::<T>::SubnetNotExists);
        ensure!((T::MinTempo::get()..=T::MaxTempo::get()).contains(&tempo), Error::<T>::TempoOutOfBounds);
        Tempo::<T>::insert(netuid, tempo);
        LastEpochBlock::<T>::insert(netuid, Self::block());
        PendingEpochAt::<T>::remove(netuid);
        Self::deposit_event(Event::TempoSet(netuid, tempo));
        Ok(())
    }

    /// What every block does before its calls: prices fall, emission accrues, due epochs run.
    pub(crate) fn step(block: u64) -> Weight {
        let netuids = Self::netuids();
        for netuid in &netuids {
            Self::decay_price(*netuid);
        }
        Self::accrue(block, &netuids);
        let epochs = Self::run_epochs(block, &netuids);
        let subnets = u32::try_from(netuids.len()).unwrap_or(u32::MAX);
        T::WeightInfo::block_step(subnets).saturating_add(epochs)
    }

    /// Lets the price of a registration fall by one block and the counter of the block start anew.
    fn decay_price(netuid: NetUid) {
        RegistrationsThisBlock::<T>::take(netuid);
        let before = Burn::<T>::get(netuid);
        let after = price::clamped(
            price::decayed(before, BurnHalfLife::<T>::get(netuid)),
            MinBurn::<T>::get(netuid),
            MaxBurn::<T>::get(netuid),
        );
        if after != before {
            Burn::<T>::insert(netuid, after);
        }
    }

    /// Whether `netuid` takes part in the emission of `block`.
    fn emits(netuid: NetUid, block: u64) -> bool {
        SubnetEmissionEnabled::<T>::get(netuid)
            && SubtokenEnabled::<T>::get(netuid)
            && FirstEmissionBlockNumber::<T>::get(netuid).is_some_and(|first| block >= first)
    }

    /// Issues `BlockEmission` to the pallet's account and books it as pending, evenly over the subnets that emit.
    ///
    /// What does not divide evenly is not issued, nor is a block whose TAO the account cannot take (below the
    /// existential deposit, or above 64 bits).
    fn accrue(block: u64, netuids: &[NetUid]) {
        let emitting: Vec<NetUid> = netuids.iter().copied().filter(|netuid| Self::emits(*netuid, block)).collect();
        let count = u64::try_from(emitting.len()).unwrap_or(u64::MAX);
        let each = BlockEmission::<T>::get().checked_div(count).unwrap_or_default();
        let total = each.saturating_mul(count);
        if total > 0 && T::Currency::mint_into(&Self::account(), total).is_ok() {
            for netuid in emitting {
                Self::book_emission(netuid, AlphaBalance(each));
            }
        }
        let issuance = TaoBalance(T::Currency::total_issuance());
        if TotalIssuance::<T>::get() != issuance {
            TotalIssuance::<T>::put(issuance);
        }
    }

    /// Runs the epochs that are due, at most `MaxEpochsPerBlock`; puts the others off by one block.
    fn run_epochs(block: u64, netuids: &[NetUid]) -> Weight {
        let most = MaxEpochsPerBlock::<T>::get();
        let mut run = 0_u8;
        let mut weight = Weight::zero();
        for netuid in netuids.iter().copied() {
            if !Self::should_run_epoch(netuid, block) {
                BlocksSinceLastStep::<T>::mutate(netuid, |blocks| *blocks = blocks.saturating_add(1));
            } else if run >= most {
                let to_block = block.saturating_add(1);
                PendingEpochAt::<T>::insert(netuid, to_block);
                BlocksSinceLastStep::<T>::mutate(netuid, |blocks| *blocks = blocks.saturating_add(1));
                Self::deposit_event(Event::EpochDeferred { netuid, from_block: block, to_block });
            } else {
                run = run.saturating_add(1);
                weight = weight.saturating_add(Self::run_epoch(netuid, block));
                LastEpochBlock::<T>::insert(netuid, block);
                PendingEpochAt::<T>::remove(netuid);
                BlocksSinceLastStep::<T>::remove(netuid);
                SubnetEpochIndex::<T>::mutate(netuid, |index| *index = index.saturating_add(1));
            }
        }
        weight
    }
}
