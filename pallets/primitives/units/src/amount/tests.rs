// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects)]

extern crate alloc;

use super::*;
use crate::Ppb;
use alloc::string::ToString;
use proptest::prelude::*;

#[test]
fn rao_parses_when_unit_is_given() {
    assert_eq!("1.5 TAO".parse(), Ok(Rao(1_500_000_000)));
    assert_eq!("7 rao".parse(), Ok(Rao(7)));
    assert_eq!("18446744073.709551615TAO".parse(), Ok(Rao::MAX));
    assert_eq!("1.5".parse::<Rao>(), Err(ParseAmountError::NoUnit));
    assert_eq!("1.5 rao".parse::<Rao>(), Err(ParseAmountError::TooPrecise));
    assert_eq!("18446744073.709551616 TAO".parse::<Rao>(), Err(ParseAmountError::TooLarge));
    assert_eq!("-1 TAO".parse::<Rao>(), Err(ParseAmountError::NotANumber));
}

#[test]
fn micro_usd_parses_when_with_or_without_sign() {
    assert_eq!("$0.05".parse(), Ok(MicroUsd(50_000)));
    assert_eq!("0.05 USD".parse(), Ok(MicroUsd(50_000)));
    assert_eq!("12".parse(), Ok(MicroUsd(12_000_000)));
    assert_eq!("0.0000001".parse::<MicroUsd>(), Err(ParseAmountError::TooPrecise));
    assert_eq!("$".parse::<MicroUsd>(), Err(ParseAmountError::NotANumber));
}

#[test]
fn amount_stays_in_range_when_saturating() {
    assert_eq!(Rao::MAX.saturating_add(Rao(1)), Rao::MAX);
    assert_eq!(Rao::MAX.checked_add(Rao(1)), None);
    assert_eq!(Rao(1).saturating_sub(Rao(2)), Rao::ZERO);
    assert_eq!(Rao(1).checked_sub(Rao(2)), None);
    assert_eq!([Rao::MAX, Rao(5)].into_iter().sum::<Rao>(), Rao::MAX);
    assert_eq!(Rao::MAX.saturating_mul(2), Rao::MAX);
}

#[test]
fn amount_fraction_rounds_as_named_when_multiplied() {
    let third = Ppb::from_ratio_floor(1, 3).unwrap();
    assert_eq!(Rao(100).mul_floor(third), Rao(33));
    assert_eq!(Rao(100).mul_ceil(third), Rao(34));
    assert_eq!(Rao::MAX.mul_ceil(Ppb::ONE), Rao::MAX);
}

proptest! {
    #[test]
    fn amount_survives_when_written_and_read(value in any::<u64>()) {
        prop_assert_eq!(Rao(value).to_string().parse(), Ok(Rao(value)));
        prop_assert_eq!(MicroUsd(value).to_string().parse(), Ok(MicroUsd(value)));
        prop_assert_eq!(Rao::decode(&mut &Rao(value).encode()[..]), Ok(Rao(value)));
    }
}
