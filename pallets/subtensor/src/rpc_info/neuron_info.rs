// SPDX-License-Identifier: Apache-2.0

//! `NeuronInfo` and `NeuronInfoLite`: one neuron.

use alloc::{vec, vec::Vec};
use codec::{Compact, Decode, Encode};
use scale_info::TypeInfo;
use sp_runtime::PerU16;

use super::at;
use crate::{pallet::*, types::*};

/// What the public chain answers for every neuron: neurons have no score of their own for their replacement any more.
pub(super) const PRUNING_SCORE: u16 = u16::MAX;

/// A neuron without its weights and bonds.
#[allow(missing_docs, reason = "each field is the storage item of its name")]
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct NeuronInfoLite<AccountId> {
    pub hotkey: AccountId,
    pub coldkey: AccountId,
    pub uid: Compact<u16>,
    pub netuid: Compact<NetUid>,
    pub active: bool,
    pub axon_info: AxonInfo,
    pub prometheus_info: PrometheusInfo,
    pub stake: Vec<(AccountId, Compact<AlphaBalance>)>,
    pub rank: Compact<u16>,
    pub emission: Compact<AlphaBalance>,
    pub incentive: Compact<PerU16>,
    pub consensus: Compact<PerU16>,
    pub trust: Compact<PerU16>,
    pub validator_trust: Compact<PerU16>,
    pub dividends: Compact<PerU16>,
    pub last_update: Compact<u64>,
    pub validator_permit: bool,
    pub pruning_score: Compact<u16>,
}

/// A neuron with its weights and bonds on the main mechanism.
#[allow(missing_docs, reason = "each field is the storage item of its name")]
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct NeuronInfo<AccountId> {
    pub hotkey: AccountId,
    pub coldkey: AccountId,
    pub uid: Compact<u16>,
    pub netuid: Compact<NetUid>,
    pub active: bool,
    pub axon_info: AxonInfo,
    pub prometheus_info: PrometheusInfo,
    pub stake: Vec<(AccountId, Compact<AlphaBalance>)>,
    pub rank: Compact<u16>,
    pub emission: Compact<AlphaBalance>,
    pub incentive: Compact<PerU16>,
    pub consensus: Compact<PerU16>,
    pub trust: Compact<PerU16>,
    pub validator_trust: Compact<PerU16>,
    pub dividends: Compact<PerU16>,
    pub last_update: Compact<u64>,
    pub validator_permit: bool,
    pub weights: Vec<(Compact<u16>, Compact<u16>)>,
    pub bonds: Vec<(Compact<u16>, Compact<u16>)>,
    pub pruning_score: Compact<u16>,
}

/// The lists of a subnet that every neuron has a place in, read once.
struct Lists<T: Config> {
    netuid: NetUid,
    active: PerNeuron<bool>,
    emission: PerNeuron<AlphaBalance>,
    incentive: PerNeuron<PerU16>,
    consensus: PerNeuron<PerU16>,
    validator_trust: PerNeuron<PerU16>,
    dividends: PerNeuron<PerU16>,
    last_update: PerNeuron<u64>,
    validator_permit: PerNeuron<bool>,
    config: core::marker::PhantomData<T>,
}

impl<T: Config> Lists<T> {
    fn load(netuid: NetUid) -> Self {
        let main = NetUidStorageIndex::from(netuid);
        Self {
            netuid,
            active: Active::<T>::get(netuid),
            emission: Emission::<T>::get(netuid),
            incentive: Incentive::<T>::get(main),
            consensus: Consensus::<T>::get(netuid),
            validator_trust: ValidatorTrust::<T>::get(netuid),
            dividends: Dividends::<T>::get(netuid),
            last_update: LastUpdate::<T>::get(main),
            validator_permit: ValidatorPermit::<T>::get(netuid),
            config: core::marker::PhantomData,
        }
    }

    /// The neuron of `uid`; `None` when no one has it.
    fn lite(&self, uid: u16) -> Option<NeuronInfoLite<T::AccountId>> {
        let netuid = self.netuid;
        let hotkey = Keys::<T>::try_get(netuid, uid).ok()?;
        let coldkey = Owner::<T>::get(&hotkey);
        Some(NeuronInfoLite {
            uid: Compact(uid),
            netuid: Compact(netuid),
            active: at(&self.active, uid),
            axon_info: Pallet::<T>::axon(netuid, &hotkey),
            prometheus_info: Prometheus::<T>::get(netuid, &hotkey).unwrap_or_default(),
            // The public chain answers one entry, the owner's; here the owner's is all there is.
            stake: vec![(coldkey.clone(), Compact(TotalHotkeyAlpha::<T>::get(&hotkey, netuid)))],
            rank: Compact(0),
            emission: Compact(at(&self.emission, uid)),
            incentive: Compact(at(&self.incentive, uid)),
            consensus: Compact(at(&self.consensus, uid)),
            trust: Compact(PerU16::from_parts(0)),
            validator_trust: Compact(at(&self.validator_trust, uid)),
            dividends: Compact(at(&self.dividends, uid)),
            last_update: Compact(at(&self.last_update, uid)),
            validator_permit: at(&self.validator_permit, uid),
            pruning_score: Compact(PRUNING_SCORE),
            hotkey,
            coldkey,
        })
    }

    fn full(&self, uid: u16) -> Option<NeuronInfo<T::AccountId>> {
        let lite = self.lite(uid)?;
        let main = NetUidStorageIndex::from(self.netuid);
        let row = |row: WeightRow| row.iter().map(|(uid, value)| (Compact(*uid), Compact(*value))).collect();
        Some(NeuronInfo {
            hotkey: lite.hotkey,
            coldkey: lite.coldkey,
            uid: lite.uid,
            netuid: lite.netuid,
            active: lite.active,
            axon_info: lite.axon_info,
            prometheus_info: lite.prometheus_info,
            stake: lite.stake,
            rank: lite.rank,
            emission: lite.emission,
            incentive: lite.incentive,
            consensus: lite.consensus,
            trust: lite.trust,
            validator_trust: lite.validator_trust,
            dividends: lite.dividends,
            last_update: lite.last_update,
            validator_permit: lite.validator_permit,
            weights: row(Weights::<T>::get(main, uid)),
            bonds: row(Bonds::<T>::get(main, uid)),
            pruning_score: lite.pruning_score,
        })
    }
}

impl<T: Config> Pallet<T> {
    /// Every neuron of `netuid`, by uid; none when there is no such subnet.
    pub fn get_neurons(netuid: NetUid) -> Vec<NeuronInfo<T::AccountId>> {
        let lists = Lists::<T>::load(netuid);
        (0..SubnetworkN::<T>::get(netuid)).filter_map(|uid| lists.full(uid)).collect()
    }

    /// Every neuron of `netuid` without weights and bonds.
    pub fn get_neurons_lite(netuid: NetUid) -> Vec<NeuronInfoLite<T::AccountId>> {
        let lists = Lists::<T>::load(netuid);
        (0..SubnetworkN::<T>::get(netuid)).filter_map(|uid| lists.lite(uid)).collect()
    }

    /// The neuron of `uid`; `None` when no one has it.
    pub fn get_neuron(netuid: NetUid, uid: u16) -> Option<NeuronInfo<T::AccountId>> {
        Lists::<T>::load(netuid).full(uid)
    }

    /// The neuron of `uid` without weights and bonds; `None` when no one has it.
    pub fn get_neuron_lite(netuid: NetUid, uid: u16) -> Option<NeuronInfoLite<T::AccountId>> {
        Lists::<T>::load(netuid).lite(uid)
    }
}
