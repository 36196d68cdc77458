// SPDX-License-Identifier: Apache-2.0

//! Fewer neurons on a subnet: who goes, and new uids for those who stay.

use alloc::{collections::BTreeMap, vec::Vec};
use frame_support::{ensure, pallet_prelude::DispatchResult};

use crate::{pallet::*, types::*};

/// Most neurons that cannot go, in percent of those that stay, for trimming to be allowed; itself not allowed.
const MAX_IMMUNE_PERCENT: u32 = 80;

impl<T: Config> Pallet<T> {
    /// Lowers `MaxAllowedUids` to `most`; neurons of least emission go until no more are left, and the others move up
    /// into the gaps, in their order. Stake stays with the hotkeys. O(n² · mechanisms) for `n` neurons.
    ///
    /// # Errors
    ///
    /// - [`Error::SubnetNotExists`]: no such subnet.
    /// - [`Error::InvalidValue`]: outside `MinAllowedUids ..= MaxAllowedUids`.
    /// - [`Error::TrimmingWouldExceedMaxImmunePercentage`]: 80 % or more of those who would stay cannot go.
    pub fn do_trim_uids(netuid: NetUid, most: u16) -> DispatchResult {
        ensure!(NetworksAdded::<T>::get(netuid), Error::<T>::SubnetNotExists);
        let bounds = MinAllowedUids::<T>::get(netuid)..=MaxAllowedUids::<T>::get(netuid);
        ensure!(bounds.contains(&most), Error::<T>::InvalidValue);
        let n = SubnetworkN::<T>::get(netuid);
        if n > most {
            let removed = Self::uids_to_trim(netuid, n, most)?;
            for uid in &removed {
                Self::unseat(netuid, *uid);
            }
            Self::close_gaps(netuid, n, &removed);
        }
        MaxAllowedUids::<T>::insert(netuid, most);
        Ok(())
    }

    /// The neurons of least emission that may go, ascending by uid; among equals the later uid first.
    fn uids_to_trim(netuid: NetUid, n: u16, most: u16) -> Result<Vec<u16>, Error<T>> {
        let owners = Self::owner_immune_uids(netuid);
        let (emission, block) = (Emission::<T>::get(netuid), Self::block());
        let mut free: Vec<(AlphaBalance, core::cmp::Reverse<u16>)> = (0..n)
            .filter(|uid| {
                !owners.contains(uid) && !Self::is_immune(netuid, BlockAtRegistration::<T>::get(netuid, uid), block)
            })
            .map(|uid| (emission.get(usize::from(uid)).copied().unwrap_or_default(), core::cmp::Reverse(uid)))
            .collect();
        let immune = usize::from(n).saturating_sub(free.len());
        let percent = u32::try_from(immune).unwrap_or(u32::MAX).saturating_mul(100);
        ensure!(
            percent < u32::from(most).saturating_mul(MAX_IMMUNE_PERCENT),
            Error::<T>::TrimmingWouldExceedMaxImmunePercentage
        );
        free.sort_unstable();
        free.truncate(usize::from(n.saturating_sub(most)));
        let mut uids: Vec<u16> = free.into_iter().map(|(_, uid)| uid.0).collect();
        uids.sort_unstable();
        Ok(uids)
    }

    /// Gives the neurons that are left the uids from 0 on, in everything that is kept by uid.
    fn close_gaps(netuid: NetUid, n: u16, removed: &[u16]) {
        let kept: Vec<u16> = (0..n).filter(|uid| removed.binary_search(uid).is_err()).collect();
        let moved: BTreeMap<u16, u16> = kept.iter().copied().zip(0_u16..).collect();
        for (old, new) in &moved {
            if old != new {
                Self::move_neuron(netuid, *old, *new);
            }
        }
        let left = u16::try_from(kept.len()).unwrap_or(u16::MAX);
        for uid in left..n {
            Keys::<T>::remove(netuid, uid);
            BlockAtRegistration::<T>::remove(netuid, uid);
        }
        SubnetworkN::<T>::insert(netuid, left);
        Active::<T>::mutate(netuid, |list| keep(list, &kept));
        Consensus::<T>::mutate(netuid, |list| keep(list, &kept));
        Dividends::<T>::mutate(netuid, |list| keep(list, &kept));
        Emission::<T>::mutate(netuid, |list| keep(list, &kept));
        StakeWeight::<T>::mutate(netuid, |list| keep(list, &kept));
        ValidatorTrust::<T>::mutate(netuid, |list| keep(list, &kept));
        ValidatorPermit::<T>::mutate(netuid, |list| keep(list, &kept));
        for index in Self::mechanisms(netuid) {
            ConsensusByMechanism::<T>::mutate(index, |list| keep(list, &kept));
            Incentive::<T>::mutate(index, |list| keep(list, &kept));
            LastUpdate::<T>::mutate(index, |list| keep(list, &kept));
            for uid in 0..n {
                let to = moved.get(&uid).copied();
                rename(&mut Weights::<T>::take(index, uid), &moved, to, |to, row| Weights::<T>::insert(index, to, row));
                rename(&mut Bonds::<T>::take(index, uid), &moved, to, |to, row| Bonds::<T>::insert(index, to, row));
            }
        }
    }

    /// The hotkey of `old` gets the uid `new`, which is free.
    fn move_neuron(netuid: NetUid, old: u16, new: u16) {
        let hotkey = Keys::<T>::get(netuid, old);
        Uids::<T>::insert(netuid, &hotkey, new);
        Keys::<T>::insert(netuid, new, hotkey);
        BlockAtRegistration::<T>::insert(netuid, new, BlockAtRegistration::<T>::get(netuid, old));
    }
}

/// The entries of a list by uid that are kept, in their order.
fn keep<V: Clone>(list: &mut PerNeuron<V>, kept: &[u16]) {
    let entries = kept.iter().filter_map(|uid| list.get(usize::from(*uid)).cloned()).collect();
    *list = PerNeuron::truncated(entries);
}

/// A row under the uid `to`, if any, with its uids replaced and those that are gone dropped.
fn rename(row: &mut WeightRow, moved: &BTreeMap<u16, u16>, to: Option<u16>, insert: impl FnOnce(u16, WeightRow)) {
    let Some(to) = to else { return };
    let renamed: Vec<(u16, u16)> =
        row.iter().filter_map(|(uid, value)| moved.get(uid).map(|new| (*new, *value))).collect();
    if !renamed.is_empty() {
        insert(to, WeightRow::truncated(renamed));
    }
}
