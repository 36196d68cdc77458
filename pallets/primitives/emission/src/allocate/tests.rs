// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::*;
use crate::payouts;
use clawrank_units::Rao;
use proptest::prelude::*;

fn params(percent: u32, shortfall: Shortfall) -> CapParams {
    CapParams { cap: Ppb::from_percent(percent), shortfall }
}

/// Runs [`allocate`] and checks what holds for every result.
fn check(scores: &[u128], cap: &CapParams, owner: Option<usize>) -> Allocation {
    let allocation = allocate(scores, cap, owner).unwrap();
    assert_eq!(allocation.shares_ppb.iter().map(|&share| u64::from(share)).sum::<u64>(), 1_000_000_000);
    let units = allocation.units.iter().map(|&units| u64::from(units)).sum::<u64>();
    assert_eq!(units, u64::from(cap.chain_units().unwrap()));
    assert_eq!(allocation.weights_u16.len(), scores.len());
    assert_eq!(allocation.weights_u16.iter().max(), Some(&u16::MAX));
    let zeros = scores.iter().enumerate().filter(|&(index, &score)| score == 0 && owner != Some(index));
    for (index, _) in zeros {
        assert_eq!((allocation.shares_ppb[index], allocation.units[index], allocation.weights_u16[index]), (0, 0, 0));
    }
    if !allocation.shortfall_used {
        assert!(allocation.shares_ppb.iter().all(|&share| share <= cap.cap.parts()));
        assert!(allocation.units.iter().all(|&units| units <= 65_535));
        let sum: u128 = allocation.weights_u16.iter().map(|&weight| u128::from(weight)).sum();
        // max / sum <= cap, exactly: 65,535 · 10^9 <= cap · sum.
        assert!(65_535 * 1_000_000_000 <= u128::from(cap.cap.parts()) * sum, "the chain's scaling breaks the cap");
    }
    allocation
}

#[test]
fn allocation_is_uniform_over_earners_when_the_cap_cannot_hold() {
    let allocation = check(&[9, 0, 1, 4], &params(15, Shortfall::Uniform), None);
    assert_eq!(allocation.shares_ppb, [333_333_334, 0, 333_333_333, 333_333_333]);
    assert_eq!(allocation.units, [145_634, 0, 145_633, 145_633]);
    assert_eq!(allocation.weights_u16, [65_535, 0, 65_535, 65_535]);
    assert!(allocation.shortfall_used);
}

#[test]
fn allocation_gives_the_rest_to_the_owner_when_told_so() {
    let cap = params(15, Shortfall::ToOwner);
    let allocation = check(&[9, 0, 1, 4], &cap, Some(1));
    assert_eq!(allocation.shares_ppb, [150_000_000, 550_000_000, 150_000_000, 150_000_000]);
    assert_eq!(allocation.units, [65_535, 240_295, 65_535, 65_535]);
    // 65,535² / 240,295 = 17,873.1…, rounded down.
    assert_eq!(allocation.weights_u16, [17_873, 65_535, 17_873, 17_873]);
    assert_eq!(allocation.nonzero_weights().collect::<Vec<_>>(), [(0, 17_873), (1, 65_535), (2, 17_873), (3, 17_873)]);
    let six = check(&[1, 1, 1, 1, 1, 1, 0], &cap, Some(6));
    assert_eq!(six.shares_ppb[6], 100_000_000);
    assert_eq!(six.weights_u16, [65_535, 65_535, 65_535, 65_535, 65_535, 65_535, 43_690]);
    let alone = check(&[0, 0, 0], &cap, Some(2));
    assert_eq!(alone.weights_u16, [0, 0, 65_535]);
}

#[test]
fn allocation_is_refused_when_it_cannot_be_made() {
    let skip = params(15, Shortfall::Skip);
    assert_eq!(allocate(&[], &skip, None), Err(EmissionError::NoScore));
    assert_eq!(allocate(&[0; 9], &params(15, Shortfall::Uniform), None), Err(EmissionError::NoScore));
    let error = EmissionError::CapInfeasible { positives: 6, needed: 7 };
    assert_eq!(allocate(&[1; 6], &skip, None), Err(error));
    assert_eq!(allocate(&[1; 6], &params(15, Shortfall::ToOwner), None), Err(EmissionError::OwnerMissing));
    let tiny = CapParams { cap: Ppb::from_ppb(19_999).unwrap(), shortfall: Shortfall::Uniform };
    assert_eq!(allocate(&[1; 6], &tiny, None), Err(EmissionError::CapTooSmall { cap_ppb: 19_999 }));
}

