// SPDX-License-Identifier: Apache-2.0
//! Capped shares against a hundred exact examples, and against iterative redistribution in exact rationals.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

use clawrank_emission::{CapParams, EmissionError, Shortfall, allocate, divide, payouts};
use clawrank_units::{Ppb, Rao};
use num_bigint::{BigInt, BigUint};
use num_rational::BigRational;
use num_traits::{One, Zero};
use proptest::prelude::*;

#[derive(serde::Deserialize)]
struct Case {
    w: Vec<String>,
    k: serde_json::Value,
    exact: Vec<String>,
    u16_sum65535_cap9830: serde_json::Value,
    chain_units_sum436900_cap65535: serde_json::Value,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("data/waterfill15.json")).unwrap()
}

fn numbers(value: &serde_json::Value) -> Vec<u128> {
    value.as_array().unwrap().iter().map(|number| u128::from(number.as_u64().unwrap())).collect()
}

fn ratio(text: &str) -> BigRational {
    let (numerator, denominator) = text.split_once('/').unwrap();
    BigRational::new(numerator.parse().unwrap(), denominator.parse().unwrap())
}

fn cap(shortfall: Shortfall) -> CapParams {
    CapParams { cap: Ppb::from_percent(15), shortfall }
}

/// Shares by the definition: cap everyone above it, share what was cut off in proportion, until nobody is above.
fn redistribute(scores: &[u128], cap: &BigRational) -> Vec<BigRational> {
    let mut capped = vec![false; scores.len()];
    loop {
        let free = BigRational::one() - cap * BigInt::from(capped.iter().filter(|&&capped| capped).count());
        let open = || scores.iter().zip(&capped).filter(|(_, capped)| !**capped).map(|(score, _)| BigInt::from(*score));
        let sum: BigInt = open().sum();
        let share = |index: usize| {
            if capped[index] {
                cap.clone()
            } else if sum.is_zero() {
                BigRational::zero()
            } else {
                &free * BigInt::from(scores[index]) / &sum
            }
        };
        let shares: Vec<BigRational> = (0..scores.len()).map(share).collect();
        let over: Vec<usize> = (0..scores.len()).filter(|&index| !capped[index] && shares[index] > *cap).collect();
        if over.is_empty() {
            return shares;
        }
        over.into_iter().for_each(|index| capped[index] = true);
    }
}

/// Whether whole units are the floor of the exact ones or one more, and add up.
fn assert_rounds(units: impl IntoIterator<Item = u128>, exact: &[BigRational], total: u128) {
    let total = BigInt::from(total);
    let mut sum = BigInt::zero();
    for (units, exact) in units.into_iter().zip(exact) {
        let floor = (exact * &total).floor().to_integer();
        let above = BigInt::from(units) - floor;
        assert!(above.is_zero() || above.is_one(), "{units} units of {total} for a share of {exact}");
        sum += units;
    }
    assert_eq!(sum, total);
}

