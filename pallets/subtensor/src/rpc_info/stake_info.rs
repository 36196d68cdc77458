// SPDX-License-Identifier: Apache-2.0

//! `StakeInfo`: what a coldkey has staked, to its own hotkeys and to others'.

use alloc::{collections::BTreeMap, vec::Vec};
use codec::{Compact, Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{pallet::*, types::*};

/// Stake of one coldkey to one hotkey on one subnet.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct StakeInfo<AccountId> {
    /// Key that earns with the stake.
    pub hotkey: AccountId,
    /// Key that has staked it, whether or not it owns the hotkey.
    pub coldkey: AccountId,
    /// Subnet.
    pub netuid: Compact<NetUid>,
    /// Alpha staked.
    pub stake: Compact<AlphaBalance>,
    /// Always 0: stake is not locked.
    pub locked: Compact<u64>,
    /// Alpha that the hotkey earned in the last epoch, for all who stake to it.
    pub emission: Compact<AlphaBalance>,
    /// Always 0: root stake earns nothing of its own.
    pub tao_emission: Compact<TaoBalance>,
    /// Always 0, on the public chain too.
    pub drain: Compact<u64>,
    /// Whether the hotkey has a uid on the subnet.
    pub is_registered: bool,
}

/// How much of a coldkey's stake on a subnet may be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct StakeAvailability {
    /// Alpha staked.
    pub total: Compact<AlphaBalance>,
    /// Alpha that is locked: none.
    pub locked: Compact<AlphaBalance>,
    /// Alpha that is free: all.
    pub available: Compact<AlphaBalance>,
}

/// Stake that is locked for its owner's voice; there is none on this chain.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct LockState {
    /// Alpha locked.
    pub locked_mass: AlphaBalance,
    /// Voice that it has gathered.
    pub conviction: FixedU128,
    /// Block in which both were true.
    pub last_update: u64,
}

/// Stake per coldkey and subnet.
pub type Availability<AccountId> = BTreeMap<AccountId, BTreeMap<NetUid, StakeAvailability>>;

impl<T: Config> Pallet<T> {
    /// Everything that `coldkey` has staked, by hotkey in the order in which they came, then by netuid.
    pub fn get_stake_info_for_coldkey(coldkey: &T::AccountId) -> Vec<StakeInfo<T::AccountId>> {
        StakingHotkeys::<T>::get(coldkey)
            .iter()
            .flat_map(|hotkey| Self::stakes_of(hotkey, coldkey).into_iter().map(move |stake| (hotkey, stake)))
            .filter(|(_, (_, alpha))| alpha.0 > 0)
            .map(|(hotkey, (netuid, alpha))| Self::stake_info(hotkey, coldkey, netuid, alpha))
            .collect()
    }

    /// [`Self::get_stake_info_for_coldkey`] of each.
    #[allow(clippy::type_complexity, reason = "the shape of the public chain's answer")]
    pub fn get_stake_info_for_coldkeys(
        coldkeys: Vec<T::AccountId>,
    ) -> Vec<(T::AccountId, Vec<StakeInfo<T::AccountId>>)> {
        coldkeys.into_iter().map(|coldkey| (coldkey.clone(), Self::get_stake_info_for_coldkey(&coldkey))).collect()
    }

    /// Stake of `coldkey` to `hotkey` on `netuid`, zero too; `None` when there is no such subnet.
    pub fn get_stake_info_for_hotkey_coldkey_netuid(
        hotkey: &T::AccountId,
        coldkey: &T::AccountId,
        netuid: NetUid,
    ) -> Option<StakeInfo<T::AccountId>> {
        let exists = NetworksAdded::<T>::get(netuid);
        exists.then(|| Self::stake_info(hotkey, coldkey, netuid, Self::stake_of(hotkey, coldkey, netuid)))
    }

    fn stake_info(
        hotkey: &T::AccountId,
        coldkey: &T::AccountId,
        netuid: NetUid,
        stake: AlphaBalance,
    ) -> StakeInfo<T::AccountId> {
        StakeInfo {
            hotkey: hotkey.clone(),
            coldkey: coldkey.clone(),
            netuid: Compact(netuid),
            stake: Compact(stake),
            locked: Compact(0),
            emission: Compact(LastHotkeyEmissionOnNetuid::<T>::get(hotkey, netuid)),
            tao_emission: Compact(TaoBalance(0)),
            drain: Compact(0),
            is_registered: Uids::<T>::contains_key(netuid, hotkey),
        }
    }

    /// What each coldkey may take back on `netuids`, or on every subnet where it has stake.
    pub fn get_stake_availability_for_coldkeys(
        coldkeys: Vec<T::AccountId>,
        netuids: Option<Vec<NetUid>>,
    ) -> Availability<T::AccountId> {
        let of = |coldkey: &T::AccountId| {
            let mut sums: BTreeMap<NetUid, u64> = BTreeMap::new();
            for netuid in netuids.iter().flatten() {
                sums.insert(*netuid, 0);
            }
            for info in Self::get_stake_info_for_coldkey(coldkey) {
                if netuids.as_ref().is_none_or(|asked| asked.contains(&info.netuid.0)) {
                    let sum = sums.entry(info.netuid.0).or_default();
                    *sum = sum.saturating_add(info.stake.0.0);
                }
            }
            sums.into_iter()
                .map(|(netuid, sum)| {
                    let total = Compact(AlphaBalance(sum));
                    (netuid, StakeAvailability { total, locked: Compact(AlphaBalance(0)), available: total })
                })
                .collect()
        };
        coldkeys.into_iter().map(|coldkey| (coldkey.clone(), of(&coldkey))).collect()
    }
}
