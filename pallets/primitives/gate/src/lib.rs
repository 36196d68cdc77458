// SPDX-License-Identifier: Apache-2.0

//! The gate of an intel submission: replay evidence in, open or tripped out, with the reason and the numbers (rules §3).
//!
//! [`evaluate`] runs every check in a fixed order and stops at the first that trips: authenticity, faithfulness,
//! window, openings, duplicates, statistics. Each is also a function of its own. The statistics are exact integer
//! arithmetic ([`tail`]): the same verdict on every target.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::float_arithmetic))]

extern crate alloc;

mod big;
mod checks;
mod duplicates;
mod evaluate;
mod params;
mod reason;
mod statistics;
pub mod tail;

pub use checks::{
    Committed, EpochWindow, OpenedLeaf, check_authenticity, check_faithfulness, check_openings, check_tasks,
    check_window,
};
pub use duplicates::{CommitOrder, DuplicateIndex, check_duplicates};
pub use evaluate::{CellReport, CellStatus, GateReport, Submission, evaluate};
pub use params::GateParams;
pub use reason::{DuplicateKind, Evidence, Metric, Reason, Side, StatisticEvidence, TelemetryField, Trip, Verdict};
pub use statistics::{Replay, check_statistics};

#[cfg(test)]
mod simulation;
