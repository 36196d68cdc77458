// SPDX-License-Identifier: Apache-2.0

//! `SubnetInfo` and `SubnetInfov2`: the summary of a subnet.

use alloc::vec::Vec;
use codec::{Compact, Decode, Encode};
use scale_info::TypeInfo;

use crate::{pallet::*, types::*};

macro_rules! subnet_info {
    ($(#[$doc:meta])* $name:ident, $emission:ident $(, $extra:ident: $type:ty = $value:ident)?) => {
        $(#[$doc])*
        #[allow(missing_docs, reason = "each field is the storage item of its name")]
        #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
        pub struct $name<AccountId> {
            pub netuid: Compact<NetUid>,
            pub rho: Compact<u16>,
            pub kappa: Compact<u16>,
            pub difficulty: Compact<u64>,
            pub immunity_period: Compact<u16>,
            pub max_allowed_validators: Compact<u16>,
            pub min_allowed_weights: Compact<u16>,
            pub max_weights_limit: Compact<u16>,
            pub scaling_law_power: Compact<u16>,
            pub subnetwork_n: Compact<u16>,
            pub max_allowed_uids: Compact<u16>,
            pub blocks_since_last_step: Compact<u64>,
            pub tempo: Compact<u16>,
            pub network_modality: Compact<u16>,
            pub network_connect: Vec<[u16; 2]>,
            pub $emission: Compact<u64>,
            pub burn: Compact<TaoBalance>,
            pub owner: AccountId,
            $(pub $extra: $type,)?
        }

        impl $name<()> {
            fn load<T: Config>(netuid: NetUid) -> Option<$name<T::AccountId>> {
                NetworksAdded::<T>::get(netuid).then(|| $name {
                    netuid: Compact(netuid),
                    rho: Compact(Rho::<T>::get(netuid)),
                    kappa: Compact(Kappa::<T>::get(netuid)),
                    difficulty: Compact(Difficulty::<T>::get(netuid)),
                    immunity_period: Compact(ImmunityPeriod::<T>::get(netuid)),
                    max_allowed_validators: Compact(MaxAllowedValidators::<T>::get(netuid)),
                    min_allowed_weights: Compact(MinAllowedWeights::<T>::get(netuid)),
                    max_weights_limit: Compact(MaxWeightsLimit::<T>::get(netuid)),
                    scaling_law_power: Compact(SCALING_LAW_POWER),
                    subnetwork_n: Compact(SubnetworkN::<T>::get(netuid)),
                    max_allowed_uids: Compact(MaxAllowedUids::<T>::get(netuid)),
                    blocks_since_last_step: Compact(BlocksSinceLastStep::<T>::get(netuid)),
                    tempo: Compact(Tempo::<T>::get(netuid)),
                    network_modality: Compact(SubnetMechanism::<T>::get(netuid)),
                    network_connect: Vec::new(),
                    $emission: Compact(0),
                    burn: Compact(Burn::<T>::get(netuid)),
                    owner: SubnetOwner::<T>::get(netuid),
                    $($extra: $value::<T>::get(netuid),)?
                })
            }
        }
    };
}

/// What the public chain's storage has by default; nothing computes with it.
const SCALING_LAW_POWER: u16 = 50;

subnet_info! {
    /// The summary of a subnet; its emission is not kept any more, on the public chain neither.
    SubnetInfo, emission_values
}
subnet_info! {
    /// The summary of a subnet with what its owner says about it.
    SubnetInfov2, emission_value, identity: Option<SubnetIdentityV3> = SubnetIdentitiesV3
}

impl<T: Config> Pallet<T> {
    /// The summary of `netuid`; `None` when there is no such subnet.
    pub fn get_subnet_info(netuid: NetUid) -> Option<SubnetInfo<T::AccountId>> {
        SubnetInfo::load::<T>(netuid)
    }

    /// The summary of every subnet, by netuid; `None` where there is none up to the highest.
    pub fn get_subnets_info() -> Vec<Option<SubnetInfo<T::AccountId>>> {
        Self::up_to_highest(Self::get_subnet_info)
    }

    /// The summary of `netuid` with its identity; `None` when there is no such subnet.
    pub fn get_subnet_info_v2(netuid: NetUid) -> Option<SubnetInfov2<T::AccountId>> {
        SubnetInfov2::load::<T>(netuid)
    }

    /// [`Self::get_subnets_info`] with identities.
    pub fn get_subnets_info_v2() -> Vec<Option<SubnetInfov2<T::AccountId>>> {
        Self::up_to_highest(Self::get_subnet_info_v2)
    }

    /// One answer per netuid, from 0 to the highest that exists.
    pub(crate) fn up_to_highest<R>(of: impl Fn(NetUid) -> Option<R>) -> Vec<Option<R>> {
        match Self::all_netuids().last() {
            Some(highest) => (0..=highest.0).map(|netuid| of(NetUid(netuid))).collect(),
            None => Vec::new(),
        }
    }

    /// The subnet that would have to go for a new one: none, since subnets are not dissolved.
    pub fn get_subnet_to_prune() -> Option<NetUid> {
        None
    }

    /// The account of a subnet: the pallet's, which backs the alpha of all. `None` when there is no such subnet.
    pub fn get_subnet_account_id(netuid: NetUid) -> Option<T::AccountId> {
        NetworksAdded::<T>::get(netuid).then(Self::account)
    }

    /// Where the incentive of `coldkey` on `netuid` would be staked instead of the hotkey that earned it: nowhere.
    pub fn get_coldkey_auto_stake_hotkey(_coldkey: &T::AccountId, _netuid: NetUid) -> Option<T::AccountId> {
        None
    }
}
