// SPDX-License-Identifier: Apache-2.0

//! What a seed that is younger than the commitment selects (rules §2.2). Deterministic: anyone can recompute it.

use alloc::{collections::BTreeSet, vec::Vec};

use crate::{Hash, HotkeyId, hash::blake2_256_parts};

/// Leaves that `validator` asks `root`'s miner to open: `min(k, count)` distinct indices below `count`, ascending.
///
/// Uniform over all subsets of that size (Floyd's sampling over a blake2 stream without modulo bias). O(k log k).
#[must_use]
pub fn leaves_to_open(seed: &Hash, validator: &HotkeyId, root: &Hash, count: u32, k: u32) -> Vec<u32> {
    let mut stream = Stream::new(blake2_256_parts(&[b"clawrank/challenge/leaves", seed, validator, root]));
    let mut chosen = BTreeSet::new();
    for top in count.saturating_sub(k)..count {
        let pick = stream.below_or_at(top);
        if !chosen.insert(pick) {
            chosen.insert(top);
        }
    }
    chosen.into_iter().collect()
}

/// Ids of the `k` tasks that `validator` replays on a cell; distinct.
///
/// `task_i = blake2_256(tag ‖ seed ‖ validator ‖ cell ‖ i u32 LE)`. The validator expands an id into a request.
#[must_use]
pub fn tasks_to_replay(seed: &Hash, validator: &HotkeyId, cell: &Hash, k: u32) -> Vec<Hash> {
    (0..k).map(|i| blake2_256_parts(&[b"clawrank/challenge/task", seed, validator, cell, &i.to_le_bytes()])).collect()
}

/// Task id of a miner's `index`-th attempt on a cell in an epoch:
/// `blake2_256("measure" ‖ epoch_seed ‖ hotkey ‖ cell ‖ index u32 LE)` (rules §2.1).
///
/// `epoch_seed` is the hash of the epoch's first block, so that nobody can measure, or pick among, tasks before the epoch.
#[must_use]
pub fn measure_task_id(epoch_seed: &Hash, hotkey: &HotkeyId, cell: &Hash, index: u32) -> Hash {
    blake2_256_parts(&[b"measure", epoch_seed, hotkey, cell, &index.to_le_bytes()])
}

/// Endless pseudo-random 32-bit words: `blake2_256(key ‖ block u64 LE)`, eight words each.
struct Stream {
    key: Hash,
    block: u64,
    words: Vec<u32>,
}

impl Stream {
    fn new(key: Hash) -> Self {
        Self { key, block: 0, words: Vec::new() }
    }

    fn next(&mut self) -> u32 {
        loop {
            if let Some(word) = self.words.pop() {
                return word;
            }
            let digest = blake2_256_parts(&[&self.key, &self.block.to_le_bytes()]);
            self.block = self.block.wrapping_add(1);
            self.words = digest.as_chunks::<4>().0.iter().rev().map(|word| u32::from_le_bytes(*word)).collect();
        }
    }

    /// Uniform in `0 ..= top`, by masking and rejection.
    fn below_or_at(&mut self, top: u32) -> u32 {
        let mask = u32::MAX.checked_shr(top.leading_zeros()).unwrap_or(0);
        loop {
            let candidate = self.next() & mask;
            if candidate <= top {
                return candidate;
            }
        }
    }
}

#[cfg(test)]
mod tests;
