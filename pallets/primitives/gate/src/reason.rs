// SPDX-License-Identifier: Apache-2.0

use core::fmt;

use clawrank_proof::{Hash, ProofError, SchemaVerdict};
use clawrank_units::Ppb;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Why a gate is 0 (rules §3). The SCALE index of a variant is its code on chain and never changes.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Reason {
    /// Signature, domain, root, count or Merkle path is wrong, or the bundle was committed late or not at all.
    #[codec(index = 1)]
    Unauthentic,
    /// Telemetry differs from what its own attempts give.
    #[codec(index = 2)]
    Unfaithful,
    /// An attempt lies outside the epoch, starts before the one before it, has impossible times, or a task that is none
    /// of the epoch's.
    #[codec(index = 3)]
    OutOfWindow,
    /// An opened request or response does not hash to its leaf, or a leaf that must be opened was not.
    #[codec(index = 4)]
    HashMismatch,
    /// The schema check of an opened response gives another verdict than claimed.
    #[codec(index = 5)]
    SchemaMismatch,
    /// An attempt was already in another miner's earlier commitment.
    #[codec(index = 6)]
    Duplicate,
    /// The claimed success rate does not survive the replays.
    #[codec(index = 7)]
    SuccessOutOfTolerance,
    /// A claimed median latency does not survive the replays.
    #[codec(index = 8)]
    LatencyOutOfTolerance,
    /// The claimed rate of right answers does not survive the replays.
    #[codec(index = 9)]
    AnswerOutOfTolerance,
}

impl Reason {
    /// Every reason, by code.
    pub const ALL: [Self; 9] = [
        Self::Unauthentic,
        Self::Unfaithful,
        Self::OutOfWindow,
        Self::HashMismatch,
        Self::SchemaMismatch,
        Self::Duplicate,
        Self::SuccessOutOfTolerance,
        Self::LatencyOutOfTolerance,
        Self::AnswerOutOfTolerance,
    ];

    /// The code, 1 ..= 9.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Unauthentic => 1,
            Self::Unfaithful => 2,
            Self::OutOfWindow => 3,
            Self::HashMismatch => 4,
            Self::SchemaMismatch => 5,
            Self::Duplicate => 6,
            Self::SuccessOutOfTolerance => 7,
            Self::LatencyOutOfTolerance => 8,
            Self::AnswerOutOfTolerance => 9,
        }
    }

    /// The reason with this code.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// The name as the rules write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unauthentic => "Unauthentic",
            Self::Unfaithful => "Unfaithful",
            Self::OutOfWindow => "OutOfWindow",
            Self::HashMismatch => "HashMismatch",
            Self::SchemaMismatch => "SchemaMismatch",
            Self::Duplicate => "Duplicate",
            Self::SuccessOutOfTolerance => "SuccessOutOfTolerance",
            Self::LatencyOutOfTolerance => "LatencyOutOfTolerance",
            Self::AnswerOutOfTolerance => "AnswerOutOfTolerance",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which number of a cell's telemetry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[allow(missing_docs)]
pub enum TelemetryField {
    /// The list of cells itself: another length or another order.
    Cells,
    Attempts,
    Ok,
    Timeouts,
    SchemaValid,
    SchemaChecked,
    AnswersRight,
    AnswersChecked,
    P50Ttft,
    P95Ttft,
    P50Total,
    P95Total,
    TokensPerSecond,
    Cost,
}

/// Which claim a statistical test is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Metric {
    /// Rate of attempts that end `Ok`.
    Success,
    /// Median time to first token.
    Ttft,
    /// Median total time.
    Total,
    /// Rate of right answers among checked ones.
    Answers,
}

impl Metric {
    /// The reason that a test on this claim trips with.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Self::Success => Reason::SuccessOutOfTolerance,
            Self::Ttft | Self::Total => Reason::LatencyOutOfTolerance,
            Self::Answers => Reason::AnswerOutOfTolerance,
        }
    }
}

/// On which side of the claim the replays fell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Side {
    /// The endpoint is worse than claimed: slower, failing more, wrong more.
    Worse,
    /// The endpoint is better than claimed.
    Better,
}

