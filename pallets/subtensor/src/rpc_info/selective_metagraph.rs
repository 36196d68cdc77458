// SPDX-License-Identifier: Apache-2.0

//! `SelectiveMetagraph`: the parts of a subnet that were asked for, by the public chain's numbers of them.

use alloc::vec::Vec;
use codec::{Compact, Decode, Encode};
use scale_info::TypeInfo;
use sp_runtime::PerU16;

use super::metagraph::Metagraph;
use crate::{pallet::*, reader_types::*, types::*};

/// Declares the fields that are moved out of a [`Metagraph`], those that come from elsewhere, and their numbers.
macro_rules! selective {
    (moved { $($index:literal $field:ident: $type:ty,)* } made { $($other:literal $extra:ident: $made:ty,)* }
     tail { $($last:literal $end:ident: $ending:ty,)* }) => {
        /// A subnet of which only what was asked for is present.
        #[allow(missing_docs, reason = "those of Metagraph")]
        #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
        pub struct SelectiveMetagraph<AccountId> {
            pub netuid: Compact<NetUid>,
            $(pub $field: Option<$type>,)*
            $(pub $extra: Option<$made>,)*
            $(pub $end: Option<$ending>,)*
        }

        impl<AccountId> SelectiveMetagraph<AccountId> {
            /// The parts of `graph` with the numbers `indexes`; unknown numbers are passed over.
            ///
            /// `validators` and `commitments` are made only when asked for.
            pub fn select(
                graph: Metagraph<AccountId>,
                indexes: &[u16],
                validators: impl FnOnce() -> Vec<Compact<u16>>,
                commitments: impl FnOnce() -> Vec<(AccountId, Vec<Compact<u8>>)>,
            ) -> Self {
                Self {
                    netuid: graph.netuid,
                    $($field: indexes.contains(&$index).then_some(graph.$field),)*
                    validators: indexes.contains(&72).then(validators),
                    commitments: indexes.contains(&73).then(commitments),
                    $($end: indexes.contains(&$last).then_some(graph.$end),)*
                }
            }
        }
    };
}

selective! {
    moved {
        1 name: Vec<Compact<u8>>,
        2 symbol: Vec<Compact<u8>>,
        3 identity: Option<SubnetIdentityV3>,
        4 network_registered_at: Compact<u64>,
        5 owner_hotkey: AccountId,
        6 owner_coldkey: AccountId,
        7 block: Compact<u64>,
        8 tempo: Compact<u16>,
        9 last_step: Compact<u64>,
        10 blocks_since_last_step: Compact<u64>,
        11 subnet_emission: Compact<u64>,
        12 alpha_in: Compact<AlphaBalance>,
        13 alpha_out: Compact<AlphaBalance>,
        14 tao_in: Compact<TaoBalance>,
        15 alpha_out_emission: Compact<AlphaBalance>,
        16 alpha_in_emission: Compact<AlphaBalance>,
        17 tao_in_emission: Compact<TaoBalance>,
        18 pending_alpha_emission: Compact<AlphaBalance>,
        19 pending_root_emission: Compact<TaoBalance>,
        20 subnet_volume: Compact<u128>,
        21 moving_price: FixedI128,
        22 rho: Compact<u16>,
        23 kappa: Compact<u16>,
        24 min_allowed_weights: Compact<u16>,
        25 max_weights_limit: Compact<u16>,
        26 weights_version: Compact<u64>,
        27 weights_rate_limit: Compact<u64>,
        28 activity_cutoff: Compact<u64>,
        29 max_validators: Compact<u16>,
        30 num_uids: Compact<u16>,
        31 max_uids: Compact<u16>,
        32 burn: Compact<TaoBalance>,
        33 difficulty: Compact<u64>,
        34 registration_allowed: bool,
        35 pow_registration_allowed: bool,
        36 immunity_period: Compact<u16>,
        37 min_difficulty: Compact<u64>,
        38 max_difficulty: Compact<u64>,
        39 min_burn: Compact<TaoBalance>,
        40 max_burn: Compact<TaoBalance>,
        41 adjustment_alpha: Compact<u64>,
        42 adjustment_interval: Compact<u16>,
        43 target_regs_per_interval: Compact<u16>,
        44 max_regs_per_block: Compact<u16>,
        45 serving_rate_limit: Compact<u64>,
        46 commit_reveal_weights_enabled: bool,
        47 commit_reveal_period: Compact<u64>,
        48 liquid_alpha_enabled: bool,
        49 alpha_high: Compact<u16>,
        50 alpha_low: Compact<u16>,
        51 bonds_moving_avg: Compact<u64>,
        52 hotkeys: Vec<AccountId>,
        53 coldkeys: Vec<AccountId>,
        54 identities: Vec<Option<ChainIdentityV2>>,
        55 axons: Vec<AxonInfo>,
        56 active: Vec<bool>,
        57 validator_permit: Vec<bool>,
        58 pruning_score: Vec<Compact<u16>>,
        59 last_update: Vec<Compact<u64>>,
        60 emission: Vec<Compact<AlphaBalance>>,
        61 dividends: Vec<Compact<PerU16>>,
        62 incentives: Vec<Compact<PerU16>>,
        63 consensus: Vec<Compact<PerU16>>,
        64 trust: Vec<Compact<PerU16>>,
        65 rank: Vec<Compact<u16>>,
        66 block_at_registration: Vec<Compact<u64>>,
        67 alpha_stake: Vec<Compact<AlphaBalance>>,
        68 tao_stake: Vec<Compact<TaoBalance>>,
        69 total_stake: Vec<Compact<TaoBalance>>,
        70 tao_dividends_per_hotkey: Vec<(AccountId, Compact<TaoBalance>)>,
        71 alpha_dividends_per_hotkey: Vec<(AccountId, Compact<AlphaBalance>)>,
    }
    made {
        72 validators: Vec<Compact<u16>>,
        73 commitments: Vec<(AccountId, Vec<Compact<u8>>)>,
    }
    tail {
        74 collateral_locked: Vec<Compact<AlphaBalance>>,
        75 collateral_min: Vec<Compact<AlphaBalance>>,
        76 collateral_earned: Vec<Compact<AlphaBalance>>,
    }
}

