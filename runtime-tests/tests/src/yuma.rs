// SPDX-License-Identifier: Apache-2.0
//! A worker's view of an epoch: from the public storage of a subnet to the input of [`yuma::epoch`].
//!
//! Written against storage alone, not against the pallet's own code, so that it can be compared with it.

use clawrank_primitives::{
    emission::yuma::{self, ConsensusMode, LiquidAlpha, Neuron, YumaInput, YumaOutput, YumaParams},
    units::Rao,
};
use clawrank_runtime::{AccountId, Runtime};
use pallet_subtensor as subtensor;
use subtensor::{MechId, NetUid, NetUidStorageIndex};

type Rows = Vec<Vec<(u16, u16)>>;

/// What the epoch of `netuid` would write if it ran in `block`, the next one: one output per mechanism, with its part of
/// the emission.
///
/// To be called over the state of the block before.
pub fn epoch(netuid: NetUid, block: u64) -> Vec<(NetUidStorageIndex, (Rao, YumaOutput))> {
    inputs(netuid, block)
        .into_iter()
        .map(|(index, input)| (index, (input.emission, yuma::epoch(&input).expect("a sound input"))))
        .collect()
}

/// What that epoch depends on: one input per mechanism.
pub fn inputs(netuid: NetUid, block: u64) -> Vec<(NetUidStorageIndex, YumaInput)> {
    let count = subtensor::MechanismCountCurrent::<Runtime>::get(netuid).0;
    let pool = pool(netuid);
    (0..count)
        .map(|mecid| NetUidStorageIndex::new(netuid, MechId(mecid)))
        .zip(yuma::split_mechanisms(pool, &split(netuid, count.into())))
        .map(|(index, part)| (index, input(netuid, index, block, part)))
        .collect()
}

/// The proportions in which the mechanisms share the emission: the owner's, or even ones.
fn split(netuid: NetUid, count: usize) -> Vec<u16> {
    let chosen = subtensor::MechanismEmissionSplit::<Runtime>::get(netuid);
    let mut split = chosen.map_or_else(|| vec![1; count], |chosen| chosen.into_vec());
    split.resize(count, 0);
    split
}

/// What is pending once the next block has accrued its emission; one subnet emits.
fn pool(netuid: NetUid) -> Rao {
    let cut = if subtensor::OwnerCutEnabled::<Runtime>::get(netuid) {
        subtensor::SubnetOwnerCut::<Runtime>::get()
    } else {
        0
    };
    let split = yuma::split_41_41_18(Rao(subtensor::BlockEmission::<Runtime>::get()), cut, 0);
    let pending = subtensor::PendingServerEmission::<Runtime>::get(netuid).0
        + subtensor::PendingValidatorEmission::<Runtime>::get(netuid).0;
    Rao(pending + split.server.get() + split.validator.get() + split.root.get())
}

fn input(netuid: NetUid, index: NetUidStorageIndex, block: u64, emission: Rao) -> YumaInput {
    let n = subtensor::SubnetworkN::<Runtime>::get(netuid);
    let tempo = subtensor::Tempo::<Runtime>::get(netuid);
    let hotkeys: Vec<AccountId> = (0..n).map(|uid| subtensor::Keys::<Runtime>::get(netuid, uid)).collect();
    let updates = subtensor::LastUpdate::<Runtime>::get(index);
    let permits = subtensor::ValidatorPermit::<Runtime>::get(netuid);
    let hidden = subtensor::CommitRevealWeightsEnabled::<Runtime>::get(netuid);
    let neuron = |(uid, hotkey): (usize, &AccountId)| Neuron {
        stake: subtensor::Pallet::<Runtime>::stake_weight(netuid, hotkey),
        last_update: updates.get(uid).copied().unwrap_or_default(),
        registered_at: subtensor::BlockAtRegistration::<Runtime>::get(netuid, uid as u16),
        permit: permits.get(uid).copied().unwrap_or_default(),
        first_commit: hidden.then(|| first_commit(netuid, index, hotkey)).flatten(),
    };
    YumaInput {
        params: YumaParams {
            kappa: subtensor::Kappa::<Runtime>::get(netuid),
            bonds_penalty: subtensor::BondsPenalty::<Runtime>::get(netuid),
            bonds_moving_average: subtensor::BondsMovingAverage::<Runtime>::get(netuid),
            max_allowed_validators: subtensor::MaxAllowedValidators::<Runtime>::get(netuid),
            activity_cutoff: yuma::activity_cutoff(subtensor::ActivityCutoffFactorMilli::<Runtime>::get(netuid), tempo),
            tempo: tempo.into(),
            stake_threshold: subtensor::StakeThreshold::<Runtime>::get(),
            yuma3: subtensor::Yuma3On::<Runtime>::get(netuid),
            liquid_alpha: subtensor::LiquidAlphaOn::<Runtime>::get(netuid).then(|| liquid_alpha(netuid)),
        },
        block,
        last_step_block: subtensor::LastMechansimStepBlock::<Runtime>::get(netuid),
        owner: subtensor::Uids::<Runtime>::get(netuid, subtensor::SubnetOwnerHotkey::<Runtime>::get(netuid)),
        neurons: hotkeys.iter().enumerate().map(neuron).collect(),
        weights: (0..n).map(|uid| subtensor::Weights::<Runtime>::get(index, uid).into_vec()).collect(),
        bonds: (0..n).map(|uid| subtensor::Bonds::<Runtime>::get(index, uid).into_vec()).collect(),
        previous_consensus: parts(&subtensor::ConsensusByMechanism::<Runtime>::get(index)),
        emission,
    }
}

