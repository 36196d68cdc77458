// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use clawrank_protocol::cells::MeasuredCell;

use super::*;

const KEEP: Duration = Duration::from_secs(60);

fn cell(task_type: &str, replays: u32, ok: u32, passed: u32, p50_ttft_ms: u32) -> MeasuredCell {
    MeasuredCell {
        model: "llama".to_owned(),
        endpoint: "aurora".to_owned(),
        task_type: task_type.to_owned(),
        replays,
        ok,
        checks: ok,
        passed,
        p50_ttft_ms,
        p95_ttft_ms: p50_ttft_ms * 2,
    }
}

fn table(block: u64, cells: Vec<MeasuredCell>) -> CellTable {
    CellTable { epoch: 1, block, cells }
}

fn known(cells: &Cells) -> Option<Known> {
    cells.load().get("aurora").and_then(|models| models.get("llama")).copied()
}

/// Validators 1, 2, 3 with 50, 30 and 21 of the stake; 4 has no permit.
fn members() -> Members {
    Members::with([(1, true, 50), (2, true, 30), (3, true, 21), (4, false, 1_000)])
}

#[test]
fn kinds_of_tasks_count_by_their_numbers_when_one_validator_reports() {
    let (cells, now) = (Cells::default(), Instant::now());
    cells.take([1; 32], table(9, vec![cell("math", 30, 30, 24, 100), cell("json", 20, 10, 6, 500)]), now);
    assert!(cells.merge(&members(), KEEP, now));
    let known = known(&cells).unwrap();
    assert_eq!(known.quality, Ppb::from_percent(75));
    assert_eq!(known.error_ppm, 200_000);
    assert_eq!((known.latency.p50_ms, known.latency.p95_ms), (200, 400));
    assert_eq!(cells.to_wire()[0].validators, 1);
    assert!(!cells.merge(&members(), KEEP, now), "nothing changed");
}

#[test]
fn merge_counts_what_changed_when_tables_permits_or_stakes_do() {
    let (cells, now) = (Cells::default(), Instant::now());
    cells.take([1; 32], table(u64::MAX, vec![cell("math", 10, 10, 9, 100)]), now);
    cells.take([2; 32], table(9, vec![cell("math", 10, 10, 5, 100)]), now);
    assert!(cells.merge(&members(), KEEP, now));
    assert_eq!(known(&cells).unwrap().quality, Ppb::from_percent(90));
    assert!(cells.merge(&Members::with([(1, true, 50), (2, true, 60)]), KEEP, now), "stake moved");
    assert_eq!(known(&cells).unwrap().quality, Ppb::from_percent(50));
    assert!(cells.merge(&Members::with([(1, true, 50)]), KEEP, now), "a permit went");
    assert_eq!(known(&cells).unwrap().quality, Ppb::from_percent(90));
    // Whatever block the table before named, the next one counts.
    cells.take([1; 32], table(9, vec![cell("math", 10, 10, 8, 100)]), now);
    assert!(cells.merge(&Members::with([(1, true, 50)]), KEEP, now), "a table came");
    assert_eq!(known(&cells).unwrap().quality, Ppb::from_percent(80));
}

#[test]
fn minority_moves_nothing_when_others_agree() {
    let (cells, now) = (Cells::default(), Instant::now());
    cells.take([1; 32], table(9, vec![cell("math", 10, 0, 0, 0)]), now);
    cells.take([2; 32], table(9, vec![cell("math", 10, 10, 9, 100)]), now);
    cells.take([3; 32], table(9, vec![cell("math", 10, 10, 8, 120)]), now);
    cells.take([4; 32], table(9, vec![cell("math", 10, 0, 0, 9_000)]), now);
    cells.merge(&members(), KEEP, now);
    // 51 of 101 say that everything is answered; the lower median of quality is among those who checked an answer.
    let known = known(&cells).unwrap();
    assert_eq!((known.error_ppm, known.quality), (0, Ppb::from_percent(90)));
    assert_eq!((known.latency.p50_ms, known.validators), (100, 3));
}

#[test]
fn table_is_forgotten_when_it_is_old_or_its_validator_has_gone() {
    let (cells, now) = (Cells::default(), Instant::now());
    cells.take([1; 32], table(9, vec![cell("math", 10, 10, 9, 100)]), now);
    cells.merge(&members(), KEEP, now);
    assert!(!cells.merge(&members(), KEEP, now + KEEP));
    assert!(cells.merge(&members(), KEEP, now + KEEP + Duration::from_millis(1)));
    assert_eq!(known(&cells), None);
    cells.take([1; 32], table(9, vec![cell("math", 10, 10, 9, 100)]), now);
    assert!(cells.merge(&members(), KEEP, now));
    assert!(cells.merge(&Members::with([(1, false, 50)]), KEEP, now));
    assert_eq!(known(&cells), None);
}
