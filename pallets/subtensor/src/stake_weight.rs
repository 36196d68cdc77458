// SPDX-License-Identifier: Apache-2.0

//! What a hotkey's stake counts on a subnet.

use clawrank_emission::stake;
use clawrank_units::Rao;

use crate::{pallet::*, types::NetUid};

impl<T: Config> Pallet<T> {
    /// Stake weight of `hotkey` on `netuid` in rao, of its alpha there and on the root network; see
    /// [`stake::stake_weight`].
    pub fn stake_weight(netuid: NetUid, hotkey: &T::AccountId) -> u64 {
        Self::stake_weight_at(netuid, hotkey, TaoWeight::<T>::get())
    }

    /// [`Self::stake_weight`] with the weight of root stake already read.
    pub(crate) fn stake_weight_at(netuid: NetUid, hotkey: &T::AccountId, tao_weight: u64) -> u64 {
        Self::stake_weight_of(netuid, hotkey, TotalHotkeyAlpha::<T>::get(hotkey, netuid).0, tao_weight)
    }

    /// [`Self::stake_weight`] with the hotkey's alpha and the weight of root stake already read.
    pub(crate) fn stake_weight_of(netuid: NetUid, hotkey: &T::AccountId, alpha: u64, tao_weight: u64) -> u64 {
        if netuid.is_root() || tao_weight == 0 {
            return alpha;
        }
        let root = TotalHotkeyAlpha::<T>::get(hotkey, NetUid::ROOT).0;
        stake::stake_weight(Rao(alpha), Rao(root), tao_weight).get()
    }

    /// Whether `hotkey` has the stake weight that weights need, or belongs to the subnet's owner.
    pub fn has_stake_for_weights(netuid: NetUid, hotkey: &T::AccountId) -> bool {
        Self::stake_weight(netuid, hotkey) >= StakeThreshold::<T>::get() || Self::is_owner_hotkey(netuid, hotkey)
    }

    /// Whether `hotkey` is the one of the subnet's owner.
    pub fn is_owner_hotkey(netuid: NetUid, hotkey: &T::AccountId) -> bool {
        SubnetOwnerHotkey::<T>::try_get(netuid).is_ok_and(|owner| owner == *hotkey)
    }
}
