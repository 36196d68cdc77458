// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::float_arithmetic)]

use num_bigint::BigInt;
use num_rational::BigRational;
use proptest::prelude::*;

use super::*;

/// Whether `power`, in parts per billion, is within 1e-6 of `2^(−age/half_life)`; in integers.
///
/// With q = age/half_life, a value v is at least 2^(−q) exactly if v^half_life · 2^age ≥ 1.
fn within_a_millionth(age: u32, half_life: u32, power: u32) -> bool {
    let at_least = |parts: i64| {
        let value = BigRational::new(BigInt::from(parts.max(0)), BigInt::from(BILLION));
        value.pow(i32::try_from(half_life).unwrap())
            * BigRational::from(BigInt::from(2)).pow(i32::try_from(age).unwrap())
            >= BigRational::from(BigInt::from(1))
    };
    at_least(i64::from(power) + 1_000) && !at_least(i64::from(power) - 1_000)
}

#[test]
fn power_is_exact_when_the_age_is_whole_half_lives() {
    for halvings in 0..=29u64 {
        let exact = (1_000_000_000 + (1 << halvings >> 1)) >> halvings;
        assert_eq!(half_power(halvings * 360, 360), Ppb::from_ppb(exact).unwrap(), "{halvings}");
    }
    assert_eq!(half_power(31 * 7, 7).parts(), 0);
    assert_eq!(half_power(u64::MAX, 1).parts(), 0);
    assert_eq!(half_power(u64::MAX - 1, u64::MAX).parts(), 500_000_000);
}

#[test]
fn power_is_within_a_millionth_when_compared_with_integers() {
    for half_life in [1, 3, 7, 100, 360] {
        for age in 0..(3 * half_life) {
            assert!(
                within_a_millionth(age, half_life, half_power(age.into(), half_life.into()).parts()),
                "{age}/{half_life}"
            );
        }
    }
}

#[test]
fn power_is_worthless_when_the_half_life_is_zero() {
    assert_eq!(half_power(0, 0), Ppb::from_percent(100));
    assert_eq!(half_power(1, 0), Ppb::from_percent(0));
}

#[test]
fn freshness_is_discounted_when_attempts_are_few() {
    let of = |n| freshness(360, 360, n, 10);
    assert_eq!(of(0), Ppb::from_percent(0));
    assert_eq!(of(5), Ppb::from_percent(25));
    assert_eq!(of(10), Ppb::from_percent(50));
    assert_eq!(of(1_000), Ppb::from_percent(50));
    assert_eq!(freshness(0, 360, 0, 0), Ppb::from_percent(100));
}

proptest! {
    #[test]
    fn power_is_within_a_millionth_of_floats_when_any(age in 0u64..1_000_000, half_life in 1u64..1_000_000) {
        let exact = (-(age as f64) / (half_life as f64)).exp2();
        let error = (f64::from(half_power(age, half_life).parts()) / 1e9 - exact).abs();
        prop_assert!(error < 3e-7, "{error}");
    }

    #[test]
    fn power_never_rises_when_older(age in any::<u64>(), more in any::<u64>(), half_life in 1u64..) {
        prop_assert!(half_power(age.saturating_add(more), half_life) <= half_power(age, half_life));
    }
}
