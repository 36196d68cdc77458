// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects)]

use super::*;
use crate::{CapParams, allocate};
use alloc::vec;
use proptest::prelude::*;

#[test]
fn blend_is_exact_when_shares_meet() {
    let half = Ppb::from_percent(50);
    assert_eq!(
        blend(&[1_000_000_000, 0], &[250_000_000, 750_000_000], half).unwrap(),
        vec![625_000_000_000_000_000, 375_000_000_000_000_000]
    );
    assert_eq!(blend(&[u32::MAX], &[u32::MAX], half).unwrap(), vec![u128::from(u32::MAX) * 1_000_000_000]);
}

#[test]
fn blend_fails_when_lengths_differ() {
    let error = EmissionError::LengthMismatch { expected: 2, found: 1 };
    assert_eq!(blend(&[1, 2], &[1], Ppb::ONE), Err(error));
}

#[test]
fn blend_leaves_all_to_the_other_when_one_mechanism_is_empty() {
    let intel = [100_000_000; 10];
    let blended = blend(&[0; 10], &intel, Ppb::from_percent(50)).unwrap();
    assert_eq!(allocate(&blended, &CapParams::default(), None).unwrap().shares_ppb, intel);
}

proptest! {
    #[test]
    fn blend_is_capped_when_both_are(
        (serving, intel) in (10_usize..60).prop_flat_map(|len| (
            prop::collection::vec(1_u128..1 << 40, len), prop::collection::vec(1_u128..1 << 40, len),
        )),
        percent in 0_u32..=100,
    ) {
        let cap = CapParams::default();
        let (serving, intel) = (allocate(&serving, &cap, None).unwrap(), allocate(&intel, &cap, None).unwrap());
        let blended = blend(&serving.shares_ppb, &intel.shares_ppb, Ppb::from_percent(percent)).unwrap();
        let whole: u128 = 1_000_000_000_000_000_000;
        prop_assert_eq!(blended.iter().sum::<u128>(), whole);
        prop_assert!(blended.iter().all(|&score| score <= cap.cap.mul_floor(whole)));
    }
}
