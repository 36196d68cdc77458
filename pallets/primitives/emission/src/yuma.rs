// SPDX-License-Identifier: Apache-2.0
//! Yuma consensus: one epoch of one mechanism, as the public chain computes it (rules §4.6).
//!
//! [`epoch`] is a pure function from the chain's state to the chain's changes: the pallet reads storage, calls it and
//! writes the result; the simulator calls the same function. Numbers are unsigned fixed point with 32 fractional bits,
//! truncated after every operation as the public chain does, so that results agree to the last stored digit in all but
//! the logistic function of liquid alpha, which agrees to better than 1e-8.
//!
//! The steps, in the files that hold them: stake, activity and permits (`stake`), weight masks and normalisation
//! (`rows`), weighted median, clipping, ranks and incentive (`consensus`), bonds and dividends (`bonds`, `liquid`),
//! amounts (`emission`).

use alloc::{vec, vec::Vec};
use clawrank_units::Rao;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::error::EmissionError;

mod bonds;
mod consensus;
mod emission;
mod fixed;
mod liquid;
mod rows;
mod stake;
#[cfg(test)]
mod tests;

pub use emission::{EmissionSplit, split_41_41_18, split_mechanisms};

use fixed::Q32;

/// Hyperparameters of a subnet that an epoch depends on. [`Default`] is what the public chain gives a new subnet.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct YumaParams {
    /// Majority that decides consensus, in 1/65,535 of active stake.
    pub kappa: u16,
    /// How far a bond follows the clipped weight instead of the weight that was set, in 1/65,535.
    pub bonds_penalty: u16,
    /// Part of a bond that stays per epoch, in millionths; bonds move by `1 - this`.
    pub bonds_moving_average: u64,
    /// Number of uids with a validator permit, the owner's not counted.
    pub max_allowed_validators: u16,
    /// Blocks without an update after which a uid is inactive; see [`activity_cutoff`].
    pub activity_cutoff: u64,
    /// Blocks per epoch.
    pub tempo: u64,
    /// Stake below which a uid other than the owner's counts as having none, in the unit of [`Neuron::stake`].
    pub stake_threshold: u64,
    /// Bonds as fixed proportions per validator (Yuma 3) instead of as shares of a column (classic).
    pub yuma3: bool,
    /// Bond speed per edge. Only with [`Self::yuma3`]; `None` moves every bond at the same speed.
    pub liquid_alpha: Option<LiquidAlpha>,
}

impl Default for YumaParams {
    fn default() -> Self {
        Self {
            kappa: 32_767,
            bonds_penalty: u16::MAX,
            bonds_moving_average: 900_000,
            max_allowed_validators: 64,
            activity_cutoff: activity_cutoff(13_889, 360),
            tempo: 360,
            stake_threshold: 0,
            yuma3: true,
            liquid_alpha: None,
        }
    }
}

/// Speed of bonds per edge: `low + (high - low) / (1 + exp(-steepness/100 · (diff - 1/2)))`, where `diff` is how far
/// the weight leads consensus, or how far the bond leads a smaller weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LiquidAlpha {
    /// Lowest speed, in 1/65,535.
    pub alpha_low: u16,
    /// Highest speed, in 1/65,535; not below [`Self::alpha_low`].
    pub alpha_high: u16,
    /// Steepness of the logistic function, in hundredths.
    pub steepness: i16,
    /// Which epoch's consensus the weights are compared with.
    pub consensus: ConsensusMode,
}

impl Default for LiquidAlpha {
    fn default() -> Self {
        Self { alpha_low: 45_875, alpha_high: 58_982, steepness: 1_000, consensus: ConsensusMode::Auto }
    }
}

/// Which consensus liquid alpha compares weights with.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum ConsensusMode {
    /// This epoch's.
    Current,
    /// The one that [`YumaInput::previous_consensus`] holds.
    Previous,
    /// The previous one when the bonds penalty is full (65,535), else this epoch's.
    #[default]
    Auto,
}

/// `max(1, factor_milli · tempo / 1000)`: blocks without an update after which a uid is inactive.
#[must_use]
pub const fn activity_cutoff(factor_milli: u32, tempo: u16) -> u64 {
    let blocks = (factor_milli as u64).wrapping_mul(tempo as u64) / 1_000;
    if blocks == 0 { 1 } else { blocks }
}

/// What the chain knows of one uid when the epoch begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Neuron {
    /// Stake weight (inherited alpha plus TAO times its weight), in rao; only proportions matter.
    pub stake: u64,
    /// Block of the last weights set or served.
    pub last_update: u64,
    /// Block at which the uid was taken.
    pub registered_at: u64,
    /// Whether the uid holds a validator permit now.
    pub permit: bool,
    /// Block of the earliest weight commit that is still to be revealed; only where commit-reveal is on.
    pub first_commit: Option<u64>,
}

