// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::vec;

use super::*;
use crate::Reason;

const CELL: Hash = [1; 32];

fn claim() -> CellTelemetry {
    CellTelemetry {
        cell: CELL,
        n: 100,
        ok: 96,
        answers_checked: 100,
        answers_right: 90,
        p50_ttft_ms: 400,
        p50_total_ms: 2_000,
        ..Default::default()
    }
}

/// `k` replays that confirm [`claim`]: alternately somewhat slower and faster, all `Ok` and right.
fn replays(k: u32) -> Vec<Replay> {
    (0..k)
        .map(|i| {
            let mut task_id = [0; 32];
            task_id[..4].copy_from_slice(&i.to_le_bytes());
            Replay {
                cell: CELL,
                task_id,
                status: AttemptStatus::Ok,
                ttft_ms: 360 + 80 * (i % 2),
                total_ms: 1_800 + 400 * (i % 2),
                schema: SchemaVerdict::NotChecked,
                answer: AnswerVerdict::Right,
            }
        })
        .collect()
}

fn run(claim: CellTelemetry, replays: &[Replay]) -> (CellStatus, u32, Option<Trip>) {
    let (cells, tests, trip) = check_statistics(&[claim], replays, &GateParams::clawrank());
    assert_eq!(cells.len(), 1);
    (cells[0].status, tests, trip)
}

fn evidence(trip: Option<Trip>) -> (Reason, StatisticEvidence) {
    match trip {
        Some(Trip { reason, evidence: Evidence::Statistic(evidence) }) => (reason, evidence),
        other => panic!("no statistical trip: {other:?}"),
    }
}

#[test]
fn cell_is_verified_when_replays_confirm_it() {
    // Both medians on both sides, success and answers on the side on which they can fail.
    assert_eq!(run(claim(), &replays(32)), (CellStatus::Verified, 6, None));
    assert_eq!(run(claim(), &replays(8)), (CellStatus::Verified, 6, None));
}

#[test]
fn cell_is_unverified_when_replays_are_too_few() {
    assert_eq!(run(claim(), &replays(7)), (CellStatus::Unverified, 0, None));
    assert_eq!(run(claim(), &[]), (CellStatus::Unverified, 0, None));
}

#[test]
fn cell_is_unverified_when_attempts_are_too_few() {
    let few = CellTelemetry { n: 29, ok: 29, answers_checked: 29, answers_right: 29, ..claim() };
    assert_eq!(run(few, &replays(32)), (CellStatus::Unverified, 0, None));
    // A claim with enough attempts but too few good ones is still held to its success rate.
    let failing = CellTelemetry { n: 60, ok: 29, answers_checked: 0, ..claim() };
    let (status, tests, trip) = run(failing, &replays(32));
    assert_eq!((status, tests), (CellStatus::Unverified, 2));
    let (reason, evidence) = evidence(trip);
    assert_eq!((reason, evidence.side), (Reason::SuccessOutOfTolerance, Side::Better));
}

#[test]
fn cell_is_unverified_when_a_task_is_replayed_again_and_again() {
    let mut same = replays(32);
    same.iter_mut().for_each(|replay| replay.task_id = [9; 32]);
    assert_eq!(run(claim(), &same), (CellStatus::Unverified, 0, None));
}

#[test]
fn latency_trips_with_its_numbers_when_both_medians_are_halved() {
    let halved = CellTelemetry { p50_ttft_ms: 200, p50_total_ms: 1_000, ..claim() };
    let (status, tests, trip) = run(halved, &replays(32));
    assert_eq!(status, CellStatus::Verified);
    let (reason, evidence) = evidence(trip);
    assert_eq!(reason, Reason::LatencyOutOfTolerance);
    let expected = StatisticEvidence {
        cell: CELL,
        metric: Metric::Ttft,
        side: Side::Worse,
        claimed: 200,
        bound: 255,
        n: 96,
        k: 32,
        observed: 32,
        tail: Ppb::from_ppb(1).unwrap(),
        tests,
    };
    assert_eq!(evidence, expected);
}

#[test]
fn latency_trips_on_either_metric_and_side_when_only_one_is_wrong() {
    let trip_of = |claim| {
        let (reason, evidence) = evidence(run(claim, &replays(32)).2);
        assert_eq!(reason, Reason::LatencyOutOfTolerance);
        (evidence.metric, evidence.side)
    };
    assert_eq!(trip_of(CellTelemetry { p50_ttft_ms: 200, ..claim() }), (Metric::Ttft, Side::Worse));
    assert_eq!(trip_of(CellTelemetry { p50_ttft_ms: 800, ..claim() }), (Metric::Ttft, Side::Better));
    assert_eq!(trip_of(CellTelemetry { p50_total_ms: 1_000, ..claim() }), (Metric::Total, Side::Worse));
    assert_eq!(trip_of(CellTelemetry { p50_total_ms: 4_000, ..claim() }), (Metric::Total, Side::Better));
}

