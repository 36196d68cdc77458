// SPDX-License-Identifier: Apache-2.0

//! What a hotkey's stake counts on a subnet.

use crate::{pallet::*, types::NetUid};

impl<T: Config> Pallet<T> {
    /// Stake weight of `hotkey` on `netuid` in rao: its alpha there, plus its stake on the root network times
    /// `TaoWeight / u64::MAX`, rounded down.
    pub fn stake_weight(netuid: NetUid, hotkey: &T::AccountId) -> u64 {
        Self::stake_weight_at(netuid, hotkey, TaoWeight::<T>::get())
    }

    /// [`Self::stake_weight`] with the weight of root stake already read.
    pub(crate) fn stake_weight_at(netuid: NetUid, hotkey: &T::AccountId, tao_weight: u64) -> u64 {
        let alpha = TotalHotkeyAlpha::<T>::get(hotkey, netuid).0;
        if netuid.is_root() || tao_weight == 0 {
            return alpha;
        }
        let root = u128::from(TotalHotkeyAlpha::<T>::get(hotkey, NetUid::ROOT).0);
        // Two factors of 64 bits: the product fits, and the quotient is at most `root`.
        let counted = root.saturating_mul(u128::from(tao_weight)).checked_div(u128::from(u64::MAX)).unwrap_or_default();
        alpha.saturating_add(u64::try_from(counted).unwrap_or(u64::MAX))
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
