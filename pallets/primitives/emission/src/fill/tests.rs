// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::*;
use alloc::vec;
use proptest::prelude::*;

/// The narrow and the wide path on the same field.
fn both_paths(scores: &[u128], total: u128, max: u128) -> (Vec<u128>, Vec<u128>) {
    let field = Field::new(scores, total / max + 1);
    let level = field.level(total, max);
    let (mut narrow, mut wide) = (vec![0; scores.len()], vec![0; scores.len()]);
    field.fill_narrow(&level, level.free as u64, level.rest.as_u64().unwrap(), |i, units| narrow[i] += units);
    field.fill_wide(&level, |i, units| wide[i] += units);
    (narrow, wide)
}

proptest! {
    #[test]
    fn narrow_and_wide_paths_agree_when_the_sum_is_narrow(
        scores in prop::collection::vec(prop_oneof![0_u128..5, 0_u128..1 << 56, Just(0), Just(77)], 7..80),
        total in 1_u128..1 << 62,
    ) {
        let positives = scores.iter().filter(|&&score| score > 0).count() as u128;
        prop_assume!(positives > 0);
        let (narrow, wide) = both_paths(&scores, total, total.div_ceil(positives) + total / 20);
        prop_assert_eq!(narrow, wide);
    }

    #[test]
    fn partial_order_finds_the_same_level_when_depth_is_just_enough(
        scores in prop::collection::vec(prop_oneof![0_u128..100, any::<u128>()], 7..80),
        divisor in 1_u128..12,
    ) {
        let (total, max) = (1_000_000_u128, 1_000_000_u128.div_ceil(divisor));
        prop_assume!(scores.iter().filter(|&&score| score > 0).count() as u128 * max >= total);
        let (shallow, deep) = (Field::new(&scores, total / max + 1), Field::new(&scores, u128::MAX));
        let (a, b) = (shallow.level(total, max), deep.level(total, max));
        prop_assert_eq!((a.capped, a.free, a.rest), (b.capped, b.free, b.rest));
    }
}

#[test]
fn largest_takes_the_greatest_keys_when_count_is_any() {
    for count in 0..8_u64 {
        let mut keys = [5, 1, 4, 2, 3];
        let mut taken = largest(&mut keys, count).to_vec();
        taken.sort_unstable();
        let expected: Vec<i32> = (1..=5).skip(5_usize.saturating_sub(count as usize)).collect();
        assert_eq!(taken, expected);
    }
}
