// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use alloc::vec;

use clawrank_proof::{Claim, ModelName};
use clawrank_units::MicroUsd;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Zero;
use proptest::prelude::*;

use super::*;

const CAP: Ppb = Ppb::from_percent(40);

fn receipt() -> Receipt {
    Receipt {
        version: 1,
        claim: Claim {
            request_id: [0; 16],
            miner: [1; 32],
            gateway: [2; 32],
            model: ModelName::new("m").unwrap(),
            input_tokens: 40,
            output_tokens: 60,
            response_hash: [0; 32],
            stream: false,
            ok: true,
        },
        miner_signature: [0; 64],
        payer: [3; 32],
        fee: MicroUsd(10),
        received_ms: 2_000 * 60_000 + 59_999,
        first_byte_ms: 1,
        total_ms: 2,
        recount_tokens: 100,
    }
}

#[test]
fn receipt_counts_when_complete_recent_and_plausible() {
    let params = ServingParams::clawrank();
    let counted = Ok((2_000, Usage { tokens: 100, fee: MicroUsd(10) }));
    assert_eq!(countable(&receipt(), 2_000, &params), counted);
    assert_eq!(countable(&receipt(), 3_439, &params), counted);
    assert_eq!(countable(&receipt(), 3_440, &params), Err(Refusal::OutsideWindow));
    assert_eq!(countable(&receipt(), 1_999, &params), Err(Refusal::OutsideWindow));
    let mut incomplete = receipt();
    incomplete.claim.ok = false;
    assert_eq!(countable(&incomplete, 2_000, &params), Err(Refusal::Incomplete));
    let disagreeing = Receipt { recount_tokens: 49, ..receipt() };
    assert_eq!(countable(&disagreeing, 2_000, &params), Err(Refusal::RecountDisagrees));
}

#[test]
fn tokens_agree_within_a_factor_of_two_both_ways_when_compared() {
    for (claimed, recount, agree) in [
        (100, 50, true),
        (100, 49, false),
        (50, 100, true),
        (49, 100, false),
        (0, 0, true),
        (0, 1, false),
        (1, 0, false),
    ] {
        assert_eq!(tokens_agree(claimed, recount, 2), agree, "{claimed} {recount}");
    }
    assert!(tokens_agree(u64::MAX, u64::MAX / 2 + 1, 2));
    assert!(!tokens_agree(u64::MAX, u64::MAX / 2, 2));
}

#[test]
fn payer_tokens_are_limited_by_fees_when_a_fee_is_asked() {
    let usage = Usage { tokens: 1_000, fee: MicroUsd(70) };
    assert_eq!(payer_tokens(usage, &ServingParams::clawrank()), 700);
    assert_eq!(payer_tokens(Usage { fee: MicroUsd(100), ..usage }, &ServingParams::clawrank()), 1_000);
    assert_eq!(payer_tokens(Usage { fee: MicroUsd(0), ..usage }, &ServingParams::clawrank()), 0);
    assert_eq!(payer_tokens(Usage { fee: MicroUsd(0), ..usage }, &ServingParams::local()), 1_000);
    assert_eq!(payer_tokens(Usage { tokens: u64::MAX, fee: MicroUsd::MAX }, &ServingParams::clawrank()), u64::MAX);
}

#[test]
fn eligible_tokens_are_zero_when_one_or_two_payers_at_40_percent() {
    for payers in [&[][..], &[1_000_000], &[500, 500], &[u64::MAX, u64::MAX], &[0, 0, 0], &[10, 10, 0, 0]] {
        assert_eq!(eligible_tokens(payers, CAP), 0, "{payers:?}");
    }
}

#[test]
fn eligible_tokens_are_all_when_nobody_is_over_the_cap() {
    assert_eq!(eligible_tokens(&[10, 10, 10], CAP), 30);
    assert_eq!(eligible_tokens(&[40, 35, 25], CAP), 100);
}

