// SPDX-License-Identifier: Apache-2.0
//! Ratios in 0 ..= 1 as parts per billion.

use codec::{Decode, DecodeWithMemTracking, Encode, Error, Input, MaxEncodedLen};
use core::{fmt, str::FromStr};
use scale_info::TypeInfo;

use crate::{amount::parse_decimal, wide::mul_div_rem};

#[cfg(test)]
mod tests;

/// Parts in one whole.
const BILLION: u32 = 1_000_000_000;
/// The same, as the divisor of wide products.
const WIDE: u128 = 1_000_000_000;

/// A ratio in 0 ..= 1, in parts per billion: the inner value is always in 0 ..= 1_000_000_000.
///
/// Decoding, parsing and every constructor refuse or clamp anything above one, as its name says. Written as
/// `15%`, `0.15` or `150000000ppb`; shown as a percentage without trailing zeros.
#[derive(
    Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Ppb(u32);

impl Ppb {
    /// Nothing: 0 %.
    pub const ZERO: Self = Self(0);
    /// The whole: 100 %.
    pub const ONE: Self = Self(BILLION);
    /// Parts in the whole, as the divisor of formulas: 1_000_000_000.
    pub const PARTS: u32 = BILLION;

    /// From parts per billion; `None` above 1_000_000_000.
    #[must_use]
    pub const fn from_ppb(parts: u32) -> Option<Self> {
        if parts <= BILLION { Some(Self(parts)) } else { None }
    }

    /// From parts per billion, values above one clamped to [`Self::ONE`].
    #[must_use]
    pub const fn from_ppb_clamped(parts: u128) -> Self {
        if parts >= WIDE { Self::ONE } else { Self(parts as u32) }
    }

    /// From whole percent, values above 100 clamped to [`Self::ONE`].
    #[must_use]
    pub const fn from_percent(percent: u32) -> Self {
        if percent >= 100 { Self::ONE } else { Self(percent.wrapping_mul(10_000_000)) }
    }

    /// From thousandths, values above 1,000 clamped to [`Self::ONE`].
    #[must_use]
    pub const fn from_permille(permille: u32) -> Self {
        if permille >= 1_000 { Self::ONE } else { Self(permille.wrapping_mul(1_000_000)) }
    }

    /// `numerator / denominator`, rounded down; `None` when `denominator` is zero or the ratio is above one.
    #[must_use]
    pub fn from_ratio_floor(numerator: u128, denominator: u128) -> Option<Self> {
        if numerator > denominator {
            return None;
        }
        let (parts, _) = mul_div_rem(numerator, WIDE, denominator)?;
        u32::try_from(parts).ok().map(Self)
    }

    /// `numerator / denominator`, rounded up; `None` when `denominator` is zero or the ratio is above one.
    #[must_use]
    pub fn from_ratio_ceil(numerator: u128, denominator: u128) -> Option<Self> {
        if numerator > denominator {
            return None;
        }
        let (parts, rest) = mul_div_rem(numerator, WIDE, denominator)?;
        u32::try_from(parts).ok().map(|parts| Self(parts.saturating_add(u32::from(rest != 0))))
    }

    /// The parts per billion, 0 ..= 1_000_000_000.
    #[must_use]
    pub const fn parts(self) -> u32 {
        self.0
    }

    /// Whether this is 0 %.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Whether this is 100 %.
    #[must_use]
    pub const fn is_one(self) -> bool {
        self.0 == BILLION
    }

    /// `1 - self`, exact.
    #[must_use]
    pub const fn complement(self) -> Self {
        Self(BILLION.saturating_sub(self.0))
    }

    /// `floor(self · value)`, exact for every `u128`.
    #[must_use]
    pub const fn mul_floor(self, value: u128) -> u128 {
        let (whole, rest) = self.scaled(value);
        whole.saturating_add(rest / WIDE)
    }

    /// `ceil(self · value)`, exact for every `u128`.
    #[must_use]
    pub const fn mul_ceil(self, value: u128) -> u128 {
        let (whole, rest) = self.scaled(value);
        whole.saturating_add(rest.div_ceil(WIDE))
    }

    /// `(whole, rest)` with `self · value == whole + rest / 10^9`. Neither product overflows: the first is at most
    /// `value`, the second below 10^18.
    const fn scaled(self, value: u128) -> (u128, u128) {
        let parts = self.0 as u128;
        ((value / WIDE).wrapping_mul(parts), (value % WIDE).wrapping_mul(parts))
    }

    /// `self · other`, rounded down to a part per billion.
    #[must_use]
    pub const fn times_floor(self, other: Self) -> Self {
        Self(self.mul_floor(other.0 as u128) as u32)
    }