#[test]
fn allocation_ignores_the_shortfall_rule_when_the_cap_just_holds() {
    let allocation = check(&[1; 7], &params(15, Shortfall::Skip), None);
    assert_eq!(allocation.shares_ppb[0], 142_857_143);
    assert!(!allocation.shortfall_used);
    let all_capped = check(&[1, 50, 900, 3], &params(25, Shortfall::Skip), None);
    assert_eq!(all_capped.shares_ppb, [250_000_000; 4]);
}

#[test]
fn needed_scores_and_units_follow_the_cap_when_it_changes() {
    for (percent, needed, units) in [(15, 7, 436_900), (100, 1, 65_535), (25, 4, 262_140), (1, 100, 6_553_500)] {
        let params = params(percent, Shortfall::Skip);
        assert_eq!((params.needed(), params.chain_units()), (Ok(needed), Ok(units)), "{percent} %");
    }
    let smallest = CapParams { cap: CapParams::MIN_CAP, shortfall: Shortfall::Skip };
    assert_eq!(smallest.chain_units(), Ok(3_276_750_000));
}

#[test]
fn divide_gives_one_unit_more_when_whole_units_cannot_hold_the_cap() {
    // floor(25 % · 65,535) = 16,383, and four of them are 65,532.
    let parts = divide(&[1; 4], &params(25, Shortfall::Skip), None, 65_535).unwrap();
    assert_eq!(parts, [16_384, 16_384, 16_384, 16_383]);
    assert_eq!(divide(&[1; 7], &params(15, Shortfall::Skip), None, 3).unwrap(), [1, 1, 1, 0, 0, 0, 0]);
    assert_eq!(divide(&[1; 7], &params(15, Shortfall::Skip), None, 0).unwrap(), [0; 7]);
}

#[test]
fn divide_is_exact_when_scores_and_total_are_full_width() {
    let mut scores = [u128::MAX; 10];
    scores[3] = 1;
    let parts = divide(&scores, &params(15, Shortfall::Skip), None, u128::MAX).unwrap();
    assert_eq!(parts.iter().fold(0_u128, |sum, &part| sum.checked_add(part).unwrap()), u128::MAX);
    assert_eq!(parts[3], 0);
    assert!(parts.iter().enumerate().all(|(index, &part)| index == 3 || part >= u128::MAX / 9));
}

/// Scores, few or many, and the order in which they are given another time.
fn any_order() -> impl Strategy<Value = (Vec<u128>, Vec<usize>)> {
    prop_oneof![prop::collection::vec(0_u128..4, 1..10), any_scores()].prop_flat_map(|scores| {
        let order: Vec<usize> = (0..scores.len()).collect();
        (Just(scores), Just(order).prop_shuffle())
    })
}

/// Scores of every length: equal ones, heavy tails, zeros, the full width.
fn any_scores() -> impl Strategy<Value = Vec<u128>> {
    let score = prop_oneof![Just(0), Just(1), 1_u128..1_000, (0_u32..128).prop_map(|bit| 1 << bit), any::<u128>()];
    prop::collection::vec(score, 7..120)
}

fn any_cap() -> impl Strategy<Value = CapParams> {
    prop_oneof![Just(150_000_000), 20_000_u32..=1_000_000_000, Just(1_000_000_000), Just(142_857_143)]
        .prop_map(|parts| CapParams { cap: Ppb::from_ppb(parts).unwrap(), shortfall: Shortfall::Uniform })
}

