// SPDX-License-Identifier: Apache-2.0

//! The price of a registration.

use super::mock::*;
use crate::*;
use frame_support::assert_ok;

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
