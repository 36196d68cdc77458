// SPDX-License-Identifier: Apache-2.0

//! Every call that sets one value, with where the value is kept and what it becomes.

use super::mock::*;
use crate::Call;
use codec::Encode;
use frame_support::dispatch::{DispatchResult, DispatchResultWithPostInfo};
use pallet_subtensor::{
    AlphaSigmoidSteepness, AlphaValues, ConsensusMode, EpochConsensus, FixedU128, LiquidAlphaOn, MechId,
    RecycleOrBurnEnum, TaoBalance, *,
};
use sp_runtime::{PerU16, traits::Dispatchable};

/// One call and its effect.
pub struct Case {
    pub call: Call<Test>,
    /// Key of the storage item that it sets.
    pub key: Vec<u8>,
    /// What is stored there.
    pub value: Vec<u8>,
    /// Whether the owner of the subnet may make it.
    pub owner: bool,
    /// Whether it concerns one subnet.
    pub subnet: bool,
}

impl Case {
    pub fn dispatch(&self, origin: RuntimeOrigin) -> DispatchResult {
        dispatch(self.call.clone(), origin)
    }

    /// What the call is named.
    pub fn name(&self) -> String {
        format!("{:?}", self.call)
    }
}

pub fn dispatch(call: Call<Test>, origin: RuntimeOrigin) -> DispatchResult {
    let result: DispatchResultWithPostInfo = RuntimeCall::AdminUtils(call).dispatch(origin);
    result.map(|_| ()).map_err(|error| error.error)
}

macro_rules! cases {
    (@global $call:ident { $field:ident: $value:expr } => $item:ident) => {
        Case {
            key: <$item<Test>>::hashed_key().to_vec(),
            value: $value.encode(),
            call: Call::$call { $field: $value },
            owner: false,
            subnet: false,
        }
    };
    (@$who:ident $call:ident { $field:ident: $value:expr } => $item:ident) => {
        Case {
            key: <$item<Test>>::hashed_key_for(NETUID),
            value: $value.encode(),
            call: Call::$call { netuid: NETUID, $field: $value },
            owner: stringify!($who) == "owner",
            subnet: true,
        }
    };
    ($($who:ident $call:ident { $field:ident: $value:expr } => $item:ident,)*) => {
        vec![$(cases!(@$who $call { $field: $value } => $item)),*]
    };
}

