// SPDX-License-Identifier: Apache-2.0

//! Answers to what other pallets ask.

use alloc::vec::Vec;

use crate::{
    pallet::*,
    traits::{EpochInfo, SubnetInfo},
    types::{NetUid, WeightRow},
};

impl<T: Config> SubnetInfo<T::AccountId> for Pallet<T> {
    fn epoch(netuid: NetUid) -> Option<EpochInfo> {
        (NetworksAdded::<T>::get(netuid) && !netuid.is_root()).then(|| EpochInfo {
            index: SubnetEpochIndex::<T>::get(netuid),
            start: LastEpochBlock::<T>::get(netuid),
            tempo: Tempo::<T>::get(netuid),
        })
    }

    fn uid(netuid: NetUid, hotkey: &T::AccountId) -> Option<u16> {
        Uids::<T>::get(netuid, hotkey)
    }

    fn hotkey(netuid: NetUid, uid: u16) -> Option<T::AccountId> {
        Keys::<T>::try_get(netuid, uid).ok()
    }

    fn has_permit(netuid: NetUid, hotkey: &T::AccountId) -> bool {
        Uids::<T>::get(netuid, hotkey).is_some_and(|uid| Self::has_validator_permit(netuid, uid))
    }

    fn validators(netuid: NetUid) -> Vec<(T::AccountId, u64)> {
        let tao_weight = TaoWeight::<T>::get();
        (0_u16..)
            .zip(ValidatorPermit::<T>::get(netuid).iter())
            .filter(|(_, permit)| **permit)
            .filter_map(|(uid, _)| <Self as SubnetInfo<T::AccountId>>::hotkey(netuid, uid))
            .map(|hotkey| {
                let stake = Self::stake_weight_at(netuid, &hotkey, tao_weight);
                (hotkey, stake)
            })
            .collect()
    }

    fn owner(netuid: NetUid) -> Option<T::AccountId> {
        SubnetOwner::<T>::try_get(netuid).ok()
    }

    fn owner_uid(netuid: NetUid) -> Option<u16> {
        Uids::<T>::get(netuid, SubnetOwnerHotkey::<T>::try_get(netuid).ok()?)
    }

    fn reset_bonds(netuid: NetUid, hotkey: &T::AccountId) -> bool {
        let Some(uid) = Uids::<T>::get(netuid, hotkey).filter(|_| BondsResetOn::<T>::get(netuid)) else { return false };
        for index in Self::mechanisms(netuid) {
            let bonded: Vec<u16> = Bonds::<T>::iter_prefix(index)
                .filter(|(_, row)| row.iter().any(|(to, _)| *to == uid))
                .map(|(validator, _)| validator)
                .collect();
            for validator in bonded {
                let rest: Vec<(u16, u16)> =
                    Bonds::<T>::get(index, validator).iter().copied().filter(|(to, _)| *to != uid).collect();
                if rest.is_empty() {
                    Bonds::<T>::remove(index, validator);
                } else {
                    Bonds::<T>::insert(index, validator, WeightRow::truncated(rest));
                }
            }
        }
        true
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn set_up(netuid: NetUid, hotkeys: &[T::AccountId]) {
        use crate::types::AlphaBalance;

        const STAKE: AlphaBalance = AlphaBalance(1_000_000_000_000);
        let Some(owner) = hotkeys.first() else { return };
        Self::create_network(netuid, owner, owner);
        for (uid, hotkey) in (0_u16..).zip(hotkeys) {
            Self::own(hotkey, owner);
            Self::seat(netuid, uid, hotkey);
            assert!(Self::credit_stake(hotkey, owner, netuid, STAKE).is_ok());
        }
        ValidatorPermit::<T>::mutate(netuid, |permits| permits.iter_mut().for_each(|permit| *permit = true));
    }
}
