// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::*;
use proptest::prelude::*;

fn check(pairs: &[(u64, u64)], below: i64, minority: i64) -> u64 {
    let stakes: Vec<Q32> = pairs.iter().map(|&(_, stake)| Q32::from_bits(stake)).collect();
    let weights = pairs.iter().enumerate();
    let mut votes: Vec<Vote> = weights.map(|(voter, pair)| Vote::new(Q32::from_bits(pair.0), voter)).collect();
    median(&mut votes, &stakes, below, minority).bits()
}

/// The definition: sort, then the first weight at which the stake is more than the minority, else the last.
fn by_sorting(pairs: &[(u64, u64)], below: i64, minority: i64) -> u64 {
    let mut sorted = pairs.to_vec();
    sorted.sort_unstable();
    let mut sum = below;
    for &(weight, stake) in &sorted {
        sum += stake as i64;
        if sum > minority {
            return weight;
        }
    }
    sorted.last().map_or(0, |&(weight, _)| weight)
}

#[test]
fn median_is_the_upper_one_when_the_minority_is_exactly_half() {
    assert_eq!(check(&[(10, 5), (20, 5)], 0, 5), 20);
    assert_eq!(check(&[(10, 5), (20, 5)], 0, 4), 10);
    assert_eq!(check(&[(10, 5), (20, 5)], 0, 10), 20);
    assert_eq!(check(&[(10, 5), (20, 5)], 0, -1), 10);
    assert_eq!(check(&[], 0, 5), 0);
}

proptest! {
    #[test]
    fn median_matches_sorting_when_any_votes(
        pairs in prop::collection::vec((0_u64..20, 0_u64..10), 0..70), below in 0_i64..50, minority in -5_i64..500,
    ) {
        prop_assert_eq!(check(&pairs, below, minority), by_sorting(&pairs, below, minority));
    }
}
