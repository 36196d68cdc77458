// SPDX-License-Identifier: Apache-2.0

//! What validators measured of the catalogue's endpoints, merged for routing.
//!
//! Each validator with a permit has one table, its newest. For every endpoint and model the gateway routes by the median
//! over validators, weighted by stake, so that less than half of the reporting stake moves nothing. Tables are kept in
//! memory only: they come anew every epoch, and without one a candidate counts as never measured.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use arc_swap::{ArcSwap, Guard};
use clawrank_primitives::emission::weighted_median;
use clawrank_protocol::{
    cells::{CellTable, RoutedCell},
    proof::HotkeyId,
};
use clawrank_routing::Latency;
use clawrank_units::Ppb;

use crate::registry::Members;

/// Parts of a [`RoutedCell::error_ppm`].
const PPM: u128 = 1_000_000;

/// What is known of one model at one endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) quality: Ppb,
    pub(crate) error_ppm: u32,
    pub(crate) latency: Latency,
    validators: u32,
}

/// Known cells, by endpoint, then by model.
pub(crate) type KnownCells = HashMap<String, BTreeMap<String, Known>>;

struct Told {
    table: CellTable,
    at: Instant,
}

/// All validators' tables and what follows from them.
#[derive(Default)]
pub(crate) struct Cells {
    tables: Mutex<Tables>,
    known: ArcSwap<KnownCells>,
}

#[derive(Default)]
struct Tables {
    told: BTreeMap<HotkeyId, Told>,
    /// Whose tables the last merge counted, with their stake then.
    counted: Vec<(HotkeyId, u64)>,
    /// Whether a table came since.
    fresh: bool,
}

/// One validator's sums over the kinds of tasks of one model at one endpoint.
#[derive(Default)]
struct Sums {
    replays: u128,
    ok: u128,
    checks: u128,
    passed: u128,
    p50_ms: u128,
    p95_ms: u128,
}

impl Cells {
    /// Takes a validator's table in the place of its old one.
    ///
    /// The one that came last counts: a request is signed, and taken once, so nobody else can send an old one again.
    pub(crate) fn take(&self, validator: HotkeyId, table: CellTable, now: Instant) {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.told.insert(validator, Told { table, at: now });
        tables.fresh = true;
    }

    /// Merges the tables of those who still are validators; older ones than `keep` are gone. Whether anything changed.
    ///
    /// Looks at every table, but at the cells only after a table, a permit or a stake changed.
    pub(crate) fn merge(&self, members: &Members, keep: Duration, now: Instant) -> bool {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let stake = |hotkey: &HotkeyId| members.standing(hotkey).filter(|is| is.permit).map(|is| is.stake_rao);
        tables.told.retain(|hotkey, told| stake(hotkey).is_some() && now.saturating_duration_since(told.at) <= keep);
        let counted: Vec<_> = tables.told.keys().filter_map(|hotkey| Some((*hotkey, stake(hotkey)?))).collect();
        if !tables.fresh && tables.counted == counted {
            return false;
        }
        let stakes = counted.iter().map(|(_, stake)| *stake);
        let known = merged(stakes.zip(tables.told.values().map(|told| &told.table)));
        (tables.counted, tables.fresh) = (counted, false);
        if **self.known.load() == known {
            return false;
        }
        self.known.store(Arc::new(known));
        true
    }

    /// What the tables of validators say now.
    pub(crate) fn load(&self) -> Guard<Arc<KnownCells>> {
        self.known.load()
    }

    /// The same for the wire, by model, then endpoint.
    pub(crate) fn to_wire(&self) -> Vec<RoutedCell> {
        let known = self.load();
        let mut cells: Vec<RoutedCell> = known
            .iter()
            .flat_map(|(endpoint, models)| models.iter().map(move |(model, known)| (endpoint, model, known)))
            .map(|(endpoint, model, known)| RoutedCell {
                model: model.clone(),
                endpoint: endpoint.clone(),
                quality_ppb: known.quality.parts(),
                error_ppm: known.error_ppm,
                p50_ttft_ms: known.latency.p50_ms,
                p95_ttft_ms: known.latency.p95_ms,
                validators: known.validators,
            })
            .collect();
        cells.sort_unstable_by(|a, b| (&a.model, &a.endpoint).cmp(&(&b.model, &b.endpoint)));
        cells
    }
}

fn merged<'a>(tables: impl Iterator<Item = (u64, &'a CellTable)>) -> KnownCells {
    let mut reports: HashMap<(&str, &str), Vec<(u128, Sums)>> = HashMap::new();
    for (stake, table) in tables {
        let mut sums: HashMap<(&str, &str), Sums> = HashMap::new();
        for cell in &table.cells {
            let sum = sums.entry((&cell.endpoint, &cell.model)).or_default();
            sum.replays = sum.replays.saturating_add(cell.replays.into());
            sum.ok = sum.ok.saturating_add(cell.ok.into());
            sum.checks = sum.checks.saturating_add(cell.checks.into());
            sum.passed = sum.passed.saturating_add(cell.passed.into());
            // Kinds of tasks count by what was answered of them.
            sum.p50_ms = sum.p50_ms.saturating_add(u128::from(cell.p50_ttft_ms).saturating_mul(cell.ok.into()));
            sum.p95_ms = sum.p95_ms.saturating_add(u128::from(cell.p95_ttft_ms).saturating_mul(cell.ok.into()));
        }
        for (key, sum) in sums {
            // A validator without stake is heard only where nobody has any.
            reports.entry(key).or_default().push((u128::from(stake).max(1), sum));
        }
    }
    let mut known = KnownCells::new();
    for ((endpoint, model), reports) in reports {
        known.entry(endpoint.to_owned()).or_default().insert(model.to_owned(), Known::of(&reports));
    }
    known
}

impl Known {
    fn of(reports: &[(u128, Sums)]) -> Self {
        let median = |of: &dyn Fn(&Sums) -> Option<u128>| {
            let values: Vec<(u128, u128)> =
                reports.iter().filter_map(|(stake, sums)| Some((of(sums)?, *stake))).collect();
            weighted_median(&values).map(|value| u32::try_from(value).unwrap_or(u32::MAX))
        };
        let quality = median(&|sums| Some(Ppb::from_ratio_floor(sums.passed, sums.checks)?.parts().into()));
        let lost = median(&|sums| sums.replays.saturating_sub(sums.ok).saturating_mul(PPM).checked_div(sums.replays));
        let p50_ms = median(&|sums| sums.p50_ms.checked_div(sums.ok)).unwrap_or(0);
        let p95_ms = median(&|sums| sums.p95_ms.checked_div(sums.ok)).unwrap_or(0).max(p50_ms);
        Self {
            quality: quality.and_then(Ppb::from_ppb).unwrap_or(Ppb::ONE),
            error_ppm: lost.unwrap_or(0),
            latency: Latency { ewma_ms: p50_ms, p50_ms, p95_ms, p99_ms: p95_ms },
            validators: u32::try_from(reports.len()).unwrap_or(u32::MAX),
        }
    }
}

#[cfg(test)]
mod tests;
