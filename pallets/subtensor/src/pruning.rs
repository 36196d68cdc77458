// SPDX-License-Identifier: Apache-2.0

//! Who has to go when a subnet is full.

use alloc::vec::Vec;

use crate::{pallet::*, types::*};

impl<T: Config> Pallet<T> {
    /// The uid that the next neuron gets: a new one, or that of the neuron which has to go.
    pub(crate) fn free_uid(netuid: NetUid) -> Option<u16> {
        let n = SubnetworkN::<T>::get(netuid);
        let most = MaxAllowedUids::<T>::get(netuid).min(u16::try_from(MAX_UIDS).unwrap_or(u16::MAX));
        if most == 0 {
            return None;
        }
        if n < most { Some(n) } else { Self::uid_to_replace(netuid) }
    }

    /// The neuron that has to go: of those without immunity the one of least emission, among equals the one registered
    /// first, then the lowest uid.
    ///
    /// The owner's protected neurons, see [`Self::owner_immune_uids`], never go. While no more than `MinNonImmuneUids`
    /// neurons are without immunity, the least of the immune ones goes instead; `None` when there is none of them.
    pub fn uid_to_replace(netuid: NetUid) -> Option<u16> {
        let emission = Emission::<T>::get(netuid);
        let protected = Self::owner_immune_uids(netuid);
        let block = Self::block();
        let mut free = 0_u16;
        let (mut least, mut least_immune) = (None, None);
        for uid in (0..SubnetworkN::<T>::get(netuid)).filter(|uid| !protected.contains(uid)) {
            let registered = BlockAtRegistration::<T>::get(netuid, uid);
            let earned = emission.get(usize::from(uid)).copied().unwrap_or_default();
            let candidate = (earned, registered, uid);
            let best = if Self::is_immune(netuid, registered, block) {
                &mut least_immune
            } else {
                free = free.saturating_add(1);
                &mut least
            };
            if best.is_none_or(|best| candidate < best) {
                *best = Some(candidate);
            }
        }
        let least = least.filter(|_| free > MinNonImmuneUids::<T>::get(netuid));
        least.or(least_immune).map(|(_, _, uid)| uid)
    }

    /// The neurons of the subnet's owner that can never be replaced: the owner's hotkey, then those of its coldkey by
    /// block of registration and uid, `ImmuneOwnerUidsLimit` in all.
    pub fn owner_immune_uids(netuid: NetUid) -> Vec<u16> {
        let Ok(owner) = SubnetOwner::<T>::try_get(netuid) else { return Vec::new() };
        let limit = usize::from(ImmuneOwnerUidsLimit::<T>::get(netuid));
        let mut owned: Vec<(u64, u16)> = (0..SubnetworkN::<T>::get(netuid))
            .filter(|uid| Keys::<T>::try_get(netuid, uid).is_ok_and(|key| Owner::<T>::get(key) == owner))
            .map(|uid| (BlockAtRegistration::<T>::get(netuid, uid), uid))
            .collect();
        owned.sort_unstable();
        owned.truncate(limit);
        let mut uids: Vec<u16> = owned.into_iter().map(|(_, uid)| uid).collect();
        let first = SubnetOwnerHotkey::<T>::try_get(netuid).ok().and_then(|hotkey| Uids::<T>::get(netuid, hotkey));
        if let Some(uid) = first.filter(|uid| !uids.contains(uid)) {
            uids.insert(0, uid);
            uids.truncate(limit);
        }
        uids
    }

    pub(crate) fn is_immune(netuid: NetUid, registered: u64, block: u64) -> bool {
        block.saturating_sub(registered) < u64::from(ImmunityPeriod::<T>::get(netuid))
    }
}