impl<T: Config> Pallet<T> {
    /// The parts of `netuid` with the numbers `indexes`. `commitments` is asked for what neurons have committed, encoded.
    pub fn get_selective_metagraph(
        netuid: NetUid,
        indexes: &[u16],
        commitments: impl FnOnce() -> Vec<(T::AccountId, Vec<u8>)>,
    ) -> Option<SelectiveMetagraph<T::AccountId>> {
        let graph = Self::get_metagraph(netuid)?;
        Some(Self::select(netuid, graph, indexes, commitments))
    }

    /// The parts of one mechanism of `netuid`, under the number of the subnet itself.
    pub fn get_selective_mechagraph(
        netuid: NetUid,
        mecid: MechId,
        indexes: &[u16],
        commitments: impl FnOnce() -> Vec<(T::AccountId, Vec<u8>)>,
    ) -> Option<SelectiveMetagraph<T::AccountId>> {
        let graph = Metagraph { netuid: Compact(netuid), ..Self::get_mechagraph(netuid, mecid)? };
        Some(Self::select(netuid, graph, indexes, commitments))
    }

    fn select(
        netuid: NetUid,
        graph: Metagraph<T::AccountId>,
        indexes: &[u16],
        commitments: impl FnOnce() -> Vec<(T::AccountId, Vec<u8>)>,
    ) -> SelectiveMetagraph<T::AccountId> {
        let commitments =
            || commitments().into_iter().map(|(hotkey, bytes)| (hotkey, super::text(&bytes))).collect::<Vec<_>>();
        SelectiveMetagraph::select(graph, indexes, || Self::staked_uids(netuid), commitments)
    }

    /// The uids whose stake weight is above the threshold, of least weight first.
    fn staked_uids(netuid: NetUid) -> Vec<Compact<u16>> {
        let threshold = StakeThreshold::<T>::get();
        let tao_weight = TaoWeight::<T>::get();
        let mut staked: Vec<(u64, u16)> = (0_u16..)
            .zip(Self::hotkeys(netuid))
            .map(|(uid, hotkey)| (Self::stake_weight_at(netuid, &hotkey, tao_weight), uid))
            .filter(|(weight, _)| *weight > threshold)
            .collect();
        staked.sort_unstable();
        staked.into_iter().map(|(_, uid)| Compact(uid)).collect()
    }
}
