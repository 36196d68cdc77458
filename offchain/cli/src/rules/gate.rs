// SPDX-License-Identifier: Apache-2.0

use clawrank_primitives::{
    Params,
    gate::{Replay, check_statistics},
    proof::{AnswerVerdict, AttemptStatus, CellTelemetry, SchemaVerdict},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scalar::Hex32;
use crate::error::CliError;

/// The statistical part of the gate: what a submission claims per cell, and what replays of its tasks gave.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// Claimed telemetry, one entry per cell.
    claims: Vec<Claim>,
    /// The validator's own calls; a task counts once per cell.
    replays: Vec<ReplayInput>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Claim {
    /// Id of the cell.
    cell: Hex32,
    /// Attempts.
    n: u32,
    /// Attempts that were answered.
    ok: u32,
    /// Answers that could be checked.
    #[serde(default)]
    answers_checked: u32,
    /// Answers that were right.
    #[serde(default)]
    answers_right: u32,
    /// Median time to the first token, milliseconds.
    p50_ttft_ms: u32,
    /// Median total time, milliseconds.
    p50_total_ms: u32,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReplayInput {
    /// Id of the cell.
    cell: Hex32,
    /// Id of the task.
    task_id: Hex32,
    /// Whether the call was answered.
    ok: bool,
    /// Time to the first token, milliseconds.
    #[serde(default)]
    ttft_ms: u32,
    /// Total time, milliseconds.
    #[serde(default)]
    total_ms: u32,
    /// Whether the answer was right; left out where it cannot be checked.
    #[serde(default)]
    right: Option<bool>,
}

/// The gate, and what it rests on.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output {
    /// 1 open, 0 tripped.
    gate: u8,
    /// Name of the reason of a tripped gate.
    reason: Option<String>,
    /// Its code on chain; 0 where the gate is open.
    reason_code: u8,
    /// Figures that led to it.
    evidence: Option<serde_json::Value>,
    /// Statistical tests made; each is held to alpha / tests.
    tests: u32,
    /// Cells in the order of the claims.
    cells: Vec<Cell>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Cell {
    cell: Hex32,
    /// Replays that counted.
    replays: u32,
    /// Whether they were enough to decide.
    verified: bool,
}

pub(super) fn gate(input: Input, params: &Params) -> Result<Output, CliError> {
    let claims: Vec<CellTelemetry> = input
        .claims
        .iter()
        .map(|c| CellTelemetry {
            cell: c.cell.0,
            n: c.n,
            ok: c.ok,
            answers_checked: c.answers_checked,
            answers_right: c.answers_right,
            p50_ttft_ms: c.p50_ttft_ms,
            p50_total_ms: c.p50_total_ms,
            ..CellTelemetry::default()
        })
        .collect();
    let replays: Vec<Replay> = input
        .replays
        .iter()
        .map(|r| Replay {
            cell: r.cell.0,
            task_id: r.task_id.0,
            status: if r.ok { AttemptStatus::Ok } else { AttemptStatus::ServerError },
            ttft_ms: r.ttft_ms,
            total_ms: r.total_ms,
            schema: SchemaVerdict::NotChecked,
            answer: match r.right {
                None => AnswerVerdict::NotChecked,
                Some(true) => AnswerVerdict::Right,
                Some(false) => AnswerVerdict::Wrong,
            },
        })
        .collect();
    let (cells, tests, trip) = check_statistics(&claims, &replays, &params.gate);
    let evidence = trip.as_ref().map(|t| serde_json::to_value(&t.evidence)).transpose();
    Ok(Output {
        gate: u8::from(trip.is_none()),
        reason: trip.as_ref().map(|t| t.reason.name().to_owned()),
        reason_code: trip.as_ref().map_or(0, |t| t.reason.code()),
        evidence: evidence.map_err(|e| CliError::work(&e))?,
        tests,
        cells: cells
            .into_iter()
            .map(|c| Cell {
                cell: Hex32(c.cell),
                replays: c.replays,
                verified: c.status == clawrank_primitives::gate::CellStatus::Verified,
            })
            .collect(),
    })
}
