// SPDX-License-Identifier: Apache-2.0

use clawrank_primitives::{
    Params,
    gate::{
        self, CellStatus, CommitOrder, DuplicateIndex, GateParams, GateReport, OpenedLeaf, Replay, Verdict,
        check_statistics, evaluate,
    },
    proof::{AnswerVerdict, AttemptStatus, CellTelemetry, SchemaVerdict},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{refuse, scalar::Hex32, submission::Submission};
use crate::error::CliError;

/// A submission, or only what one claims per cell; and what replays of its tasks gave.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// The whole submission: every check is made, in the order of the rules, up to the first that trips.
    #[serde(default)]
    submission: Option<Submission>,
    /// Claimed telemetry in the place of a submission, one entry per cell: the statistical checks alone are made.
    #[serde(default)]
    claims: Option<Vec<Claim>>,
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

impl From<&Claim> for CellTelemetry {
    fn from(c: &Claim) -> Self {
        Self {
            cell: c.cell.0,
            n: c.n,
            ok: c.ok,
            answers_checked: c.answers_checked,
            answers_right: c.answers_right,
            p50_ttft_ms: c.p50_ttft_ms,
            p50_total_ms: c.p50_total_ms,
            ..Self::default()
        }
    }
}

impl From<&ReplayInput> for Replay {
    fn from(r: &ReplayInput) -> Self {
        Self {
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
        }
    }
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
    /// Cells in the order of the claims; empty when a check before the statistics tripped.
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
    let replays: Vec<Replay> = input.replays.iter().map(Replay::from).collect();
    match (input.submission, input.claims) {
        (Some(submission), None) => whole(submission, &replays, &params.gate),
        (None, Some(claims)) => {
            let claims: Vec<CellTelemetry> = claims.iter().map(CellTelemetry::from).collect();
            let (cells, tests, trip) = check_statistics(&claims, &replays, &params.gate);
            output(GateReport { verdict: trip.map_or(Verdict::Open, Verdict::Tripped), cells, tests })
        }
        (None, None) => Err(refuse("claims", "is missing; give `claims` or `submission`")),
        (Some(_), Some(_)) => Err(refuse("claims", "cannot be given beside `submission`")),
    }
}

fn whole(submission: Submission, replays: &[Replay], params: &GateParams) -> Result<Output, CliError> {
    let mut duplicates = DuplicateIndex::new();
    for other in &submission.others {
        duplicates.insert(CommitOrder { block: other.block, uid: other.uid }, &other.bundle.0);
    }
    let opened: Vec<OpenedLeaf> = submission.opened.into_iter().map(Into::into).collect();
    output(evaluate(
        &gate::Submission {
            hotkey: &submission.hotkey.0,
            uid: submission.uid,
            subject: (&submission.subject).into(),
            window: (&submission.window).into(),
            epoch_seed: submission.epoch_seed.as_ref().map(|seed| &seed.0),
            deadline: submission.deadline,
            committed: submission.committed.as_ref().map(Into::into),
            bundle: &submission.bundle.0,
            challenge: &submission.challenge,
            opened: &opened,
            duplicates: &duplicates,
            replays,
        },
        params,
    ))
}

fn output(report: GateReport) -> Result<Output, CliError> {
    let trip = match report.verdict {
        Verdict::Open => None,
        Verdict::Tripped(trip) => Some(trip),
    };
    let evidence = trip.as_ref().map(|t| serde_json::to_value(&t.evidence)).transpose();
    Ok(Output {
        gate: u8::from(trip.is_none()),
        reason: trip.as_ref().map(|t| t.reason.name().to_owned()),
        reason_code: trip.as_ref().map_or(0, |t| t.reason.code()),
        evidence: evidence.map_err(|e| CliError::work(&e))?,
        tests: report.tests,
        cells: report
            .cells
            .into_iter()
            .map(|c| Cell { cell: Hex32(c.cell), replays: c.replays, verified: c.status == CellStatus::Verified })
            .collect(),
    })
}
