// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::arithmetic_side_effects, clippy::float_arithmetic)]

use super::*;
use proptest::prelude::*;

const TAO: u64 = 1_000_000_000;

#[test]
fn price_halves_when_its_half_life_has_passed() {
    for half_life in [1_u16, 2, 7, 360, 10_000] {
        let start = 1_000 * TAO;
        let price = (0..half_life).fold(Rao(start), |price, _| decayed(price, half_life));
        let lost = (start / 2).abs_diff(price.get());
        // One rao of rounding per block at most.
        assert!(lost <= u64::from(half_life), "half-life {half_life}: {price}");
    }
    assert_eq!(decayed(Rao(5), 0), Rao(5));
}

#[test]
fn price_rises_by_the_factor_when_raised() {
    let (one, double) = (1_u128 << 64, 2_u128 << 64);
    assert_eq!(raised(Rao(7), one), Rao(7));
    assert_eq!(raised(Rao(7), double + one / 2), Rao(17));
    assert_eq!(raised(Rao::MAX, double), Rao::MAX);
    assert_eq!(raised(Rao(7), 0), Rao::ZERO);
    // 1.26 as the public chain stores it.
    assert_eq!(raised(Rao(TAO), 0x0001_428f_5c28_f5c2_9000), Rao(1_260_000_000));
}

#[test]
fn price_of_a_subnet_doubles_and_falls_by_the_last_one_per_interval_when_time_passes() {
    let price = |passed| subnet_price(Rao(100 * TAO), passed, 1_000, Rao(TAO)).get();
    assert_eq!(price(0), 200 * TAO);
    assert_eq!(price(500), 150 * TAO);
    assert_eq!(price(1_000), 100 * TAO);
    assert_eq!(price(1_900), 10 * TAO);
    assert_eq!(price(2_000), TAO);
    assert_eq!(price(u64::MAX), TAO);
    // The fall is rounded up.
    assert_eq!(subnet_price(Rao(10), 1, 3, Rao::ZERO), Rao(16));
    assert_eq!(subnet_price(Rao(10), 1, 0, Rao::ZERO), Rao(10));
    assert_eq!(subnet_price(Rao::MAX, 0, 1, Rao::ZERO), Rao::MAX);
}

#[test]
fn strangers_fee_grows_by_a_rao_when_the_call_is_a_byte_longer() {
    assert_eq!(strangers_fee(0), Rao(100_000));
    assert_eq!(strangers_fee(200), Rao(100_200));
    assert_eq!(strangers_fee(u64::MAX), Rao::MAX);
}

proptest! {
    #[test]
    fn price_falls_by_the_exact_factor_when_any(price in 0_u64..=100_000_000_000, half_life in 1_u16..) {
        let exact = price as f64 * (-core::f64::consts::LN_2 / f64::from(half_life)).exp();
        let given = decayed(Rao(price), half_life).get() as f64;
        prop_assert!((exact - given).abs() <= 1.001, "{} for {}", given, exact);
    }

    #[test]
    fn price_never_leaves_its_bounds_when_any(price: u64, min: u64, max: u64) {
        let given = clamped(Rao(price), Rao(min), Rao(max)).get();
        prop_assert!(given <= max);
        prop_assert!(given >= min || given == max);
    }

    #[test]
    fn price_of_a_subnet_only_falls_when_blocks_pass(last: u64, passed: u64, later: u64, interval: u64, least: u64) {
        let price = |passed| subnet_price(Rao(last), passed, interval, Rao(least));
        let (now, then) = (price(passed), price(passed.saturating_add(later)));
        prop_assert!(then <= now && then >= Rao(least));
        prop_assert!(now <= Rao(last.saturating_mul(2).max(least)));
    }

    #[test]
    fn raising_then_waiting_orders_prices_as_before_when_any(low: u64, high: u64, factor: u128, half_life: u16) {
        let (low, high) = (Rao(low.min(high)), Rao(low.max(high)));
        prop_assert!(raised(low, factor) <= raised(high, factor));
        prop_assert!(decayed(low, half_life) <= decayed(high, half_life));
        prop_assert!(decayed(high, half_life) <= high);
    }
}
