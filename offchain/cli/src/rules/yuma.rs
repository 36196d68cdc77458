// SPDX-License-Identifier: Apache-2.0

use clawrank_primitives::{
    emission::{
        EmissionError,
        yuma::{self, ConsensusMode, LiquidAlpha, Neuron, YumaInput, YumaOutput, YumaParams},
    },
    units::Rao,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::refuse;
use crate::error::CliError;

/// Hyperparameters and epochs. What one epoch leaves behind (bonds, permits, consensus) the next begins with.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// Hyperparameters; what is left out is what the public chain gives a new subnet.
    #[serde(default)]
    params: Params,
    /// At most 10,000.
    epochs: Vec<Epoch>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Params {
    /// In 1/65,535.
    kappa: u16,
    /// In 1/65,535.
    bonds_penalty: u16,
    /// Part of a bond that stays, in millionths.
    bonds_moving_average: u64,
    max_allowed_validators: u16,
    /// Blocks without an update after which a uid is inactive.
    activity_cutoff: u64,
    /// Blocks per epoch.
    tempo: u64,
    /// Stake below which a uid counts as having none.
    stake_threshold: u64,
    /// Yuma 3 bonds; false for the classic ones.
    yuma3: bool,
    /// Bond speed per edge.
    liquid_alpha: bool,
    /// In 1/65,535.
    alpha_low: u16,
    /// In 1/65,535.
    alpha_high: u16,
    /// In hundredths.
    alpha_sigmoid_steepness: i16,
    /// Which consensus liquid alpha compares weights with.
    liquid_alpha_consensus: Mode,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Current,
    Previous,
    Auto,
}

impl Default for Params {
    fn default() -> Self {
        let p = YumaParams::default();
        let liquid = LiquidAlpha::default();
        Self {
            kappa: p.kappa,
            bonds_penalty: p.bonds_penalty,
            bonds_moving_average: p.bonds_moving_average,
            max_allowed_validators: p.max_allowed_validators,
            activity_cutoff: p.activity_cutoff,
            tempo: p.tempo,
            stake_threshold: p.stake_threshold,
            yuma3: p.yuma3,
            liquid_alpha: p.liquid_alpha.is_some(),
            alpha_low: liquid.alpha_low,
            alpha_high: liquid.alpha_high,
            alpha_sigmoid_steepness: liquid.steepness,
            liquid_alpha_consensus: Mode::Auto,
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Epoch {
    /// Stake by uid, in rao; the number of uids follows from it.
    stake: Vec<u64>,
    /// Weight rows by uid, one value per uid weighed; an empty row for a uid that set none.
    #[serde(default)]
    weights: Vec<Vec<u16>>,
    /// Weight rows as (uid, weight) pairs instead.
    #[serde(default)]
    sparse_weights: Option<Vec<Vec<(u16, u16)>>>,
    /// Bond rows as (uid, bond) pairs; those of the epoch before when left out.
    #[serde(default)]
    bonds: Option<Vec<Vec<(u16, u16)>>>,
    /// Who holds a validator permit; as the epoch before left it when left out, and before the first epoch whom an
    /// epoch without weights would give one.
    #[serde(default)]
    permits: Option<Vec<bool>>,
    /// Consensus of the epoch before by uid, in 1/65,535, with which liquid alpha compares; that epoch's when left out,
    /// and before the first none.
    #[serde(default)]
    previous_consensus: Option<Vec<u16>>,
    /// Block of each uid's last update; the block before this epoch when left out.
    #[serde(default)]
    last_update: Option<Vec<u64>>,
    /// Block of each uid's registration; 0 when left out.
    #[serde(default)]
    registered_at: Option<Vec<u64>>,
    /// Block of the earliest commit still to be revealed, by uid.
    #[serde(default)]
    first_commit: Option<Vec<Option<u64>>>,
    /// Uid of the owner's hotkey.
    #[serde(default)]
    owner: Option<u16>,
    /// Block of this epoch; a tempo after the one before when left out.
    #[serde(default)]
    block: Option<u64>,
    /// Block of the epoch before, since which a uid's registration voids bonds to it; that of the entry before when left
    /// out, and before the first a tempo ago.
    #[serde(default)]
    last_step_block: Option<u64>,
    /// What servers and validators earn together, in rao.
    #[serde(default = "default_emission")]
    emission: u64,
}

fn default_emission() -> u64 {
    1_000_000_000
}

/// One entry per epoch.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output {
    epochs: Vec<EpochOutput>,
}

/// By uid; ratios in 1/65,535, amounts in rao.
#[derive(Debug, Serialize, JsonSchema)]
struct EpochOutput {
    consensus: Vec<u16>,
    incentive: Vec<u16>,
    dividends: Vec<u16>,
    validator_trust: Vec<u16>,
    stake_weight: Vec<u16>,
    active: Vec<bool>,
    permits: Vec<bool>,
    server_emission: Vec<u64>,
    validator_emission: Vec<u64>,
    emission: Vec<u64>,
    /// Rows of (uid, bond).
    bonds: Vec<Vec<(u16, u16)>>,
}

impl From<YumaOutput> for EpochOutput {
    fn from(o: YumaOutput) -> Self {
        let rao = |v: Vec<Rao>| v.into_iter().map(Rao::get).collect();
        Self {
            consensus: o.consensus,
            incentive: o.incentive,
            dividends: o.dividends,
            validator_trust: o.validator_trust,
            stake_weight: o.stake_weight,
            active: o.active,
            permits: o.permits,
            server_emission: rao(o.server_emission),
            validator_emission: rao(o.validator_emission),
            emission: rao(o.emission),
            bonds: o.bonds,
        }
    }
}

pub(super) fn yuma(input: Input) -> Result<Output, CliError> {
    if input.epochs.len() > 10_000 {
        return Err(refuse("epochs", format!("has {} entries; at most 10000 are run at once", input.epochs.len())));
    }
    let params = chain_params(&input.params)?;
    let mut before: Option<YumaOutput> = None;
    let mut block = 0u64;
    let mut epochs = Vec::with_capacity(input.epochs.len());
    for (number, epoch) in input.epochs.into_iter().enumerate() {
        let last_step_block = epoch.last_step_block.unwrap_or(block);
        block = epoch.block.unwrap_or(block.saturating_add(params.tempo.max(1)));
        let prepared = prepare(epoch, number, &params, block, last_step_block, before.as_ref())?;
        let output = yuma::epoch(&prepared).map_err(|e| refuse(&format!("epochs[{number}].{}", at_fault(e)), e))?;
        epochs.push(output.clone().into());
        before = Some(output);
    }
    Ok(Output { epochs })
}

/// The field of an epoch that a refusal is about.
fn at_fault(error: EmissionError) -> &'static str {
    if matches!(error, EmissionError::IndexOutOfRange { .. }) { "owner" } else { "stake" }
}

fn chain_params(p: &Params) -> Result<YumaParams, CliError> {
    if p.alpha_low > p.alpha_high {
        return Err(refuse("params.alpha_low", format!("{} is above alpha_high {}", p.alpha_low, p.alpha_high)));
    }
    let consensus = match p.liquid_alpha_consensus {
        Mode::Current => ConsensusMode::Current,
        Mode::Previous => ConsensusMode::Previous,
        Mode::Auto => ConsensusMode::Auto,
    };
    let liquid = LiquidAlpha {
        alpha_low: p.alpha_low,
        alpha_high: p.alpha_high,
        steepness: p.alpha_sigmoid_steepness,
        consensus,
    };
    Ok(YumaParams {
        kappa: p.kappa,
        bonds_penalty: p.bonds_penalty,
        bonds_moving_average: p.bonds_moving_average,
        max_allowed_validators: p.max_allowed_validators,
        activity_cutoff: p.activity_cutoff,
        tempo: p.tempo,
        stake_threshold: p.stake_threshold,
        yuma3: p.yuma3,
        liquid_alpha: p.liquid_alpha.then_some(liquid),
    })
}

fn prepare(
    epoch: Epoch,
    number: usize,
    params: &YumaParams,
    block: u64,
    last_step_block: u64,
    before: Option<&YumaOutput>,
) -> Result<YumaInput, CliError> {
    let count = epoch.stake.len();
    let at = |field: &str| format!("epochs[{number}].{field}");
    if count == 0 || count > 4_096 {
        return Err(refuse(&at("stake"), format!("has {count} uids; 1 to 4096 are possible")));
    }
    let ensure = |field: &str, found: usize| {
        if found == count {
            Ok(())
        } else {
            Err(refuse(&at(field), format!("has {found} entries, but stake has {count}")))
        }
    };
    let weights = match epoch.sparse_weights {
        Some(rows) if epoch.weights.is_empty() => rows,
        Some(_) => return Err(refuse(&at("sparse_weights"), "cannot be given beside weights")),
        None => {
            for (uid, row) in epoch.weights.iter().enumerate().filter(|(_, row)| !row.is_empty()) {
                ensure(&format!("weights[{uid}]"), row.len())?;
            }
            let sparse = |row: &Vec<u16>| (0..).zip(row.iter().copied()).collect();
            let mut rows: Vec<Vec<(u16, u16)>> = epoch.weights.iter().map(sparse).collect();
            if rows.len() > count {
                ensure("weights", rows.len())?;
            }
            rows.resize(count, Vec::new());
            rows
        }
    };
    ensure("sparse_weights", weights.len())?;
    let column = |field: &str, values: Option<Vec<u64>>, default: u64| {
        let values = values.unwrap_or_else(|| vec![default; count]);
        ensure(field, values.len()).map(|()| values)
    };
    let last_update = column("last_update", epoch.last_update, block.saturating_sub(1))?;
    let registered_at = column("registered_at", epoch.registered_at, 0)?;
    let first_commit = epoch.first_commit.unwrap_or_else(|| vec![None; count]);
    ensure("first_commit", first_commit.len())?;
    let kept = before.filter(|b| b.permits.len() == count);
    let given = epoch.permits.or_else(|| kept.map(|b| b.permits.clone()));
    let neurons = |permits: &[bool]| -> Vec<Neuron> {
        epoch
            .stake
            .iter()
            .zip(&last_update)
            .zip(&registered_at)
            .zip(&first_commit)
            .enumerate()
            .map(|(uid, (((&stake, &last_update), &registered_at), &first_commit))| Neuron {
                stake,
                last_update,
                registered_at,
                permit: permits.get(uid).copied().unwrap_or(false),
                first_commit,
            })
            .collect()
    };
    let bonds = epoch.bonds.or_else(|| kept.map(|b| b.bonds.clone())).unwrap_or_else(|| vec![Vec::new(); count]);
    ensure("bonds", bonds.len())?;
    let previous_consensus = match epoch.previous_consensus {
        Some(given) => ensure("previous_consensus", given.len()).map(|()| given)?,
        None => kept.map(|b| b.consensus.clone()).unwrap_or_default(),
    };
    let mut input = YumaInput {
        params: params.clone(),
        block,
        last_step_block,
        owner: epoch.owner,
        neurons: neurons(&[]),
        weights: vec![Vec::new(); count],
        bonds,
        previous_consensus,
        emission: Rao(epoch.emission),
    };
    let permits = match given {
        Some(permits) => permits,
        None => yuma::epoch(&input).map_err(|e| refuse(&at(at_fault(e)), e))?.permits,
    };
    ensure("permits", permits.len())?;
    input.neurons = neurons(&permits);
    input.weights = weights;
    Ok(input)
}
