// SPDX-License-Identifier: Apache-2.0

//! The hyperparameters of a subnet, in the three forms that clients of different age ask for.

use alloc::{vec, vec::Vec};
use codec::{Compact, Decode, Encode};
use scale_info::TypeInfo;

use super::raw;
use crate::{pallet::*, reader_types::*, types::*};

/// The hyperparameters, as the oldest clients read them.
#[allow(missing_docs, reason = "each field is the storage item of its name")]
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct SubnetHyperparams {
    pub rho: Compact<u16>,
    pub kappa: Compact<u16>,
    pub immunity_period: Compact<u16>,
    pub min_allowed_weights: Compact<u16>,
    pub max_weights_limit: Compact<u16>,
    pub tempo: Compact<u16>,
    pub min_difficulty: Compact<u64>,
    pub max_difficulty: Compact<u64>,
    pub weights_version: Compact<u64>,
    pub weights_rate_limit: Compact<u64>,
    pub adjustment_interval: Compact<u16>,
    pub activity_cutoff: Compact<u64>,
    pub registration_allowed: bool,
    pub target_regs_per_interval: Compact<u16>,
    pub min_burn: Compact<TaoBalance>,
    pub max_burn: Compact<TaoBalance>,
    pub bonds_moving_avg: Compact<u64>,
    pub max_regs_per_block: Compact<u16>,
    pub serving_rate_limit: Compact<u64>,
    pub max_validators: Compact<u16>,
    pub adjustment_alpha: Compact<u64>,
    pub difficulty: Compact<u64>,
    pub commit_reveal_period: Compact<u64>,
    pub commit_reveal_weights_enabled: bool,
    pub alpha_high: Compact<u16>,
    pub alpha_low: Compact<u16>,
    pub liquid_alpha_enabled: bool,
}

/// [`SubnetHyperparams`] and what came later; on the wire one after the other.
#[allow(missing_docs, reason = "each field is the storage item of its name")]
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct SubnetHyperparamsV2 {
    pub rho: Compact<u16>,
    pub kappa: Compact<u16>,
    pub immunity_period: Compact<u16>,
    pub min_allowed_weights: Compact<u16>,
    pub max_weights_limit: Compact<u16>,
    pub tempo: Compact<u16>,
    pub min_difficulty: Compact<u64>,
    pub max_difficulty: Compact<u64>,
    pub weights_version: Compact<u64>,
    pub weights_rate_limit: Compact<u64>,
    pub adjustment_interval: Compact<u16>,
    pub activity_cutoff: Compact<u64>,
    pub registration_allowed: bool,
    pub target_regs_per_interval: Compact<u16>,
    pub min_burn: Compact<TaoBalance>,
    pub max_burn: Compact<TaoBalance>,
    pub bonds_moving_avg: Compact<u64>,
    pub max_regs_per_block: Compact<u16>,
    pub serving_rate_limit: Compact<u64>,
    pub max_validators: Compact<u16>,
    pub adjustment_alpha: Compact<u64>,
    pub difficulty: Compact<u64>,
    pub commit_reveal_period: Compact<u64>,
    pub commit_reveal_weights_enabled: bool,
    pub alpha_high: Compact<u16>,
    pub alpha_low: Compact<u16>,
    pub liquid_alpha_enabled: bool,
    pub alpha_sigmoid_steepness: FixedI64,
    pub yuma_version: Compact<u16>,
    pub subnet_is_active: bool,
    pub transfers_enabled: bool,
    pub bonds_reset_enabled: bool,
    pub user_liquidity_enabled: bool,
}

/// A hyperparameter with its name, so that new ones need no new form.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct HyperparamEntry {
    /// Its name, as the public chain spells it.
    pub name: Vec<u8>,
    /// Its value.
    pub value: HyperparamValue,
}

/// The value of a hyperparameter, by its type.
#[allow(missing_docs, reason = "each is the type of its name")]
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum HyperparamValue {
    Bool(bool),
    U16(Compact<u16>),
    U32(Compact<u32>),
    U64(Compact<u64>),
    U128(Compact<u128>),
    TaoBalance(Compact<TaoBalance>),
    I32F32(FixedI64),
    U64F64(FixedU128),
}

