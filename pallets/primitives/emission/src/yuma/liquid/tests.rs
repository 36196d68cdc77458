// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::float_arithmetic, clippy::arithmetic_side_effects)]

use super::*;
use proptest::prelude::*;

const UNIT: f64 = 4_294_967_296.0;

#[test]
fn power_is_exact_to_nine_digits_when_in_range() {
    for step in 0..=100_000_u64 {
        let x = step * (LIMIT / 100_000);
        let expected = (-(x as f64) / UNIT).exp2();
        let error = (power_of_half(x) as f64 / UNIT - expected).abs();
        assert!(error < 1e-9, "2^-{} is off by {error}", x as f64 / UNIT);
    }
}

#[test]
fn logistic_is_one_half_when_centred_and_symmetric_around() {
    assert_eq!(Logistic::new(1_000).at(Q32::from_bits(1 << 31)).bits(), 1 << 31);
    assert_eq!(Logistic::new(0).at(Q32::ONE).bits(), 1 << 31);
    let curve = Logistic::new(1_000);
    let (low, high) = (curve.at(Q32::ZERO), curve.at(Q32::ONE));
    assert_eq!(low.plus(high), Q32::ONE);
    assert!((low.bits() as f64 / UNIT - 0.006_692_850_924).abs() < 1e-8);
    assert_eq!(Logistic::new(-1_000).at(Q32::ZERO), high);
}

proptest! {
    #[test]
    fn logistic_matches_the_formula_when_any_steepness(steepness in any::<i16>(), at in 0..=1_u64 << 32) {
        let argument = (f64::from(steepness) / 100.0 * (at as f64 / UNIT - 0.5)).clamp(-20.0, 20.0);
        let expected = 1.0 / (1.0 + (-argument).exp());
        let error = (Logistic::new(steepness).at(Q32::from_bits(at)).bits() as f64 / UNIT - expected).abs();
        prop_assert!(error < 1e-8, "off by {error}");
    }

    #[test]
    fn speed_stays_between_its_bounds_when_any_edge(
        weight in 0..=1_u64 << 32, bond in 0..=1_u64 << 32, consensus in 0..=1_u64 << 32, steepness in any::<i16>(),
    ) {
        let params = LiquidAlpha { alpha_low: 6_553, alpha_high: 19_660, steepness, ..LiquidAlpha::default() };
        let speed = Speed::new(&params).of(Q32::from_bits(weight), Q32::from_bits(bond), Q32::from_bits(consensus));
        prop_assert!(speed >= Q32::from_u16(6_553) && speed <= Q32::from_u16(19_660));
    }
}
