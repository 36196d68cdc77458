// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

const DAY: u32 = 1_440;

fn usage(tokens: u64) -> Usage {
    Usage { tokens, fee: MicroUsd(tokens / 10) }
}

#[test]
fn window_covers_the_last_1440_minutes_when_read() {
    let mut window = MinuteWindow::new();
    for minute in [560, 561, 2_000, 2_001] {
        window.add(minute, usage(10));
    }
    // At minute 2,000: 561 ..= 2,000.
    assert_eq!(window.usage_at(2_000, DAY), usage(20));
    assert_eq!(window.usage_at(1_999, DAY), usage(20));
    assert_eq!(window.usage_at(2_001, DAY), usage(20));
    assert_eq!(window.usage_at(559, DAY), Usage::default());
    assert_eq!(window.usage_at(3_440, DAY), usage(10));
    assert_eq!(window.usage_at(3_441, DAY), Usage::default());
    assert_eq!(window.usage_at(2_000, 0), Usage::default());
    assert_eq!(window.usage_at(2_000, 1), usage(10));
}

#[test]
fn window_starts_at_minute_zero_when_young() {
    assert_eq!(MinuteWindow::first_minute(5, DAY), 0);
    assert_eq!(MinuteWindow::first_minute(1_439, DAY), 0);
    assert_eq!(MinuteWindow::first_minute(1_440, DAY), 1);
    assert_eq!(MinuteWindow::minute_of(119_999), 1);
}

#[test]
fn window_saturates_when_sums_overflow() {
    let mut window = MinuteWindow::new();
    window.add(1, Usage { tokens: u64::MAX, fee: MicroUsd::MAX });
    window.add(1, usage(10));
    window.add(2, usage(10));
    assert_eq!(window.usage_at(2, DAY), Usage { tokens: u64::MAX, fee: MicroUsd::MAX });
}

proptest! {
    #[test]
    fn window_reads_the_same_when_pruned(
        added in proptest::collection::vec((0u64..200, 0u64..1_000), 0..60), at in 0u64..300, length in 1u32..100,
    ) {
        let mut window = MinuteWindow::new();
        added.iter().for_each(|(minute, tokens)| window.add(*minute, usage(*tokens)));
        let expected: u64 = added.iter()
            .filter(|(minute, _)| *minute <= at && minute + u64::from(length) > at).map(|(_, tokens)| tokens).sum();
        prop_assert_eq!(window.usage_at(at, length).tokens, expected);
        window.prune(at, length);
        prop_assert_eq!(window.usage_at(at, length).tokens, expected);
        window.prune(1_000, length);
        prop_assert!(window.is_empty());
    }
}