impl<T: Config> Pallet<T> {
    /// The hyperparameters of `netuid` in the oldest form; `None` when there is no such subnet.
    pub fn get_subnet_hyperparams(netuid: NetUid) -> Option<SubnetHyperparams> {
        let (alpha_low, alpha_high) = AlphaValues::<T>::get(netuid);
        NetworksAdded::<T>::get(netuid).then(|| SubnetHyperparams {
            rho: Compact(Rho::<T>::get(netuid)),
            kappa: Compact(Kappa::<T>::get(netuid)),
            immunity_period: Compact(ImmunityPeriod::<T>::get(netuid)),
            min_allowed_weights: Compact(MinAllowedWeights::<T>::get(netuid)),
            max_weights_limit: Compact(MaxWeightsLimit::<T>::get(netuid)),
            tempo: Compact(Tempo::<T>::get(netuid)),
            min_difficulty: Compact(MinDifficulty::<T>::get(netuid)),
            max_difficulty: Compact(MaxDifficulty::<T>::get(netuid)),
            weights_version: Compact(WeightsVersionKey::<T>::get(netuid)),
            weights_rate_limit: Compact(WeightsSetRateLimit::<T>::get(netuid)),
            adjustment_interval: Compact(AdjustmentInterval::<T>::get(netuid)),
            activity_cutoff: Compact(Self::activity_cutoff(netuid)),
            registration_allowed: NetworkRegistrationAllowed::<T>::get(netuid),
            target_regs_per_interval: Compact(TargetRegistrationsPerInterval::<T>::get(netuid)),
            min_burn: Compact(MinBurn::<T>::get(netuid)),
            max_burn: Compact(MaxBurn::<T>::get(netuid)),
            bonds_moving_avg: Compact(BondsMovingAverage::<T>::get(netuid)),
            max_regs_per_block: Compact(MaxRegistrationsPerBlock::<T>::get(netuid)),
            serving_rate_limit: Compact(ServingRateLimit::<T>::get(netuid)),
            max_validators: Compact(MaxAllowedValidators::<T>::get(netuid)),
            adjustment_alpha: Compact(AdjustmentAlpha::<T>::get(netuid)),
            difficulty: Compact(Difficulty::<T>::get(netuid)),
            commit_reveal_period: Compact(RevealPeriodEpochs::<T>::get(netuid)),
            commit_reveal_weights_enabled: CommitRevealWeightsEnabled::<T>::get(netuid),
            alpha_high: Compact(alpha_high),
            alpha_low: Compact(alpha_low),
            liquid_alpha_enabled: LiquidAlphaOn::<T>::get(netuid),
        })
    }

    /// The hyperparameters of `netuid` in the second form; `None` when there is no such subnet.
    pub fn get_subnet_hyperparams_v2(netuid: NetUid) -> Option<SubnetHyperparamsV2> {
        let old = Self::get_subnet_hyperparams(netuid)?;
        Some(SubnetHyperparamsV2 {
            rho: old.rho,
            kappa: old.kappa,
            immunity_period: old.immunity_period,
            min_allowed_weights: old.min_allowed_weights,
            max_weights_limit: old.max_weights_limit,
            tempo: old.tempo,
            min_difficulty: old.min_difficulty,
            max_difficulty: old.max_difficulty,
            weights_version: old.weights_version,
            weights_rate_limit: old.weights_rate_limit,
            adjustment_interval: old.adjustment_interval,
            activity_cutoff: old.activity_cutoff,
            registration_allowed: old.registration_allowed,
            target_regs_per_interval: old.target_regs_per_interval,
            min_burn: old.min_burn,
            max_burn: old.max_burn,
            bonds_moving_avg: old.bonds_moving_avg,
            max_regs_per_block: old.max_regs_per_block,
            serving_rate_limit: old.serving_rate_limit,
            max_validators: old.max_validators,
            adjustment_alpha: old.adjustment_alpha,
            difficulty: old.difficulty,
            commit_reveal_period: old.commit_reveal_period,
            commit_reveal_weights_enabled: old.commit_reveal_weights_enabled,
            alpha_high: old.alpha_high,
            alpha_low: old.alpha_low,
            liquid_alpha_enabled: old.liquid_alpha_enabled,
            alpha_sigmoid_steepness: FixedI64::from_int(AlphaSigmoidSteepness::<T>::get(netuid)),
            yuma_version: Compact(Self::yuma_version(netuid)),
            subnet_is_active: SubtokenEnabled::<T>::get(netuid),
            transfers_enabled: TransferToggle::<T>::get(netuid),
            bonds_reset_enabled: BondsResetOn::<T>::get(netuid),
            user_liquidity_enabled: false,
        })
    }

