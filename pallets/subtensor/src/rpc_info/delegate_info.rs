// SPDX-License-Identifier: Apache-2.0

//! `DelegateInfo`: hotkeys that anyone may stake to, and who has.

use alloc::{collections::BTreeMap, vec::Vec};
use codec::{Compact, Decode, Encode};
use scale_info::TypeInfo;
use sp_runtime::PerU16;

use crate::{pallet::*, types::*};

/// Alpha that a coldkey has staked to a hotkey, per subnet.
pub type StakePerSubnet = Vec<(Compact<NetUid>, Compact<u64>)>;

/// A hotkey with a permit or with stake.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct DelegateInfo<AccountId> {
    /// The hotkey.
    pub delegate_ss58: AccountId,
    /// What its owner takes of the dividends before they are shared, of 65,535.
    pub take: Compact<PerU16>,
    /// Who has staked to it, its owner among them, by account; on which subnets, ascending, and how much.
    pub nominators: Vec<(AccountId, StakePerSubnet)>,
    /// Coldkey that owns it.
    pub owner_ss58: AccountId,
    /// Subnets where it has a uid.
    pub registrations: Vec<Compact<NetUid>>,
    /// Subnets where it has a permit.
    pub validator_permits: Vec<Compact<NetUid>>,
    /// Not kept any more, on the public chain neither: 0.
    pub return_per_1000: Compact<u64>,
    /// Not kept any more, on the public chain neither: 0.
    pub total_daily_return: Compact<u64>,
}

impl<T: Config> Pallet<T> {
    /// `hotkey` as a delegate; `None` when it belongs to nobody.
    pub fn get_delegate(hotkey: &T::AccountId) -> Option<DelegateInfo<T::AccountId>> {
        let owner = Owner::<T>::try_get(hotkey).ok()?;
        let netuids = Self::all_netuids();
        let registrations: Vec<(NetUid, u16)> =
            netuids.iter().filter_map(|netuid| Some((*netuid, Uids::<T>::get(netuid, hotkey)?))).collect();
        Some(DelegateInfo {
            delegate_ss58: hotkey.clone(),
            take: Compact(Delegates::<T>::get(hotkey)),
            nominators: Self::nominators(hotkey),
            owner_ss58: owner,
            registrations: registrations.iter().map(|(netuid, _)| Compact(*netuid)).collect(),
            validator_permits: registrations
                .iter()
                .filter(|(netuid, uid)| Self::has_validator_permit(*netuid, *uid))
                .map(|(netuid, _)| Compact(*netuid))
                .collect(),
            return_per_1000: Compact(0),
            total_daily_return: Compact(0),
        })
    }

    /// Who has staked to `hotkey`; linear in their number.
    fn nominators(hotkey: &T::AccountId) -> Vec<(T::AccountId, StakePerSubnet)> {
        let mut nominators = BTreeMap::<T::AccountId, BTreeMap<NetUid, u64>>::new();
        for ((coldkey, netuid), shares) in AlphaV2::<T>::iter_prefix((hotkey,)) {
            let stake = Self::stake_pool(hotkey, netuid).worth(shares.into()).get();
            if stake > 0 {
                nominators.entry(coldkey).or_default().insert(netuid, stake);
            }
        }
        let compact = |stakes: BTreeMap<NetUid, u64>| {
            stakes.into_iter().map(|(netuid, stake)| (Compact(netuid), Compact(stake))).collect()
        };
        nominators.into_iter().map(|(coldkey, stakes)| (coldkey, compact(stakes))).collect()
    }

    /// Every hotkey with stake or a permit, by account. Linear in the hotkeys that ever registered and in their stakes.
    pub fn get_delegates() -> Vec<DelegateInfo<T::AccountId>> {
        let mut delegates: Vec<_> = Owner::<T>::iter_keys()
            .filter_map(|hotkey| Self::get_delegate(&hotkey))
            .filter(|delegate| !delegate.nominators.is_empty() || !delegate.validator_permits.is_empty())
            .collect();
        delegates.sort_unstable_by(|a, b| a.delegate_ss58.cmp(&b.delegate_ss58));
        delegates
    }

    /// Every hotkey that `coldkey` has staked to, its own or not, once per subnet, with the alpha.
    #[allow(clippy::type_complexity, reason = "the shape of the public chain's answer")]
    pub fn get_delegated(
        coldkey: &T::AccountId,
    ) -> Vec<(DelegateInfo<T::AccountId>, (Compact<NetUid>, Compact<AlphaBalance>))> {
        Self::get_stake_info_for_coldkey(coldkey)
            .into_iter()
            .filter_map(|info| Some((Self::get_delegate(&info.hotkey)?, (info.netuid, info.stake))))
            .collect()
    }
}
