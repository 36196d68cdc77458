// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects)]

extern crate alloc;

use super::*;
use alloc::string::ToString;
use num_bigint::BigUint;
use proptest::prelude::*;

#[test]
fn ppb_shows_percent_when_displayed() {
    for (parts, text) in [
        (0, "0%"),
        (BILLION, "100%"),
        (150_000_000, "15%"),
        (125_000_000, "12.5%"),
        (1, "0.0000001%"),
        (500_000, "0.05%"),
        (333_333_333, "33.3333333%"),
    ] {
        assert_eq!(Ppb(parts).to_string(), text);
    }
}

#[test]
fn ppb_parses_when_percent_ratio_or_parts() {
    for (text, parts) in [
        ("15%", 150_000_000),
        (" 12.5 % ", 125_000_000),
        ("0.15", 150_000_000),
        ("1", BILLION),
        ("100%", BILLION),
        ("0", 0),
        (".5", 500_000_000),
        ("7ppb", 7),
        ("0.000000001", 1),
    ] {
        assert_eq!(text.parse(), Ok(Ppb(parts)), "{text}");
    }
}

#[test]
fn ppb_is_refused_when_text_is_wrong() {
    for (text, error) in [
        ("", ParsePpbError::NotANumber),
        (".", ParsePpbError::NotANumber),
        ("%", ParsePpbError::NotANumber),
        ("-1%", ParsePpbError::NotANumber),
        ("1.2.3", ParsePpbError::NotANumber),
        ("15 percent", ParsePpbError::NotANumber),
        ("101%", ParsePpbError::AboveOne),
        ("1.000000001", ParsePpbError::AboveOne),
        ("9999999999999999999999999999999999999999999%", ParsePpbError::AboveOne),
        ("0.0000000001", ParsePpbError::TooPrecise),
        ("0.12345678%", ParsePpbError::TooPrecise),
        ("1.5ppb", ParsePpbError::TooPrecise),
    ] {
        assert_eq!(text.parse::<Ppb>(), Err(error), "{text}");
    }
}

#[test]
fn ppb_decode_fails_when_above_one() {
    assert_eq!(Ppb::decode(&mut &BILLION.encode()[..]), Ok(Ppb::ONE));
    assert!(Ppb::decode(&mut &1_000_000_001_u32.encode()[..]).is_err());
}

#[test]
fn ppb_ratio_is_refused_when_undefined_or_above_one() {
    assert_eq!(Ppb::from_ratio_floor(0, 0), None);
    assert_eq!(Ppb::from_ratio_ceil(1, 0), None);
    assert_eq!(Ppb::from_ratio_floor(2, 1), None);
    assert_eq!(Ppb::from_ratio_floor(1, 3), Some(Ppb(333_333_333)));
    assert_eq!(Ppb::from_ratio_ceil(1, 3), Some(Ppb(333_333_334)));
    assert_eq!(Ppb::from_ratio_ceil(u128::MAX, u128::MAX), Some(Ppb::ONE));
}

#[test]
fn ppb_clamps_when_saturating() {
    assert_eq!(Ppb::from_percent(101), Ppb::ONE);
    assert_eq!(Ppb::from_percent(15), Ppb(150_000_000));
    assert_eq!(Ppb::from_permille(150), Ppb(150_000_000));
    assert_eq!(Ppb::ONE.saturating_add(Ppb::ONE), Ppb::ONE);
    assert_eq!(Ppb::ONE.checked_add(Ppb(1)), None);
    assert_eq!(Ppb::ZERO.saturating_sub(Ppb::ONE), Ppb::ZERO);
    assert_eq!(Ppb::ZERO.checked_sub(Ppb(1)), None);
    assert_eq!(Ppb::from_percent(15).saturating_mul(7), Ppb::ONE);
    assert_eq!(Ppb::from_percent(15).saturating_mul(6), Ppb::from_percent(90));
    assert_eq!(Ppb::from_percent(50).times_floor(Ppb::from_percent(30)), Ppb::from_percent(15));
}

#[cfg(feature = "serde")]
#[test]
fn ppb_reads_number_or_text_when_deserialised() {
    assert_eq!(serde_json::to_string(&Ppb::from_percent(15)).unwrap(), "150000000");
    assert_eq!(serde_json::from_str::<Ppb>("150000000").unwrap(), Ppb::from_percent(15));
    assert_eq!(serde_json::from_str::<Ppb>("\"15%\"").unwrap(), Ppb::from_percent(15));
    assert!(serde_json::from_str::<Ppb>("1000000001").is_err());
    assert!(serde_json::from_str::<Ppb>("-1").is_err());
}

proptest! {
    #[test]
    fn ppb_mul_matches_big_integers_when_any_value(parts in 0..=BILLION, value in any::<u128>(), shift in 0_u32..128) {
        let (ppb, value) = (Ppb(parts), value >> shift);
        let product = BigUint::from(value) * parts;
        let floor = u128::try_from(&product / BILLION).unwrap();
        let exact = (&product % BILLION) == BigUint::from(0_u8);
        prop_assert_eq!(ppb.mul_floor(value), floor);
        prop_assert_eq!(ppb.mul_ceil(value), floor + u128::from(!exact));
        prop_assert_eq!(ppb.mul_floor(value) + ppb.complement().mul_ceil(value), value);
    }

    #[test]
    fn ppb_survives_when_written_and_read(parts in 0..=BILLION) {
        let ppb = Ppb(parts);
        prop_assert_eq!(ppb.to_string().parse(), Ok(ppb));
        prop_assert_eq!(Ppb::decode(&mut &ppb.encode()[..]), Ok(ppb));
    }
}
