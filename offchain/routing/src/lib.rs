// SPDX-License-Identifier: Apache-2.0

//! Who serves a request: [`plan`] ranks the candidates of a model by what they are expected to cost.
//!
//! Pure and integer: no I/O, no clock, no lock, no allocation. The table is a [`Snapshot`] that the gateway rebuilds
//! every few milliseconds and publishes through [`Router`]; a decision reads one snapshot from beginning to end.

#![forbid(unsafe_code)]

mod plan;
mod snapshot;

pub use plan::{Features, MAX_PLANNED, NoPlan, Plan, PlanBuf, Planned, plan};
pub use snapshot::{Candidate, Latency, Router, Snapshot, SnapshotBuilder, Support, Target, Weights};