/// Everything one epoch of one mechanism depends on. All vectors over uids have one entry per neuron, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct YumaInput {
    /// The subnet's hyperparameters.
    pub params: YumaParams,
    /// Current block.
    pub block: u64,
    /// Block of the last epoch of this mechanism that ran; 0 for none, then a tempo ago is taken.
    pub last_step_block: u64,
    /// Uid of the subnet owner's hotkey, if it is registered: keeps a permit, its self-weight and stake of any size.
    pub owner: Option<u16>,
    /// The uids.
    pub neurons: Vec<Neuron>,
    /// Weight rows by uid: `(uid, weight)`, each uid at most once. A weight of 0 that is present is not the same as
    /// none: with liquid alpha, a bond decays under the first and is dropped under the second.
    pub weights: Vec<Vec<(u16, u16)>>,
    /// Bond rows by uid as [`YumaOutput::bonds`] of the last epoch gave them.
    pub bonds: Vec<Vec<(u16, u16)>>,
    /// [`YumaOutput::consensus`] of the last epoch; shorter or empty counts as zeros. Read only by liquid alpha.
    pub previous_consensus: Vec<u16>,
    /// What the epoch pays to servers and validators together.
    pub emission: Rao,
}

/// What one epoch changes. One entry per uid, ratios in 1/65,535, rounded down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YumaOutput {
    /// Weight that a kappa majority of active stake supports, per uid that is weighed.
    pub consensus: Vec<u16>,
    /// Share of what servers earn.
    pub incentive: Vec<u16>,
    /// Share of what validators earn.
    pub dividends: Vec<u16>,
    /// How much of its weights a validator keeps after clipping.
    pub validator_trust: Vec<u16>,
    /// Share of stake, after the threshold.
    pub stake_weight: Vec<u16>,
    /// Whether the uid updated within the activity cutoff.
    pub active: Vec<bool>,
    /// Who holds a validator permit from now on.
    pub permits: Vec<bool>,
    /// Amount for serving. Rounded down: the sum of this and the next may miss the emission by a few rao.
    pub server_emission: Vec<Rao>,
    /// Amount for validating.
    pub validator_emission: Vec<Rao>,
    /// Both together, rounded once; what the metagraph shows.
    pub emission: Vec<Rao>,
    /// Bond rows to store, ascending by uid, zeros dropped: of uids with a permit from now on, else empty.
    pub bonds: Vec<Vec<(u16, u16)>>,
}

/// Runs one epoch: from weights, stake and bonds to consensus, incentive, dividends and emission.
///
/// With `S` active stake, `W` row-normalised weights, `C_j` the stake-weighted median of column `j` at kappa and
/// `W' = min(W, C)`:
///
/// ```text
/// incentive  = norm(W'ᵀ S)
/// W_b        = W + penalty · (W' - W)
/// Yuma 3:    B' = (1 - α) B + α W_b                         D = norm(S ∘ (colnorm(B') · incentive))
/// classic:   B' = colnorm((1 - α) colnorm(B) + α colnorm(S ∘ W_b))      D = norm(B' · incentive)
/// ```
///
/// Every rounding is down. O(v·n + nnz) for `v` uids with a permit or bonds among `n`. Entries of rows that name a
/// uid outside the neurons, or a uid twice, are ignored.
///
/// # Errors
///
/// [`EmissionError::LengthMismatch`]: `weights` or `bonds` do not have one row per neuron.
/// [`EmissionError::IndexOutOfRange`]: `owner` is not a neuron.
pub fn epoch(input: &YumaInput) -> Result<YumaOutput, EmissionError> {
    check(input)?;
    let count = input.neurons.len();
    let params = &input.params;
    let stakes = stake::Stakes::new(input);
    let rows = rows::Rows::new(input, &stakes);
    let verdict = consensus::judge(&rows, &stakes.active_stake, params.kappa);
    let settled = bonds::settle(input, &rows, &stakes, &verdict);
    let incentive = rows.by_uid(&verdict.incentive);
    let pay = emission::Pay::new(&incentive, &settled.dividends, &stakes, input.emission);
    let mut bonds = vec![Vec::new(); count];
    for (&uid, row) in rows.uids.iter().zip(rows.split(&settled.bonds)) {
        if let (Some(slot), Some(true)) = (bonds.get_mut(uid), stakes.new_permits.get(uid)) {
            *slot = to_sparse(row, &rows.targets);
        }
    }
    Ok(YumaOutput {
        consensus: to_u16(&rows.by_uid(&verdict.consensus)),
        incentive: to_u16(&incentive),
        dividends: to_u16(&settled.dividends),
        validator_trust: to_u16(&verdict.trust),
        stake_weight: to_u16(&stakes.stake),
        active: stakes.active,
        permits: stakes.new_permits,
        server_emission: pay.server,
        validator_emission: pay.validator,
        emission: pay.combined,
        bonds,
    })
}

/// Refuses inputs whose parts do not fit together.
fn check(input: &YumaInput) -> Result<(), EmissionError> {
    let narrow = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
    let expected = narrow(input.neurons.len());
    for found in [narrow(input.weights.len()), narrow(input.bonds.len())] {
        if found != expected {
            return Err(EmissionError::LengthMismatch { expected, found });
        }
    }
    match input.owner {
        Some(owner) if u32::from(owner) >= expected => {
            Err(EmissionError::IndexOutOfRange { index: owner.into(), len: expected })
        }
        _ => Ok(()),
    }
}

fn to_u16(values: &[Q32]) -> Vec<u16> {
    values.iter().map(|value| value.to_u16()).collect()
}

/// A dense row as `(uid, value)` pairs without zeros.
fn to_sparse(row: &[Q32], targets: &[usize]) -> Vec<(u16, u16)> {
    let mut pairs = Vec::with_capacity(row.len());
    // A uid of a column was a `u16` in the input.
    let values = row.iter().zip(targets).map(|(value, &uid)| (uid as u16, value.to_u16()));
    pairs.extend(values.filter(|&(_, value)| value > 0));
    pairs
}
