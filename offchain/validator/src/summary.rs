// SPDX-License-Identifier: Apache-2.0
//! What is kept of a bundle for scoring, without its attempts.

use std::collections::BTreeMap;

use clawrank_primitives::proof::{Bundle, Cell, CellTelemetry, Hash, SignalEntry};
use codec::{Decode, Encode};

/// Cells, telemetry and signal of a bundle, and when each cell was last measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Summary {
    /// Cells, in the order of the telemetry.
    pub cells: Vec<Cell>,
    /// Telemetry of the same cells.
    pub telemetry: Vec<CellTelemetry>,
    /// End of each cell's newest attempt, Unix milliseconds.
    pub newest_ms: Vec<u64>,
    /// Routing signal.
    pub signal: Vec<SignalEntry>,
}

impl Summary {
    /// The summary of a bundle whose cells and telemetry belong together.
    #[must_use]
    pub fn of(bundle: &Bundle) -> Self {
        let mut newest: BTreeMap<&Hash, u64> = BTreeMap::new();
        for attempt in &bundle.attempts {
            let end = newest.entry(&attempt.cell).or_default();
            *end = attempt.end_ms().unwrap_or(0).max(*end);
        }
        let newest_ms = |telemetry: &CellTelemetry| newest.get(&telemetry.cell).copied().unwrap_or(0);
        Self {
            newest_ms: bundle.telemetry.iter().map(newest_ms).collect(),
            cells: bundle.cells.clone(),
            telemetry: bundle.telemetry.clone(),
            signal: bundle.signal.clone(),
        }
    }
}
