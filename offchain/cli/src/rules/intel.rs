// SPDX-License-Identifier: Apache-2.0

use clawrank_primitives::{
    Params,
    scoring::{CellInput, IntelScore, accuracy, cell_freshness, cell_score, coverage},
    units::Ppb,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{refuse, scalar::Decimal};
use crate::error::CliError;

/// Intel miners, by index.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// Value of all cells: demand seen by the gateway.
    total_value: u64,
    /// Blocks per epoch.
    epoch_blocks: u64,
    miners: Vec<Miner>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Miner {
    /// Whether the gate is open.
    gate: bool,
    cells: Vec<Cell>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Cell {
    /// Demand.
    value: u64,
    /// Pairs of claim and reference, one per metric, any unit.
    metrics: Vec<(u64, u64)>,
    /// U, parts per billion.
    usefulness_ppb: u32,
    /// Blocks since the newest attempt.
    age_blocks: u64,
    /// Attempts.
    n: u32,
}

/// By index.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output {
    /// Σ value · S.
    scores: Vec<Decimal>,
    /// C, parts per billion.
    coverage_ppb: Vec<u32>,
    /// Of each cell of each miner.
    cells: Vec<Vec<CellOutput>>,
}

/// Parts per billion.
#[derive(Debug, Serialize, JsonSchema)]
struct CellOutput {
    accuracy_ppb: u32,
    freshness_ppb: u32,
    score_ppb: u32,
}

pub(super) fn intel(input: Input, params: &Params) -> Result<Output, CliError> {
    let mut output = Output { scores: Vec::new(), coverage_ppb: Vec::new(), cells: Vec::new() };
    for (i, miner) in input.miners.iter().enumerate() {
        let covered = miner.cells.iter().fold(0u128, |sum, c| sum.saturating_add(c.value.into()));
        if covered > u128::from(input.total_value) {
            let why = format!("cells of value {covered} are above total_value {}", input.total_value);
            return Err(refuse(&format!("miners[{i}].cells"), why));
        }
        let covered = coverage(covered, input.total_value.into());
        let mut total = IntelScore::default();
        let mut cells = Vec::with_capacity(miner.cells.len());
        for (j, cell) in miner.cells.iter().enumerate() {
            let usefulness = Ppb::from_ppb(cell.usefulness_ppb).ok_or_else(|| {
                let why = format!("{} is above 1000000000", cell.usefulness_ppb);
                refuse(&format!("miners[{i}].cells[{j}].usefulness_ppb"), why)
            })?;
            let accuracy = accuracy(cell.metrics.iter().copied(), params.intel.band);
            let freshness = cell_freshness(cell.age_blocks, input.epoch_blocks, cell.n, &params.intel);
            let parts = CellInput { gate: miner.gate, accuracy, usefulness, freshness, coverage: covered };
            let score = cell_score(&parts, &params.intel);
            total.add(cell.value, score);
            cells.push(CellOutput {
                accuracy_ppb: accuracy.parts(),
                freshness_ppb: freshness.parts(),
                score_ppb: score.parts(),
            });
        }
        output.scores.push(Decimal(total.get()));
        output.coverage_ppb.push(covered.parts());
        output.cells.push(cells);
    }
    Ok(output)
}