/// Every call with one value, which differs from what the subnet of the mock has.
pub fn cases() -> Vec<Case> {
    let mut cases = cases![
        global sudo_set_default_take { default_take: PerU16::from_parts(7) } => MaxDelegateTake,
        global sudo_set_tx_rate_limit { tx_rate_limit: 7_u64 } => TxRateLimit,
        owner sudo_set_serving_rate_limit { serving_rate_limit: 7_u64 } => ServingRateLimit,
        owner sudo_set_weights_version_key { weights_version_key: 7_u64 } => WeightsVersionKey,
        root sudo_set_weights_set_rate_limit { weights_set_rate_limit: 7_u64 } => WeightsSetRateLimit,
        owner sudo_set_immunity_period { immunity_period: 7_u16 } => ImmunityPeriod,
        owner sudo_set_min_allowed_weights { min_allowed_weights: 7_u16 } => MinAllowedWeights,
        owner sudo_set_max_allowed_uids { max_allowed_uids: 100_u16 } => MaxAllowedUids,
        root sudo_set_kappa { kappa: 7_u16 } => Kappa,
        owner sudo_set_rho { rho: 7_u16 } => Rho,
        owner sudo_set_activity_cutoff { activity_cutoff: 360_u16 } => ActivityCutoff,
        owner sudo_set_network_registration_allowed { registration_allowed: false } => NetworkRegistrationAllowed,
        owner sudo_set_min_burn { min_burn: TaoBalance(7) } => MinBurn,
        owner sudo_set_max_burn { max_burn: TaoBalance(7 * TAO) } => MaxBurn,
        root sudo_set_max_allowed_validators { max_allowed_validators: 128_u16 } => MaxAllowedValidators,
        owner sudo_set_bonds_moving_average { bonds_moving_average: 975_000_u64 } => BondsMovingAverage,
        root sudo_set_max_registrations_per_block { max_registrations_per_block: 7_u16 } => MaxRegistrationsPerBlock,
        global sudo_set_subnet_owner_cut { subnet_owner_cut: 7_u16 } => SubnetOwnerCut,
        global sudo_set_network_rate_limit { rate_limit: 7_u64 } => NetworkRateLimit,
        global sudo_set_network_min_lock_cost { lock_cost: TaoBalance(7) } => NetworkMinLockCost,
        global sudo_set_subnet_limit { max_subnets: 7_u16 } => SubnetLimit,
        global sudo_set_lock_reduction_interval { interval: 7_u64 } => NetworkLockReductionInterval,
        root sudo_set_rao_recycled { rao_recycled: TaoBalance(7) } => RAORecycledForRegistration,
        global sudo_set_stake_threshold { min_stake: 7_u64 } => StakeThreshold,
        global sudo_set_tx_delegate_take_rate_limit { tx_rate_limit: 7_u64 } => TxDelegateTakeRateLimit,
        global sudo_set_min_delegate_take { take: PerU16::from_parts(7) } => MinDelegateTake,
        owner sudo_set_commit_reveal_weights_enabled { enabled: true } => CommitRevealWeightsEnabled,
        owner sudo_set_liquid_alpha_enabled { enabled: true } => LiquidAlphaOn,
        owner sudo_set_commit_reveal_weights_interval { interval: 100_u64 } => RevealPeriodEpochs,
        owner sudo_set_bonds_penalty { bonds_penalty: 7_u16 } => BondsPenalty,
        root sudo_set_subtoken_enabled { subtoken_enabled: false } => SubtokenEnabled,
        owner sudo_set_sn_owner_hotkey { hotkey: hot(1) } => SubnetOwnerHotkey,
        owner sudo_set_alpha_sigmoid_steepness { steepness: 7_i16 } => AlphaSigmoidSteepness,
        owner sudo_set_yuma3_enabled { enabled: false } => Yuma3On,
        owner sudo_set_bonds_reset_enabled { enabled: true } => BondsResetOn,
        global sudo_set_commit_reveal_version { version: 7_u16 } => CommitRevealWeightsVersion,
        owner sudo_set_owner_immune_neuron_limit { immune_neurons: 10_u16 } => ImmuneOwnerUidsLimit,
        global sudo_set_admin_freeze_window { window: 7_u16 } => AdminFreezeWindow,
        global sudo_set_owner_hparam_rate_limit { epochs: 7_u16 } => OwnerHyperparamRateLimit,
        root sudo_set_min_allowed_uids { min_allowed_uids: 6_u16 } => MinAllowedUids,
        root sudo_set_min_non_immune_uids { min: 7_u16 } => MinNonImmuneUids,
        global sudo_set_start_call_delay { delay: 7_u64 } => StartCallDelay,
        global sudo_set_max_mechanism_count { max_mechanism_count: MechId(16) } => MaxMechanismCount,
        owner sudo_set_burn_half_life { burn_half_life: 36_100_u16 } => BurnHalfLife,
        owner sudo_set_burn_increase_mult { burn_increase_mult: FixedU128 { bits: 3 << 64 } } => BurnIncreaseMult,
        root sudo_set_subnet_emission_enabled { enabled: false } => SubnetEmissionEnabled,
        global sudo_set_max_epochs_per_block { max_epochs_per_block: 1_u8 } => MaxEpochsPerBlock,
        owner sudo_set_activity_cutoff_factor { factor_milli: 50_000_u32 } => ActivityCutoffFactorMilli,
        owner sudo_set_liquid_alpha_consensus_mode { mode: ConsensusMode::Previous } => LiquidAlphaConsensusMode,
        owner sudo_set_epoch_consensus { mode: EpochConsensus::Yuma } => SubnetEpochConsensus,
        root sudo_set_min_difficulty { min_difficulty: 7_u64 } => MinDifficulty,
        owner sudo_set_max_difficulty { max_difficulty: 7_u64 } => MaxDifficulty,
        root sudo_set_adjustment_interval { adjustment_interval: 7_u16 } => AdjustmentInterval,
        owner sudo_set_adjustment_alpha { adjustment_alpha: 7_u64 } => AdjustmentAlpha,
        root sudo_set_target_registrations_per_interval { target_registrations_per_interval: 7_u16 }
            => TargetRegistrationsPerInterval,
        root sudo_set_difficulty { difficulty: 7_u64 } => Difficulty,
        owner sudo_set_toggle_transfer { toggle: false } => TransferToggle,
        root sudo_set_ema_price_halving_period { ema_halving: 7_u64 } => EMAPriceHalvingBlocks,
        owner sudo_set_recycle_or_burn { recycle_or_burn: RecycleOrBurnEnum::Recycle } => RecycleOrBurn,
        owner sudo_set_min_childkey_take_per_subnet { take: PerU16::from_parts(11_796) } => MinChildkeyTakePerSubnet,
        owner sudo_set_collateral_lock_share { lock_share: 62_258_u16 } => CollateralLockShare,
        owner sudo_set_collateral_drain_ratio { drain_ratio: FixedU128 { bits: 10 << 64 } } => CollateralDrainRatio,
    ];
    cases.push(Case {
        key: <MechanismEmissionSplit<Test>>::hashed_key_for(NETUID),
        value: vec![65_000_u16, 535].encode(),
        call: Call::sudo_set_mechanism_emission_split { netuid: NETUID, maybe_split: Some(vec![65_000, 535]) },
        owner: true,
        subnet: true,
    });
    cases
}

/// The call for the alpha values, which takes two and needs liquid alpha.
pub fn alpha_values(low: u16, high: u16) -> Call<Test> {
    LiquidAlphaOn::<Test>::insert(NETUID, true);
    assert_eq!(AlphaValues::<Test>::get(NETUID), (45_875, 58_982));
    Call::sudo_set_alpha_values { netuid: NETUID, alpha_low: low, alpha_high: high }
}

/// Every call of an owner that is not among [`cases`]: those that take two values, change more than one, or keep no record.
pub fn other_calls_of_owners() -> Vec<Call<Test>> {
    let netuid = NETUID;
    vec![
        Call::sudo_set_tempo { netuid, tempo: 200 },
        Call::sudo_set_alpha_values { netuid, alpha_low: 1_638, alpha_high: 65_535 },
        Call::sudo_set_owner_cut_enabled { netuid, enabled: false },
        Call::sudo_set_owner_cut_auto_lock_enabled { netuid, enabled: true },
        Call::sudo_set_mechanism_count { netuid, mechanism_count: MechId(1) },
        Call::sudo_trim_to_max_allowed_uids { netuid, max_n: 100 },
    ]
}

/// `call` on another subnet.
pub fn elsewhere(call: &Call<Test>, netuid: NetUid) -> Call<Test> {
    let mut bytes = call.encode();
    bytes[1..3].copy_from_slice(&netuid.0.to_le_bytes());
    codec::Decode::decode(&mut &bytes[..]).unwrap()
}
