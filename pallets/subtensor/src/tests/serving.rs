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

fn serve_tls(certificate: &[u8]) -> DispatchResult {
    SubtensorModule::serve_axon_tls(signed(3), NETUID, 7, ADDRESS, 80, 4, 4, 0, 0, certificate.to_vec())
}

#[test]
fn certificate_is_stored_with_the_axon_when_it_is_one() {
    Ext::with(|parameters| parameters.serving_rate_limit = Some(0)).build_and_execute(|| {
        let stored =
            || NeuronCertificates::<Test>::get(NETUID, hot(3)).map(|found| (found.algorithm, found.public_key));
        let longest: Vec<u8> = (0..65).collect();
        assert_ok!(serve_tls(&longest));
        assert_eq!(stored(), Some((0, longest[1..].to_vec().try_into().unwrap())));
        // What is no certificate leaves the old one, and the axon is served.
        for bytes in [&[][..], &[1; 66]] {
            assert_ok!(serve_tls(bytes));
            assert_eq!(last_event(), Event::AxonServed(NETUID, hot(3)));
            assert_eq!(stored().unwrap().0, 0);
        }
        assert_ok!(serve_tls(&[9]));
        assert_eq!(stored(), Some((9, Default::default())));
        assert_ok!(serve(3, ADDRESS, 81, 4));
        assert_eq!(stored(), Some((9, Default::default())));
        assert_noop!(
            SubtensorModule::serve_axon_tls(signed(3), NETUID, 7, ADDRESS, 0, 4, 4, 0, 0, vec![1]),
            Error::<Test>::InvalidPort
        );
    });
}

#[test]
fn metrics_address_is_checked_when_it_is_announced() {
    Ext::default().build_and_execute(|| {
        let call =
            |number, ip, port, ip_type| SubtensorModule::serve_prometheus(signed(number), NETUID, 7, ip, port, ip_type);
        assert_noop!(call(200, ADDRESS, 80, 5), Error::<Test>::InvalidIpType);
        assert_noop!(call(200, 0, 80, 4), Error::<Test>::InvalidIpAddress);
        assert_noop!(call(200, 1, 80, 6), Error::<Test>::InvalidIpAddress);
        assert_noop!(call(200, ADDRESS, 80, 4), Error::<Test>::HotKeyNotRegisteredInNetwork);
        assert_noop!(call(3, ADDRESS, 0, 4), Error::<Test>::InvalidPort);
        assert_ok!(call(3, ADDRESS, 80, 4));
        assert_eq!(last_event(), Event::PrometheusServed(NETUID, hot(3)));
        let info = PrometheusInfo { block: 1, version: 7, ip: ADDRESS, port: 80, ip_type: 4 };
        assert_eq!(Prometheus::<Test>::get(NETUID, hot(3)), Some(info));
        run_to(50);
        assert_noop!(call(3, ADDRESS, 80, 4), Error::<Test>::ServingRateLimitExceeded);
        // The axon has a limit of its own.
        assert_ok!(serve(3, ADDRESS, 80, 4));
        run_to(51);
        assert_ok!(call(3, ADDRESS, 81, 4));
    });
}