    /// `self + other`; `None` above one.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        Self::from_ppb(self.0.wrapping_add(other.0))
    }

    /// `self - other`; `None` below zero.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(parts) => Some(Self(parts)),
            None => None,
        }
    }

    /// `self + other`, at most [`Self::ONE`].
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self::from_ppb_clamped((self.0.wrapping_add(other.0)) as u128)
    }

    /// `self - other`, at least [`Self::ZERO`].
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `factor · self`, at most [`Self::ONE`].
    #[must_use]
    pub const fn saturating_mul(self, factor: u32) -> Self {
        Self::from_ppb_clamped((self.0 as u128).wrapping_mul(factor as u128))
    }
}

impl Decode for Ppb {
    fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
        Self::from_ppb(u32::decode(input)?).ok_or_else(|| Error::from("Ppb above 1_000_000_000"))
    }
}

impl From<Ppb> for u32 {
    fn from(value: Ppb) -> Self {
        value.0
    }
}

impl TryFrom<u32> for Ppb {
    type Error = ParsePpbError;

    fn try_from(parts: u32) -> Result<Self, Self::Error> {
        Self::from_ppb(parts).ok_or(ParsePpbError::AboveOne)
    }
}

impl fmt::Display for Ppb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.0 / 10_000_000;
        let mut fraction = self.0 % 10_000_000;
        if fraction == 0 {
            return write!(f, "{whole}%");
        }
        let mut width = 7_usize;
        while fraction.is_multiple_of(10) {
            fraction /= 10;
            width = width.saturating_sub(1);
        }
        write!(f, "{whole}.{fraction:0width$}%")
    }
}

impl fmt::Debug for Ppb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ppb({self})")
    }
}

/// Why a text or number is not a [`Ppb`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParsePpbError {
    /// Not a decimal number, optionally followed by `%` or `ppb`.
    NotANumber,
    /// More digits than parts per billion can hold: nine after the point, seven with `%`, none with `ppb`.
    TooPrecise,
    /// Above 100 %.
    AboveOne,
}

impl fmt::Display for ParsePpbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotANumber => "not a ratio; write it like `15%`, `0.15` or `150000000ppb`",
            Self::TooPrecise => "finer than one part per billion; give at most 7 decimals of a percent or 9 of a ratio",
            Self::AboveOne => "above 100 %; a ratio is in 0 ..= 1",
        })
    }
}

impl core::error::Error for ParsePpbError {}

impl FromStr for Ppb {
    type Err = ParsePpbError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let (number, decimals) = if let Some(number) = text.strip_suffix('%') {
            (number, 7)
        } else if let Some(number) = text.strip_suffix("ppb") {
            (number, 0)
        } else {
            (text, 9)
        };
        let parts = parse_decimal(number.trim_end(), decimals).map_err(|error| match error {
            crate::ParseAmountError::TooPrecise => ParsePpbError::TooPrecise,
            crate::ParseAmountError::TooLarge => ParsePpbError::AboveOne,
            _ => ParsePpbError::NotANumber,
        })?;
        u32::try_from(parts).ok().and_then(Self::from_ppb).ok_or(ParsePpbError::AboveOne)
    }
}

/// As its parts per billion; read from them, or from a text such as `15%` where the format has texts.
#[cfg(feature = "serde")]
mod serde_impl {
    use super::Ppb;
    use core::fmt;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    impl Serialize for Ppb {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_u32(self.0)
        }
    }

    impl<'de> Deserialize<'de> for Ppb {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            if deserializer.is_human_readable() {
                deserializer.deserialize_any(PpbVisitor)
            } else {
                deserializer.deserialize_u32(PpbVisitor)
            }
        }
    }

    struct PpbVisitor;

    impl de::Visitor<'_> for PpbVisitor {
        type Value = Ppb;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("parts per billion (0 ..= 1000000000) or a text like \"15%\"")
        }

        fn visit_u64<E: de::Error>(self, value: u64) -> Result<Ppb, E> {
            u32::try_from(value)
                .ok()
                .and_then(Ppb::from_ppb)
                .ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(value), &self))
        }

        fn visit_i64<E: de::Error>(self, value: i64) -> Result<Ppb, E> {
            u64::try_from(value)
                .map_err(|_| E::invalid_value(de::Unexpected::Signed(value), &self))
                .and_then(|value| self.visit_u64(value))
        }

        fn visit_str<E: de::Error>(self, value: &str) -> Result<Ppb, E> {
            value.parse().map_err(E::custom)
        }
    }
}
