// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use alloc::vec;

use proptest::prelude::*;

use super::*;

const SEED: Hash = [1; 32];
const VALIDATOR: HotkeyId = [2; 32];
const ROOT: Hash = [3; 32];

#[test]
fn leaves_are_the_same_when_asked_again() {
    let leaves = leaves_to_open(&SEED, &VALIDATOR, &ROOT, 10_000, 32);
    assert_eq!(leaves, leaves_to_open(&SEED, &VALIDATOR, &ROOT, 10_000, 32));
    for (seed, validator, root) in [([9; 32], VALIDATOR, ROOT), (SEED, [9; 32], ROOT), (SEED, VALIDATOR, [9; 32])] {
        assert_ne!(leaves, leaves_to_open(&seed, &validator, &root, 10_000, 32));
    }
}

#[test]
fn leaves_are_all_when_k_is_not_below_count() {
    assert_eq!(leaves_to_open(&SEED, &VALIDATOR, &ROOT, 5, 5), vec![0, 1, 2, 3, 4]);
    assert_eq!(leaves_to_open(&SEED, &VALIDATOR, &ROOT, 3, 50), vec![0, 1, 2]);
    assert!(leaves_to_open(&SEED, &VALIDATOR, &ROOT, 0, 5).is_empty());
    assert!(leaves_to_open(&SEED, &VALIDATOR, &ROOT, 5, 0).is_empty());
}

#[test]
fn leaves_are_uniform_when_counted_over_many_seeds() {
    let mut hits = [0u32; 20];
    for seed in 0..4_000u32 {
        let mut hash = [0; 32];
        hash[..4].copy_from_slice(&seed.to_le_bytes());
        for leaf in leaves_to_open(&hash, &VALIDATOR, &ROOT, 20, 5) {
            hits[leaf as usize] += 1;
        }
    }
    // Each of 20 leaves is expected 1,000 times with a standard deviation of 27.
    assert!(hits.iter().all(|n| n.abs_diff(1_000) < 140), "{hits:?}");
}

#[test]
fn tasks_are_distinct_and_bound_to_the_cell_when_drawn() {
    let tasks = tasks_to_replay(&SEED, &VALIDATOR, &ROOT, 256);
    assert_eq!(tasks.iter().collect::<BTreeSet<_>>().len(), 256);
    assert_eq!(tasks[..8], tasks_to_replay(&SEED, &VALIDATOR, &ROOT, 8));
    assert!(tasks_to_replay(&SEED, &VALIDATOR, &[9; 32], 256).iter().all(|task| !tasks.contains(task)));
}

proptest! {
    #[test]
    fn leaves_are_distinct_sorted_and_in_range_when_any(seed in any::<[u8; 32]>(), count in any::<u32>(), k in 0u32..300) {
        let leaves = leaves_to_open(&seed, &VALIDATOR, &ROOT, count, k);
        prop_assert_eq!(leaves.len() as u32, k.min(count));
        prop_assert!(leaves.is_sorted_by(|a, b| a < b));
        prop_assert!(leaves.last().is_none_or(|last| *last < count));
    }
}
