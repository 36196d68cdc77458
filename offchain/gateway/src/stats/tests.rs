// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;

#[test]
fn steps_are_in_order_and_hold_their_floor_when_walked() {
    let mut last = 0;
    for ms in 0..200_000u32 {
        let step = step(ms);
        assert!(step >= last && step < STEPS && floor_ms(step) <= ms.min(131_071), "{ms}");
        assert!(!(4..=131_071).contains(&ms) || ms < floor_ms(step + 1), "{ms}");
        last = step;
    }
    assert_eq!(last, STEPS - 1);
}

#[test]
fn percentiles_are_within_a_step_when_measured() {
    let mut window = Window::default();
    assert_eq!(window.latency(), Latency::default());
    (1..=100).for_each(|ms| window.record(ms));
    let latency = window.latency();
    assert!((40..=50).contains(&latency.p50_ms), "{latency:?}");
    assert!((80..=95).contains(&latency.p95_ms), "{latency:?}");
    assert!((80..=99).contains(&latency.p99_ms), "{latency:?}");
    assert!((85..=100).contains(&latency.ewma_ms), "{latency:?}");
}

#[test]
fn recent_latencies_outweigh_old_ones_when_there_are_many() {
    let mut window = Window::default();
    (0..5_000).for_each(|_| window.record(1_000));
    (0..600).for_each(|_| window.record(10));
    assert_eq!(window.latency().p50_ms, 10);
    assert!(window.count < HALVE_AT);
}

#[test]
fn health_falls_when_requests_fail_and_recovers_when_served() {
    let stats = TargetStats::default();
    let model = Arc::from("m");
    stats.failed();
    let after_failure = stats.health_ppm();
    stats.breached();
    let after_breach = stats.health_ppm();
    assert!(after_failure < HEALTHY && after_breach < after_failure - 200_000);
    (0..200).for_each(|_| stats.served(&model, 0));
    assert_eq!(stats.health_ppm(), HEALTHY);
    assert_eq!(stats.latency("m").ewma_ms, 1);
    assert_eq!(stats.latency("x"), Latency::default());
    (0..200).for_each(|_| stats.breached());
    assert_eq!(stats.health_ppm(), 0);
}

#[test]
fn measurements_outlive_a_connection_until_the_hotkey_is_gone() {
    let stats = Stats::default();
    stats.of(&[1; 32]).set_ghost(true);
    assert!(stats.of(&[1; 32]).is_ghost());
    stats.retain(|hotkey| hotkey != &[1; 32]);
    assert!(!stats.of(&[1; 32]).is_ghost());
}
