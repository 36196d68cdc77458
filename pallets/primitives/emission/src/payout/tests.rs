// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::*;
use crate::Shortfall;
use proptest::prelude::*;

fn cap(percent: u32, shortfall: Shortfall) -> CapParams {
    CapParams { cap: Ppb::from_percent(percent), shortfall }
}

fn check(scores: &[u128], cap: &CapParams, owner: Option<usize>, pool: u64) -> Payouts {
    let payouts = payouts(scores, cap, owner, Rao(pool)).unwrap();
    let paid: u128 = payouts.amounts.iter().map(|amount| u128::from(amount.get())).sum();
    assert_eq!(paid + u128::from(payouts.dust), u128::from(pool));
    payouts
}

#[test]
fn payouts_follow_exact_shares_when_some_are_capped() {
    let scores = [1_000, 1_000, 10, 10, 10, 10, 10, 10];
    let payouts = check(&scores, &cap(15, Shortfall::Skip), None, 1_000_003);
    // 15 % of 1,000,003 is 150,000.45; the rest is 70 % / 6 = 116,667.01…
    let expected: Vec<Rao> = [150_000, 150_000].into_iter().chain([116_667; 6]).map(Rao).collect();
    assert_eq!(payouts.amounts, expected);
    assert_eq!((payouts.dust, payouts.capped, payouts.shortfall_used), (Rao(1), 2, false));
}

#[test]
fn payouts_follow_the_rule_when_the_cap_cannot_hold() {
    let scores = [5, 0, 1, 0];
    let uniform = check(&scores, &cap(15, Shortfall::Uniform), None, 101);
    assert_eq!(uniform.amounts, [50, 0, 50, 0].map(Rao));
    assert_eq!((uniform.dust, uniform.shortfall_used), (Rao(1), true));
    let owner = check(&scores, &cap(15, Shortfall::ToOwner), Some(3), 101);
    assert_eq!(owner.amounts, [15, 0, 15, 70].map(Rao));
    assert_eq!(owner.dust, Rao(1));
    let earning_owner = check(&scores, &cap(15, Shortfall::ToOwner), Some(0), 100);
    assert_eq!(earning_owner.amounts, [85, 0, 15, 0].map(Rao));
    let nobody = check(&[0, 0], &cap(15, Shortfall::ToOwner), Some(1), 100);
    assert_eq!(nobody.amounts, [0, 100].map(Rao));
}

#[test]
fn payouts_are_refused_when_nobody_can_receive() {
    let skip = cap(15, Shortfall::Skip);
    assert_eq!(payouts(&[0, 0], &skip, None, Rao(1)), Err(EmissionError::NoScore));
    let error = EmissionError::CapInfeasible { positives: 1, needed: 7 };
    assert_eq!(payouts(&[0, 3], &skip, None, Rao(1)), Err(error));
    let to_owner = cap(15, Shortfall::ToOwner);
    assert_eq!(payouts(&[0, 3], &to_owner, None, Rao(1)), Err(EmissionError::OwnerMissing));
    let error = EmissionError::IndexOutOfRange { index: 2, len: 2 };
    assert_eq!(payouts(&[0, 3], &to_owner, Some(2), Rao(1)), Err(error));
}

proptest! {
    #[test]
    fn payouts_and_dust_are_the_pool_when_any_scores(
        scores in prop::collection::vec(prop_oneof![Just(0), 0_u128..1 << 40, any::<u128>()], 1..100),
        pool in any::<u64>(),
        percent in 1_u32..=100,
    ) {
        prop_assume!(scores.iter().any(|&score| score > 0));
        let params = cap(percent, Shortfall::Uniform);
        let positives = scores.iter().filter(|&&score| score > 0).count() as u64;
        let payouts = check(&scores, &params, None, pool);
        prop_assert!(payouts.dust.get() < positives);
        if !payouts.shortfall_used {
            let most = Rao(pool).mul_floor(params.cap);
            prop_assert!(payouts.amounts.iter().all(|&amount| amount <= most));
        }
    }
}