/// The block of the oldest commit that can still be revealed once the due epoch counts.
fn first_commit(netuid: NetUid, index: NetUidStorageIndex, hotkey: &AccountId) -> Option<u64> {
    let current = subtensor::SubnetEpochIndex::<Runtime>::get(netuid) + 1;
    let period = subtensor::RevealPeriodEpochs::<Runtime>::get(netuid);
    let commits = subtensor::WeightCommits::<Runtime>::get(index, hotkey)?;
    commits.iter().filter(|(_, epoch, _, _)| epoch + period >= current).map(|(_, _, block, _)| *block).min()
}

fn liquid_alpha(netuid: NetUid) -> LiquidAlpha {
    let (alpha_low, alpha_high) = subtensor::AlphaValues::<Runtime>::get(netuid);
    LiquidAlpha {
        alpha_low,
        alpha_high,
        steepness: subtensor::AlphaSigmoidSteepness::<Runtime>::get(netuid),
        consensus: match subtensor::LiquidAlphaConsensusMode::<Runtime>::get(netuid) {
            subtensor::ConsensusMode::Current => ConsensusMode::Current,
            subtensor::ConsensusMode::Previous => ConsensusMode::Previous,
            subtensor::ConsensusMode::Auto => ConsensusMode::Auto,
        },
    }
}

/// What an epoch wrote for one mechanism.
#[derive(Debug, PartialEq, Eq)]
pub struct Written {
    /// Incentive, in 1/65,535.
    pub incentive: Vec<u16>,
    /// Consensus, in 1/65,535.
    pub consensus: Vec<u16>,
    /// Bonds, a row per uid.
    pub bonds: Rows,
}

impl Written {
    /// What the chain has in storage.
    pub fn on_chain(netuid: NetUid, index: NetUidStorageIndex) -> Self {
        let n = subtensor::SubnetworkN::<Runtime>::get(netuid);
        Self {
            incentive: parts(&subtensor::Incentive::<Runtime>::get(index)),
            consensus: parts(&subtensor::ConsensusByMechanism::<Runtime>::get(index)),
            bonds: (0..n).map(|uid| subtensor::Bonds::<Runtime>::get(index, uid).into_vec()).collect(),
        }
    }

    /// What a worker computed.
    pub fn of(output: &YumaOutput) -> Self {
        Self { incentive: output.incentive.clone(), consensus: output.consensus.clone(), bonds: output.bonds.clone() }
    }
}

/// What an epoch wrote for a subnet as a whole.
#[derive(Debug, PartialEq, Eq)]
pub struct Whole {
    /// Mean consensus, in 1/65,535.
    pub consensus: Vec<u16>,
    /// Mean dividends, in 1/65,535.
    pub dividends: Vec<u16>,
    /// Mean trust in validators, in 1/65,535.
    pub validator_trust: Vec<u16>,
    /// Stake weight, in 1/65,535.
    pub stake_weight: Vec<u16>,
    /// Who is active in any mechanism.
    pub active: Vec<bool>,
    /// Who may set weights.
    pub permits: Vec<bool>,
    /// Emission in rao, of all mechanisms.
    pub emission: Vec<u64>,
}

impl Whole {
    /// What the chain has in storage.
    pub fn on_chain(netuid: NetUid) -> Self {
        Self {
            consensus: parts(&subtensor::Consensus::<Runtime>::get(netuid)),
            dividends: parts(&subtensor::Dividends::<Runtime>::get(netuid)),
            validator_trust: parts(&subtensor::ValidatorTrust::<Runtime>::get(netuid)),
            stake_weight: subtensor::StakeWeight::<Runtime>::get(netuid).into_vec(),
            active: subtensor::Active::<Runtime>::get(netuid).into_vec(),
            permits: subtensor::ValidatorPermit::<Runtime>::get(netuid).into_vec(),
            emission: subtensor::Emission::<Runtime>::get(netuid).iter().map(|amount| amount.0).collect(),
        }
    }

    /// What a worker computed, given each mechanism's part of the emission: means by that part, each rounded down.
    ///
    /// # Panics
    ///
    /// When there is no output.
    pub fn of(outputs: &[(Rao, YumaOutput)]) -> Self {
        let (_, first) = outputs.first().expect("a subnet has a mechanism");
        let all: u128 = outputs.iter().map(|(part, _)| u128::from(part.get())).sum();
        let mean = |of: fn(&YumaOutput) -> &Vec<u16>| -> Vec<u16> {
            if all == 0 {
                return of(first).clone();
            }
            let at = |output: &YumaOutput, uid: usize| of(output).get(uid).copied().unwrap_or_default();
            let part = |uid: usize, (part, output): &(Rao, YumaOutput)| {
                u16::try_from(u128::from(at(output, uid)) * u128::from(part.get()) / all).expect("a part of a u16")
            };
            (0..of(first).len()).map(|uid| outputs.iter().map(|output| part(uid, output)).sum()).collect()
        };
        let n = first.active.len();
        let emission =
            |uid: usize| outputs.iter().filter_map(move |(_, output)| output.emission.get(uid)).map(|rao| rao.get());
        Self {
            consensus: mean(|output| &output.consensus),
            dividends: mean(|output| &output.dividends),
            validator_trust: mean(|output| &output.validator_trust),
            stake_weight: first.stake_weight.clone(),
            active: (0..n).map(|uid| outputs.iter().any(|(_, output)| output.active.get(uid) == Some(&true))).collect(),
            permits: first.permits.clone(),
            emission: (0..n).map(|uid| emission(uid).sum()).collect(),
        }
    }
}

fn parts(values: &[sp_runtime::PerU16]) -> Vec<u16> {
    values.iter().map(|value| sp_runtime::PerThing::deconstruct(*value)).collect()
}
