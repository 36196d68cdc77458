// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects)]

use super::*;
use num_bigint::BigUint;
use proptest::prelude::*;

fn big(value: Wide) -> BigUint {
    (BigUint::from(value.high) << 128) + value.low
}

fn any_length() -> impl Strategy<Value = u128> {
    prop_oneof![(any::<u128>(), 0_u32..128).prop_map(|(value, shift)| value >> shift), Just(u128::MAX), Just(0)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn share_matches_big_integers_when_whole_is_wide(
        part in any_length(), units in any_length(), low in any_length(), high in 0_u128..1 << 40,
    ) {
        let whole = Wide { high, low };
        prop_assume!(whole >= Wide::from(part) && big(whole) > BigUint::ZERO);
        let product = BigUint::from(part) * units;
        let (quotient, remainder) = Wide::share(part, units, whole);
        prop_assert_eq!(BigUint::from(quotient), &product / big(whole));
        prop_assert_eq!(big(remainder), product % big(whole));
    }

    #[test]
    fn sums_match_big_integers_when_carrying(a in any_length(), b in any_length(), c in any_length(), d in any_length()) {
        let (left, right) = (Wide { high: a >> 2, low: b }, Wide { high: c >> 2, low: d });
        let sum = left.wrapping_add(right);
        prop_assert_eq!(big(sum), big(left) + big(right));
        prop_assert_eq!(sum.wrapping_sub(right), left);
        let product = big(left) * d;
        prop_assert_eq!(left.checked_mul(d).map(big), (product.bits() <= 256).then_some(product));
    }
}
