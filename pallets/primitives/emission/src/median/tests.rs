// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::*;
use alloc::vec;
use proptest::prelude::*;

#[test]
fn median_is_lower_one_when_stake_is_split_in_half() {
    assert_eq!(weighted_median(&[(10, 1), (20, 1)]), Some(10));
    assert_eq!(weighted_median(&[(20, 3), (10, 2)]), Some(20));
    assert_eq!(weighted_median(&[(1, 1), (2, 1), (3, 1)]), Some(2));
    assert_eq!(weighted_median(&[(7, u128::MAX), (9, u128::MAX), (9, 1)]), Some(9));
}

#[test]
fn median_is_none_when_there_is_no_stake() {
    assert_eq!(weighted_median(&[]), None);
    assert_eq!(weighted_median(&[(5, 0)]), None);
    assert_eq!(weighted_median(&[(1, 0), (5, 1)]), Some(5));
}

#[test]
fn gate_trips_only_when_more_than_half_says_so() {
    assert!(!gate_majority(&[]));
    assert!(!gate_majority(&[(true, 0)]));
    assert!(!gate_majority(&[(true, 50), (false, 50)]));
    assert!(gate_majority(&[(true, 51), (false, 50)]));
    assert!(gate_majority(&[(true, u128::MAX), (false, u128::MAX - 1)]));
}

const fn found(tripped: bool, score: u128, stake: u128) -> (Option<Finding>, u128) {
    (Some(Finding { tripped, score }), stake)
}

#[test]
fn silence_and_a_tripped_gate_count_as_zero_when_no_majority_trips() {
    let score = |reports: &[_]| {
        let judged = judge(reports);
        assert!(!judged.tripped);
        judged.score
    };
    assert_eq!(score(&[]), 0);
    assert_eq!(score(&[found(false, 9, 1)]), 9);
    // Half of the stake is silent, or trips: the lower median is theirs.
    assert_eq!(score(&[found(false, 9, 1), (None, 1)]), 0);
    assert_eq!(score(&[found(false, 9, 1), found(true, 9, 1)]), 0);
    assert_eq!(score(&[found(false, 9, 2), found(true, 9, 1)]), 9);
    assert_eq!(score(&[found(false, 9, 3), found(false, 5, 1), (None, 1)]), 9);
    assert_eq!(score(&[found(false, 9, 1), found(false, 5, 1), (None, 1)]), 5);
}

#[test]
fn score_is_zero_when_a_majority_trips() {
    let judged = judge(&[found(true, 9, 2), found(false, 9, 1)]);
    assert_eq!(judged, Finding { tripped: true, score: 0 });
    // Silence is no vote against it, but its stake counts.
    assert!(!judge(&[found(true, 9, 1), (None, 1)]).tripped);
    assert!(judge(&[found(true, 9, 2), (None, 1)]).tripped);
}

#[test]
fn quorum_is_more_than_half_of_all_stake() {
    for (reporting, total, enough) in
        [(0, 0, false), (0, 1, false), (1, 1, true), (1, 2, false), (2, 3, true), (50, 100, false), (51, 100, true)]
    {
        assert_eq!(quorum(reporting, total), enough, "{reporting} of {total}");
    }
    assert!(quorum(u64::MAX, u64::MAX) && quorum(u64::MAX / 2 + 1, u64::MAX) && !quorum(u64::MAX / 2, u64::MAX));
}

proptest! {
    #[test]
    fn median_stays_among_the_majority_when_a_minority_lies(
        honest in prop::collection::vec((100_u128..200, 1_u128..1_000), 1..20),
        lies in prop::collection::vec((any::<u128>(), 1_u128..1_000), 0..20),
    ) {
        let stake = |votes: &[(u128, u128)]| votes.iter().map(|vote| vote.1).sum::<u128>();
        prop_assume!(stake(&lies) < stake(&honest));
        let all: Vec<_> = honest.iter().chain(&lies).copied().collect();
        let median = weighted_median(&all).unwrap();
        let (low, high) = (honest.iter().map(|v| v.0).min().unwrap(), honest.iter().map(|v| v.0).max().unwrap());
        prop_assert!((low..=high).contains(&median));
    }

    #[test]
    fn median_equals_middle_of_repeated_values_when_stakes_are_small(
        votes in prop::collection::vec((0_u128..50, 0_u128..6), 1..20),
    ) {
        let mut repeated: Vec<u128> =
            votes.iter().flat_map(|&(value, stake)| vec![value; stake as usize]).collect();
        repeated.sort_unstable();
        let expected = (!repeated.is_empty()).then(|| repeated[(repeated.len() - 1) / 2]);
        prop_assert_eq!(weighted_median(&votes), expected);
    }
}
