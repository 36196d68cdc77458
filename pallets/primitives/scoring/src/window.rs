// SPDX-License-Identifier: Apache-2.0

use alloc::collections::BTreeMap;

use clawrank_units::MicroUsd;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Tokens and the fees paid for them.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Usage {
    /// Input and output tokens.
    pub tokens: u64,
    /// Fees.
    pub fee: MicroUsd,
}

impl Usage {
    /// Adds, stopping at the largest value.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        Self { tokens: self.tokens.saturating_add(other.tokens), fee: self.fee.saturating_add(other.fee) }
    }
}

/// Usage in minute buckets over a rolling window (rules §1.1): at minute `m` it covers `m − window + 1 ..= m`.
///
/// One per (miner, payer). Holds at most one bucket per minute of the window once pruned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MinuteWindow {
    buckets: BTreeMap<u64, Usage>,
}

impl MinuteWindow {
    /// No usage.
    #[must_use]
    pub const fn new() -> Self {
        Self { buckets: BTreeMap::new() }
    }

    /// The minute of a Unix time in milliseconds.
    #[must_use]
    pub const fn minute_of(time_ms: u64) -> u64 {
        time_ms / 60_000
    }

    /// The first minute of the window that ends at `minute`.
    #[must_use]
    pub const fn first_minute(minute: u64, window_minutes: u32) -> u64 {
        minute.saturating_sub((window_minutes as u64).saturating_sub(1))
    }

    /// Adds usage to a minute. O(log window).
    pub fn add(&mut self, minute: u64, usage: Usage) {
        let bucket = self.buckets.entry(minute).or_default();
        *bucket = bucket.saturating_add(usage);
    }

    /// Usage of the window that ends at `minute`, later buckets left out. O(window).
    #[must_use]
    pub fn usage_at(&self, minute: u64, window_minutes: u32) -> Usage {
        if window_minutes == 0 {
            return Usage::default();
        }
        self.buckets
            .range(Self::first_minute(minute, window_minutes)..=minute)
            .fold(Usage::default(), |sum, (_, usage)| sum.saturating_add(*usage))
    }

    /// Forgets what no window ending at `minute` or later covers.
    pub fn prune(&mut self, minute: u64, window_minutes: u32) {
        self.buckets = self.buckets.split_off(&Self::first_minute(minute, window_minutes));
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }
}

#[cfg(test)]
mod tests;
