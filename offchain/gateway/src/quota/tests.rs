// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::time::Duration;

use super::*;

#[test]
fn limiter_refuses_when_the_minute_is_used_up_and_refills() {
    let limiter = Limiter::new(60);
    let start = Instant::now();
    for _ in 0..60 {
        assert!(limiter.take("a", start));
    }
    assert!(!limiter.take("a", start));
    assert!(!limiter.peek("a", start));
    assert!(limiter.take("b", start));
    assert!(limiter.take("a", start + Duration::from_millis(1_001)));
    assert!(!limiter.take("a", start + Duration::from_millis(1_002)));
}

#[test]
fn limiter_stays_bounded_when_keys_are_many() {
    let limiter = Limiter::new(1);
    let start = Instant::now();
    for key in 0..MAX_KEYS {
        assert!(limiter.take(key, start));
    }
    assert!(!limiter.take(MAX_KEYS, start));
    assert!(limiter.take(MAX_KEYS, start + Duration::from_secs(61)));
    assert_eq!(limiter.buckets.lock().unwrap().len(), 1);
}

#[test]
fn counter_gives_back_when_a_unit_is_dropped() {
    let counter = Counter::new(2);
    let first = counter.take(1).unwrap();
    let _second = counter.take(1).unwrap();
    assert!(counter.take(1).is_none());
    assert!(counter.take(2).is_some());
    drop(first);
    assert!(counter.take(1).is_some());
}
