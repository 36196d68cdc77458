// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects)]

use super::*;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn ratio_matches_division_when_any_part(
        whole in (any::<u64>(), 0_u32..64).prop_map(|(whole, shift)| whole >> shift),
        units in (0_u64..1 << 63, 0_u32..63).prop_map(|(units, shift)| units >> shift),
        seed in any::<u64>(),
    ) {
        let part = u128::from(seed) % (u128::from(whole) + 1);
        let product = part * u128::from(units);
        let expected = (product.checked_div(whole.into()).unwrap_or(0), product.checked_rem(whole.into()).unwrap_or(0));
        let (quotient, remainder) = Ratio::new(units, whole).of(part as u64);
        prop_assert_eq!((u128::from(quotient), u128::from(remainder)), expected);
    }

    #[test]
    fn wide_ratio_matches_division_when_any_width(
        scores in prop::collection::vec((any::<u128>(), 0_u32..128).prop_map(|(score, shift)| score >> shift), 1..9),
        units in (0_u64..=1 << 62, 0_u32..62).prop_map(|(units, shift)| units >> shift),
    ) {
        let whole = scores.iter().fold(Wide::default(), |sum, &score| sum.wrapping_add(score.into()));
        let ratio = WideRatio::new(units, whole);
        for &part in &scores {
            let (quotient, remainder) = ratio.of(part);
            prop_assert_eq!((u128::from(quotient), remainder), Wide::share(part, units.into(), whole));
        }
    }
}
