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
        whole.saturating_sub(whole.saturating_mul(u32::from(byte[0])) / 512)
    }

    /// Starts again at `min`, after a success.
    pub fn reset(&mut self) {
        self.next = self.min;
    }
}

#[cfg(test)]
mod tests {
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
}
