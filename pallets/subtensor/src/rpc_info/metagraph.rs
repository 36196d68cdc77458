// SPDX-License-Identifier: Apache-2.0

//! `Metagraph`: a whole subnet in one answer.

use alloc::vec::Vec;
use codec::{Compact, Decode, Encode};
use scale_info::TypeInfo;
use sp_runtime::PerU16;

use super::{compact, text, zeros};
use crate::{pallet::*, reader_types::*, types::*};

/// A subnet with its parameters and its neurons, each list by uid.
#[allow(missing_docs, reason = "each field is the storage item of its name; docs/sdk.md lists the others")]
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Metagraph<AccountId> {
    pub netuid: Compact<NetUid>,
    pub name: Vec<Compact<u8>>,
    pub symbol: Vec<Compact<u8>>,
    pub identity: Option<SubnetIdentityV3>,
    pub network_registered_at: Compact<u64>,
    pub owner_hotkey: AccountId,
    pub owner_coldkey: AccountId,
    pub block: Compact<u64>,
    pub tempo: Compact<u16>,
    pub last_step: Compact<u64>,
    pub blocks_since_last_step: Compact<u64>,
    pub subnet_emission: Compact<u64>,
    pub alpha_in: Compact<AlphaBalance>,
    pub alpha_out: Compact<AlphaBalance>,
    pub tao_in: Compact<TaoBalance>,
    pub alpha_out_emission: Compact<AlphaBalance>,
    pub alpha_in_emission: Compact<AlphaBalance>,
    pub tao_in_emission: Compact<TaoBalance>,
    pub pending_alpha_emission: Compact<AlphaBalance>,
    pub pending_root_emission: Compact<TaoBalance>,
    pub subnet_volume: Compact<u128>,
    pub moving_price: FixedI128,
    pub rho: Compact<u16>,
    pub kappa: Compact<u16>,
    pub min_allowed_weights: Compact<u16>,
    pub max_weights_limit: Compact<u16>,
    pub weights_version: Compact<u64>,
    pub weights_rate_limit: Compact<u64>,
    pub activity_cutoff: Compact<u64>,
    pub max_validators: Compact<u16>,
    pub num_uids: Compact<u16>,
    pub max_uids: Compact<u16>,
    pub burn: Compact<TaoBalance>,
    pub difficulty: Compact<u64>,
    pub registration_allowed: bool,
    pub pow_registration_allowed: bool,
    pub immunity_period: Compact<u16>,
    pub min_difficulty: Compact<u64>,
    pub max_difficulty: Compact<u64>,
    pub min_burn: Compact<TaoBalance>,
    pub max_burn: Compact<TaoBalance>,
    pub adjustment_alpha: Compact<u64>,
    pub adjustment_interval: Compact<u16>,
    pub target_regs_per_interval: Compact<u16>,
    pub max_regs_per_block: Compact<u16>,
    pub serving_rate_limit: Compact<u64>,
    pub commit_reveal_weights_enabled: bool,
    pub commit_reveal_period: Compact<u64>,
    pub liquid_alpha_enabled: bool,
    pub alpha_high: Compact<u16>,
    pub alpha_low: Compact<u16>,
    pub bonds_moving_avg: Compact<u64>,
    pub hotkeys: Vec<AccountId>,
    pub coldkeys: Vec<AccountId>,
    pub identities: Vec<Option<ChainIdentityV2>>,
    pub axons: Vec<AxonInfo>,
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
    pub tao_dividends_per_hotkey: Vec<(AccountId, Compact<TaoBalance>)>,
    pub alpha_dividends_per_hotkey: Vec<(AccountId, Compact<AlphaBalance>)>,
    pub collateral_locked: Vec<Compact<AlphaBalance>>,
    pub collateral_min: Vec<Compact<AlphaBalance>>,
    pub collateral_earned: Vec<Compact<AlphaBalance>>,
}

/// What the neurons of a subnet have staked, by uid, in rao.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stakes {
    /// Alpha of the subnet.
    pub alpha: Vec<Compact<AlphaBalance>>,
    /// TAO on the root network, not yet weighted.
    pub tao: Vec<Compact<TaoBalance>>,
    /// Stake weight: the alpha and the weighted TAO.
    pub total: Vec<Compact<TaoBalance>>,
}

