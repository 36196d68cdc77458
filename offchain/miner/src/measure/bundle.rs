// SPDX-License-Identifier: Apache-2.0

use std::collections::{BTreeMap, BTreeSet};

use clawrank_primitives::{
    proof::{Bundle, Cell, CellTelemetry, EndpointName, Hash, Keypair, ModelName, SignalEntry, TaskType, summarise},
    scoring::{IntelParams, endpoint_cost},
};

use super::{EpochPlan, Record};
use crate::Error;

/// Puts records into the order of the bundle and numbers their attempts from 0.
///
/// The order is by begin, then cell and index, so that it follows from the records alone.
pub fn order(records: &mut [Record]) {
    records.sort_by_key(|record| (record.attempt.start_ms, record.attempt.cell, record.index));
    for (sequence, record) in (0u32..).zip(records) {
        record.attempt.sequence = sequence;
    }
}

/// Builds and signs the bundle of an epoch: attempts in order, telemetry, signal.
///
/// `cells` are all that may occur in the records; those without an attempt are left out.
///
/// # Errors
///
/// [`Error::Proof`] when there is no attempt, or one of a cell that `cells` has not.
pub fn build_bundle(
    keypair: &Keypair,
    plan: &EpochPlan,
    cells: &[Cell],
    records: &[Record],
    params: &IntelParams,
) -> Result<Bundle, Error> {
    let mut records = records.to_vec();
    order(&mut records);
    let named: BTreeSet<Hash> = records.iter().map(|record| record.attempt.cell).collect();
    let cells: Vec<Cell> = cells.iter().filter(|cell| named.contains(&cell.id())).cloned().collect();
    let attempts: Vec<_> = records.into_iter().map(|record| record.attempt).collect();
    let total_cost = attempts.iter().fold(BTreeMap::<Hash, u64>::new(), |mut sums, attempt| {
        let sum = sums.entry(attempt.cell).or_default();
        *sum = sum.saturating_add(attempt.cost.get());
        sums
    });
    let signal = signal(&cells, &summarise(&attempts), &total_cost, params);
    let mut bundle = Bundle::assemble(keypair.public(), plan.subnet_epoch(), attempts, cells, signal)?;
    bundle.sign(keypair)?;
    Ok(bundle)
}

/// The routing signal: for each (model, task type) the endpoints, cheapest first.
///
/// The cost of an endpoint is its median total time at the operator's exchange rate and the mean price of a call, over
/// the rate of success, since a failed call is made again elsewhere. One that never answered comes last; ties by name.
#[must_use]
pub fn signal(
    cells: &[Cell],
    telemetry: &[CellTelemetry],
    total_cost_micro_usd: &BTreeMap<Hash, u64>,
    params: &IntelParams,
) -> Vec<SignalEntry> {
    let mut ranked: BTreeMap<(ModelName, TaskType), Vec<(u128, EndpointName)>> = BTreeMap::new();
    for cell in cells {
        let id = cell.id();
        let Some(measured) = telemetry.iter().find(|measured| measured.cell == id) else {
            continue;
        };
        let total = total_cost_micro_usd.get(&id).copied().unwrap_or(0);
        let price_nano = total.saturating_mul(1_000).checked_div(u64::from(measured.ok)).unwrap_or(0);
        let cost = endpoint_cost(measured.p50_total_ms, price_nano, params)
            .saturating_mul(u128::from(measured.n))
            .checked_div(u128::from(measured.ok))
            .unwrap_or(u128::MAX);
        ranked.entry((cell.model.clone(), cell.task_type.clone())).or_default().push((cost, cell.endpoint.clone()));
    }
    let entry = |((model, task_type), mut endpoints): (_, Vec<(u128, EndpointName)>)| {
        endpoints.sort();
        let endpoints = endpoints.into_iter().take(MAX_RANKED).map(|(_, endpoint)| endpoint).collect();
        SignalEntry { model, task_type, endpoints }
    };
    ranked.into_iter().map(entry).collect()
}

/// Endpoints that one entry of a signal may name.
const MAX_RANKED: usize = clawrank_primitives::proof::MAX_ENDPOINTS as usize;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

    use super::*;

    fn cell(endpoint: &str) -> Cell {
        Cell::new("m", endpoint, "chat").unwrap()
    }

    fn telemetry(cell: &Cell, n: u32, ok: u32, p50_total_ms: u32) -> CellTelemetry {
        CellTelemetry { cell: cell.id(), n, ok, p50_total_ms, ..CellTelemetry::default() }
    }

    fn ranking(rows: &[(&str, u32, u32, u32, u64)], micro_usd_per_second: u64) -> Vec<String> {
        let cells: Vec<Cell> = rows.iter().map(|row| cell(row.0)).collect();
        let measured: Vec<_> =
            rows.iter().zip(&cells).map(|(row, cell)| telemetry(cell, row.1, row.2, row.3)).collect();
        let costs = rows.iter().zip(&cells).map(|(row, cell)| (cell.id(), row.4)).collect();
        let params = IntelParams { micro_usd_per_second, ..IntelParams::clawrank() };
        let signal = signal(&cells, &measured, &costs, &params);
        assert_eq!(signal.len(), 1);
        signal[0].endpoints.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn fastest_is_first_when_prices_are_equal() {
        assert_eq!(ranking(&[("slow", 10, 10, 900, 50), ("fast", 10, 10, 300, 50)], 1_000), ["fast", "slow"]);
    }

    #[test]
    fn exchange_rate_decides_when_the_fast_one_costs_more() {
        // 0.6 s faster, 40 micro-USD a call dearer.
        let rows = [("cheap", 10, 10, 900, 100), ("fast", 10, 10, 300, 500)];
        assert_eq!(ranking(&rows, 1_000), ["fast", "cheap"]);
        assert_eq!(ranking(&rows, 10), ["cheap", "fast"]);
    }

    #[test]
    fn failing_endpoint_comes_after_and_dead_one_last() {
        let rows = [("dead", 10, 0, 0, 0), ("failing", 10, 2, 300, 0), ("steady", 10, 10, 900, 0)];
        assert_eq!(ranking(&rows, 1_000), ["steady", "failing", "dead"]);
    }
}