#[test]
fn eligible_tokens_follow_the_small_payers_when_large_ones_are_capped() {
    // One at the cap: 60 / (1 - 0.4).
    assert_eq!(eligible_tokens(&[1_000_000, 30, 30], CAP), 100);
    // Two at the cap: 7 / (1 - 0.8).
    assert_eq!(eligible_tokens(&[1_000_000, 1_000_000, 7], CAP), 35);
    assert_eq!(eligible_tokens(&[7, 1_000_000, 900, 0], CAP), 35);
    // A third of a token is rounded down.
    assert_eq!(eligible_tokens(&[100, 1, 0, 1], Ppb::from_percent(40)), 3);
}

#[test]
fn eligible_tokens_are_everything_when_the_cap_is_one() {
    assert_eq!(eligible_tokens(&[123], Ppb::from_percent(100)), 123);
    assert_eq!(eligible_tokens(&[123, 1], Ppb::from_percent(100)), 124);
    assert_eq!(eligible_tokens(&[], Ppb::from_percent(100)), 0);
}

#[test]
fn eligible_tokens_meet_the_cap_exactly_when_it_divides_one() {
    assert_eq!(eligible_tokens(&[10, 4], Ppb::from_percent(50)), 8);
    assert_eq!(eligible_tokens(&[10, 10], Ppb::from_percent(50)), 20);
    assert_eq!(eligible_tokens(&[10], Ppb::from_percent(50)), 0);
    assert_eq!(eligible_tokens(&[10, 10], Ppb::from_percent(0)), 0);
}

#[test]
fn eligible_tokens_saturate_when_larger_than_a_word() {
    assert_eq!(eligible_tokens(&[u64::MAX; 5], CAP), u64::MAX);
}

/// `Σ min(e_p, cap·E) − E` in rationals: zero at a solution, negative beyond the largest.
fn excess(payers: &[u64], cap: Ppb, eligible: &BigRational) -> BigRational {
    let cap = BigRational::new(cap.parts().into(), 1_000_000_000.into()) * eligible;
    let sum = payers.iter().map(|p| BigRational::from(BigInt::from(*p)).min(cap.clone()));
    sum.fold(BigRational::zero(), |a, b| a + b) - eligible
}

fn payers() -> impl Strategy<Value = Vec<u64>> {
    proptest::collection::vec(prop_oneof![0u64..50, 0u64..1_000_000, any::<u64>().prop_map(|e| e >> 8)], 0..12)
}

proptest! {
    #[test]
    fn eligible_tokens_are_the_largest_solution_when_any(payers in payers(), percent in 1u32..=100) {
        let cap = Ppb::from_percent(percent);
        let eligible = BigInt::from(eligible_tokens(&payers, cap));
        // The largest solution lies in [eligible, eligible + 1): the excess is not negative before it, and is after it.
        prop_assert!(excess(&payers, cap, &BigRational::from(eligible.clone())) >= BigRational::zero());
        prop_assert!(excess(&payers, cap, &BigRational::from(eligible + 1)) < BigRational::zero());
    }

    #[test]
    fn eligible_tokens_never_fall_when_a_payer_joins_or_pays_more(payers in payers(), more in any::<u32>(), at in any::<prop::sample::Index>()) {
        let before = eligible_tokens(&payers, CAP);
        let mut joined = payers.clone();
        joined.push(u64::from(more));
        prop_assert!(eligible_tokens(&joined, CAP) >= before);
        if !payers.is_empty() {
            let mut paid = payers.clone();
            paid[at.index(payers.len())] += u64::from(more);
            prop_assert!(eligible_tokens(&paid, CAP) >= before);
        }
    }

    #[test]
    fn eligible_tokens_are_the_same_when_payers_are_reordered(payers in payers()) {
        let mut reversed = payers.clone();
        reversed.reverse();
        prop_assert_eq!(eligible_tokens(&payers, CAP), eligible_tokens(&reversed, CAP));
        let zeros = [payers.clone(), vec![0; 3]].concat();
        prop_assert_eq!(eligible_tokens(&payers, CAP), eligible_tokens(&zeros, CAP));
    }
}