impl<T: Config> Pallet<T> {
    /// `netuid` with its main mechanism's neurons; `None` when there is no such subnet. Linear in the neurons.
    pub fn get_metagraph(netuid: NetUid) -> Option<Metagraph<T::AccountId>> {
        if !NetworksAdded::<T>::get(netuid) {
            return None;
        }
        let n = SubnetworkN::<T>::get(netuid);
        let hotkeys = Self::hotkeys(netuid);
        let stakes = Self::stakes(netuid, &hotkeys);
        let (alpha_low, alpha_high) = AlphaValues::<T>::get(netuid);
        let backing = Self::backing(netuid);
        let main = NetUidStorageIndex::from(netuid);
        let dividends = |_: &T::AccountId| Compact(TaoBalance(0));
        Some(Metagraph {
            netuid: Compact(netuid),
            name: text(&Self::subnet_name(netuid)),
            symbol: text(&TokenSymbol::<T>::get(netuid)),
            identity: SubnetIdentitiesV3::<T>::get(netuid),
            network_registered_at: Compact(NetworkRegisteredAt::<T>::get(netuid)),
            owner_hotkey: SubnetOwnerHotkey::<T>::get(netuid),
            owner_coldkey: SubnetOwner::<T>::get(netuid),
            block: Compact(Self::block()),
            tempo: Compact(Tempo::<T>::get(netuid)),
            last_step: Compact(LastMechansimStepBlock::<T>::get(netuid)),
            blocks_since_last_step: Compact(Self::blocks_since_step(netuid)),
            subnet_emission: Compact(0),
            alpha_in: Compact(AlphaBalance(backing)),
            alpha_out: Compact(AlphaBalance(backing)),
            tao_in: Compact(TaoBalance(backing)),
            alpha_out_emission: Compact(SubnetAlphaOutEmission::<T>::get(netuid)),
            alpha_in_emission: Compact(AlphaBalance(0)),
            tao_in_emission: Compact(SubnetTaoInEmission::<T>::get(netuid)),
            pending_alpha_emission: Compact(Self::pending_alpha(netuid)),
            pending_root_emission: Compact(TaoBalance(0)),
            subnet_volume: Compact(0),
            moving_price: SubnetMovingPrice::<T>::get(netuid),
            rho: Compact(Rho::<T>::get(netuid)),
            kappa: Compact(Kappa::<T>::get(netuid)),
            min_allowed_weights: Compact(MinAllowedWeights::<T>::get(netuid)),
            max_weights_limit: Compact(MaxWeightsLimit::<T>::get(netuid)),
            weights_version: Compact(WeightsVersionKey::<T>::get(netuid)),
            weights_rate_limit: Compact(WeightsSetRateLimit::<T>::get(netuid)),
            activity_cutoff: Compact(Self::activity_cutoff(netuid)),
            max_validators: Compact(MaxAllowedValidators::<T>::get(netuid)),
            num_uids: Compact(n),
            max_uids: Compact(MaxAllowedUids::<T>::get(netuid)),
            burn: Compact(Burn::<T>::get(netuid)),
            difficulty: Compact(Difficulty::<T>::get(netuid)),
            registration_allowed: NetworkRegistrationAllowed::<T>::get(netuid),
            pow_registration_allowed: NetworkPowRegistrationAllowed::<T>::get(netuid),
            immunity_period: Compact(ImmunityPeriod::<T>::get(netuid)),
            min_difficulty: Compact(MinDifficulty::<T>::get(netuid)),
            max_difficulty: Compact(MaxDifficulty::<T>::get(netuid)),
            min_burn: Compact(MinBurn::<T>::get(netuid)),
            max_burn: Compact(MaxBurn::<T>::get(netuid)),
            adjustment_alpha: Compact(AdjustmentAlpha::<T>::get(netuid)),
            adjustment_interval: Compact(AdjustmentInterval::<T>::get(netuid)),
            target_regs_per_interval: Compact(TargetRegistrationsPerInterval::<T>::get(netuid)),
            max_regs_per_block: Compact(MaxRegistrationsPerBlock::<T>::get(netuid)),
            serving_rate_limit: Compact(ServingRateLimit::<T>::get(netuid)),
            commit_reveal_weights_enabled: CommitRevealWeightsEnabled::<T>::get(netuid),
            commit_reveal_period: Compact(RevealPeriodEpochs::<T>::get(netuid)),
            liquid_alpha_enabled: LiquidAlphaOn::<T>::get(netuid),
            alpha_high: Compact(alpha_high),
            alpha_low: Compact(alpha_low),
            bonds_moving_avg: Compact(BondsMovingAverage::<T>::get(netuid)),
            coldkeys: hotkeys.iter().map(Owner::<T>::get).collect(),
            identities: hotkeys.iter().map(|hotkey| IdentitiesV2::<T>::get(Owner::<T>::get(hotkey))).collect(),
            axons: hotkeys.iter().map(|hotkey| Self::axon(netuid, hotkey)).collect(),
            active: Active::<T>::get(netuid).into_vec(),
            validator_permit: ValidatorPermit::<T>::get(netuid).into_vec(),
            // Lists of what is not computed any more are empty on the public chain.
            pruning_score: Vec::new(),
            last_update: compact(&LastUpdate::<T>::get(main)),
            emission: compact(&Emission::<T>::get(netuid)),
            dividends: compact(&Dividends::<T>::get(netuid)),
            incentives: compact(&Incentive::<T>::get(main)),
            consensus: compact(&Consensus::<T>::get(netuid)),
            trust: Vec::new(),
            rank: Vec::new(),
            block_at_registration: (0..n).map(|uid| Compact(BlockAtRegistration::<T>::get(netuid, uid))).collect(),
            alpha_stake: stakes.alpha,
            tao_stake: stakes.tao,
            total_stake: stakes.total,
            tao_dividends_per_hotkey: hotkeys.iter().map(|hotkey| (hotkey.clone(), dividends(hotkey))).collect(),
            alpha_dividends_per_hotkey: hotkeys
                .iter()
                .map(|hotkey| (hotkey.clone(), Compact(AlphaDividendsPerSubnet::<T>::get(netuid, hotkey))))
                .collect(),
            collateral_locked: zeros(n),
            collateral_min: zeros(n),
            collateral_earned: zeros(n),
            hotkeys,
        })
    }

