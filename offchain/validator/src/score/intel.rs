// SPDX-License-Identifier: Apache-2.0
//! Intel: telemetry against replays, the last signal against this window, coverage by demand (rules §3, §4.1).
//!
//! - A signal is judged in the window after it: U of this epoch comes from the bundle of the epoch before. Without one,
//!   as in a miner's first epoch, U is 0; so is it where that bundle did not pass its checks.
//! - The value of a cell is the demand of its (model, task type) in tokens, and at least 1, so that an idle market
//!   still ranks its miners.
//! - A failed replay costs the whole deadline when endpoints are compared: an endpoint is no choice because it fails fast.

use std::collections::BTreeMap;

use clawrank_primitives::{
    gate::{CellStatus, Reason, Replay, check_statistics},
    proof::{Attempt, AttemptStatus, Cell, CellTelemetry, Hash, HotkeyId, summarise, telemetry::nearest_rank},
    scoring::{
        CellInput, EndpointCost, IntelScore, cell_accuracy, cell_freshness, cell_score, coverage, endpoint_cost,
        usefulness,
    },
    units::{MicroUsd, Ppb},
};
use clawrank_protocol::{Hex, cells::MeasuredCell, limits::MAX_CELLS};
use clawrank_store::journal::{BundleRow, ReplayRow};
use codec::Decode;

use super::{Inputs, IntelParts, empty, position};
use crate::{
    Error, explain,
    report::{CellScore, GateState, IntelReport},
    summary::Summary,
};

/// A (model, task type).
type Choice = (String, String);

fn choice(cell: &Cell) -> Choice {
    (cell.model.as_str().to_owned(), cell.task_type.as_str().to_owned())
}

/// What the validator measured itself.
struct Reference {
    replays: Vec<Replay>,
    telemetry: BTreeMap<Hash, CellTelemetry>,
    costs: BTreeMap<Choice, Vec<EndpointCost>>,
    values: BTreeMap<Hash, u64>,
    total_value: u128,
}

fn decoded<T: Decode>(index: u8, column: &'static str, epoch: u64) -> Result<T, Error> {
    T::decode(&mut [index].as_slice()).map_err(|_| Error::Stored {
        what: "replay",
        epoch,
        why: format!("{column} {index} is unknown"),
    })
}

fn attempt(row: &ReplayRow) -> Result<Attempt, Error> {
    Ok(Attempt {
        cell: row.cell,
        sequence: 0,
        task_id: row.task_id,
        request_hash: [0; 32],
        response_hash: [0; 32],
        start_ms: row.started_ms,
        ttft_ms: row.ttft_ms,
        total_ms: row.total_ms,
        input_tokens: row.input_tokens,
        output_tokens: row.output_tokens,
        status: decoded(row.status, "status", row.epoch)?,
        schema: decoded(row.schema, "schema verdict", row.epoch)?,
        answer: decoded(row.answer, "answer verdict", row.epoch)?,
        cost: MicroUsd(row.cost_micro_usd),
    })
}

impl Reference {
    fn new(inputs: &Inputs) -> Result<Self, Error> {
        let attempts = inputs.replays.iter().map(attempt).collect::<Result<Vec<_>, _>>()?;
        let replays = attempts
            .iter()
            .map(|attempt| Replay {
                cell: attempt.cell,
                task_id: attempt.task_id,
                status: attempt.status,
                ttft_ms: attempt.ttft_ms,
                total_ms: attempt.total_ms,
                schema: attempt.schema,
                answer: attempt.answer,
            })
            .collect();
        let demand: BTreeMap<Choice, u64> = inputs.demand.iter().fold(BTreeMap::new(), |mut sums, cell| {
            let sum: &mut u64 = sums.entry((cell.model.clone(), cell.task_type.clone())).or_default();
            *sum = sum.saturating_add(cell.tokens);
            sums
        });
        let values: BTreeMap<Hash, u64> = inputs
            .cells
            .iter()
            .map(|(id, cell)| (*id, demand.get(&choice(cell)).copied().unwrap_or(0).max(1)))
            .collect();
        let total_value = values.values().fold(0u128, |sum, value| sum.saturating_add(u128::from(*value)));
        let telemetry = summarise(&attempts).into_iter().map(|telemetry| (telemetry.cell, telemetry)).collect();
        Ok(Self { replays, telemetry, costs: costs(inputs, &attempts), values, total_value })
    }
}

