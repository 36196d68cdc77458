// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use alloc::vec::Vec;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Zero};
use proptest::prelude::*;

use super::*;

const BAND: Ppb = Ppb::from_percent(50);

fn percent(p: u32) -> Ppb {
    Ppb::from_percent(p)
}

fn name(text: &str) -> EndpointName {
    EndpointName::new(text).unwrap()
}

fn costs(list: &[(&str, u128)]) -> Vec<EndpointCost> {
    list.iter().map(|(endpoint, cost)| EndpointCost { endpoint: name(endpoint), cost: *cost }).collect()
}

#[test]
fn accuracy_falls_linearly_to_zero_when_the_error_reaches_the_band() {
    for (claim, expected) in [(100, 100), (110, 80), (90, 80), (125, 50), (150, 0), (50, 0), (1_000, 0), (0, 0)] {
        assert_eq!(accuracy([(claim, 100)], BAND), percent(expected), "{claim}");
    }
}

#[test]
fn accuracy_is_the_mean_when_there_are_several_metrics() {
    assert_eq!(accuracy([(100, 100), (125, 100)], BAND), percent(75));
    assert_eq!(accuracy([(100, 100), (900, 100), (0, 0), (1, 0)], BAND), percent(50));
    assert_eq!(accuracy([], BAND), percent(0));
    assert_eq!(accuracy([(5, 5)], percent(0)), percent(100));
    assert_eq!(accuracy([(6, 5)], percent(0)), percent(0));
    assert_eq!(accuracy([(u64::MAX, u64::MAX - 1)], BAND).parts(), 999_999_999);
}

#[test]
fn cell_accuracy_is_one_when_telemetry_is_equal() {
    let telemetry = CellTelemetry {
        n: 100,
        ok: 90,
        answers_checked: 50,
        answers_right: 40,
        p50_ttft_ms: 300,
        p50_total_ms: 2_000,
        p95_total_ms: 4_000,
        tokens_per_second_milli: 60_000,
        cost_per_1k_tokens_nano_usd: 900_000,
        ..Default::default()
    };
    assert_eq!(cell_accuracy(&telemetry, &telemetry, BAND), percent(100));
    // The same rates from other counts.
    let more = CellTelemetry { n: 200, ok: 180, answers_checked: 100, answers_right: 80, ..telemetry.clone() };
    assert_eq!(cell_accuracy(&more, &telemetry, BAND), percent(100));
    // One of seven metrics wrong beyond the band; of six, where the reference has no answers.
    let wrong = CellTelemetry { p95_total_ms: 9_000, ..telemetry.clone() };
    assert_eq!(cell_accuracy(&wrong, &telemetry, BAND).parts(), 857_142_857);
    let unchecked = CellTelemetry { answers_checked: 0, answers_right: 0, ..telemetry.clone() };
    assert_eq!(cell_accuracy(&wrong, &unchecked, BAND).parts(), 833_333_333);
}

#[test]
fn usefulness_is_the_regret_avoided_when_the_primary_is_measured() {
    let measured = costs(&[("a", 100), ("b", 200), ("c", 600)]);
    // Uniform regret: (0 + 100 + 500) / 3 = 200.
    for (primary, expected) in [("a", 100), ("b", 50), ("c", 0), ("unknown", 0)] {
        assert_eq!(usefulness(&[name(primary), name("a")], &measured), percent(expected), "{primary}");
    }
    assert_eq!(usefulness(&[], &measured), percent(0));
    assert_eq!(usefulness(&[name("a")], &[]), percent(0));
}

#[test]
fn usefulness_is_one_for_everyone_when_endpoints_are_equally_good() {
    let measured = costs(&[("a", 100), ("b", 100)]);
    for primary in ["a", "b", "c"] {
        assert_eq!(usefulness(&[name(primary)], &measured), percent(100));
    }
    assert_eq!(usefulness(&[], &measured), percent(0));
}

#[test]
fn endpoint_cost_adds_price_and_time_when_converted() {
    // 1.5 s at 0.001 dollars per second and 0.0002 dollars: 0.0017 dollars.
    assert_eq!(endpoint_cost(1_500, 200_000, &IntelParams::clawrank()), 1_700_000);
}

#[test]
fn coverage_is_the_part_of_the_value_when_some_cells_are_covered() {
    assert_eq!(coverage(30, 120), percent(25));
    assert_eq!(coverage(120, 120), percent(100));
    assert_eq!(coverage(500, 120), percent(100));
    assert_eq!(coverage(0, 0), percent(0));
}