proptest! {
    #[test]
    fn allocation_conserves_and_caps_when_any_scores(scores in any_scores(), cap in any_cap()) {
        prop_assume!(scores.iter().any(|&score| score > 0));
        let allocation = check(&scores, &cap, None);
        let earners = allocation.shares_ppb.iter().filter(|&&share| share > 0).count();
        prop_assert!(earners <= scores.iter().filter(|&&score| score > 0).count());
    }

    #[test]
    fn more_score_is_never_less_share_when_compared(scores in any_scores(), cap in any_cap()) {
        prop_assume!(scores.iter().any(|&score| score > 0));
        let allocation = check(&scores, &cap, None);
        // A uniform division is equal up to the remainder, which goes by index.
        prop_assume!(!allocation.shortfall_used);
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by_key(|&index| scores[index]);
        for pair in order.windows(2).filter(|pair| scores[pair[0]] < scores[pair[1]]) {
            prop_assert!(allocation.shares_ppb[pair[0]] <= allocation.shares_ppb[pair[1]]);
            prop_assert!(allocation.units[pair[0]] <= allocation.units[pair[1]]);
            prop_assert!(allocation.weights_u16[pair[0]] <= allocation.weights_u16[pair[1]]);
        }
    }

    #[test]
    fn earning_more_never_pays_less_when_others_stay(
        scores in any_scores(), at in any::<prop::sample::Index>(), more in 1_u128..1 << 100,
    ) {
        let cap = params(15, Shortfall::Skip);
        prop_assume!(scores.iter().filter(|&&score| score > 0).count() >= 7);
        let at = at.index(scores.len());
        let mut raised = scores.clone();
        raised[at] = raised[at].saturating_add(more);
        let (before, after) = (check(&scores, &cap, None), check(&raised, &cap, None));
        prop_assert!(before.shares_ppb[at] <= after.shares_ppb[at]);
        prop_assert!(before.units[at] <= after.units[at]);
    }

    #[test]
    fn order_is_irrelevant_when_scores_are_shuffled(
        (scores, order) in any_order(), cap in any_cap(), to_owner in any::<bool>(), pool in any::<u64>(),
    ) {
        prop_assume!(scores.iter().any(|&score| score > 0));
        let cap = if to_owner { CapParams { shortfall: Shortfall::ToOwner, ..cap } } else { cap };
        let shuffled: Vec<u128> = order.iter().map(|&index| scores[index]).collect();
        // The owner is whoever comes first in the other order.
        let (one, other) = (check(&scores, &cap, Some(order[0])), check(&shuffled, &cap, Some(0)));
        prop_assert_eq!((one.capped, one.shortfall_used), (other.capped, other.shortfall_used));
        for (place, &index) in order.iter().enumerate() {
            // Equal remainders may go to another uid, so these agree up to one.
            prop_assert!(one.shares_ppb[index].abs_diff(other.shares_ppb[place]) <= 1);
            prop_assert!(one.units[index].abs_diff(other.units[place]) <= 1);
            prop_assert!(one.weights_u16[index].abs_diff(other.weights_u16[place]) <= 1);
        }
        // Nobody's amount depends on a remainder.
        let paid = |scores: &[u128], owner| payouts(scores, &cap, Some(owner), Rao(pool)).unwrap();
        let (one, other) = (paid(&scores, order[0]), paid(&shuffled, 0));
        let moved: Vec<Rao> = order.iter().map(|&index| one.amounts[index]).collect();
        prop_assert_eq!(&moved, &other.amounts);
        prop_assert_eq!((one.dust, one.capped, one.shortfall_used), (other.dust, other.capped, other.shortfall_used));
    }

    #[test]
    fn order_is_irrelevant_to_the_last_unit_when_scores_differ(
        scores in prop::collection::hash_set(1_u128 << 40..1 << 60, 8..60), turn in 1_usize..7,
    ) {
        let cap = params(15, Shortfall::Skip);
        let scores: Vec<u128> = scores.into_iter().collect();
        let mut turned = scores.clone();
        turned.rotate_left(turn);
        let (mut one, other) = (check(&scores, &cap, None), check(&turned, &cap, None));
        one.shares_ppb.rotate_left(turn);
        one.units.rotate_left(turn);
        one.weights_u16.rotate_left(turn);
        prop_assert_eq!(one, other);
    }

    #[test]
    fn scale_is_irrelevant_when_scores_are_multiplied(
        scores in prop::collection::vec(0_u128..1 << 40, 7..80), factor in 1_u128..1 << 88, cap in any_cap(),
    ) {
        prop_assume!(scores.iter().any(|&score| score > 0));
        let scaled: Vec<u128> = scores.iter().map(|&score| score * factor).collect();
        prop_assert_eq!(check(&scores, &cap, None), check(&scaled, &cap, None));
    }
}
