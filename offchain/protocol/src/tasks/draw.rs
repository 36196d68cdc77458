// SPDX-License-Identifier: Apache-2.0

use clawrank_proof::{Hash, blake2_256};

/// Numbers that follow from a task's type and id.
pub(super) struct Draw {
    state: Hash,
    used: usize,
}

impl Draw {
    pub(super) fn new(task_type: &str, task_id: &Hash) -> Self {
        let mut bytes = Vec::with_capacity(5 + 1 + task_type.len() + 32);
        bytes.extend_from_slice(b"task\0");
        bytes.push(u8::try_from(task_type.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(task_type.as_bytes());
        bytes.extend_from_slice(task_id);
        Self { state: blake2_256(&bytes), used: 0 }
    }

    pub(super) fn next_u32(&mut self) -> u32 {
        if self.used >= self.state.len() {
            self.state = blake2_256(&self.state);
            self.used = 0;
        }
        let word = self
            .state
            .get(self.used..self.used.saturating_add(4))
            .and_then(|bytes| <[u8; 4]>::try_from(bytes).ok())
            .map_or(0, u32::from_le_bytes);
        self.used = self.used.saturating_add(4);
        word
    }

    /// In `low ..= high`; the bias of the reduction is below `(high - low) / 2^32`.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high.saturating_sub(low)).unwrap_or(0).saturating_add(1);
        let scaled = (u64::from(self.next_u32()).saturating_mul(span)) >> 32;
        low.saturating_add(i64::try_from(scaled).unwrap_or(0))
    }

    pub(super) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let last = i64::try_from(from.len()).unwrap_or(1).saturating_sub(1);
        let index = usize::try_from(self.between(0, last)).unwrap_or(0);
        from.get(index).copied().unwrap_or_default()
    }
}
