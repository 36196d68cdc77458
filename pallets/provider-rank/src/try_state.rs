// SPDX-License-Identifier: Apache-2.0

//! What must hold between blocks.

use frame_support::{ensure, traits::Get};
use pallet_subtensor::{MAX_UIDS, NetUid};
use sp_runtime::TryRuntimeError;

use crate::{pallet::*, types::EpochState};

impl<T: Config> Pallet<T> {
    /// Checks that every settlement adds up, that counters match, that parameters are valid, and that nothing is stored of a
    /// forgotten epoch.
    ///
    /// # Errors
    ///
    /// What does not hold.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        ensure!(EpochEmission::<T>::count() <= T::MaxSubnets::get(), "more subnets than MaxSubnets");
        for (netuid, epoch, state) in Epochs::<T>::iter() {
            Self::try_state_epoch(netuid, epoch, &state)?;
        }
        for (netuid, epoch, _) in Settlements::<T>::iter() {
            ensure!(Epochs::<T>::contains_key(netuid, epoch), "a settlement belongs to no epoch");
        }
        for (netuid, epoch, cap) in EpochCaps::<T>::iter() {
            ensure!(Epochs::<T>::contains_key(netuid, epoch), "a cap belongs to no epoch");
            ensure!(cap.needed().is_ok(), "an epoch's cap is too small for the division");
        }
        for (netuid, params) in SubnetParams::<T>::iter() {
            ensure!(EpochEmission::<T>::contains_key(netuid), "parameters belong to no subnet that takes part");
            ensure!(params.ensure_valid().is_ok(), "the parameters of a subnet are invalid");
        }
        for ((netuid, epoch, _), _) in Bundles::<T>::iter() {
            ensure!(Epochs::<T>::contains_key(netuid, epoch), "a bundle belongs to no epoch");
        }
        for ((netuid, epoch, _), _) in Reports::<T>::iter() {
            ensure!(Epochs::<T>::contains_key(netuid, epoch), "a report belongs to no epoch");
        }
        for (netuid, running) in RunningEpoch::<T>::iter() {
            ensure!(Epochs::<T>::contains_key(netuid, running), "the running epoch is not stored");
            let stored = u64::try_from(Epochs::<T>::iter_key_prefix(netuid).count()).unwrap_or(u64::MAX);
            ensure!(stored <= T::Retention::get(), "more epochs than Retention");
        }
        for (netuid, count) in CellCount::<T>::iter() {
            let cells = u32::try_from(Cells::<T>::iter_key_prefix(netuid).count()).unwrap_or(u32::MAX);
            ensure!(cells == count && count <= T::MaxCells::get(), "CellCount differs from the cells");
        }
        for (_, id, (cell, _)) in Cells::<T>::iter() {
            ensure!(id.0 == cell.id() && cell.is_normalised(), "a cell is stored under another's id");
        }
        Ok(())
    }

    fn try_state_epoch(netuid: NetUid, epoch: u64, state: &EpochState) -> Result<(), TryRuntimeError> {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let bundles = count(Bundles::<T>::iter_key_prefix((netuid, epoch)).count());
        ensure!(bundles == state.bundles && bundles <= T::MaxBundles::get(), "bundles differ from their count");
        let reports = count(Reports::<T>::iter_key_prefix((netuid, epoch)).count());
        ensure!(reports == state.reports && reports <= T::MaxReporters::get(), "reports differ from their count");
        ensure!(state.seed.is_some() || reports == 0, "a report came before the challenge");
        let settlement = Settlements::<T>::get(netuid, epoch);
        ensure!(settlement.is_some() == state.settled, "an epoch is settled without a settlement, or the reverse");
        let Some(settlement) = settlement else { return Ok(()) };
        let paid: u128 = settlement.payouts.iter().map(|payout| u128::from(payout.amount)).sum();
        ensure!(
            paid.saturating_add(settlement.dust.into()) == u128::from(settlement.emission),
            "payouts and dust differ from the emission"
        );
        ensure!(count(settlement.payouts.len()) <= MAX_UIDS, "more payouts than uids");
        ensure!(
            settlement.payouts.iter().all(|payout| !payout.tripped || payout.score == 0),
            "a miner has a score behind a tripped gate"
        );
        let unearned = settlement.payouts.iter().filter(|payout| payout.score == 0 && payout.amount > 0);
        ensure!(unearned.count() <= 1, "more than the owner was paid without a score");
        Ok(())
    }
}
