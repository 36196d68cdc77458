// SPDX-License-Identifier: Apache-2.0

//! What was measured of miners and endpoints: time to the first byte, health, and whether the last probe was answered.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use clawrank_protocol::proof::HotkeyId;
use clawrank_routing::Latency;

/// Health of whoever has not failed lately.
pub(crate) const HEALTHY: u32 = 1_000_000;

/// Steps of the latency scale: 4 to each doubling, up to 131 s.
const STEPS: usize = 64;

/// Measurements after which all counts are halved, so that the recent ones outweigh the old.
const HALVE_AT: u16 = 512;

/// Latencies of one model of one target.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    ewma_ms_x16: u32,
    count: u16,
    steps: [u16; STEPS],
}

impl Default for Window {
    fn default() -> Self {
        Self { ewma_ms_x16: 0, count: 0, steps: [0; STEPS] }
    }
}

/// Step of a latency.
fn step(ms: u32) -> usize {
    let ms = ms.min(131_071);
    if ms < 4 {
        return usize::try_from(ms).unwrap_or(0);
    }
    let log = 31u32.saturating_sub(ms.leading_zeros());
    let sub = (ms >> log.saturating_sub(2)) & 3;
    usize::try_from(log.saturating_sub(1).saturating_mul(4).saturating_add(sub))
        .unwrap_or(0)
        .min(STEPS.saturating_sub(1))
}

/// Lowest latency of a step.
fn floor_ms(step: usize) -> u32 {
    let step = u32::try_from(step).unwrap_or(u32::MAX);
    if step < 4 {
        return step;
    }
    let log = (step / 4).saturating_add(1);
    (4u32.saturating_add(step % 4)) << log.saturating_sub(2).min(16)
}

impl Window {
    pub(crate) fn record(&mut self, ms: u32) {
        let scaled = ms.min(131_071).saturating_mul(16);
        self.ewma_ms_x16 = if self.count == 0 {
            scaled
        } else {
            // 7/8 of the old, 1/8 of the new.
            self.ewma_ms_x16.saturating_mul(7).saturating_add(scaled) / 8
        };
        if let Some(slot) = self.steps.get_mut(step(ms)) {
            *slot = slot.saturating_add(1);
        }
        self.count = self.count.saturating_add(1);
        if self.count >= HALVE_AT {
            self.steps.iter_mut().for_each(|slot| *slot /= 2);
            self.count = self.steps.iter().copied().fold(0, u16::saturating_add);
        }
    }

    /// Nearest-rank percentile, as the lowest latency of its step.
    fn percentile(&self, percent: u32) -> u32 {
        let rank = u32::from(self.count).saturating_mul(percent).div_ceil(100).max(1);
        let mut seen = 0u32;
        for (index, slot) in self.steps.iter().enumerate() {
            seen = seen.saturating_add(u32::from(*slot));
            if seen >= rank {
                return floor_ms(index);
            }
        }
        0
    }

    pub(crate) fn latency(&self) -> Latency {
        if self.count == 0 {
            return Latency::default();
        }
        Latency {
            // A latency of less than a millisecond is still one: all zero means that nothing was measured.
            ewma_ms: (self.ewma_ms_x16 / 16).max(1),
            p50_ms: self.percentile(50),
            p95_ms: self.percentile(95),
            p99_ms: self.percentile(99),
        }
    }

    fn merge(&mut self, other: &Self) {
        for (slot, more) in self.steps.iter_mut().zip(other.steps) {
            *slot = slot.saturating_add(more);
        }
        self.count = self.count.saturating_add(other.count);
    }
}

/// What was measured of one target. Outlives its connections, so that connecting again forgets nothing.
#[derive(Debug)]
pub(crate) struct TargetStats {
    health_ppm: AtomicU32,
    ghost: AtomicBool,
    windows: Mutex<HashMap<Arc<str>, Window>>,
}

impl Default for TargetStats {
    fn default() -> Self {
        Self { health_ppm: AtomicU32::new(HEALTHY), ghost: AtomicBool::new(false), windows: Mutex::default() }
    }
}

impl TargetStats {
    /// A request was served; `ms` to its first byte.
    pub(crate) fn served(&self, model: &Arc<str>, ms: u32) {
        self.move_health(HEALTHY, 16);
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        match windows.get_mut(model) {
            Some(window) => window.record(ms),
            None => windows.entry(Arc::clone(model)).or_default().record(ms),
        }
    }

    /// A request failed.
    pub(crate) fn failed(&self) {
        self.move_health(0, 8);
    }

    /// The protocol or the truth was breached.
    pub(crate) fn breached(&self) {
        self.move_health(0, 3);
    }

    fn move_health(&self, to: u32, divisor: u32) {
        let step = |from: u32| {
            let gap = from.abs_diff(to);
            let change = gap.div_ceil(divisor);
            Some(if to > from { from.saturating_add(change) } else { from.saturating_sub(change) })
        };
        // The closure always returns a value, so this cannot fail.
        let _ = self.health_ppm.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step);
    }

    pub(crate) fn health_ppm(&self) -> u32 {
        self.health_ppm.load(Ordering::Relaxed)
    }

    /// Whether the last probe failed (rules §1.2); returns what it was before.
    pub(crate) fn set_ghost(&self, ghost: bool) -> bool {
        self.ghost.swap(ghost, Ordering::Relaxed)
    }

    pub(crate) fn is_ghost(&self) -> bool {
        self.ghost.load(Ordering::Relaxed)
    }

    pub(crate) fn latency(&self, model: &str) -> Latency {
        let windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.get(model).map(Window::latency).unwrap_or_default()
    }

    /// Over all models.
    pub(crate) fn overall(&self) -> Latency {
        let windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = Window::default();
        for window in windows.values() {
            all.merge(window);
        }
        all.latency()
    }
}

/// All miners' measurements, by hotkey.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    miners: Mutex<HashMap<HotkeyId, Arc<TargetStats>>>,
}

impl Stats {
    pub(crate) fn of(&self, hotkey: &HotkeyId) -> Arc<TargetStats> {
        let mut miners = self.miners.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(miners.entry(*hotkey).or_default())
    }

    /// Forgets hotkeys that are gone, so that the table never outgrows the subnet.
    pub(crate) fn retain(&self, keep: impl Fn(&HotkeyId) -> bool) {
        self.miners.lock().unwrap_or_else(PoisonError::into_inner).retain(|hotkey, _| keep(hotkey));
    }
}

#[cfg(test)]
mod tests;
