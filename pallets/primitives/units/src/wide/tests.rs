// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects)]

use super::*;
use num_bigint::BigUint;
use proptest::prelude::*;

fn check(a: u128, b: u128, divisor: u128) {
    let product = BigUint::from(a) * BigUint::from(b);
    let (high, low) = mul_wide(a, b);
    assert_eq!((BigUint::from(high) << 128) + BigUint::from(low), product);
    if divisor == 0 {
        assert_eq!(mul_div_rem(a, b, divisor), None);
        return;
    }
    let quotient = &product / BigUint::from(divisor);
    let remainder = &product % BigUint::from(divisor);
    let expected = u128::try_from(&quotient).ok().map(|q| (q, u128::try_from(&remainder).unwrap()));
    assert_eq!(mul_div_rem(a, b, divisor), expected);
    assert_eq!(mul_div_floor(a, b, divisor), expected.map(|(q, _)| q));
    assert_eq!(mul_div_ceil(a, b, divisor), expected.and_then(|(q, r)| q.checked_add(u128::from(r > 0))));
}

/// Values of every bit length, with the edges over-represented.
fn any_length() -> impl Strategy<Value = u128> {
    prop_oneof![
        (any::<u128>(), 0_u32..128).prop_map(|(value, shift)| value >> shift),
        (0_u32..128, 0_u128..3).prop_map(|(shift, less)| (1_u128 << shift).saturating_sub(less)),
        (0_u128..3).prop_map(|less| u128::MAX - less),
    ]
}

#[test]
fn mul_div_matches_big_integers_when_at_the_edges() {
    let edges = [0, 1, 2, LOW - 1, LOW, LOW + 1, 1 << 127, (1 << 127) + 1, u128::MAX - 1, u128::MAX];
    for a in edges {
        for b in edges {
            for divisor in edges {
                check(a, b, divisor);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn mul_div_matches_big_integers_when_any_length(a in any_length(), b in any_length(), d in any_length()) {
        check(a, b, d);
    }

    #[test]
    fn cmp_products_matches_big_integers_when_any_length(
        a in any_length(), b in any_length(), c in any_length(), d in any_length(),
    ) {
        let exact = (BigUint::from(a) * b).cmp(&(BigUint::from(c) * d));
        prop_assert_eq!(cmp_products(a, b, c, d), exact);
    }
}
