// SPDX-License-Identifier: Apache-2.0

//! What must hold between blocks.

use alloc::collections::BTreeMap;
use frame_support::{
    ensure,
    traits::{Get, fungible::Inspect},
};
use sp_runtime::TryRuntimeError;

use crate::{pallet::*, types::*};

impl<T: Config> Pallet<T> {
    /// Checks that every alpha is backed and counted, and that every list has one entry per neuron.
    ///
    /// # Errors
    ///
    /// What does not hold.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        Self::try_state_money()?;
        Self::try_state_stake()?;
        for netuid in Self::netuids() {
            Self::try_state_subnet(netuid)?;
            Self::try_state_timelocked(netuid)?;
        }
        if NetworksAdded::<T>::get(NetUid::ROOT) {
            Self::try_state_subnet(NetUid::ROOT)?;
        }
        ensure!(
            usize::from(TotalNetworks::<T>::get()) == Self::netuids().len(),
            "TotalNetworks differs from the subnets that exist"
        );
        Ok(())
    }

    fn try_state_money() -> Result<(), TryRuntimeError> {
        let staked: u128 = TotalHotkeyAlpha::<T>::iter().map(|(_, _, alpha)| u128::from(alpha.0)).sum();
        let by_subnet: u128 = TotalAlphaStaked::<T>::iter_values().map(|alpha| u128::from(alpha.0)).sum();
        ensure!(staked == by_subnet, "stake by hotkey differs from stake by subnet");
        ensure!(staked == u128::from(TotalStake::<T>::get().0), "stake by hotkey differs from TotalStake");
        let pending: u128 = Self::netuids().into_iter().map(|netuid| u128::from(Self::pending(netuid))).sum();
        let held = u128::from(T::Currency::total_balance(&Self::account()));
        let needed = staked.saturating_add(pending).saturating_add(T::Currency::minimum_balance().into());
        ensure!(
            held >= needed,
            "the pallet's account does not back stake and pending alpha, or would be dust without them"
        );
        let out: u128 = SubnetAlphaOut::<T>::iter_values().map(|alpha| u128::from(alpha.0)).sum();
        ensure!(out == staked.saturating_add(pending), "SubnetAlphaOut differs from stake and pending alpha");
        Ok(())
    }

    /// The shares of all coldkeys in a hotkey are those it has given out, it has alpha exactly when it has shares, and who
    /// has shares finds the hotkey in its list.
    fn try_state_stake() -> Result<(), TryRuntimeError> {
        let mut given = BTreeMap::<(T::AccountId, NetUid), (u128, u64)>::new();
        for ((hotkey, coldkey, netuid), shares) in AlphaV2::<T>::iter() {
            let listed = StakingHotkeys::<T>::get(&coldkey).contains(&hotkey);
            ensure!(listed || coldkey == ZeroAccount::<T::AccountId>::get(), "a stake is in no list of its coldkey");
            let pool = Self::stake_pool(&hotkey, netuid);
            ensure!(pool.units(shares.into()) > 0, "a coldkey has a stake of no shares");
            let (units, worth) = given.entry((hotkey, netuid)).or_default();
            *units = units.saturating_add(pool.units(shares.into()));
            *worth = worth.saturating_add(pool.worth(shares.into()).get());
        }
        for (hotkey, netuid, shares) in TotalHotkeySharesV2::<T>::iter() {
            let pool = Self::stake_pool(&hotkey, netuid);
            ensure!(!pool.alpha().is_zero() && shares.mantissa > 0, "a hotkey has shares without alpha");
            let (units, worth) = given.remove(&(hotkey, netuid)).unwrap_or_default();
            ensure!(units == shares.mantissa, "the shares of a hotkey differ from those of its coldkeys");
            ensure!(worth <= pool.alpha().get(), "the stakes of coldkeys are more than their hotkey has");
        }
        ensure!(given.is_empty(), "a coldkey has shares that its hotkey does not count");
        let alone = TotalHotkeyAlpha::<T>::iter().any(|(key, on, _)| !TotalHotkeySharesV2::<T>::contains_key(key, on));
        ensure!(!alone, "a hotkey has alpha without shares");
        for (coldkey, hotkeys) in OwnedHotkeys::<T>::iter() {
            let owned = hotkeys.iter().all(|hotkey| Owner::<T>::get(hotkey) == coldkey);
            ensure!(owned, "a coldkey lists a hotkey that it does not own");
        }
        Ok(())
    }

    fn try_state_subnet(netuid: NetUid) -> Result<(), TryRuntimeError> {
        let n = SubnetworkN::<T>::get(netuid);
        let len = usize::from(n);
        ensure!(u32::from(n) <= MAX_UIDS, "a subnet has more neurons than MAX_UIDS");
        for uid in 0..n {
            let hotkey = Keys::<T>::try_get(netuid, uid).map_err(|()| "a uid has no hotkey")?;
            ensure!(Uids::<T>::get(netuid, &hotkey) == Some(uid), "Keys and Uids disagree");
            ensure!(IsNetworkMember::<T>::get(&hotkey, netuid), "a neuron is not a member of its subnet");
            ensure!(Owner::<T>::contains_key(&hotkey), "a neuron has no coldkey");
        }
        ensure!(Uids::<T>::iter_prefix(netuid).count() == len, "a hotkey has a uid that does not exist");
        ensure!(Active::<T>::get(netuid).len() == len, "Active has another length");
        ensure!(Consensus::<T>::get(netuid).len() == len, "Consensus has another length");
        ensure!(Dividends::<T>::get(netuid).len() == len, "Dividends has another length");
        ensure!(Emission::<T>::get(netuid).len() == len, "Emission has another length");
        ensure!(StakeWeight::<T>::get(netuid).len() == len, "StakeWeight has another length");
        ensure!(ValidatorPermit::<T>::get(netuid).len() == len, "ValidatorPermit has another length");
        ensure!(ValidatorTrust::<T>::get(netuid).len() == len, "ValidatorTrust has another length");
        for index in Self::mechanisms(netuid) {
            ensure!(Incentive::<T>::get(index).len() == len, "Incentive has another length");
            ensure!(LastUpdate::<T>::get(index).len() == len, "LastUpdate has another length");
            for (uid, row) in Weights::<T>::iter_prefix(index) {
                ensure!(uid < n && row.iter().all(|(to, _)| *to < n), "a weight is on a uid that does not exist");
            }
            for (hotkey, queue) in WeightCommits::<T>::iter_prefix(index) {
                ensure!(Uids::<T>::contains_key(netuid, hotkey), "a commit belongs to no neuron");
                ensure!(!queue.is_empty(), "an empty queue of commits is stored");
            }
        }
        Ok(())
    }

    /// Queues of timelocked commits are those of epochs that can still be opened, and nobody has more than ten in one.
    fn try_state_timelocked(netuid: NetUid) -> Result<(), TryRuntimeError> {
        let newest = SubnetEpochIndex::<T>::get(netuid).saturating_add(1);
        for index in Self::mechanisms(netuid) {
            for (epoch, queue) in TimelockedWeightCommits::<T>::iter_prefix(index) {
                ensure!(!queue.is_empty(), "an empty queue of timelocked commits is stored");
                ensure!(epoch <= newest, "a timelocked commit belongs to an epoch to come");
                let mut own = BTreeMap::<T::AccountId, u32>::new();
                for (hotkey, block, ..) in queue.iter() {
                    let count = own.entry(hotkey.clone()).or_default();
                    *count = count.saturating_add(1);
                    ensure!(*count <= MAX_UNREVEALED_COMMITS, "a hotkey has more timelocked commits than it may");
                    ensure!(*block <= Self::block(), "a timelocked commit comes from a block to come");
                }
            }
        }
        if let Some(split) = MechanismEmissionSplit::<T>::get(netuid) {
            let sum: u64 = split.iter().map(|part| u64::from(*part)).sum();
            ensure!(sum == u64::from(u16::MAX), "the emission split of a subnet is not whole");
        }
        for hotkey in Prometheus::<T>::iter_key_prefix(netuid).chain(NeuronCertificates::<T>::iter_key_prefix(netuid)) {
            ensure!(Uids::<T>::contains_key(netuid, hotkey), "an announcement belongs to no neuron");
        }
        Ok(())
    }
}
