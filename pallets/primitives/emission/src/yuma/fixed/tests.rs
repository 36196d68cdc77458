// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects)]

use super::*;
use proptest::prelude::*;

#[test]
fn q32_returns_to_the_same_or_one_less_when_converted_twice() {
    for value in 0..=u16::MAX {
        let back = Q32::from_u16(value).to_u16();
        assert!(back == value || back + 1 == value, "{value} became {back}");
    }
    assert_eq!(Q32::from_u16(u16::MAX), Q32::ONE);
    assert_eq!(Q32::from_bits(u64::MAX).to_u16(), u16::MAX);
}

proptest! {
    #[test]
    fn part_is_the_floor_of_the_quotient_when_any_part(whole in 1_u64..1 << 50, seed in any::<u64>()) {
        let part = seed % (whole + 1);
        let exact = (u128::from(part) << 32) / u128::from(whole);
        prop_assert_eq!(u128::from(PartOf::new(Q32::from_bits(whole)).of(Q32::from_bits(part)).bits()), exact);
    }

    #[test]
    fn product_rounds_as_named_when_below_one(a in 0..=1_u64 << 32, b in 0..=1_u64 << 32) {
        let exact = u128::from(a) * u128::from(b);
        prop_assert_eq!(u128::from(Q32::from_bits(a).times(Q32::from_bits(b)).bits()), exact >> 32);
        prop_assert_eq!(u128::from(Q32::from_bits(a).times_ceil(Q32::from_bits(b)).bits()), exact.div_ceil(1 << 32));
    }
}
