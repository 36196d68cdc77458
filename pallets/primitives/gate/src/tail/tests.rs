// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::vec::Vec;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Zero};
use proptest::prelude::*;

use super::*;

fn ppb(parts: u32) -> Ppb {
    Ppb::from_ppb(parts).unwrap()
}

fn exact(tail: &Tail) -> BigRational {
    let number = |limbs: &[u64]| limbs.iter().rev().fold(BigInt::zero(), |sum, limb| (sum << 64) + BigInt::from(*limb));
    let (numerator, denominator) = tail.limbs();
    BigRational::new(number(numerator), number(denominator))
}

fn choose(n: u32, k: u32) -> BigInt {
    if k > n {
        return BigInt::zero();
    }
    (0..k).fold(BigInt::one(), |ways, i| ways * (n - i) / (i + 1))
}

/// The tail by its definition, term by term, over the common denominator 10^(9n).
fn binomial_oracle(x: u32, n: u32, p: Ppb) -> BigRational {
    let (p, q) = (BigInt::from(p.parts()), BigInt::from(p.complement().parts()));
    let sum = (x..=n).fold(BigInt::zero(), |sum, i| sum + choose(n, i) * p.pow(i) * q.pow(n - i));
    BigRational::new(sum, BigInt::from(1_000_000_000).pow(n))
}

fn hypergeometric_oracle(x: u32, draws: u32, marked: u32, total: u32) -> BigRational {
    let ways = (x..=draws).fold(BigInt::zero(), |sum, i| sum + choose(marked, i) * choose(total - marked, draws - i));
    BigRational::new(ways, choose(total, draws))
}

#[test]
fn binomial_tail_equals_the_oracle_when_small() {
    for n in 0..=12 {
        for x in 0..=n + 1 {
            for p in [0, 1, 250_000_000, 333_333_333, 500_000_000, 727_500_000, 999_999_999, 1_000_000_000] {
                let oracle = binomial_oracle(x, n, ppb(p));
                assert_eq!(exact(&binomial_tail_at_least(x, n, ppb(p)).unwrap()), oracle, "{x} {n} {p}");
                let lower = exact(&binomial_tail_at_most(x, n, ppb(p)).unwrap());
                assert_eq!(lower, BigRational::one() - binomial_oracle(x + 1, n, ppb(p)), "{x} {n} {p}");
            }
        }
    }
}

#[test]
fn binomial_tail_equals_the_oracle_when_as_large_as_can_be() {
    for (x, p) in [(1, 3), (128, 499_999_999), (200, 333_333_337), (256, 999_999_937), (40, 727_500_001)] {
        let tail = binomial_tail_at_least(x, 256, ppb(p)).unwrap();
        assert_eq!(exact(&tail), binomial_oracle(x, 256, ppb(p)), "{x} {p}");
    }
}

#[test]
fn tails_are_refused_when_out_of_range() {
    assert!(binomial_tail_at_least(1, 257, ppb(1)).is_none());
    assert!(binomial_tail_at_most(300, 257, ppb(1)).is_none());
    assert!(hypergeometric_tail_at_least(1, 1, 1, 513).is_none());
    assert!(hypergeometric_tail_at_least(1, 6, 1, 5).is_none());
    assert!(hypergeometric_tail_at_least(1, 1, 6, 5).is_none());
}

#[test]
fn hypergeometric_tail_equals_the_oracle_when_small() {
    for total in 0..=9 {
        for marked in 0..=total {
            for draws in 0..=total {
                for x in 0..=draws + 1 {
                    let tail = hypergeometric_tail_at_least(x, draws, marked, total).unwrap();
                    assert_eq!(
                        exact(&tail),
                        hypergeometric_oracle(x, draws, marked, total),
                        "{x} {draws} {marked} {total}"
                    );
                }
            }
        }
    }
}

#[test]
fn sign_tail_has_the_known_values_when_32_throws() {
    fn check(x: u32, ways: u64) {
        let expected = BigRational::new(ways.into(), BigInt::from(1u64 << 32));
        assert_eq!(exact(&sign_tail_at_least(x, 32).unwrap()), expected, "{x}");
    }
    check(32, 1);
    check(31, 33);
    check(30, 529);
    check(29, 5_489);
    check(28, 41_449);
    check(16, (1 << 31) + 601_080_390 / 2);
}

