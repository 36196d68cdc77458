// SPDX-License-Identifier: Apache-2.0

//! `SubnetState`: the neurons of a subnet, list by list.

use alloc::{vec, vec::Vec};
use codec::{Compact, Decode, Encode};
use scale_info::TypeInfo;
use sp_runtime::PerU16;

use crate::{pallet::*, types::*};

/// The neurons of a subnet, each list by uid.
#[allow(missing_docs, reason = "those of Metagraph")]
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct SubnetState<AccountId> {
    pub netuid: Compact<NetUid>,
    pub hotkeys: Vec<AccountId>,
    pub coldkeys: Vec<AccountId>,
    pub active: Vec<bool>,
    pub validator_permit: Vec<bool>,
    pub pruning_score: Vec<Compact<u16>>,
    pub last_update: Vec<Compact<u64>>,
    pub emission: Vec<Compact<AlphaBalance>>,
    pub dividends: Vec<Compact<PerU16>>,
    pub incentives: Vec<Compact<PerU16>>,
    pub consensus: Vec<Compact<PerU16>>,
    pub trust: Vec<Compact<PerU16>>,
    pub rank: Vec<Compact<u16>>,
    pub block_at_registration: Vec<Compact<u64>>,
    pub alpha_stake: Vec<Compact<AlphaBalance>>,
    pub tao_stake: Vec<Compact<TaoBalance>>,
    pub total_stake: Vec<Compact<TaoBalance>>,
    pub emission_history: Vec<Vec<Compact<AlphaBalance>>>,
}

impl<T: Config> Pallet<T> {
    /// The neurons of `netuid`, with one list of past emission: that of each hotkey's last epoch there. `None` when
    /// there is no such subnet.
    pub fn get_subnet_state(netuid: NetUid) -> Option<SubnetState<T::AccountId>> {
        let graph = Self::get_metagraph(netuid)?;
        let last = graph.hotkeys.iter().map(|hotkey| Compact(LastHotkeyEmissionOnNetuid::<T>::get(hotkey, netuid)));
        Some(SubnetState {
            netuid: graph.netuid,
            emission_history: vec![last.collect()],
            hotkeys: graph.hotkeys,
            coldkeys: graph.coldkeys,
            active: graph.active,
            validator_permit: graph.validator_permit,
            pruning_score: graph.pruning_score,
            last_update: graph.last_update,
            emission: graph.emission,
            dividends: graph.dividends,
            incentives: graph.incentives,
            consensus: graph.consensus,
            trust: graph.trust,
            rank: graph.rank,
            block_at_registration: graph.block_at_registration,
            alpha_stake: graph.alpha_stake,
            tao_stake: graph.tao_stake,
            total_stake: graph.total_stake,
        })
    }
}
