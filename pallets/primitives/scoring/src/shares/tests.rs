// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Zero;
use proptest::prelude::*;

use super::*;

fn miner(percent: u32, eligible_tokens: u64) -> ServingMiner {
    ServingMiner { base: Ppb::from_percent(percent), eligible_tokens, ghost: false }
}

/// Scores in tenths of a percent.
fn check(miners: &[ServingMiner], permille: &[u128]) {
    let expected: Vec<u128> = permille.iter().map(|p| p * (SCORE_ONE / 1_000)).collect();
    assert_eq!(serving_scores(miners, &ServingParams::clawrank()), expected);
}

#[test]
fn pools_are_shared_when_there_is_base_and_traffic() {
    // 10 % in halves; 90 % as three quarters and one quarter.
    check(&[miner(100, 300), miner(100, 100)], &[725, 275]);
    // 10 % as four fifths and one fifth.
    check(&[miner(80, 0), miner(20, 5)], &[80, 920]);
}

#[test]
fn a_hundred_idle_miners_have_ten_percent_together_when_one_works() {
    let mut miners = [miner(50, 0); 101];
    miners[100].eligible_tokens = 1;
    let scores = serving_scores(&miners, &ServingParams::clawrank());
    let idle: u128 = scores[..100].iter().sum();
    assert!(idle <= SCORE_ONE / 10);
    assert!(scores[100] >= SCORE_ONE / 10 * 9);
}

#[test]
fn everything_is_shared_by_base_when_there_is_no_traffic() {
    check(&[miner(60, 0), miner(40, 0)], &[600, 400]);
}

#[test]
fn everything_is_shared_by_traffic_when_there_is_no_base() {
    check(&[miner(0, 3), miner(0, 1)], &[750, 250]);
}

#[test]
fn nobody_has_a_score_when_there_is_neither() {
    check(&[miner(0, 0), miner(0, 0)], &[0, 0]);
    check(&[], &[]);
}

#[test]
fn ghost_has_nothing_and_its_part_goes_to_the_others_when_its_probe_failed() {
    let ghost = ServingMiner { ghost: true, ..miner(100, 1_000) };
    check(&[ghost, miner(100, 10), miner(100, 10)], &[0, 500, 500]);
    check(&[ghost], &[0]);
}

proptest! {
    #[test]
    fn scores_are_the_exact_shares_rounded_down_when_any(
        miners in proptest::collection::vec((0u32..=1_000_000_000, any::<u64>(), any::<bool>()), 1..30), pool in 0u32..=100,
    ) {
        let miners: Vec<ServingMiner> = miners.into_iter()
            .map(|(base, tokens, ghost)| ServingMiner { base: Ppb::from_ppb(base).unwrap(), eligible_tokens: tokens, ghost })
            .collect();
        let params = ServingParams { base_pool: Ppb::from_percent(pool), ..ServingParams::clawrank() };
        let scores = serving_scores(&miners, &params);
        let alive = |m: &&ServingMiner| !m.ghost;
        let bases: BigInt = miners.iter().filter(alive).map(|m| BigInt::from(m.base.parts())).sum();
        let tokens: BigInt = miners.iter().filter(alive).map(|m| BigInt::from(m.eligible_tokens)).sum();
        prop_assume!(!bases.is_zero() && !tokens.is_zero());
        for (miner, score) in miners.iter().zip(&scores) {
            if miner.ghost {
                prop_assert_eq!(*score, 0);
                continue;
            }
            let exact = BigRational::new(BigInt::from(pool) * miner.base.parts(), BigInt::from(100) * &bases)
                + BigRational::new(BigInt::from(100 - pool) * miner.eligible_tokens, BigInt::from(100) * &tokens);
            let short = exact * BigRational::from(BigInt::from(SCORE_ONE)) - BigRational::from(BigInt::from(*score));
            prop_assert!(short >= BigRational::zero() && short < BigRational::from(BigInt::from(2)), "{}", short);
        }
        prop_assert!(scores.iter().sum::<u128>() <= SCORE_ONE);
    }
}
