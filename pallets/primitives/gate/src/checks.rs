// SPDX-License-Identifier: Apache-2.0

use alloc::collections::{BTreeMap, BTreeSet};

use clawrank_proof::{
    Bundle, CellTelemetry, Commitment, Hash, HotkeyId, Opening, SchemaVerdict, SubnetEpoch, challenge::measure_task_id,
    summarise,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{Evidence, GateParams, Reason, TelemetryField, Trip};

/// A commitment as the chain has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Committed {
    /// What was committed.
    pub commitment: Commitment,
    /// In which block.
    pub block: u64,
}

/// When an epoch was, Unix milliseconds, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct EpochWindow {
    /// Time of its first block.
    pub start_ms: u64,
    /// Time of its last block.
    pub end_ms: u64,
}

/// A leaf that the miner opened, and what the validator's own schema check of the response gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedLeaf {
    /// The opening.
    pub opening: Opening,
    /// The validator's verdict; `NotChecked` for a request without a schema.
    pub schema: SchemaVerdict,
}

fn trip(reason: Reason, evidence: Evidence) -> Result<(), Trip> {
    Err(Trip { reason, evidence })
}

/// Checks that `hotkey` signed this body for this epoch and committed it in time (rules §2.2).
///
/// # Errors
///
/// [`Reason::Unauthentic`]: not committed, late, another commitment, another subject, or a proof that fails.
pub fn check_authenticity(
    bundle: &Bundle,
    hotkey: &HotkeyId,
    subject: &SubnetEpoch,
    committed: Option<&Committed>,
    deadline: u64,
) -> Result<(), Trip> {
    let header = &bundle.header;
    let Some(Committed { commitment, block }) = committed else {
        return trip(Reason::Unauthentic, Evidence::NotCommitted);
    };
    if *block > deadline {
        return trip(Reason::Unauthentic, Evidence::Late { block: *block, deadline });
    }
    let found =
        SubnetEpoch { genesis: header.genesis, netuid: header.netuid, mecid: header.mecid, epoch: header.epoch };
    if found != *subject || bundle.hotkey != *hotkey {
        return trip(Reason::Unauthentic, Evidence::OtherSubject);
    }
    if *commitment != Commitment::from(header) {
        return trip(Reason::Unauthentic, Evidence::OtherCommitment);
    }
    bundle.verify().or_else(|error| trip(Reason::Unauthentic, Evidence::Proof(error)))
}

/// Checks that the telemetry is exactly what the attempts give (rules §2.3).
///
/// # Errors
///
/// [`Reason::Unfaithful`] with the first number that differs.
pub fn check_faithfulness(bundle: &Bundle) -> Result<(), Trip> {
    let recomputed = summarise(&bundle.attempts);
    if bundle.telemetry == recomputed {
        return Ok(());
    }
    let evidence = bundle.telemetry.iter().zip(&recomputed).find_map(|(claimed, found)| {
        if claimed.cell != found.cell {
            return None;
        }
        fields(claimed)
            .into_iter()
            .zip(fields(found))
            .find(|((_, a), (_, b))| a != b)
            .map(|((field, a), (_, b))| Evidence::Telemetry { cell: found.cell, field, claimed: a, recomputed: b })
    });
    let len = |list: &[CellTelemetry]| u64::try_from(list.len()).unwrap_or(u64::MAX);
    trip(
        Reason::Unfaithful,
        evidence.unwrap_or(Evidence::Telemetry {
            cell: [0; 32],
            field: TelemetryField::Cells,
            claimed: len(&bundle.telemetry),
            recomputed: len(&recomputed),
        }),
    )
}

fn fields(t: &CellTelemetry) -> [(TelemetryField, u64); 13] {
    [
        (TelemetryField::Attempts, t.n.into()),
        (TelemetryField::Ok, t.ok.into()),
        (TelemetryField::Timeouts, t.timeouts.into()),
        (TelemetryField::SchemaValid, t.schema_valid.into()),
        (TelemetryField::SchemaChecked, t.schema_checked.into()),
        (TelemetryField::AnswersRight, t.answers_right.into()),
        (TelemetryField::AnswersChecked, t.answers_checked.into()),
        (TelemetryField::P50Ttft, t.p50_ttft_ms.into()),
        (TelemetryField::P95Ttft, t.p95_ttft_ms.into()),
        (TelemetryField::P50Total, t.p50_total_ms.into()),
        (TelemetryField::P95Total, t.p95_total_ms.into()),
        (TelemetryField::TokensPerSecond, t.tokens_per_second_milli),
        (TelemetryField::Cost, t.cost_per_1k_tokens_nano_usd),
    ]
}

