// SPDX-License-Identifier: Apache-2.0

//! What a block does before its calls: open epochs, draw challenges, settle.

use alloc::vec::Vec;
use clawrank_timelock::PulseSource;
use frame_support::{
    pallet_prelude::Weight,
    traits::{Get, Time},
};
use pallet_subtensor::{EpochInfo, NetUid, SubnetInfo};
use sp_core::H256;
use sp_runtime::traits::UniqueSaturatedInto;

use crate::{pallet::*, types::EpochState, weights::WeightInfo};

/// Epochs that may wait for their challenge or settlement and are looked at in one block. Two wait as a rule; more only
/// when epochs were cut short.
const MAX_OPEN: u64 = 4;

/// The next block or round.
const fn after(number: u64) -> u64 {
    number.saturating_add(1)
}

impl<T: Config> Pallet<T> {
    pub(crate) fn step(block: u64) -> Weight {
        let netuids: Vec<NetUid> = EpochEmission::<T>::iter_keys().collect();
        let subnets = u32::try_from(netuids.len()).unwrap_or(u32::MAX);
        netuids.into_iter().fold(T::WeightInfo::on_initialize(subnets), |weight, netuid| {
            weight.saturating_add(Self::step_subnet(netuid, block))
        })
    }

    fn step_subnet(netuid: NetUid, block: u64) -> Weight {
        let Some(info) = T::Subnets::epoch(netuid) else { return Weight::zero() };
        let mut weight = Weight::zero();
        let known = RunningEpoch::<T>::get(netuid);
        if known != Some(info.index) {
            weight = weight.saturating_add(Self::open(netuid, &info, known.is_none()));
        }
        let oldest = NextToSettle::<T>::get(netuid);
        for epoch in (oldest..=info.index).take(usize::try_from(MAX_OPEN).unwrap_or(usize::MAX)) {
            Self::draw(netuid, epoch, block);
        }
        if Self::is_over(netuid, oldest, info.index, block) {
            weight = weight.saturating_add(Self::settle(netuid, oldest, block));
            NextToSettle::<T>::insert(netuid, oldest.saturating_add(1));
        }
        weight
    }

    /// Opens the epoch that runs, and removes the one that `Retention` no longer keeps.
    pub(crate) fn open(netuid: NetUid, info: &EpochInfo, first: bool) -> Weight {
        let deadline = info.start.saturating_add(Self::window(info.tempo));
        let decides = after(deadline).saturating_add(clawrank_schedule::beacon_wait(info.tempo));
        let state = EpochState {
            start: info.start,
            deadline,
            decides,
            round: None,
            seed: None,
            bundles: 0,
            reports: 0,
            settled: false,
        };
        Epochs::<T>::insert(netuid, info.index, state);
        // Kept, so that parameters which change later do not change what this epoch pays.
        if let Some(params) = SubnetParams::<T>::get(netuid) {
            EpochCaps::<T>::insert(netuid, info.index, params.cap);
        }
        RunningEpoch::<T>::insert(netuid, info.index);
        if first {
            NextToSettle::<T>::insert(netuid, info.index);
        }
        Self::deposit_event(Event::EpochOpened { netuid, epoch: info.index, deadline });
        match info.index.checked_sub(T::Retention::get()) {
            Some(old) => Self::forget(netuid, old),
            None => T::WeightInfo::open_epoch(0, 0),
        }
    }

    /// Blocks of the commit window, rounded down as miners and validators round it.
    fn window(tempo: u16) -> u64 {
        clawrank_schedule::part_of_tempo(tempo, T::CommitWindow::get())
    }

    /// Removes what is stored of an epoch; bounded by `MaxBundles` and `MaxReporters`.
    fn forget(netuid: NetUid, epoch: u64) -> Weight {
        let bundles = Bundles::<T>::clear_prefix((netuid, epoch), T::MaxBundles::get(), None);
        let reports = Reports::<T>::clear_prefix((netuid, epoch), T::MaxReporters::get(), None);
        Settlements::<T>::remove(netuid, epoch);
        EpochCaps::<T>::remove(netuid, epoch);
        Epochs::<T>::remove(netuid, epoch);
        // An epoch that was skipped while it waited is not waited for any longer.
        NextToSettle::<T>::mutate(netuid, |next| *next = (*next).max(epoch.saturating_add(1)));
        T::WeightInfo::open_epoch(bundles.unique, reports.unique)
    }

    /// Chooses the round that the challenge of an epoch comes from, in the first block that knows the time, and records
    /// the challenge in the first that knows the seed.
    fn draw(netuid: NetUid, epoch: u64, block: u64) {
        let Some(mut state) = Epochs::<T>::get(netuid, epoch) else { return };
        let source = after(state.deadline);
        if state.seed.is_some() || block <= source {
            return;
        }
        if block <= state.decides {
            if block == after(source) {
                // The clock still shows the time of the block before.
                state.round = T::Beacon::round_at(T::Clock::now()).map(after);
                Epochs::<T>::insert(netuid, epoch, state);
            }
            return;
        }
        let signature = state.round.and_then(T::Beacon::signature);
        let from_beacon = signature.map(|signature| H256(clawrank_timelock::randomness(&signature)));
        let Some(seed) = from_beacon.or_else(|| Self::hash_of_block(source)) else { return };
        state.seed = Some(seed);
        Epochs::<T>::insert(netuid, epoch, state);
        Self::deposit_event(Event::ChallengeDrawn { netuid, epoch, seed });
    }

    /// The hash of a past block; `None` when the chain no longer keeps it.
    ///
    /// `None` too for the zeros that stand for a block which is not kept: they are no randomness.
    fn hash_of_block(block: u64) -> Option<H256> {
        let number: frame_system::pallet_prelude::BlockNumberFor<T> = block.unique_saturated_into();
        let hash = frame_system::Pallet::<T>::block_hash(number);
        let mut seed = H256::zero();
        let bytes = hash.as_ref();
        let len = bytes.len().min(32);
        seed.0.get_mut(..len)?.copy_from_slice(bytes.get(..len)?);
        (!seed.is_zero()).then_some(seed)
    }

    /// Whether verdicts on `epoch` are no longer taken: the commit window of the next one has passed.
    fn is_over(netuid: NetUid, epoch: u64, running: u64, block: u64) -> bool {
        if epoch >= running {
            return false;
        }
        match Epochs::<T>::get(netuid, epoch.saturating_add(1)) {
            Some(next) => block > next.deadline,
            // The next epoch was never seen: nothing is left to wait for.
            None => true,
        }
    }
}
