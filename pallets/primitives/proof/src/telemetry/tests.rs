// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use alloc::vec;

use clawrank_units::MicroUsd;
use proptest::prelude::*;

use super::*;
use crate::testing::attempt;

#[test]
fn nearest_rank_is_the_smallest_value_with_enough_below_when_sorted() {
    fn check(mut values: Vec<u32>, percent: u32, expected: u32) {
        assert_eq!(nearest_rank(&mut values, percent), expected, "{percent} {values:?}");
    }
    check(vec![], 50, 0);
    check(vec![7], 50, 7);
    check(vec![7], 95, 7);
    check(vec![9, 1], 50, 1);
    check(vec![3, 1, 2], 50, 2);
    check(vec![4, 3, 2, 1], 50, 2);
    check((1..=20).rev().collect(), 95, 19);
    check((1..=21).collect(), 95, 20);
    check((1..=100).collect(), 95, 95);
    check((1..=100).collect(), 100, 100);
    check((1..=100).collect(), 0, 1);
}

#[test]
fn telemetry_counts_and_rates_when_statuses_are_mixed() {
    let base = |sequence, status, ttft_ms, total_ms| Attempt {
        status,
        ttft_ms,
        total_ms,
        input_tokens: 100,
        output_tokens: 50,
        cost: MicroUsd(30),
        schema: SchemaVerdict::NotChecked,
        answer: AnswerVerdict::NotChecked,
        ..attempt(sequence, [1; 32])
    };
    let attempts = vec![
        Attempt {
            schema: SchemaVerdict::Valid,
            answer: AnswerVerdict::Right,
            ..base(0, AttemptStatus::Ok, 100, 1_000)
        },
        Attempt {
            schema: SchemaVerdict::Invalid,
            answer: AnswerVerdict::Wrong,
            ..base(1, AttemptStatus::Ok, 300, 2_000)
        },
        Attempt { schema: SchemaVerdict::Valid, ..base(2, AttemptStatus::Ok, 200, 4_000) },
        base(3, AttemptStatus::Timeout, 8_000, 8_000),
        base(4, AttemptStatus::ServerError, 5, 5),
    ];
    let expected = CellTelemetry {
        cell: [1; 32],
        n: 5,
        ok: 3,
        timeouts: 1,
        schema_valid: 2,
        schema_checked: 3,
        answers_right: 1,
        answers_checked: 2,
        p50_ttft_ms: 200,
        p95_ttft_ms: 300,
        p50_total_ms: 2_000,
        p95_total_ms: 4_000,
        // 150 tokens in 7 s.
        tokens_per_second_milli: 21_428,
        // 150 micro-dollars for 750 tokens: 200 micro-dollars, or 200,000 nano-dollars, per thousand.
        cost_per_1k_tokens_nano_usd: 200_000,
    };
    assert_eq!(summarise(&attempts), vec![expected]);
}

#[test]
fn telemetry_is_zero_when_no_attempt_is_ok() {
    let failed = Attempt {
        status: AttemptStatus::ServerError,
        input_tokens: 0,
        output_tokens: 0,
        schema: SchemaVerdict::NotChecked,
        answer: AnswerVerdict::NotChecked,
        ..attempt(0, [1; 32])
    };
    assert_eq!(summarise(&[failed]), vec![CellTelemetry { cell: [1; 32], n: 1, ..Default::default() }]);
    assert_eq!(summarise(&[]), vec![]);
}

#[test]
fn telemetry_saturates_when_sums_overflow() {
    let huge = Attempt {
        status: AttemptStatus::Ok,
        total_ms: 1,
        input_tokens: 0,
        output_tokens: u32::MAX,
        cost: MicroUsd(u64::MAX),
        ..attempt(0, [1; 32])
    };
    let telemetry = &summarise(&[huge])[0];
    assert_eq!(telemetry.tokens_per_second_milli, u64::from(u32::MAX) * 1_000_000);
    assert_eq!(telemetry.cost_per_1k_tokens_nano_usd, (u128::from(u64::MAX) * 1_000_000 / u128::from(u32::MAX)) as u64);
}

proptest! {
    #[test]
    fn telemetry_is_sorted_and_complete_and_ignores_order_when_attempts_are_shuffled(
        cells in proptest::collection::vec(0u8..6, 1..80), rotate in any::<usize>(),
    ) {
        let mut attempts: Vec<Attempt> = cells.iter().zip(0..).map(|(cell, i)| attempt(i, [*cell; 32])).collect();
        let telemetry = summarise(&attempts);
        prop_assert!(telemetry.is_sorted_by(|a, b| a.cell < b.cell));
        prop_assert_eq!(telemetry.iter().map(|t| t.n as usize).sum::<usize>(), attempts.len());
        for t in &telemetry {
            let mut total: Vec<u32> = attempts.iter()
                .filter(|a| a.cell == t.cell && a.status == AttemptStatus::Ok).map(|a| a.total_ms).collect();
            total.sort_unstable();
            let rank = |percent: usize| total.get((total.len() * percent).div_ceil(100).wrapping_sub(1)).copied().unwrap_or(0);
            prop_assert_eq!((t.p50_total_ms, t.p95_total_ms), (rank(50), rank(95)));
        }
        let middle = rotate % attempts.len();
        attempts.rotate_left(middle);
        prop_assert_eq!(summarise(&attempts), telemetry);
    }
}