    /// Every hyperparameter of `netuid` by name; `None` when there is no such subnet.
    pub fn get_subnet_hyperparams_v3(netuid: NetUid) -> Option<Vec<HyperparamEntry>> {
        use HyperparamValue as V;

        let p = Self::get_subnet_hyperparams_v2(netuid)?;
        let entries = vec![
            ("rho", V::U16(p.rho)),
            ("kappa", V::U16(p.kappa)),
            ("immunity_period", V::U16(p.immunity_period)),
            ("min_allowed_weights", V::U16(p.min_allowed_weights)),
            ("max_weights_limit", V::U16(p.max_weights_limit)),
            ("tempo", V::U16(p.tempo)),
            ("min_difficulty", V::U64(p.min_difficulty)),
            ("max_difficulty", V::U64(p.max_difficulty)),
            ("weights_version", V::U64(p.weights_version)),
            ("weights_rate_limit", V::U64(p.weights_rate_limit)),
            ("adjustment_interval", V::U16(p.adjustment_interval)),
            ("activity_cutoff", V::U64(p.activity_cutoff)),
            ("activity_cutoff_factor", V::U32(Compact(ActivityCutoffFactorMilli::<T>::get(netuid)))),
            ("registration_allowed", V::Bool(p.registration_allowed)),
            ("network_pow_registration_allowed", V::Bool(NetworkPowRegistrationAllowed::<T>::get(netuid))),
            ("target_regs_per_interval", V::U16(p.target_regs_per_interval)),
            ("min_burn", V::TaoBalance(p.min_burn)),
            ("max_burn", V::TaoBalance(p.max_burn)),
            ("bonds_moving_avg", V::U64(p.bonds_moving_avg)),
            ("bonds_penalty", V::U16(Compact(BondsPenalty::<T>::get(netuid)))),
            ("max_regs_per_block", V::U16(p.max_regs_per_block)),
            ("serving_rate_limit", V::U64(p.serving_rate_limit)),
            ("max_validators", V::U16(p.max_validators)),
            ("max_allowed_uids", V::U16(Compact(MaxAllowedUids::<T>::get(netuid)))),
            ("owner_immune_neuron_limit", V::U16(Compact(ImmuneOwnerUidsLimit::<T>::get(netuid)))),
            ("adjustment_alpha", V::U64(p.adjustment_alpha)),
            ("difficulty", V::U64(p.difficulty)),
            ("commit_reveal_period", V::U64(p.commit_reveal_period)),
            ("commit_reveal_weights_enabled", V::Bool(p.commit_reveal_weights_enabled)),
            ("alpha_high", V::U16(p.alpha_high)),
            ("alpha_low", V::U16(p.alpha_low)),
            ("liquid_alpha_enabled", V::Bool(p.liquid_alpha_enabled)),
            ("alpha_sigmoid_steepness", V::I32F32(p.alpha_sigmoid_steepness)),
            ("yuma_version", V::U16(p.yuma_version)),
            ("yuma3_enabled", V::Bool(Yuma3On::<T>::get(netuid))),
            ("subnet_is_active", V::Bool(p.subnet_is_active)),
            ("subnet_emission_enabled", V::Bool(SubnetEmissionEnabled::<T>::get(netuid))),
            ("transfers_enabled", V::Bool(p.transfers_enabled)),
            ("bonds_reset_enabled", V::Bool(p.bonds_reset_enabled)),
            ("user_liquidity_enabled", V::Bool(p.user_liquidity_enabled)),
            ("owner_cut_enabled", V::Bool(OwnerCutEnabled::<T>::get(netuid))),
            ("owner_cut_auto_lock_enabled", V::Bool(OwnerCutAutoLockEnabled::<T>::get(netuid))),
            ("min_childkey_take", V::U16(Compact(raw(MinChildkeyTakePerSubnet::<T>::get(netuid))))),
            ("burn_half_life", V::U16(Compact(BurnHalfLife::<T>::get(netuid)))),
            ("burn_increase_mult", V::U64F64(BurnIncreaseMult::<T>::get(netuid))),
            ("collateral_lock_share", V::U16(Compact(CollateralLockShare::<T>::get(netuid)))),
            ("collateral_drain_ratio", V::U64F64(CollateralDrainRatio::<T>::get(netuid))),
        ];
        Some(entries.into_iter().map(|(name, value)| HyperparamEntry { name: name.into(), value }).collect())
    }

    /// 3 while bonds are fixed proportions, else 2.
    fn yuma_version(netuid: NetUid) -> u16 {
        if Yuma3On::<T>::get(netuid) { 3 } else { 2 }
    }
}