/// Cost of every endpoint with enough replays, by what it is chosen for.
fn costs(inputs: &Inputs, attempts: &[Attempt]) -> BTreeMap<Choice, Vec<EndpointCost>> {
    let mut by_cell: BTreeMap<&Hash, (Vec<u32>, u128)> = BTreeMap::new();
    for attempt in attempts {
        let (times, micro_usd) = by_cell.entry(&attempt.cell).or_default();
        let ok = attempt.status == AttemptStatus::Ok;
        times.push(if ok { attempt.total_ms } else { inputs.replay_deadline_ms });
        *micro_usd = micro_usd.saturating_add(u128::from(attempt.cost.get()));
    }
    let mut costs: BTreeMap<Choice, Vec<EndpointCost>> = BTreeMap::new();
    for (id, (mut times, micro_usd)) in by_cell {
        let count = u32::try_from(times.len()).unwrap_or(u32::MAX);
        let Some(cell) = inputs.cells.get(id).filter(|_| count >= inputs.params.gate.k_min) else { continue };
        let nano_usd = micro_usd.saturating_mul(1_000).checked_div(u128::from(count)).unwrap_or(0);
        let price = u64::try_from(nano_usd).unwrap_or(u64::MAX);
        let cost = endpoint_cost(nearest_rank(&mut times, 50), price, &inputs.params.intel);
        costs.entry(choice(cell)).or_default().push(EndpointCost { endpoint: cell.endpoint.clone(), cost });
    }
    costs
}

fn summary(row: &BundleRow) -> Result<Summary, Error> {
    Summary::decode(&mut row.summary.as_slice()).map_err(|error| Error::Stored {
        what: "bundle summary",
        epoch: row.epoch,
        why: error.to_string(),
    })
}

/// The intel part of every uid with a checked bundle, and what the replays showed of the cells.
pub(super) fn score(inputs: &Inputs) -> Result<(IntelParts, Vec<MeasuredCell>), Error> {
    let reference = Reference::new(inputs)?;
    let mut signals: BTreeMap<HotkeyId, Summary> = BTreeMap::new();
    for row in inputs.previous.iter().filter(|row| row.reason == 0) {
        signals.insert(row.hotkey, summary(row)?);
    }
    let mut parts: IntelParts = empty(inputs);
    for row in &inputs.bundles {
        let Some(part) = position(inputs, &row.hotkey).and_then(|at| parts.get_mut(at)) else { continue };
        *part = Some(miner(inputs, &reference, row, signals.get(&row.hotkey))?);
    }
    Ok((parts, table(inputs, &reference)))
}

/// Cells with enough replays to say anything.
fn table(inputs: &Inputs, reference: &Reference) -> Vec<MeasuredCell> {
    let measured = reference.telemetry.values().filter(|own| own.n >= inputs.params.gate.k_min);
    let cells = measured.filter_map(|own| {
        let cell = inputs.cells.get(&own.cell)?;
        Some(MeasuredCell {
            model: cell.model.as_str().to_owned(),
            endpoint: cell.endpoint.as_str().to_owned(),
            task_type: cell.task_type.as_str().to_owned(),
            replays: own.n,
            ok: own.ok,
            checks: own.schema_checked.saturating_add(own.answers_checked),
            passed: own.schema_valid.saturating_add(own.answers_right),
            p50_ttft_ms: own.p50_ttft_ms,
            p95_ttft_ms: own.p95_ttft_ms,
        })
    });
    cells.take(MAX_CELLS).collect()
}

