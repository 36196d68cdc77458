// SPDX-License-Identifier: Apache-2.0

use alloc::vec::Vec;

use clawrank_proof::{Bundle, Hash, HotkeyId, SubnetEpoch};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{
    CommitOrder, Committed, DuplicateIndex, EpochWindow, GateParams, OpenedLeaf, Replay, Trip, Verdict,
    check_authenticity, check_duplicates, check_faithfulness, check_openings, check_statistics, check_tasks,
    check_window,
};

/// Everything a validator has gathered on one submission.
#[derive(Clone, Copy, Debug)]
pub struct Submission<'a> {
    /// The miner, as the chain knows it.
    pub hotkey: &'a HotkeyId,
    /// The miner's uid.
    pub uid: u16,
    /// Chain, subnet, mechanism and epoch.
    pub subject: SubnetEpoch,
    /// When the epoch was.
    pub window: EpochWindow,
    /// Hash of the epoch's first block, from which the miner's tasks follow; where it is not known, tasks go unchecked.
    pub epoch_seed: Option<&'a Hash>,
    /// Last block at which a commitment counts.
    pub deadline: u64,
    /// The miner's commitment on chain.
    pub committed: Option<Committed>,
    /// The bundle.
    pub bundle: &'a Bundle,
    /// Leaves that had to be opened.
    pub challenge: &'a [u32],
    /// Leaves that were opened.
    pub opened: &'a [OpenedLeaf],
    /// Attempts of all bundles of the epoch.
    pub duplicates: &'a DuplicateIndex,
    /// The validator's own calls.
    pub replays: &'a [Replay],
}

/// Whether a cell's claims were put to the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum CellStatus {
    /// Enough attempts and replays: the cell scores if the gate is open.
    Verified,
    /// Too few: the cell scores nothing and trips nothing.
    Unverified,
}

/// One cell of a report.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CellReport {
    /// Cell.
    #[cfg_attr(feature = "serde", serde(with = "clawrank_proof::serde_hex"))]
    pub cell: Hash,
    /// Replays that counted.
    pub replays: u32,
    /// Whether they were enough.
    pub status: CellStatus,
}

/// The gate of a submission, with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct GateReport {
    /// Open, or tripped with reason and evidence.
    pub verdict: Verdict,
    /// Cells in the order of the telemetry; empty when an earlier check tripped.
    pub cells: Vec<CellReport>,
    /// Statistical tests made.
    pub tests: u32,
}

impl GateReport {
    /// Whether the cell scores: the gate is open and the cell verified.
    #[must_use]
    pub fn scores(&self, cell: &Hash) -> bool {
        let verified = |report: &CellReport| report.cell == *cell && report.status == CellStatus::Verified;
        self.verdict.is_open() && self.cells.iter().any(verified)
    }
}

/// Decides the gate (rules §3). Stops at the first check that trips: a body that is not authentic proves nothing else.
#[must_use]
pub fn evaluate(submission: &Submission<'_>, params: &GateParams) -> GateReport {
    if let Err(trip) = check_body(submission, params) {
        return GateReport { verdict: Verdict::Tripped(trip), cells: Vec::new(), tests: 0 };
    }
    let (cells, tests, trip) = check_statistics(&submission.bundle.telemetry, submission.replays, params);
    GateReport { verdict: trip.map_or(Verdict::Open, Verdict::Tripped), cells, tests }
}

/// The checks that need no replay.
fn check_body(submission: &Submission<'_>, params: &GateParams) -> Result<(), Trip> {
    let Submission { hotkey, uid, subject, window, deadline, committed, bundle, challenge, opened, duplicates, .. } =
        submission;
    check_authenticity(bundle, hotkey, subject, committed.as_ref(), *deadline)?;
    check_faithfulness(bundle)?;
    check_window(bundle, window, params)?;
    check_openings(bundle, challenge, opened)?;
    let block = committed.map_or(u64::MAX, |committed| committed.block);
    check_duplicates(duplicates, CommitOrder { block, uid: *uid }, bundle, params)?;
    // After the duplicates: a copier is told what it did.
    submission.epoch_seed.map_or(Ok(()), |seed| check_tasks(bundle, seed))
}

#[cfg(test)]
mod tests;
