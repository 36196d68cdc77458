// SPDX-License-Identifier: Apache-2.0

//! When epochs run, and what happens in every block before its calls.

use alloc::vec::Vec;

use clawrank_schedule::{EpochState, Step};
use frame_support::{
    ensure,
    pallet_prelude::{DispatchResult, Weight},
    traits::{
        Get,
        fungible::{Inspect, Mutate},
    },
};
use sp_runtime::traits::UniqueSaturatedInto;

use crate::{pallet::*, types::*, weights::WeightInfo};

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

    /// The schedule of `netuid` as it stands.
    pub fn epoch_state(netuid: NetUid) -> EpochState {
        EpochState {
            tempo: Tempo::<T>::get(netuid),
            last_epoch_block: LastEpochBlock::<T>::get(netuid),
            pending_epoch_at: PendingEpochAt::<T>::get(netuid),
            epoch_index: SubnetEpochIndex::<T>::get(netuid),
            blocks_since_last_step: BlocksSinceLastStep::<T>::get(netuid),
        }
    }

    /// Whether an epoch of `netuid` is due in `block`; see [`EpochState::is_due`].
    pub fn should_run_epoch(netuid: NetUid, block: u64) -> bool {
        Self::epoch_state(netuid).is_due(block)
    }

    /// The epoch that calls of this block belong to: one more than `SubnetEpochIndex` while an epoch is due that has
    /// not run.
    pub fn current_epoch_with_lookahead(netuid: NetUid) -> u64 {
        Self::epoch_state(netuid).epoch_at(Self::block())
    }

    /// The block in which the next epoch of `netuid` is due; `None` when there is no such subnet or its tempo is 0.
    pub fn next_epoch_start_block(netuid: NetUid) -> Option<u64> {
        if NetworksAdded::<T>::get(netuid) { Self::epoch_state(netuid).next_epoch_block() } else { None }
    }

    /// Sets the tempo and begins the running epoch anew; no epoch stays put off.
    ///
    /// # Errors
    ///
    /// - [`Error::SubnetNotExists`]: no such subnet.
    /// - [`Error::TempoOutOfBounds`]: outside `MinTempo ..= MaxTempo`.
    pub fn do_set_tempo(netuid: NetUid, tempo: u16) -> DispatchResult {
        ensure!(NetworksAdded::<T>::get(netuid), Error::<T>::SubnetNotExists);
        Self::ensure_tempo(tempo)?;
        Tempo::<T>::insert(netuid, tempo);
        LastEpochBlock::<T>::insert(netuid, Self::block());
        PendingEpochAt::<T>::remove(netuid);
        Self::deposit_event(Event::TempoSet(netuid, tempo));
        Ok(())
    }

    /// # Errors
    ///
    /// [`Error::TempoOutOfBounds`]: outside `MinTempo ..= MaxTempo`.
    pub(crate) fn ensure_tempo(tempo: u16) -> Result<(), Error<T>> {
        ensure!((T::MinTempo::get()..=T::MaxTempo::get()).contains(&tempo), Error::<T>::TempoOutOfBounds);
        Ok(())
    }

    /// What every block does before its calls: prices fall, emission accrues, timelocked commits are opened, due
    /// epochs run.
    pub(crate) fn step(block: u64) -> Weight {
        let netuids = Self::netuids();
        Self::step_root(block);
        for netuid in &netuids {
            Self::decay_price(*netuid);
        }
        Self::accrue(block, &netuids);
        let reveals = Self::reveal_timelocked(block, &netuids);
        let epochs = Self::run_epochs(block, &netuids);
        let subnets = u32::try_from(netuids.len()).unwrap_or(u32::MAX);
        T::WeightInfo::block_step(subnets).saturating_add(reveals).saturating_add(epochs)
    }

    /// Whether `netuid` takes part in the emission of `block`.
    fn emits(netuid: NetUid, block: u64) -> bool {
        SubnetEmissionEnabled::<T>::get(netuid)
            && SubtokenEnabled::<T>::get(netuid)
            && FirstEmissionBlockNumber::<T>::get(netuid).is_some_and(|first| block >= first)
    }

    /// Issues `BlockEmission` to the pallet's account and books it as pending, evenly over the subnets that emit.
    ///
    /// What does not divide evenly is not issued, nor is a block whose TAO the account cannot take (above 64 bits).
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
            let mut state = Self::epoch_state(netuid);
            match state.step(block, run < most) {
                Step::Idle => {}
                Step::Deferred => {
                    PendingEpochAt::<T>::insert(netuid, state.pending_epoch_at);
                    let to_block = state.pending_epoch_at;
                    Self::deposit_event(Event::EpochDeferred { netuid, from_block: block, to_block });
                }
                Step::Ran => {
                    run = run.saturating_add(1);
                    weight = weight.saturating_add(Self::run_epoch(netuid, block));
                    LastEpochBlock::<T>::insert(netuid, state.last_epoch_block);
                    PendingEpochAt::<T>::remove(netuid);
                    SubnetEpochIndex::<T>::insert(netuid, state.epoch_index);
                }
            }
            BlocksSinceLastStep::<T>::insert(netuid, state.blocks_since_last_step);
        }
        weight
    }
}