fn tripped(row: &BundleRow, reason: Option<Reason>, evidence: String, cells_covered: u32) -> IntelReport {
    IntelReport {
        gate: GateState::Tripped,
        reason: reason.map(|reason| reason.name().to_owned()),
        reason_code: reason.map_or(row.reason, Reason::code),
        evidence,
        root: Some(Hex(row.root)),
        cells_covered,
        ..IntelReport::default()
    }
}

fn miner(
    inputs: &Inputs,
    reference: &Reference,
    row: &BundleRow,
    previous: Option<&Summary>,
) -> Result<IntelReport, Error> {
    let count = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
    if row.reason > 0 {
        let covered = if row.summary.is_empty() { 0 } else { count(summary(row)?.cells.len()) };
        return Ok(tripped(row, Reason::from_code(row.reason), row.evidence.clone(), covered));
    }
    let summary = summary(row)?;
    let covered = count(summary.cells.len());
    let (cells, _, trip) = check_statistics(&summary.telemetry, &reference.replays, &inputs.params.gate);
    if let Some(trip) = trip {
        return Ok(tripped(row, Some(trip.reason), explain::trip(&trip), covered));
    }
    let verified: Vec<(&CellTelemetry, u64, &Cell)> = cells
        .iter()
        .zip(summary.telemetry.iter().zip(&summary.newest_ms))
        .filter(|(cell, _)| cell.status == CellStatus::Verified)
        .filter_map(|(cell, (claim, newest_ms))| Some((claim, *newest_ms, inputs.cells.get(&cell.cell)?)))
        .collect();
    let value = |cell: &Hash| reference.values.get(cell).copied().unwrap_or(0);
    let covered_value =
        verified.iter().fold(0u128, |sum, (claim, ..)| sum.saturating_add(u128::from(value(&claim.cell))));
    let covers = coverage(covered_value, reference.total_value);
    let mut total = IntelScore::new();
    let mut scores = Vec::with_capacity(verified.len());
    for (claim, newest_ms, cell) in verified {
        let input = CellInput {
            gate: true,
            accuracy: reference
                .telemetry
                .get(&claim.cell)
                .map_or(Ppb::ZERO, |own| cell_accuracy(claim, own, inputs.params.intel.band)),
            usefulness: signal_usefulness(reference, previous, cell),
            freshness: freshness(inputs, claim, newest_ms),
            coverage: covers,
        };
        let score = cell_score(&input, &inputs.params.intel);
        let value = value(&claim.cell);
        total.add(value, score);
        scores.push(CellScore {
            model: cell.model.as_str().to_owned(),
            endpoint: cell.endpoint.as_str().to_owned(),
            task_type: cell.task_type.as_str().to_owned(),
            value,
            accuracy_ppb: input.accuracy.parts(),
            usefulness_ppb: input.usefulness.parts(),
            freshness_ppb: input.freshness.parts(),
            score_ppb: score.parts(),
        });
    }
    Ok(IntelReport {
        gate: GateState::Open,
        root: Some(Hex(row.root)),
        cells_covered: covered,
        cells_verified: count(scores.len()),
        coverage_ppb: covers.parts(),
        cells: scores,
        score: total.get(),
        ..IntelReport::default()
    })
}

fn signal_usefulness(reference: &Reference, previous: Option<&Summary>, cell: &Cell) -> Ppb {
    let entry = previous.and_then(|summary| {
        summary.signal.iter().find(|entry| entry.model == cell.model && entry.task_type == cell.task_type)
    });
    match (entry, reference.costs.get(&choice(cell))) {
        (Some(entry), Some(measured)) => usefulness(&entry.endpoints, measured),
        _ => Ppb::ZERO,
    }
}

/// Age is taken at the seed's block, the same for every validator.
fn freshness(inputs: &Inputs, claim: &CellTelemetry, newest_ms: u64) -> Ppb {
    let age_ms = inputs.window.end_ms.saturating_sub(newest_ms);
    let age_blocks = age_ms.checked_div(inputs.subnet.block_time_ms).unwrap_or(0);
    cell_freshness(age_blocks, u64::from(inputs.subnet.tempo), claim.n, &inputs.params.intel)
}