#[test]
fn level_is_exact_when_the_tail_is_just_below_or_at_it() {
    // 1/8 against 0.5/4 and 0.5/3.
    let eighth = sign_tail_at_least(3, 3).unwrap();
    assert!(!eighth.is_below(ppb(500_000_000), 4));
    assert!(eighth.is_below(ppb(500_000_001), 4));
    assert!(eighth.is_below(ppb(500_000_000), 3));
    assert!(!eighth.is_below(ppb(125_000_000), 0));
    assert!(!Tail::impossible().is_below(ppb(0), 1));
    assert!(Tail::impossible().is_below(ppb(1), u32::MAX));
    assert!(!Tail::certain().is_below(ppb(1_000_000_000), 1));
}

#[test]
fn level_decides_29_of_32_when_300_but_not_400_tests() {
    // 5,489 / 2^32 = 1.278e-6 against 5e-4 / 300 and 5e-4 / 400.
    let tail = sign_tail_at_least(29, 32).unwrap();
    assert!(tail.is_below(ppb(500_000), 300));
    assert!(!tail.is_below(ppb(500_000), 400));
    assert_eq!(tail.to_ppb_ceil(), ppb(1_279));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn binomial_tail_equals_the_oracle_when_any(n in 1u32..80, x in 0u32..80, p in 0u32..=1_000_000_000) {
        prop_assert_eq!(exact(&binomial_tail_at_least(x, n, ppb(p)).unwrap()), binomial_oracle(x, n, ppb(p)));
    }

    #[test]
    fn binomial_tail_grows_when_p_grows_and_shrinks_when_x_does(
        n in 1u32..=256, x in 0u32..=256, p in 0u32..1_000_000_000, more in 1u32..1_000_000_000,
    ) {
        let x = x.min(n);
        let higher = ppb(p.saturating_add(more).min(1_000_000_000));
        let tail = exact(&binomial_tail_at_least(x, n, ppb(p)).unwrap());
        prop_assert!(tail <= exact(&binomial_tail_at_least(x, n, higher).unwrap()));
        prop_assert!(exact(&binomial_tail_at_least(x + 1, n, ppb(p)).unwrap()) <= tail);
    }

    #[test]
    fn hypergeometric_tail_equals_the_oracle_when_any(total in 1u32..=512, a in any::<u32>(), b in any::<u32>(), x in 0u32..256) {
        let (draws, marked) = (a % (total + 1), b % (total + 1));
        let tail = exact(&hypergeometric_tail_at_least(x, draws, marked, total).unwrap());
        prop_assert_eq!(tail, hypergeometric_oracle(x, draws, marked, total));
    }

    #[test]
    fn parts_per_billion_are_the_ceiling_when_rounded(n in 1u32..=256, x in 0u32..=256, p in 0u32..=1_000_000_000) {
        let tail = binomial_tail_at_least(x, n, ppb(p)).unwrap();
        let scaled = exact(&tail) * BigRational::from(BigInt::from(1_000_000_000));
        prop_assert_eq!(scaled.ceil().to_integer(), BigInt::from(tail.to_ppb_ceil().parts()));
    }
}

#[test]
fn median_test_probability_equals_counting_when_every_order_is_listed() {
    // The precedence identity that the statistics rest on: with n attempts and k replays drawn alike, every order of
    // attempts (true) and replays (false) is equally likely.
    let (n, k) = (5u32, 4u32);
    let j = n.div_ceil(2);
    let orders: Vec<Vec<bool>> = (0u32..1 << (n + k))
        .filter(|bits| bits.count_ones() == n)
        .map(|bits| (0..n + k).map(|at| bits >> at & 1 == 1).collect())
        .collect();
    let below = |order: &[bool]| {
        let median = order.iter().enumerate().filter(|(_, attempt)| **attempt).nth(j as usize - 1).unwrap().0;
        order[..median].iter().filter(|attempt| !**attempt).count() as u32
    };
    for x in 0..=k {
        let share = |counted: usize| BigRational::new(counted.into(), orders.len().into());
        let slower = orders.iter().filter(|order| k - below(order) >= x).count();
        assert_eq!(exact(&hypergeometric_tail_at_least(j, k - x + j, n, n + k).unwrap()), share(slower), "slower {x}");
        if x > 0 {
            let faster = orders.iter().filter(|order| below(order) >= x).count();
            assert_eq!(
                exact(&hypergeometric_tail_at_least(x, x + j - 1, k, n + k).unwrap()),
                share(faster),
                "faster {x}"
            );
        }
    }
}