#[test]
fn latency_holds_when_the_difference_is_within_the_slack() {
    // An endpoint of 4 ms that answers in 9: beyond any relative tolerance, below the absolute one.
    let fast = CellTelemetry { p50_ttft_ms: 4, p50_total_ms: 4, ..claim() };
    let mut slower = replays(32);
    for replay in &mut slower {
        (replay.ttft_ms, replay.total_ms) = (10, 10);
    }
    assert_eq!(run(fast.clone(), &slower).2, None);
    slower.iter_mut().for_each(|replay| replay.total_ms = 11);
    assert_eq!(evidence(run(fast, &slower).2).1.metric, Metric::Total);
}

#[test]
fn success_trips_when_replays_fail_more_than_claimed() {
    let mut failing = replays(32);
    failing.iter_mut().take(20).for_each(|replay| replay.status = AttemptStatus::ServerError);
    let (reason, evidence) = evidence(run(claim(), &failing).2);
    assert_eq!(reason, Reason::SuccessOutOfTolerance);
    assert_eq!((evidence.claimed, evidence.bound, evidence.observed), (960_000_000, 720_000_000, 12));
    // 23 of 32 is the rate widened by the tolerance.
    let mut within = replays(32);
    within.iter_mut().take(9).for_each(|replay| replay.status = AttemptStatus::Timeout);
    assert_eq!(run(claim(), &within).2, None);
}

#[test]
fn answers_trip_when_replays_are_wrong_more_than_claimed() {
    let mut wrong = replays(32);
    wrong.iter_mut().take(24).for_each(|replay| replay.answer = AnswerVerdict::Wrong);
    let (reason, evidence) = evidence(run(claim(), &wrong).2);
    assert_eq!((reason, evidence.metric, evidence.side), (Reason::AnswerOutOfTolerance, Metric::Answers, Side::Worse));
}

#[test]
fn answers_are_not_tested_when_nobody_checked_them() {
    let mut unchecked = replays(32);
    unchecked.iter_mut().for_each(|replay| replay.answer = AnswerVerdict::NotChecked);
    assert_eq!(run(claim(), &unchecked), (CellStatus::Verified, 5, None));
    let no_claim = CellTelemetry { answers_checked: 0, answers_right: 0, ..claim() };
    assert_eq!(run(no_claim, &replays(32)), (CellStatus::Verified, 5, None));
}

#[test]
fn level_falls_when_more_cells_are_tested() {
    // 29 of 32 slower: enough in a submission of 50 cells with 6 tests each, not in one of 67.
    let halved = CellTelemetry { p50_ttft_ms: 260, ..claim() };
    let mut replays_of = replays(32);
    replays_of.iter_mut().take(29).for_each(|replay| replay.ttft_ms = 420);
    replays_of.iter_mut().skip(29).for_each(|replay| replay.ttft_ms = 260);
    let trips = |cells: u8| {
        let (mut claims, mut all) = (vec![], vec![]);
        for index in 0..cells {
            let cell = [index; 32];
            claims.push(CellTelemetry { cell, ..if index == 0 { halved.clone() } else { claim() } });
            let of_cell = if index == 0 { replays_of.clone() } else { replays(32) };
            all.extend(of_cell.into_iter().map(|replay| Replay { cell, ..replay }));
        }
        let (_, tests, trip) = check_statistics(&claims, &all, &GateParams::clawrank());
        assert_eq!(tests, 6 * u32::from(cells));
        trip.is_some()
    };
    assert!(trips(50));
    assert!(!trips(67));
}

#[test]
fn noise_of_the_claim_is_no_lie_when_the_claim_is_small() {
    // 29 of 32 slower again, but the claim is the median of 8: attempts and replays drawn alike do that too often.
    let mut slower = replays(32);
    slower.iter_mut().take(29).for_each(|replay| replay.ttft_ms = 420);
    slower.iter_mut().skip(29).for_each(|replay| replay.ttft_ms = 260);
    let params = GateParams { n_min: 8, ..GateParams::clawrank() };
    let of = |n| CellTelemetry { n, ok: n, answers_checked: 0, answers_right: 0, p50_ttft_ms: 260, ..claim() };
    assert_eq!(check_statistics(&[of(8)], &slower, &params).2, None);
    assert!(check_statistics(&[of(100)], &slower, &params).2.is_some());
    assert!(check_statistics(&[of(60_000)], &slower, &params).2.is_some());
}

#[test]
fn replays_beyond_256_and_of_other_cells_are_ignored_when_given() {
    let mut many = replays(300);
    many.iter_mut().skip(256).for_each(|replay| replay.status = AttemptStatus::ServerError);
    many.push(Replay { cell: [9; 32], ..many[0].clone() });
    let (cells, _, trip) = check_statistics(&[claim()], &many, &GateParams::clawrank());
    assert_eq!((cells[0].replays, trip), (256, None));
}

#[test]
fn nothing_panics_when_claims_are_absurd() {
    for (n, ok, ms) in [(0, u32::MAX, u32::MAX), (u32::MAX, u32::MAX, u32::MAX), (30, 31, 0), (30, u32::MAX, 1)] {
        let absurd = CellTelemetry {
            n,
            ok,
            answers_checked: n,
            answers_right: ok,
            p50_ttft_ms: ms,
            p50_total_ms: ms,
            ..claim()
        };
        let params = GateParams { k_min: 0, n_min: 0, ..GateParams::clawrank() };
        let (cells, _, _) = check_statistics(&[absurd], &replays(256), &params);
        assert_eq!(cells.len(), 1);
    }
}
