// SPDX-License-Identifier: Apache-2.0

//! The stake of a hotkey divided among many: nothing appears, nothing is lost.

use crate::{SafeFloat, stake_pool::StakePool};
use proptest::prelude::*;
use sp_runtime::PerU16;

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
fn stake(pool: &mut StakePool, alpha: u64) -> SafeFloat {
    pool.add(SafeFloat::default(), alpha).unwrap()
}

#[test]
fn stake_is_worth_what_was_staked_when_nothing_was_earned() {
    let mut pool = StakePool::default();
    let (first, second) = (stake(&mut pool, 40 * TAO), stake(&mut pool, 7));
    // A share is a rao then.
    assert_eq!(first, SafeFloat { mantissa: 40_000_000_000_000_000_000, exponent: -9 });
    assert_eq!(second, SafeFloat { mantissa: 7_000_000_000, exponent: -9 });
    assert_eq!(pool.all(), SafeFloat { mantissa: 40_000_000_007_000_000_000, exponent: -9 });
    assert_eq!((pool.worth(first), pool.worth(second)), (40 * TAO, 7));
    let left = pool.remove(first, 15 * TAO).unwrap();
    assert_eq!((pool.worth(left), pool.worth(second), pool.alpha), (25 * TAO, 7, 25 * TAO + 7));
}

#[test]
fn reward_is_shared_by_stake_when_two_have_some() {
    let mut pool = StakePool::default();
    let (two, one) = (stake(&mut pool, 2 * TAO), stake(&mut pool, TAO));
    pool.reward(300).unwrap();
    assert_eq!((pool.worth(two), pool.worth(one)), (2 * TAO + 200, TAO + 100));
    // Whoever comes later has no part in what was earned before.
    let late = stake(&mut pool, TAO);
    assert_eq!((pool.worth(two), pool.worth(one), pool.worth(late)), (2 * TAO + 199, TAO + 99, TAO));
    assert_eq!(pool.alpha, 4 * TAO + 300);
}

#[test]
fn newcomer_neither_loses_nor_gains_when_a_share_has_become_dear() {
    let mut pool = StakePool::default();
    let mut owner = stake(&mut pool, 2_000_000);
    for _ in 0..20 {
        // What somebody does who wants a share to be worth more than a newcomer stakes.
        pool.reward(1_000_000 * TAO).unwrap();
        let earned = pool.worth(owner) - 2_000_000;
        owner = pool.remove(owner, earned).unwrap();
    }
    assert!(pool.all().exponent < -100, "{:?}", pool.all());
    let newcomer = stake(&mut pool, 3_000_000);
    assert_eq!((pool.worth(owner), pool.worth(newcomer)), (1_999_999, 3_000_000));
    assert_eq!(pool.remove(owner, 1_999_999), Some(SafeFloat::default()));
    assert_eq!(pool.worth(newcomer), 3_000_001);
}

#[test]
fn nobody_is_rewarded_when_the_pool_is_empty() {
    let mut pool = StakePool::default();
    let some = SafeFloat { mantissa: 1, exponent: -9 };
    assert_eq!(pool.reward(1), None);
    assert_eq!(pool.worth(some), 0);
    assert_eq!(pool.remove(some, 1), None);
    assert_eq!(pool.divide(1_000, PerU16::from_percent(18)), (1_000, 0));
    assert_eq!(pool, StakePool::default());
}

#[test]
fn nothing_is_taken_in_when_it_does_not_fit() {
    let mut pool = StakePool::default();
    let shares = stake(&mut pool, u64::MAX);
    let before = pool;
    assert_eq!(pool.add(SafeFloat::default(), 1), None);
    assert_eq!(pool.reward(1), None);
    assert_eq!(pool, before);
    assert_eq!(pool.remove(shares, u64::MAX), Some(SafeFloat::default()));
    assert_eq!(pool, StakePool::default());
}

proptest! {
    #[test]
    fn dividends_are_whole_when_divided_by_any_take(dividends: u64, take: u16, staked in 1..u64::MAX) {
        let mut pool = StakePool::default();
        stake(&mut pool, staked);
        let (taken, shared) = pool.divide(dividends, PerU16::from_parts(take));
        prop_assert_eq!(taken.checked_add(shared), Some(dividends));
        prop_assert_eq!(u128::from(taken), u128::from(dividends) * u128::from(take) / 65_535);
    }

    #[test]
    fn parts_are_the_whole_when_steps_are_any(steps in prop::collection::vec(step(), 1..60), last in 0..HOLDERS) {
        let (mut pool, mut own, mut came, mut went) = (StakePool::default(), [SafeFloat::default(); HOLDERS], 0_u64, 0_u64);
        for step in steps {
            let before: Vec<u64> = own.iter().map(|own| pool.worth(*own)).collect();
            match step {
                Step::Add(holder, amount) => {
                    own[holder] = pool.add(own[holder], amount).unwrap();
                    came += amount;
                    // What is staked is there at once, and next to nothing comes on top.
                    let grown = pool.worth(own[holder]) - before[holder];
                    prop_assert!((amount..=amount + 1).contains(&grown), "{grown} for {amount}");
                }
                Step::Reward(amount) => {
                    let whole = pool.alpha;
                    if pool.reward(amount).is_some() {
                        came += amount;
                        for (own, before) in own.iter().zip(before) {
                            let part = u128::from(before) * u128::from(amount) / u128::from(whole);
                            let grown = u128::from(pool.worth(*own) - before);
                            // What a part of a rao had before may earn, too.
                            prop_assert!(grown >= part && grown <= part + 2 + u128::from(amount / whole), "{grown}, {part}");
                        }
                    }
                }
                Step::Remove(holder, amount) => {
                    match pool.remove(own[holder], amount) {
                        Some(left) => {
                            own[holder] = left;
                            went += amount;
                            let fell = before[holder] - pool.worth(left);
                            prop_assert!((amount..=amount + 1).contains(&fell), "{fell} for {amount}");
                        }
                        None => prop_assert!(amount > before[holder]),
                    }
                }
                Step::Leave(holder) => {
                    went += before[holder];
                    own[holder] = pool.remove(own[holder], before[holder]).unwrap();
                    prop_assert_eq!(own[holder], SafeFloat::default());
                }
            }
            prop_assert_eq!(own.iter().map(|own| pool.units(*own)).sum::<u128>(), pool.all().mantissa);
            prop_assert_eq!(pool.alpha == 0, pool == StakePool::default());
            prop_assert_eq!(came, went + pool.alpha);
            let parts: u64 = own.iter().map(|own| pool.worth(*own)).sum();
            prop_assert!(parts <= pool.alpha && pool.alpha - parts < HOLDERS as u64, "{parts} of {}", pool.alpha);
        }
        // All leave, and the last takes what rounding left: what went is what came.
        for place in 0..HOLDERS {
            let holder = (place + last) % HOLDERS;
            let amount = pool.worth(own[holder]);
            prop_assert_eq!(pool.remove(own[holder], amount), Some(SafeFloat::default()));
            went += amount;
        }
        prop_assert_eq!(pool, StakePool::default());
        prop_assert_eq!(came, went);
    }
}