#[test]
fn golden_shares_units_and_weights_match_when_the_cap_holds() {
    let mut seen = 0;
    for case in cases() {
        let scores: Vec<u128> = case.w.iter().map(|score| score.parse().unwrap()).collect();
        let skip = cap(Shortfall::Skip);
        let Some(k) = case.k.as_u64() else {
            let positives = scores.iter().filter(|&&score| score > 0).count() as u32;
            let error = match positives {
                0 => EmissionError::NoScore,
                _ => EmissionError::CapInfeasible { positives, needed: 7 },
            };
            assert_eq!(allocate(&scores, &skip, None), Err(error));
            // In an infeasible example, "exact" is the cap for each positive score: what the owner's rule pays them.
            if positives > 0 {
                let owner = scores.len();
                let with_owner: Vec<u128> = scores.iter().copied().chain([0]).collect();
                let allocation = allocate(&with_owner, &cap(Shortfall::ToOwner), Some(owner)).unwrap();
                let mut exact: Vec<BigRational> = case.exact.iter().map(|text| ratio(text)).collect();
                exact.push(BigRational::one() - exact.iter().sum::<BigRational>());
                assert_rounds(allocation.shares_ppb.into_iter().map(u128::from), &exact, 1_000_000_000);
            }
            continue;
        };
        seen += 1;
        let exact: Vec<BigRational> = case.exact.iter().map(|text| ratio(text)).collect();
        let allocation = allocate(&scores, &skip, None).unwrap();
        assert_eq!(allocation.capped as u64, k);
        assert_rounds(allocation.shares_ppb.iter().map(|&share| u128::from(share)), &exact, 1_000_000_000);
        assert_eq!(divide(&scores, &skip, None, 65_535).unwrap(), numbers(&case.u16_sum65535_cap9830));
        let units = numbers(&case.chain_units_sum436900_cap65535);
        assert_eq!(divide(&scores, &skip, None, 436_900).unwrap(), units);
        assert_eq!(allocation.units.iter().map(|&units| u128::from(units)).collect::<Vec<_>>(), units);
        if k > 0 {
            assert_eq!(allocation.weights_u16.iter().map(|&weight| u128::from(weight)).collect::<Vec<_>>(), units);
        }
        // Payouts come from the exact share, rounded down once.
        let pool = 123_456_789_012_345_678_u64;
        let paid = payouts(&scores, &skip, None, Rao(pool)).unwrap();
        for (amount, exact) in paid.amounts.iter().zip(&exact) {
            assert_eq!(BigInt::from(amount.get()), (exact * BigInt::from(pool)).floor().to_integer());
        }
    }
    assert_eq!(seen, 87);
}

#[test]
fn chain_weights_keep_the_cap_when_normalised_by_the_chain() {
    for case in cases().iter().filter(|case| case.k.is_u64()) {
        let scores: Vec<u128> = case.w.iter().map(|score| score.parse().unwrap()).collect();
        let weights: Vec<(u16, u16)> =
            allocate(&scores, &cap(Shortfall::Skip), None).unwrap().nonzero_weights().collect();
        let sum: u64 = weights.iter().map(|&(_, weight)| u64::from(weight)).sum();
        for &(uid, weight) in &weights {
            // The chain's share of the row, against the cap and 1/65,535 of it.
            let limit = 15 * sum * 65_536 / 65_535;
            assert!(u64::from(weight) * 100 <= limit, "uid {uid} has weight {weight} of {sum}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn allocation_matches_redistribution_when_any_scores(
        scores in prop::collection::vec(
            prop_oneof![Just(0), 1_u128..50, (0_u32..128).prop_map(|bit| 1 << bit), any::<u128>()],
            1..40,
        ),
        percent in 3_u32..=100,
    ) {
        let params = CapParams { cap: Ppb::from_percent(percent), shortfall: Shortfall::Skip };
        let positives = scores.iter().filter(|&&score| score > 0).count() as u32;
        prop_assume!(positives * percent >= 100);
        let exact = redistribute(&scores, &BigRational::new(percent.into(), 100.into()));
        let allocation = allocate(&scores, &params, None).unwrap();
        assert_rounds(allocation.shares_ppb.iter().map(|&share| u128::from(share)), &exact, 1_000_000_000);
        let cap = BigRational::new(percent.into(), 100.into());
        let capped = exact.iter().filter(|&share| *share == cap).count();
        prop_assert!(allocation.capped <= capped);
        let total = u128::MAX / 3;
        assert_rounds(divide(&scores, &params, None, total).unwrap(), &redistribute_units(&scores, &params, total), total);
        let pool = u64::MAX - 7;
        for (amount, exact) in payouts(&scores, &params, None, Rao(pool)).unwrap().amounts.iter().zip(&exact) {
            prop_assert_eq!(BigInt::from(amount.get()), (exact * BigInt::from(pool)).floor().to_integer());
        }
    }
}

/// The exact shares under the cap in whole units that [`divide`] holds to.
fn redistribute_units(scores: &[u128], params: &CapParams, total: u128) -> Vec<BigRational> {
    let positives = scores.iter().filter(|&&score| score > 0).count() as u128;
    let floor = params.cap.mul_floor(total);
    let holds = BigUint::from(positives) * floor >= BigUint::from(total);
    let most = if holds { floor } else { params.cap.mul_ceil(total) };
    redistribute(scores, &BigRational::new(most.into(), total.into()))
}