/// The numbers of a statistical test, enough to compute it again.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StatisticEvidence {
    /// Cell.
    #[cfg_attr(feature = "serde", serde(with = "clawrank_proof::serde_hex"))]
    pub cell: Hash,
    /// Which claim.
    pub metric: Metric,
    /// On which side.
    pub side: Side,
    /// The claim: milliseconds of a median, parts per billion of a rate.
    pub claimed: u64,
    /// The claim moved by the tolerance, same unit; what the replays were held against.
    pub bound: u64,
    /// Attempts that the claim is made of.
    pub n: u32,
    /// Replays that count for this test.
    pub k: u32,
    /// Replays beyond the bound (latency), or `Ok`, or right.
    pub observed: u32,
    /// Probability of this many or more extreme under the claim moved by the tolerance, rounded up.
    pub tail: Ppb,
    /// Tests made on the submission; the tail was held against `alpha / tests`.
    pub tests: u32,
}

/// How a copied attempt was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum DuplicateKind {
    /// The committed root is another miner's.
    Root,
    /// A salted response hash is another miner's; its salt is secret.
    ResponseHash,
    /// Task, cell, times and tokens of several attempts are another miner's.
    Attempts,
}

/// What made a gate trip, with the numbers.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Evidence {
    /// A proof was refused.
    Proof(ProofError),
    /// No commitment of this miner for this epoch was on chain by the deadline.
    NotCommitted,
    /// The commitment came after the deadline.
    Late {
        /// Block of the commitment.
        block: u64,
        /// Last block at which it would have counted.
        deadline: u64,
    },
    /// Epoch, count or root of the header is not the committed one.
    OtherCommitment,
    /// The header is of another chain, subnet, mechanism or epoch, or the bundle of another hotkey.
    OtherSubject,
    /// A number of the telemetry is not what the attempts give.
    Telemetry {
        /// Cell; zero when the list of cells itself differs.
        #[cfg_attr(feature = "serde", serde(with = "clawrank_proof::serde_hex"))]
        cell: Hash,
        /// Which number.
        field: TelemetryField,
        /// As claimed.
        claimed: u64,
        /// As the attempts give it.
        recomputed: u64,
    },
    /// An attempt's times are impossible.
    Window {
        /// Index of the attempt.
        index: u32,
        /// Its start, Unix milliseconds.
        start_ms: u64,
        /// Its total time.
        total_ms: u32,
    },
    /// A leaf that had to be opened was not.
    NotOpened {
        /// Index of the leaf.
        index: u32,
    },
    /// An opened leaf failed its proof or its hashes.
    Opening {
        /// Index of the leaf.
        index: u32,
        /// What failed.
        error: ProofError,
    },
    /// The schema check of an opened response gives another verdict.
    Schema {
        /// Index of the leaf.
        index: u32,
        /// As claimed.
        claimed: SchemaVerdict,
        /// As found.
        found: SchemaVerdict,
    },
    /// Attempts are another miner's.
    Duplicate {
        /// How it was recognised.
        kind: DuplicateKind,
        /// Whose they are.
        uid: u16,
        /// Block of the earlier commitment.
        block: u64,
        /// How many attempts.
        attempts: u32,
    },
    /// A claim did not survive the replays.
    Statistic(StatisticEvidence),
    /// An attempt's task is none of the epoch's for this miner and cell, or was there before.
    Task {
        /// Index of the attempt.
        index: u32,
    },
}

/// A tripped gate: the reason and what shows it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Trip {
    /// Reason.
    pub reason: Reason,
    /// Evidence.
    pub evidence: Evidence,
}

/// The gate of a submission: 1 or 0.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Verdict {
    /// The submission scores.
    Open,
    /// The submission scores nothing.
    Tripped(Trip),
}

impl Verdict {
    /// Whether the gate is 1.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// Why the gate is 0.
    #[must_use]
    pub const fn reason(&self) -> Option<Reason> {
        match self {
            Self::Open => None,
            Self::Tripped(trip) => Some(trip.reason),
        }
    }
}