#[test]
fn cell_score_weighs_its_parts_when_the_gate_is_open() {
    fn check(gate: bool, a: u32, u: u32, f: u32, c: u32, expected: u32) {
        let input = CellInput {
            gate,
            accuracy: percent(a),
            usefulness: percent(u),
            freshness: percent(f),
            coverage: percent(c),
        };
        assert_eq!(cell_score(&input, &IntelParams::clawrank()), Ppb::from_permille(expected), "{input:?}");
    }
    check(true, 100, 100, 100, 100, 1_000);
    check(true, 100, 0, 0, 0, 450);
    check(true, 0, 100, 0, 0, 250);
    check(true, 0, 0, 100, 0, 200);
    // Coverage without accuracy earns nothing.
    check(true, 0, 0, 0, 100, 0);
    check(true, 50, 0, 0, 100, 275);
    check(true, 80, 40, 50, 50, 600);
    check(false, 100, 100, 100, 100, 0);
}

#[test]
fn intel_score_is_the_value_weighted_sum_when_cells_are_added() {
    let mut score = IntelScore::new();
    score.add(10, percent(50));
    score.add(u64::MAX, percent(100));
    assert_eq!(score.get(), 5_000_000_000 + u128::from(u64::MAX) * 1_000_000_000);
}

#[test]
fn freshness_halves_when_an_epoch_has_passed() {
    let params = IntelParams::clawrank();
    assert_eq!(cell_freshness(0, 360, 50, &params), percent(100));
    assert_eq!(cell_freshness(360, 360, 50, &params), percent(50));
    let slow = IntelParams { half_life_epochs: 2, ..params };
    assert_eq!(cell_freshness(720, 360, 50, &slow), percent(50));
}

proptest! {
    #[test]
    fn accuracy_equals_the_oracle_when_any(pairs in proptest::collection::vec((any::<u64>(), any::<u64>()), 1..8), near in 0u32..63) {
        // Half of the pairs are made close, so that the band matters.
        let pairs: Vec<(u64, u64)> = pairs.into_iter()
            .map(|(a, b)| if a & 1 == 0 { (b.saturating_add(a >> (63 - near)), b) } else { (a, b) }).collect();
        let one = BigRational::one();
        let sum = pairs.iter().fold(BigRational::zero(), |sum, (claim, reference)| {
            let error = BigInt::from(claim.abs_diff(*reference));
            let worth = match *reference {
                0 if *claim == 0 => one.clone(),
                0 => BigRational::zero(),
                reference => (&one - BigRational::new(error * 2, BigInt::from(reference))).max(BigRational::zero()),
            };
            sum + worth
        });
        let exact = sum / BigRational::from(BigInt::from(pairs.len())) * BigRational::from(BigInt::from(1_000_000_000));
        let short = exact - BigRational::from(BigInt::from(accuracy(pairs, BAND).parts()));
        prop_assert!(short >= BigRational::zero() && short < BigRational::from(BigInt::from(2)), "{}", short);
    }

    #[test]
    fn usefulness_equals_the_oracle_when_any(list in proptest::collection::vec(any::<u64>(), 1..8), pick in any::<prop::sample::Index>()) {
        let measured: Vec<EndpointCost> = list.iter().zip(0..)
            .map(|(cost, i)| EndpointCost { endpoint: name(&alloc::format!("e{i}")), cost: u128::from(*cost) }).collect();
        let pick = pick.index(list.len());
        let best = *list.iter().min().unwrap();
        let regret = |cost: u64| BigRational::from(BigInt::from(cost - best));
        let uniform = list.iter().fold(BigRational::zero(), |sum, c| sum + regret(*c)) / BigInt::from(list.len());
        let exact = if uniform.is_zero() { BigRational::one() } else { (BigRational::one() - regret(list[pick]) / uniform).max(BigRational::zero()) };
        let expected = (exact * BigRational::from(BigInt::from(1_000_000_000))).floor().to_integer();
        let found = usefulness(&[measured[pick].endpoint.clone()], &measured);
        prop_assert_eq!(BigInt::from(found.parts()), expected);
    }

    #[test]
    fn cell_score_never_falls_when_any_part_grows(
        parts in proptest::collection::vec(0u32..=1_000_000_000, 4), more in 0u32..=1_000_000_000, which in 0usize..4,
    ) {
        let ppb = |p: u32| Ppb::from_ppb_clamped(u128::from(p));
        let score = |p: &[u32]| {
            let input = CellInput { gate: true, accuracy: ppb(p[0]), usefulness: ppb(p[1]), freshness: ppb(p[2]), coverage: ppb(p[3]) };
            cell_score(&input, &IntelParams::clawrank())
        };
        let mut grown = parts.clone();
        grown[which] = grown[which].saturating_add(more).min(1_000_000_000);
        prop_assert!(score(&grown) >= score(&parts));
        prop_assert!(score(&[1_000_000_000; 4]) >= score(&grown));
    }
}
