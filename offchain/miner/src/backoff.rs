// SPDX-License-Identifier: Apache-2.0

use std::time::Duration;

/// Waiting times that double from `min` to `max`, each shortened by a random part of up to a half, so that miners that
/// lost the same gateway do not come back at once.
#[derive(Clone, Debug)]
pub struct Backoff {
    min: Duration,
    max: Duration,
    next: Duration,
}

impl Backoff {
    /// Starts at `min`; a `max` below it counts as `min`.
    #[must_use]
    pub fn new(min: Duration, max: Duration) -> Self {
        let min = min.max(Duration::from_millis(1));
        Self { min, max: max.max(min), next: min }
    }

    /// The next waiting time.
    pub fn next_delay(&mut self) -> Duration {
        let whole = self.next;
        self.next = whole.saturating_mul(2).min(self.max);
        let mut byte = [0u8; 1];
        // Without randomness the wait is merely not spread.
        let _ = getrandom::fill(&mut byte);
        shortened(whole, byte[0])
    }

    /// Starts again at `min`, after a success.
    pub fn reset(&mut self) {
        self.next = self.min;
    }
}

/// `whole` less `part` of 512 parts.
fn shortened(whole: Duration, part: u8) -> Duration {
    whole.saturating_sub(whole.saturating_mul(u32::from(part)) / 512)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

    use super::*;

    #[test]
    fn delays_double_up_to_the_maximum_when_failures_go_on() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(1_000));
        for whole in [100, 200, 400, 800, 1_000, 1_000] {
            let delay = backoff.next_delay().as_millis();
            assert!((whole / 2..=whole).contains(&delay), "{delay} of {whole}");
        }
        backoff.reset();
        assert!(backoff.next_delay().as_millis() <= 100);
    }

    #[test]
    fn delay_is_shortened_by_half_at_most_when_the_random_part_is_largest() {
        let whole = Duration::from_millis(51_200);
        assert_eq!(shortened(whole, 0), whole);
        assert_eq!(shortened(whole, 1), Duration::from_millis(51_100));
        assert_eq!(shortened(whole, 255), Duration::from_millis(25_700));
    }

    #[test]
    fn miners_come_back_spread_evenly_when_they_lost_the_gateway_together() {
        let whole = Duration::from_millis(1_024);
        let mut eighths = [0u32; 8];
        for _ in 0..8_000 {
            // A miner of its own each.
            let delay = Backoff::new(whole, whole).next_delay();
            let cut = usize::try_from((whole - delay).as_millis()).unwrap();
            eighths[cut / 64] += 1;
        }
        // 1,000 each are expected; 200 are 6.8 standard deviations.
        assert!(eighths.iter().all(|count| count.abs_diff(1_000) < 200), "{eighths:?}");
    }

    #[test]
    fn delays_of_one_miner_differ_when_failures_go_on() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(1));
        let delays: std::collections::BTreeSet<Duration> = (0..64).map(|_| backoff.next_delay()).collect();
        // 64 draws of 256 parts have 57 different ones on average.
        assert!(delays.len() > 32, "{} different delays of 64", delays.len());
    }
}