    /// Every subnet's [`Self::get_metagraph`].
    pub fn get_all_metagraphs() -> Vec<Option<Metagraph<T::AccountId>>> {
        Self::all_netuids().into_iter().map(Self::get_metagraph).collect()
    }

    /// `netuid` as its mechanism `mecid` sees it: under the storage index of both, with the mechanism's incentives and
    /// updates. `None` when there is no such mechanism.
    pub fn get_mechagraph(netuid: NetUid, mecid: MechId) -> Option<Metagraph<T::AccountId>> {
        let index = NetUidStorageIndex::new(netuid, mecid);
        if !Self::mechanisms(netuid).any(|known| known == index) {
            return None;
        }
        Some(Metagraph {
            netuid: Compact(NetUid(index.0)),
            last_update: compact(&LastUpdate::<T>::get(index)),
            incentives: compact(&Incentive::<T>::get(index)),
            ..Self::get_metagraph(netuid)?
        })
    }

    /// Every mechanism of every subnet.
    pub fn get_all_mechagraphs() -> Vec<Option<Metagraph<T::AccountId>>> {
        Self::all_netuids()
            .into_iter()
            .flat_map(|netuid| Self::mechanisms(netuid).map(NetUidStorageIndex::split))
            .map(|(netuid, mecid)| Self::get_mechagraph(netuid, mecid))
            .collect()
    }

    /// The hotkeys of a subnet, by uid.
    pub fn hotkeys(netuid: NetUid) -> Vec<T::AccountId> {
        (0..SubnetworkN::<T>::get(netuid)).map(|uid| Keys::<T>::get(netuid, uid)).collect()
    }

    /// What `hotkeys` have staked on `netuid` and on the root network.
    pub fn stakes(netuid: NetUid, hotkeys: &[T::AccountId]) -> Stakes {
        let tao_weight = TaoWeight::<T>::get();
        let mut stakes = Stakes::default();
        for hotkey in hotkeys {
            stakes.alpha.push(Compact(TotalHotkeyAlpha::<T>::get(hotkey, netuid)));
            stakes.tao.push(Compact(TaoBalance(TotalHotkeyAlpha::<T>::get(hotkey, NetUid::ROOT).0)));
            stakes.total.push(Compact(TaoBalance(Self::stake_weight_at(netuid, hotkey, tao_weight))));
        }
        stakes
    }
}
