// SPDX-License-Identifier: Apache-2.0

//! `DynamicInfo`: a subnet's token.

use alloc::vec::Vec;
use codec::{Compact, Decode, Encode};
use scale_info::TypeInfo;

use super::text;
use crate::{pallet::*, reader_types::*, types::*};

/// A subnet's token: what exists, what comes, and its price, which is 1.
#[allow(missing_docs, reason = "each field is the storage item of its name; docs/sdk.md lists the others")]
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct DynamicInfo<AccountId> {
    pub netuid: Compact<NetUid>,
    pub owner_hotkey: AccountId,
    pub owner_coldkey: AccountId,
    pub subnet_name: Vec<Compact<u8>>,
    pub token_symbol: Vec<Compact<u8>>,
    pub tempo: Compact<u16>,
    pub last_step: Compact<u64>,
    pub blocks_since_last_step: Compact<u64>,
    pub emission: Compact<u64>,
    pub alpha_in: Compact<AlphaBalance>,
    pub alpha_out: Compact<AlphaBalance>,
    pub tao_in: Compact<TaoBalance>,
    pub alpha_out_emission: Compact<AlphaBalance>,
    pub alpha_in_emission: Compact<AlphaBalance>,
    pub tao_in_emission: Compact<TaoBalance>,
    pub pending_alpha_emission: Compact<AlphaBalance>,
    pub pending_root_emission: Compact<TaoBalance>,
    pub subnet_volume: Compact<u128>,
    pub network_registered_at: Compact<u64>,
    pub subnet_identity: Option<SubnetIdentityV3>,
    pub moving_price: FixedI128,
}

impl<T: Config> Pallet<T> {
    /// The token of `netuid`; `None` when there is no such subnet.
    pub fn get_dynamic_info(netuid: NetUid) -> Option<DynamicInfo<T::AccountId>> {
        let backing = Self::backing(netuid);
        NetworksAdded::<T>::get(netuid).then(|| DynamicInfo {
            netuid: Compact(netuid),
            owner_hotkey: SubnetOwnerHotkey::<T>::get(netuid),
            owner_coldkey: SubnetOwner::<T>::get(netuid),
            subnet_name: text(&Self::subnet_name(netuid)),
            token_symbol: text(&TokenSymbol::<T>::get(netuid)),
            tempo: Compact(Tempo::<T>::get(netuid)),
            last_step: Compact(LastMechansimStepBlock::<T>::get(netuid)),
            blocks_since_last_step: Compact(Self::blocks_since_step(netuid)),
            emission: Compact(0),
            alpha_in: Compact(AlphaBalance(backing)),
            alpha_out: Compact(AlphaBalance(backing)),
            tao_in: Compact(TaoBalance(backing)),
            alpha_out_emission: Compact(SubnetAlphaOutEmission::<T>::get(netuid)),
            alpha_in_emission: Compact(AlphaBalance(0)),
            tao_in_emission: Compact(SubnetTaoInEmission::<T>::get(netuid)),
            pending_alpha_emission: Compact(Self::pending_alpha(netuid)),
            pending_root_emission: Compact(TaoBalance(0)),
            subnet_volume: Compact(0),
            network_registered_at: Compact(NetworkRegisteredAt::<T>::get(netuid)),
            subnet_identity: SubnetIdentitiesV3::<T>::get(netuid),
            moving_price: SubnetMovingPrice::<T>::get(netuid),
        })
    }

    /// The token of every subnet.
    pub fn get_all_dynamic_info() -> Vec<Option<DynamicInfo<T::AccountId>>> {
        Self::all_netuids().into_iter().map(Self::get_dynamic_info).collect()
    }
}
