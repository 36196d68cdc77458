// SPDX-License-Identifier: Apache-2.0

use clap::{Args, ValueEnum};
use clawrank_primitives::{
    emission::{self, CapParams, EmissionError, Shortfall},
    units::Ppb,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{IoArgs, refuse, scalar::Decimal};
use crate::error::CliError;

/// Parameters of the division.
#[derive(Debug, Args)]
pub(crate) struct AllocateArgs {
    #[command(flatten)]
    pub(super) io: IoArgs,
    /// Largest share of one miner, as 15% or in parts per billion.
    #[arg(long, default_value = "15%", value_parser = parse_ppb)]
    cap: Ppb,
    /// What to do when there are too few positive scores for the cap to hold.
    #[arg(long, value_enum, default_value_t = Policy::Uniform)]
    shortfall: Policy,
    /// Index of the owner, for `--shortfall to-owner`.
    #[arg(long)]
    owner: Option<usize>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Policy {
    Uniform,
    ToOwner,
    Skip,
}

fn parse_ppb(text: &str) -> Result<Ppb, String> {
    text.parse().map_err(|e| format!("{e}; write it as 15% or 150000000"))
}

/// Scores of miners, by index.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AllocateInput {
    /// Any unit: only proportions matter.
    scores: Vec<Decimal>,
}

/// Shares in three forms, by index.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct AllocateOutput {
    /// Parts per billion; they sum to 1,000,000,000 exactly.
    shares_ppb: Vec<u32>,
    /// Chain units (rules 4.4): at most 65,535 each, and no one above the cap of their sum.
    units: Vec<u32>,
    /// The units as the chain takes them.
    weights_u16: Vec<u16>,
    /// Miners at the cap.
    capped: usize,
    /// Whether the cap could not hold and the shortfall policy decided.
    shortfall_used: bool,
}

/// The flag or field that a refusal is about.
fn at_fault(error: EmissionError) -> &'static str {
    match error {
        EmissionError::CapTooSmall { .. } => "--cap",
        EmissionError::OwnerMissing | EmissionError::IndexOutOfRange { .. } => "--owner",
        EmissionError::NoScore | EmissionError::CapInfeasible { .. } | EmissionError::LengthMismatch { .. } => "scores",
    }
}

pub(super) fn allocate(input: AllocateInput, args: &AllocateArgs) -> Result<AllocateOutput, CliError> {
    let scores: Vec<u128> = input.scores.iter().map(|s| s.0).collect();
    let shortfall = match args.shortfall {
        Policy::Uniform => Shortfall::Uniform,
        Policy::ToOwner => Shortfall::ToOwner,
        Policy::Skip => Shortfall::Skip,
    };
    let done = emission::allocate(&scores, &CapParams { cap: args.cap, shortfall }, args.owner)
        .map_err(|e| refuse(at_fault(e), e))?;
    Ok(AllocateOutput {
        shares_ppb: done.shares_ppb,
        units: done.units,
        weights_u16: done.weights_u16,
        capped: done.capped,
        shortfall_used: done.shortfall_used,
    })
}
