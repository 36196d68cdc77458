// SPDX-License-Identifier: Apache-2.0

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

/// Keys a limiter remembers; beyond it, those that are full again are forgotten first.
const MAX_KEYS: usize = 16_384;

/// A token bucket per key: so many a minute, bursts up to a whole minute's worth.
#[derive(Debug)]
pub(crate) struct Limiter<K> {
    per_minute: f64,
    buckets: Mutex<HashMap<K, Bucket>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl<K: Eq + Hash> Limiter<K> {
    pub(crate) fn new(per_minute: u32) -> Self {
        Self { per_minute: f64::from(per_minute.max(1)), buckets: Mutex::new(HashMap::new()) }
    }

    /// Takes one token; `false` when there is none.
    pub(crate) fn take(&self, key: K, now: Instant) -> bool {
        self.change(key, now, 1.0)
    }

    /// Whether a token is left, without taking it.
    pub(crate) fn peek(&self, key: K, now: Instant) -> bool {
        self.change(key, now, 0.0)
    }

    fn change(&self, key: K, now: Instant, take: f64) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let refill = |bucket: &Bucket| {
            let minutes = now.saturating_duration_since(bucket.at).as_secs_f64() / 60.0;
            (bucket.tokens + minutes * self.per_minute).min(self.per_minute)
        };
        if take > 0.0 && buckets.len() >= MAX_KEYS && !buckets.contains_key(&key) {
            buckets.retain(|_, bucket| refill(bucket) < self.per_minute);
            if buckets.len() >= MAX_KEYS {
                return false;
            }
        }
        let tokens = buckets.get(&key).map_or(self.per_minute, refill);
        if tokens < 1.0 {
            return false;
        }
        if take > 0.0 {
            buckets.insert(key, Bucket { tokens: tokens - take, at: now });
        }
        true
    }
}

/// Counts what is held at the same time, per key.
#[derive(Debug)]
pub(crate) struct Counter<K> {
    max: usize,
    held: Mutex<HashMap<K, usize>>,
}

/// One unit of a [`Counter`], given back when dropped.
#[derive(Debug)]
pub(crate) struct Held<K: Eq + Hash + Copy> {
    key: K,
    counter: Arc<Counter<K>>,
}

impl<K: Eq + Hash + Copy> Counter<K> {
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, held: Mutex::new(HashMap::new()) })
    }

    /// Takes a unit; `None` when all are held.
    pub(crate) fn take(self: &Arc<Self>, key: K) -> Option<Held<K>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(key).or_insert(0);
        if *count >= self.max {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Held { key, counter: Arc::clone(self) })
    }
}

impl<K: Eq + Hash + Copy> Drop for Held<K> {
    fn drop(&mut self) {
        let mut held = self.counter.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                held.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests;
