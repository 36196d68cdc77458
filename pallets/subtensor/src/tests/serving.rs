// SPDX-License-Identifier: Apache-2.0

//! Announcing an axon.

use super::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};

fn serve(number: u16, ip: u128, port: u16, ip_type: u8) -> DispatchResult {
    SubtensorModule::serve_axon(signed(number), NETUID, 7, ip, port, ip_type, 4, 1, 2)
}

const ADDRESS: u128 = 0x0102_0304;

#[test]
fn axon_is_stored_when_the_address_is_valid() {
    Ext::default().build_and_execute(|| {
        assert_ok!(serve(3, ADDRESS, 8080, 4));
        assert_eq!(
            Axons::<Test>::get(NETUID, hot(3)),
            Some(AxonInfo {
                block: 1,
                version: 7,
                ip: ADDRESS,
                port: 8080,
                ip_type: 4,
                protocol: 4,
                placeholder1: 1,
                placeholder2: 2,
            })
        );
        assert_eq!(last_event(), Event::AxonServed(NETUID, hot(3)));
    });
}

#[test]
fn axon_is_refused_when_the_address_is_not_valid() {
    Ext::default().build_and_execute(|| {
        assert_noop!(serve(200, ADDRESS, 80, 4), Error::<Test>::HotKeyNotRegisteredInNetwork);
        assert_noop!(serve(3, ADDRESS, 80, 5), Error::<Test>::InvalidIpType);
        assert_noop!(serve(3, 0x7f00_0001, 80, 4), Error::<Test>::InvalidIpAddress);
        assert_noop!(serve(3, u128::from(u32::MAX), 80, 4), Error::<Test>::InvalidIpAddress);
        assert_noop!(serve(3, 1 << 40, 80, 4), Error::<Test>::InvalidIpAddress);
        assert_noop!(serve(3, 1, 80, 6), Error::<Test>::InvalidIpAddress);
        assert_noop!(serve(3, u128::MAX, 80, 6), Error::<Test>::InvalidIpAddress);
        assert_noop!(serve(3, ADDRESS, 0, 4), Error::<Test>::InvalidPort);
        assert_ok!(serve(3, 0, 80, 4));
        assert_ok!(serve(4, 1 << 100, 80, 6));
    });
}

#[test]
fn axon_is_refused_when_it_was_announced_too_recently() {
    Ext::default().build_and_execute(|| {
        assert_ok!(serve(3, ADDRESS, 80, 4));
        run_to(50);
        assert_noop!(serve(3, ADDRESS, 81, 4), Error::<Test>::ServingRateLimitExceeded);
        run_to(51);
        assert_ok!(serve(3, ADDRESS, 81, 4));
        assert_eq!(Axons::<Test>::get(NETUID, hot(3)).unwrap().block, 51);
    });
}
