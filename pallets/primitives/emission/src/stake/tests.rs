// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::*;
use alloc::vec::Vec;
use num_bigint::BigUint;
use proptest::prelude::*;

const TAO: u64 = 1_000_000_000;
/// Coldkeys that stake to the one hotkey.
const HOLDERS: usize = 5;

#[derive(Clone, Debug)]
enum Step {
    Add(usize, u64),
    Reward(u64),
    Remove(usize, u64),
    Leave(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let holder = || 0..HOLDERS;
    let amount = || prop_oneof![1_u64..10, 1..TAO, TAO..3_000_000 * TAO];
    prop_oneof![
        3 => (holder(), amount()).prop_map(|(holder, amount)| Step::Add(holder, amount)),
        3 => amount().prop_map(Step::Reward),
        2 => (holder(), amount()).prop_map(|(holder, amount)| Step::Remove(holder, amount)),
        1 => holder().prop_map(Step::Leave),
    ]
}

/// Stake of one who had none.
fn stake(pool: &mut StakePool, alpha: u64) -> Shares {
    pool.add(Shares::default(), Rao(alpha)).unwrap()
}

fn worth(pool: &StakePool, shares: Shares) -> u64 {
    pool.worth(shares).get()
}

#[test]
fn stake_is_worth_what_was_staked_when_nothing_was_earned() {
    let mut pool = StakePool::default();
    let (first, second) = (stake(&mut pool, 40 * TAO), stake(&mut pool, 7));
    // A share is a rao then.
    assert_eq!(first, Shares { count: 40_000_000_000_000_000_000, exponent: -9 });
    assert_eq!(second, Shares { count: 7_000_000_000, exponent: -9 });
    assert_eq!(pool.all(), Shares { count: 40_000_000_007_000_000_000, exponent: -9 });
    assert_eq!((worth(&pool, first), worth(&pool, second)), (40 * TAO, 7));
    let left = pool.remove(first, Rao(15 * TAO)).unwrap();
    assert_eq!((worth(&pool, left), worth(&pool, second), pool.alpha().get()), (25 * TAO, 7, 25 * TAO + 7));
    assert_eq!(StakePool::new(pool.alpha(), pool.all()), pool);
}

#[test]
fn reward_is_shared_by_stake_when_two_have_some() {
    let mut pool = StakePool::default();
    let (two, one) = (stake(&mut pool, 2 * TAO), stake(&mut pool, TAO));
    pool.reward(Rao(300)).unwrap();
    assert_eq!((worth(&pool, two), worth(&pool, one)), (2 * TAO + 200, TAO + 100));
    // Whoever comes later has no part in what was earned before.
    let late = stake(&mut pool, TAO);
    let worths = (worth(&pool, two), worth(&pool, one), worth(&pool, late));
    assert_eq!(worths, (2 * TAO + 199, TAO + 99, TAO));
    assert_eq!(pool.alpha().get(), 4 * TAO + 300);
}

#[test]
fn newcomer_neither_loses_nor_gains_when_a_share_has_become_dear() {
    let mut pool = StakePool::default();
    let mut owner = stake(&mut pool, 2_000_000);
    for _ in 0..20 {
        // What somebody does who wants a share to be worth more than a newcomer stakes.
        pool.reward(Rao(1_000_000 * TAO)).unwrap();
        let earned = worth(&pool, owner) - 2_000_000;
        owner = pool.remove(owner, Rao(earned)).unwrap();
    }
    assert!(pool.all().exponent < -100, "{:?}", pool.all());
    let newcomer = stake(&mut pool, 3_000_000);
    assert_eq!((worth(&pool, owner), worth(&pool, newcomer)), (1_999_999, 3_000_000));
    assert_eq!(pool.remove(owner, Rao(1_999_999)), Ok(Shares::default()));
    assert_eq!(worth(&pool, newcomer), 3_000_001);
}

#[test]
fn nobody_is_rewarded_when_the_pool_is_empty() {
    let mut pool = StakePool::default();
    let some = Shares { count: 1, exponent: -9 };
    assert_eq!(pool.reward(Rao(1)), Err(PoolError::Empty));
    assert_eq!(worth(&pool, some), 0);
    assert_eq!(pool.remove(some, Rao(1)), Err(PoolError::AboveWorth { worth: Rao::ZERO }));
    assert_eq!(pool.divide(Rao(1_000), 11_796), (Rao(1_000), Rao::ZERO));
    assert_eq!(pool, StakePool::default());
}

#[test]
fn nothing_is_taken_in_when_it_does_not_fit() {
    let mut pool = StakePool::default();
    let shares = stake(&mut pool, u64::MAX);
    let before = pool;
    assert_eq!(pool.add(Shares::default(), Rao(1)), Err(PoolError::Overflow));
    assert_eq!(pool.reward(Rao(1)), Err(PoolError::Overflow));
    assert_eq!(pool, before);
    assert_eq!(pool.remove(shares, Rao::MAX), Ok(Shares::default()));
    assert_eq!(pool, StakePool::default());
}

#[test]
fn root_stake_counts_in_part_when_it_is_weighed() {
    let weight = |alpha, root, tao_weight| stake_weight(Rao(alpha), Rao(root), tao_weight).get();
    assert_eq!(weight(5, 1_000, 0), 5);
    assert_eq!(weight(5, 1_000, u64::MAX), 1_005);
    assert_eq!(weight(5, 1_000, u64::MAX / 2), 5 + 499);
    assert_eq!(weight(u64::MAX, 1_000, u64::MAX), u64::MAX);
}

proptest! {
    #[test]
    fn dividends_are_whole_when_divided_by_any_take(dividends: u64, take: u16, staked in 1..u64::MAX) {
        let mut pool = StakePool::default();
        stake(&mut pool, staked);
        let (taken, shared) = pool.divide(Rao(dividends), take);
        prop_assert_eq!(taken.get().checked_add(shared.get()), Some(dividends));
        prop_assert_eq!(u128::from(taken.get()), u128::from(dividends) * u128::from(take) / 65_535);
    }

    #[test]
    fn pool_is_the_same_when_rewards_come_in_any_order_or_at_once(
        staked in 1..TAO,
        rewards in prop::collection::vec(0..3_000_000 * TAO, 1..20),
    ) {
        let mut start = StakePool::default();
        let own = stake(&mut start, staked);
        let (mut forth, mut back, mut once) = (start, start, start);
        rewards.iter().for_each(|reward| forth.reward(Rao(*reward)).unwrap());
        rewards.iter().rev().for_each(|reward| back.reward(Rao(*reward)).unwrap());
        once.reward(Rao(rewards.iter().sum())).unwrap();
        prop_assert_eq!(forth, back);
        prop_assert_eq!(forth, once);
        prop_assert_eq!(worth(&once, own), staked + rewards.iter().sum::<u64>());
    }

    #[test]
    fn newcomers_get_what_they_staked_when_they_come_in_any_order(
        earned in 0..3_000_000 * TAO,
        stakes in prop::collection::vec(1..3_000_000 * TAO, 1..10),
    ) {
        let mut start = StakePool::default();
        stake(&mut start, TAO);
        start.reward(Rao(earned)).unwrap();
        let (mut forth, mut back) = (start, start);
        for (pool, order) in [(&mut forth, stakes.clone()), (&mut back, stakes.iter().rev().copied().collect())] {
            let own: Vec<_> = order.iter().map(|alpha| {
                let shares = stake(pool, *alpha);
                // At once all of it, and not a rao more for leaving again.
                assert_eq!(worth(pool, shares), *alpha);
                shares
            }).collect();
            // Those who come later cost less than a rao.
            for (alpha, shares) in order.iter().zip(&own) {
                prop_assert!((alpha - 1..=*alpha).contains(&worth(pool, *shares)));
            }
        }
        prop_assert_eq!(forth.alpha(), back.alpha());
    }

    #[test]
    fn worth_is_the_exact_part_rounded_down_when_the_pool_is_any(
        alpha in 1_u64..,
        all in 1_u128..,
        count: u128,
    ) {
        let pool = StakePool::new(Rao(alpha), Shares { count: all, exponent: -9 });
        let own = Shares { count: count % all, exponent: -9 };
        let exact = BigUint::from(alpha) * own.count / all;
        prop_assert_eq!(BigUint::from(worth(&pool, own)), exact);
        prop_assert_eq!(worth(&pool, pool.all()), alpha);
    }

    #[test]
    fn parts_are_the_whole_when_steps_are_any(steps in prop::collection::vec(step(), 1..60), last in 0..HOLDERS) {
        let (mut pool, mut own, mut came, mut went) = (StakePool::default(), [Shares::default(); HOLDERS], 0_u64, 0_u64);
        for step in steps {
            let before: Vec<u64> = own.iter().map(|own| worth(&pool, *own)).collect();
            match step {
                Step::Add(holder, amount) => {
                    own[holder] = pool.add(own[holder], Rao(amount)).unwrap();
                    came += amount;
                    // What is staked is there at once, and next to nothing comes on top.
                    let grown = worth(&pool, own[holder]) - before[holder];
                    prop_assert!((amount..=amount + 1).contains(&grown), "{grown} for {amount}");
                }
                Step::Reward(amount) => {
                    let whole = pool.alpha().get();
                    if pool.reward(Rao(amount)).is_ok() {
                        came += amount;
                        for (own, before) in own.iter().zip(before) {
                            let part = u128::from(before) * u128::from(amount) / u128::from(whole);
                            let grown = u128::from(worth(&pool, *own) - before);
                            // What a part of a rao had before may earn, too.
                            prop_assert!(grown >= part && grown <= part + 2 + u128::from(amount / whole), "{grown}, {part}");
                        }
                    }
                }
                Step::Remove(holder, amount) => {
                    match pool.remove(own[holder], Rao(amount)) {
                        Ok(left) => {
                            own[holder] = left;
                            went += amount;
                            let fell = before[holder] - worth(&pool, left);
                            prop_assert!((amount..=amount + 1).contains(&fell), "{fell} for {amount}");
                        }
                        Err(error) => {
                            prop_assert_eq!(error, PoolError::AboveWorth { worth: Rao(before[holder]) });
                            prop_assert!(amount > before[holder]);
                        }
                    }
                }
                Step::Leave(holder) => {
                    went += before[holder];
                    own[holder] = pool.remove(own[holder], Rao(before[holder])).unwrap();
                    prop_assert_eq!(own[holder], Shares::default());
                }
            }
            prop_assert_eq!(own.iter().map(|own| pool.units(*own)).sum::<u128>(), pool.all().count);
            prop_assert_eq!(pool.alpha().is_zero(), pool == StakePool::default());
            prop_assert_eq!(came, went + pool.alpha().get());
            let parts: u64 = own.iter().map(|own| worth(&pool, *own)).sum();
            let alpha = pool.alpha().get();
            prop_assert!(parts <= alpha && alpha - parts < HOLDERS as u64, "{parts} of {alpha}");
        }
        // All leave, and the last takes what rounding left: what went is what came.
        for place in 0..HOLDERS {
            let holder = (place + last) % HOLDERS;
            let amount = pool.worth(own[holder]);
            prop_assert_eq!(pool.remove(own[holder], amount), Ok(Shares::default()));
            went += amount.get();
        }
        prop_assert_eq!(pool, StakePool::default());
        prop_assert_eq!(came, went);
    }
}
