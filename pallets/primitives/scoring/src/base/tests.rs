// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::*;

fn check(whitelisted: bool, last_probe_ms: Option<u32>, answered: u32, probes: u32, percent: u32) {
    let input = ServingInput { whitelisted, last_probe_ms, answered, probes };
    assert_eq!(base(&input, &ServingParams::clawrank()), Ppb::from_percent(percent), "{input:?}");
}

#[test]
fn base_sums_its_parts_when_the_probe_was_answered() {
    check(true, Some(99), 100, 100, 100);
    check(false, Some(99), 100, 100, 70);
    check(true, Some(99), 50, 100, 95);
    check(true, Some(99), 1, 1, 100);
    // No probe counted yet, but the last one answered: no reliability.
    check(true, Some(99), 0, 0, 90);
    check(true, Some(99), 9, 3, 100);
}

#[test]
fn response_time_steps_down_when_slower() {
    for (ms, percent) in [(0, 100), (99, 100), (100, 96), (499, 96), (500, 92), (999, 92), (1_000, 88), (1_999, 88)] {
        check(true, Some(ms), 100, 100, percent);
    }
    check(true, Some(2_000), 100, 100, 84);
    check(true, Some(u32::MAX), 100, 100, 84);
}

#[test]
fn base_is_zero_when_the_last_probe_failed() {
    check(true, None, 99, 100, 0);
    assert!(ServingInput::default().is_ghost());
}

#[test]
fn probe_window_forgets_when_older_than_its_history() {
    let params = ServingParams::clawrank();
    let mut window = ProbeWindow::new();
    assert_eq!((window.last_ms(), window.counts(100)), (None, (0, 0)));
    window.push(None);
    assert!(window.input(true, &params).is_ghost());
    for _ in 0..99 {
        window.push(Some(50));
    }
    assert_eq!(window.counts(100), (99, 100));
    assert_eq!(window.counts(10), (10, 10));
    window.push(Some(70));
    assert_eq!(window.counts(100), (100, 100));
    assert_eq!(
        window.input(true, &params),
        ServingInput { whitelisted: true, last_probe_ms: Some(70), answered: 100, probes: 100 }
    );
    for _ in 0..200 {
        window.push(None);
    }
    assert_eq!(window.counts(1_000), (0, MAX_PROBE_HISTORY));
    assert_eq!(window.last_ms(), None);
}

proptest! {
    #[test]
    fn probe_window_counts_what_a_list_counts_when_any(outcomes in proptest::collection::vec(any::<bool>(), 0..300), history in 0u32..=128) {
        let mut window = ProbeWindow::new();
        outcomes.iter().for_each(|ok| window.push(ok.then_some(1)));
        let tail = &outcomes[outcomes.len().saturating_sub(history as usize)..];
        let answered = tail.iter().filter(|ok| **ok).count() as u32;
        prop_assert_eq!(window.counts(history), (answered, tail.len() as u32));
    }

    #[test]
    fn base_is_at_most_one_and_never_rises_when_the_probe_is_slower(ms in 0u32..5_000, slower in 0u32..5_000, answered in 0u32..=100) {
        let at = |ms| base(&ServingInput { whitelisted: true, last_probe_ms: Some(ms), answered, probes: 100 }, &ServingParams::clawrank());
        prop_assert!(at(ms + slower) <= at(ms) && at(ms) <= Ppb::from_percent(100));
    }
}
