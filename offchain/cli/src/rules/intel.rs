// SPDX-License-Identifier: Apache-2.0

use clawrank_primitives::{
    Params,
    proof::{self, CellTelemetry, EndpointName, summarise},
    scoring::{
        CellInput, EndpointCost, IntelScore, accuracy, cell_accuracy, cell_freshness, cell_score, coverage,
        endpoint_cost, usefulness,
    },
    units::Ppb,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    refuse,
    scalar::Decimal,
    submission::{Attempt, Telemetry},
};
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

/// A is of `metrics`, or of `attempts` or `telemetry` against `replays` or `reference`; U is `usefulness_ppb`, or that
/// of `signal` against `measured`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Cell {
    /// Demand.
    value: u64,
    /// Pairs of claim and reference, one per metric, any unit.
    #[serde(default)]
    metrics: Option<Vec<(u64, u64)>>,
    /// The miner's attempts on the cell.
    #[serde(default)]
    attempts: Option<Vec<Attempt>>,
    /// The miner's telemetry of the cell, in the place of attempts.
    #[serde(default)]
    telemetry: Option<Telemetry>,
    /// The validator's own calls on the cell, as attempts.
    #[serde(default)]
    replays: Option<Vec<Attempt>>,
    /// The validator's own telemetry of the cell, in the place of replays.
    #[serde(default)]
    reference: Option<Telemetry>,
    /// U, parts per billion.
    #[serde(default)]
    usefulness_ppb: Option<u32>,
    /// Endpoints that the miner named for the cell's model and kind of task, best first; at most 128 bytes each.
    #[serde(default)]
    #[schemars(with = "Option<Vec<String>>")]
    signal: Option<Vec<EndpointName>>,
    /// What the endpoints of the cell's model and kind of task cost in the window after the signal.
    #[serde(default)]
    measured: Option<Vec<Measured>>,
    /// Blocks since the newest attempt.
    age_blocks: u64,
    /// Attempts; those of `attempts` or `telemetry` when left out.
    #[serde(default)]
    n: Option<u32>,
}

/// One endpoint as the validator measured it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Measured {
    /// At most 128 bytes.
    #[schemars(with = "String")]
    endpoint: EndpointName,
    /// Total time of a request, milliseconds.
    total_ms: u32,
    /// Price of a request, 10^-9 dollars.
    price_nano_usd: u64,
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
    usefulness_ppb: u32,
    freshness_ppb: u32,
    score_ppb: u32,
    /// What the attempts amount to.
    #[serde(skip_serializing_if = "Option::is_none")]
    telemetry: Option<Telemetry>,
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
            let at = |field: &str| format!("miners[{i}].cells[{j}].{field}");
            let claim = claim(cell, &at)?;
            let accuracy = match (&cell.metrics, &claim, reference(cell, &at)?) {
                (Some(pairs), None, None) => accuracy(pairs.iter().copied(), params.intel.band),
                (None, Some(claim), Some(own)) => {
                    if claim.cell != own.cell {
                        let field = if cell.replays.is_some() { "replays" } else { "reference" };
                        return Err(refuse(&at(field), "is of another cell than the claim"));
                    }
                    cell_accuracy(claim, &own, params.intel.band)
                }
                (Some(_), ..) => return Err(refuse(&at("metrics"), "cannot be given beside telemetry")),
                (None, Some(_), None) => {
                    return Err(refuse(&at("reference"), "is missing; give `reference` or `replays`"));
                }
                (None, None, _) => {
                    return Err(refuse(&at("metrics"), "is missing; give `metrics`, `attempts` or `telemetry`"));
                }
            };
            let n = cell.n.or(claim.as_ref().map(|claim| claim.n));
            let n = n.ok_or_else(|| refuse(&at("n"), "is missing"))?;
            let usefulness = usefulness_of(cell, params, &at)?;
            let freshness = cell_freshness(cell.age_blocks, input.epoch_blocks, n, &params.intel);
            let parts = CellInput { gate: miner.gate, accuracy, usefulness, freshness, coverage: covered };
            let score = cell_score(&parts, &params.intel);
            total.add(cell.value, score);
            cells.push(CellOutput {
                accuracy_ppb: accuracy.parts(),
                usefulness_ppb: usefulness.parts(),
                freshness_ppb: freshness.parts(),
                score_ppb: score.parts(),
                telemetry: cell.attempts.as_ref().and(claim.clone()).map(Telemetry),
            });
        }
        output.scores.push(Decimal(total.get()));
        output.coverage_ppb.push(covered.parts());
        output.cells.push(cells);
    }
    Ok(output)
}

/// What the miner claims of the cell, if it is given.
fn claim(cell: &Cell, at: &dyn Fn(&str) -> String) -> Result<Option<CellTelemetry>, CliError> {
    one_side(("attempts", cell.attempts.as_deref()), ("telemetry", cell.telemetry.as_ref()), at)
}

/// What the validator found of it, if it is given.
fn reference(cell: &Cell, at: &dyn Fn(&str) -> String) -> Result<Option<CellTelemetry>, CliError> {
    one_side(("replays", cell.replays.as_deref()), ("reference", cell.reference.as_ref()), at)
}

fn one_side(
    (calls_name, calls): (&str, Option<&[Attempt]>),
    (name, telemetry): (&str, Option<&Telemetry>),
    at: &dyn Fn(&str) -> String,
) -> Result<Option<CellTelemetry>, CliError> {
    let Some(calls) = calls else { return Ok(telemetry.map(|telemetry| telemetry.0.clone())) };
    if telemetry.is_some() {
        return Err(refuse(&at(name), format!("cannot be given beside `{calls_name}`")));
    }
    let calls: Vec<proof::Attempt> = calls.iter().cloned().map(Into::into).collect();
    match <[CellTelemetry; 1]>::try_from(summarise(&calls)) {
        Ok([telemetry]) => Ok(Some(telemetry)),
        Err(found) => Err(refuse(&at(calls_name), format!("are of {} cells; give those of one", found.len()))),
    }
}

fn usefulness_of(cell: &Cell, params: &Params, at: &dyn Fn(&str) -> String) -> Result<Ppb, CliError> {
    match (cell.usefulness_ppb, &cell.signal, &cell.measured) {
        (Some(ppb), None, None) => {
            Ppb::from_ppb(ppb).ok_or_else(|| refuse(&at("usefulness_ppb"), format!("{ppb} is above 1000000000")))
        }
        (Some(_), ..) => Err(refuse(&at("usefulness_ppb"), "cannot be given beside `signal` or `measured`")),
        (None, Some(signal), Some(measured)) => {
            let cost = |m: &Measured| EndpointCost {
                endpoint: m.endpoint.clone(),
                cost: endpoint_cost(m.total_ms, m.price_nano_usd, &params.intel),
            };
            Ok(usefulness(signal, &measured.iter().map(cost).collect::<Vec<_>>()))
        }
        (None, Some(_), None) => Err(refuse(&at("measured"), "is missing")),
        (None, None, Some(_)) => Err(refuse(&at("signal"), "is missing")),
        (None, None, None) => Err(refuse(&at("usefulness_ppb"), "is missing; give it, or `signal` and `measured`")),
    }
}
