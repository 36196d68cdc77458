// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::status::tests::{is_golden, report};

#[test]
fn dry_run_prints_weight_and_reason_of_each_miner_when_it_ends() {
    is_golden("dry-run.txt", &report_text(&report(false)));
}

#[test]
fn dry_run_prints_one_weight_per_miner_when_mechanisms_are_blended() {
    is_golden("dry-run-blended.txt", &report_text(&report(true)));
}

/// What `--json` prints is the report that `reports/latest.json` holds: other tools read both.
#[test]
fn dry_run_prints_the_report_when_json_is_asked_for() {
    let report = report(false);
    let printed = serde_json::to_value(&report).unwrap();
    let rows: Vec<_> = printed["miners"]
        .as_array()
        .unwrap()
        .iter()
        .map(|miner| {
            (miner["uid"].as_u64().unwrap(), miner["serving"]["earned"]["weight"].as_u64().unwrap(), &miner["why"])
        })
        .collect();
    assert_eq!(rows[0], (2, 65_535, &report.miners[0].why.clone().into()));
    assert_eq!(rows[1].1, 21_845);
    assert_eq!(printed["mechanisms"][0]["weights"], serde_json::json!([65_535, 21_845]));
    assert_eq!(serde_json::from_value::<Report>(printed).unwrap(), report);
}