/// Checks every attempt's times: inside the epoch give or take the slack, in order, first token not after the last.
///
/// Sequences rise strictly and starts never fall.
///
/// # Errors
///
/// [`Reason::OutOfWindow`] with the first attempt that fails.
pub fn check_window(bundle: &Bundle, window: &EpochWindow, params: &GateParams) -> Result<(), Trip> {
    let slack = u64::from(params.window_slack_ms);
    let (earliest, latest) = (window.start_ms.saturating_sub(slack), window.end_ms.saturating_add(slack));
    let mut previous: Option<(u32, u64)> = None;
    for (index, attempt) in (0u32..).zip(&bundle.attempts) {
        let inside = attempt.start_ms >= earliest && attempt.end_ms().is_some_and(|end| end <= latest);
        let ordered = previous.is_none_or(|(sequence, start)| attempt.sequence > sequence && attempt.start_ms >= start);
        if !inside || !ordered || attempt.ttft_ms > attempt.total_ms {
            let evidence = Evidence::Window { index, start_ms: attempt.start_ms, total_ms: attempt.total_ms };
            return trip(Reason::OutOfWindow, evidence);
        }
        previous = Some((attempt.sequence, attempt.start_ms));
    }
    Ok(())
}

/// Tasks of a cell that a miner may leave out, beside as many as it reports: calls that said nothing about the endpoint.
const SPARE_TASKS: u32 = 16;

/// Checks that every attempt's task is one of the epoch's, none twice (rules §2.1).
///
/// The tasks of a cell are numbered and follow from `epoch_seed`, the hash of the epoch's first block. With n attempts
/// on a cell, only the first 2n + 16 of them count: a miner that makes many attempts to report the best has to report
/// half of them. O(n) hashes.
///
/// # Errors
///
/// [`Reason::OutOfWindow`] with the first attempt whose task is another epoch's, another miner's, too far on, or there
/// before.
pub fn check_tasks(bundle: &Bundle, epoch_seed: &Hash) -> Result<(), Trip> {
    let mut counts: BTreeMap<&Hash, u32> = BTreeMap::new();
    for attempt in &bundle.attempts {
        let count = counts.entry(&attempt.cell).or_default();
        *count = count.saturating_add(1);
    }
    let tasks = |(cell, count): (&Hash, u32)| {
        let most = count.saturating_mul(2).saturating_add(SPARE_TASKS);
        let cell = *cell;
        (0..most).map(move |index| (cell, measure_task_id(epoch_seed, &bundle.hotkey, &cell, index)))
    };
    let mut left: BTreeSet<(Hash, Hash)> = counts.into_iter().flat_map(tasks).collect();
    for (index, attempt) in (0u32..).zip(&bundle.attempts) {
        if !left.remove(&(attempt.cell, attempt.task_id)) {
            return trip(Reason::OutOfWindow, Evidence::Task { index });
        }
    }
    Ok(())
}

/// Checks that every leaf of the challenge is opened, is the bundle's own attempt, hashes to its texts and has the
/// schema verdict that the validator finds.
///
/// The caller has asked again until the miner's deadline: what is missing here was withheld.
///
/// # Errors
///
/// [`Reason::HashMismatch`] (also for a leaf that was not opened or does not belong to the bundle), then
/// [`Reason::SchemaMismatch`].
pub fn check_openings(bundle: &Bundle, challenge: &[u32], opened: &[OpenedLeaf]) -> Result<(), Trip> {
    let by_index: BTreeMap<u32, &OpenedLeaf> = opened.iter().map(|leaf| (leaf.opening.index, leaf)).collect();
    let attempts_root = match bundle.attempts_root() {
        Ok(root) => root,
        Err(error) => return trip(Reason::Unauthentic, Evidence::Proof(error)),
    };
    for &index in challenge {
        let Some(OpenedLeaf { opening, .. }) = by_index.get(&index) else {
            return trip(Reason::HashMismatch, Evidence::NotOpened { index });
        };
        if let Err(error) = opening.verify(&attempts_root, bundle.header.count) {
            return trip(Reason::HashMismatch, Evidence::Opening { index, error });
        }
    }
    for index in challenge {
        let Some(OpenedLeaf { opening, schema }) = by_index.get(index) else { continue };
        if opening.attempt.schema != *schema {
            let evidence = Evidence::Schema { index: *index, claimed: opening.attempt.schema, found: *schema };
            return trip(Reason::SchemaMismatch, evidence);
        }
    }
    Ok(())
}
