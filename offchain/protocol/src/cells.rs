// SPDX-License-Identifier: Apache-2.0

//! The cell table: what validators measured of every cell, as a gateway takes it for routing.
//!
//! A validator sends the table of its own replays once per epoch; a gateway routes by the stake-weighted medians.

use std::collections::HashSet;

use clawrank_proof::Cell;
use serde::{Deserialize, Serialize};

use crate::{error::ApiError, limits::MAX_CELLS};

/// What one validator's replays showed of one cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeasuredCell {
    /// Model, in normal form.
    pub model: String,
    /// Endpoint, in normal form.
    pub endpoint: String,
    /// Kind of task, in normal form.
    pub task_type: String,
    /// Replays made, at least 1.
    pub replays: u32,
    /// Those that were answered.
    pub ok: u32,
    /// Checks of schema or answer made.
    pub checks: u32,
    /// Those that passed.
    pub passed: u32,
    /// Median time to first token, milliseconds.
    pub p50_ttft_ms: u32,
    /// 95th percentile of time to first token, milliseconds.
    pub p95_ttft_ms: u32,
}

/// Body of `PUT /v1/cells`. It takes the place of the sender's table before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellTable {
    /// Epoch that the replays are of.
    pub epoch: u64,
    /// Block at which they were summed up.
    pub block: u64,
    /// Each cell once, at most [`MAX_CELLS`].
    pub cells: Vec<MeasuredCell>,
}

/// Answer to `PUT /v1/cells`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellsTaken {
    /// How many.
    pub cells: u32,
}

/// What a gateway routes by: one endpoint serving one model, all kinds of tasks and all validators together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoutedCell {
    /// Model.
    pub model: String,
    /// Endpoint.
    pub endpoint: String,
    /// Checks passed of those made, parts per billion; the whole where none was made.
    pub quality_ppb: u32,
    /// Replays that were not answered, parts per million.
    pub error_ppm: u32,
    /// Median time to first token, milliseconds.
    pub p50_ttft_ms: u32,
    /// 95th percentile of time to first token, milliseconds.
    pub p95_ttft_ms: u32,
    /// Validators that measured it.
    pub validators: u32,
}

/// `GET /v1/cells`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoutedCells {
    /// By model, then endpoint.
    pub cells: Vec<RoutedCell>,
}

impl CellTable {
    /// Reads a table and checks that it can be true.
    ///
    /// # Errors
    ///
    /// [`ApiError`] with status 400 that names the cell and the field.
    pub fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let table: Self =
            serde_json::from_slice(body).map_err(|error| ApiError::invalid("body", format!("cell table: {error}")))?;
        let count = table.cells.len();
        if count > MAX_CELLS {
            return Err(ApiError::invalid("cells", format!("{count} cells; at most {MAX_CELLS} are taken")));
        }
        let mut seen = HashSet::with_capacity(count);
        for (index, measured) in table.cells.iter().enumerate() {
            let wrong = |what: String| ApiError::invalid("cells", format!("cell {index}: {what}"));
            let cell = Cell::new(&measured.model, &measured.endpoint, &measured.task_type)
                .map_err(|error| wrong(error.to_string()))?;
            if cell.model.as_str() != measured.model || cell.endpoint.as_str() != measured.endpoint {
                return Err(wrong("names are in normal form: trimmed, in lower case".to_owned()));
            }
            if measured.replays == 0 || measured.ok > measured.replays {
                return Err(wrong(format!("{} of {} replays answered", measured.ok, measured.replays)));
            }
            if measured.passed > measured.checks {
                return Err(wrong(format!("{} of {} checks passed", measured.passed, measured.checks)));
            }
            if measured.p50_ttft_ms > measured.p95_ttft_ms {
                return Err(wrong(format!("p50 {} ms above p95 {} ms", measured.p50_ttft_ms, measured.p95_ttft_ms)));
            }
            if !seen.insert(cell.id()) {
                return Err(wrong("is in the table twice".to_owned()));
            }
        }
        Ok(table)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn cell(model: &str) -> MeasuredCell {
        MeasuredCell {
            model: model.to_owned(),
            endpoint: "aurora".to_owned(),
            task_type: "math".to_owned(),
            replays: 32,
            ok: 30,
            checks: 30,
            passed: 29,
            p50_ttft_ms: 120,
            p95_ttft_ms: 340,
        }
    }

    fn parse(cells: Vec<MeasuredCell>) -> Result<CellTable, ApiError> {
        CellTable::parse(&serde_json::to_vec(&CellTable { epoch: 7, block: 700, cells }).unwrap())
    }

    #[test]
    fn table_is_read_when_every_cell_can_be_true() {
        let table = parse(vec![cell("llama"), cell("qwen")]).unwrap();
        assert_eq!((table.epoch, table.block, table.cells.len()), (7, 700, 2));
        assert_eq!(parse(vec![]).unwrap().cells, vec![]);
    }

    #[test]
    fn table_is_refused_with_the_cell_when_one_cannot_be_true() {
        let refused = |change: &dyn Fn(&mut MeasuredCell), why: &str| {
            let mut second = cell("qwen");
            change(&mut second);
            let error = parse(vec![cell("llama"), second]).unwrap_err();
            assert!(error.message.contains("cell 1") && error.message.contains(why), "{}", error.message);
        };
        refused(&|cell| cell.replays = 0, "of 0 replays");
        refused(&|cell| cell.ok = 33, "33 of 32 replays");
        refused(&|cell| cell.passed = 31, "31 of 30 checks");
        refused(&|cell| cell.p50_ttft_ms = 341, "above p95");
        refused(&|cell| cell.model = "Qwen".to_owned(), "normal form");
        refused(&|cell| cell.endpoint = String::new(), "");
        refused(&|cell| cell.model = "llama".to_owned(), "twice");
        assert!(
            parse((0..=MAX_CELLS).map(|n| cell(&n.to_string())).collect()).unwrap_err().message.contains("at most")
        );
        assert!(CellTable::parse(b"{\"epoch\":1}").unwrap_err().message.contains("block"));
        assert!(CellTable::parse(b"{\"epoch\":1,\"block\":1,\"cells\":[],\"extra\":1}").is_err());
    }
}
