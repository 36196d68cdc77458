// SPDX-License-Identifier: Apache-2.0

//! The price of a registration.

use super::mock::*;
use crate::{price::*, *};
use frame_support::assert_ok;
use proptest::prelude::*;

#[test]
fn price_halves_when_its_half_life_has_passed() {
    for half_life in [1_u16, 2, 7, 360, 10_000] {
        let start = 1_000 * TAO;
        let price = (0..half_life).fold(TaoBalance(start), |price, _| decayed(price, half_life));
        let lost = (start / 2).abs_diff(price.0);
        // One rao of rounding per block at most.
        assert!(lost <= u64::from(half_life), "half-life {half_life}: {price}");
    }
    assert_eq!(decayed(TaoBalance(5), 0), TaoBalance(5));
}

#[test]
fn price_rises_by_26_percent_when_a_neuron_is_registered() {
    Ext::default().build_and_execute(|| {
        Burn::<Test>::insert(NETUID, TaoBalance(TAO));
        let call = |number| SubtensorModule::burned_register(RuntimeOrigin::signed(cold(number)), NETUID, hot(number));
        assert_ok!(call(50));
        assert_eq!(Burn::<Test>::get(NETUID).0, 1_260_000_000);
        MaxBurn::<Test>::insert(NETUID, TaoBalance(TAO));
        run_to(2);
        assert_eq!(Burn::<Test>::get(NETUID).0, TAO);
        assert_ok!(call(51));
        assert_eq!(Burn::<Test>::get(NETUID).0, TAO);
    });
}

#[test]
fn price_stops_falling_when_it_reaches_its_minimum() {
    Ext::with(|parameters| parameters.burn_half_life = Some(1)).build_and_execute(|| {
        run_to(100);
        assert_eq!(Burn::<Test>::get(NETUID), MinBurn::<Test>::get(NETUID));
    });
}

proptest! {
    #[test]
    fn price_falls_by_the_exact_factor_when_any(price in 0_u64..=100_000_000_000, half_life in 1_u16..) {
        let exact = price as f64 * (-core::f64::consts::LN_2 / f64::from(half_life)).exp();
        let given = decayed(TaoBalance(price), half_life).0 as f64;
        prop_assert!((exact - given).abs() <= 1.001, "{} for {}", given, exact);
    }

    #[test]
    fn price_never_leaves_its_bounds_when_any(price: u64, min: u64, max: u64) {
        let given = clamped(TaoBalance(price), TaoBalance(min), TaoBalance(max)).0;
        prop_assert!(given <= max);
        prop_assert!(given >= min || given == max);
    }
}
