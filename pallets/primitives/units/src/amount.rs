// SPDX-License-Identifier: Apache-2.0
//! Amounts of money as integers of their smallest unit.

use codec::{CompactAs, Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::{fmt, iter::Sum, str::FromStr};
use scale_info::TypeInfo;

#[cfg(test)]
mod tests;

macro_rules! amount {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, DecodeWithMemTracking,
            MaxEncodedLen, CompactAs, TypeInfo,
        )]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[cfg_attr(feature = "serde", serde(transparent))]
        pub struct $name(pub u64);

        impl $name {
            /// No money.
            pub const ZERO: Self = Self(0);
            /// The largest amount that can be written.
            pub const MAX: Self = Self(u64::MAX);

            /// The amount in its smallest unit.
            #[must_use]
            pub const fn get(self) -> u64 {
                self.0
            }

            /// Whether the amount is zero.
            #[must_use]
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }

            /// `self + other`; `None` on overflow.
            #[must_use]
            pub const fn checked_add(self, other: Self) -> Option<Self> {
                match self.0.checked_add(other.0) {
                    Some(sum) => Some(Self(sum)),
                    None => None,
                }
            }

            /// `self - other`; `None` below zero.
            #[must_use]
            pub const fn checked_sub(self, other: Self) -> Option<Self> {
                match self.0.checked_sub(other.0) {
                    Some(rest) => Some(Self(rest)),
                    None => None,
                }
            }

            /// `self + other`, at most [`Self::MAX`].
            #[must_use]
            pub const fn saturating_add(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }

            /// `self - other`, at least zero.
            #[must_use]
            pub const fn saturating_sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }

            /// `factor · self`, at most [`Self::MAX`].
            #[must_use]
            pub const fn saturating_mul(self, factor: u64) -> Self {
                Self(self.0.saturating_mul(factor))
            }

            /// `floor(ratio · self)`; never overflows, since a ratio is at most one.
            #[must_use]
            pub const fn mul_floor(self, ratio: crate::Ppb) -> Self {
                Self(ratio.mul_floor(self.0 as u128) as u64)
            }

            /// `ceil(ratio · self)`; never overflows, since a ratio is at most one.
            #[must_use]
            pub const fn mul_ceil(self, ratio: crate::Ppb) -> Self {
                Self(ratio.mul_ceil(self.0 as u128) as u64)
            }
        }

        impl From<u64> for $name {
            fn from(value: u64) -> Self {
                Self(value)
            }
        }

        impl From<$name> for u64 {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl From<$name> for u128 {
            fn from(value: $name) -> Self {
                Self::from(value.0)
            }
        }

        /// Saturating: a sum beyond [`u64::MAX`] units stays there.
        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
                amounts.fold(Self::ZERO, Self::saturating_add)
            }
        }
    };
}

amount! {
    /// An amount of TAO (or of a subnet's alpha) in rao: one token is 10^9 rao.
    ///
    /// Written `1.5 TAO` or `1500000000 rao`; shown as the first, with nine decimals.
    Rao
}

amount! {
    /// An amount of US dollars in millionths: one dollar is 10^6.
    ///
    /// Written `$0.05`, `0.05` or `0.05 USD`; shown as the first, with six decimals.
    MicroUsd
}

impl fmt::Display for Rao {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09} TAO", self.0 / 1_000_000_000, self.0 % 1_000_000_000)
    }
}

impl fmt::Display for MicroUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// Why a text is not an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseAmountError {
    /// Not a non-negative decimal number.
    NotANumber,
    /// More decimals than the smallest unit has.
    TooPrecise,
    /// More than fits into 64 bits of the smallest unit.
    TooLarge,
    /// The unit is missing: `TAO` and `rao` differ by a factor of 10^9, so it is never guessed.
    NoUnit,
}

impl fmt::Display for ParseAmountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotANumber => "not an amount; write a decimal number such as `1.5`",
            Self::TooPrecise => "more decimals than the smallest unit has; round it first",
            Self::TooLarge => "does not fit into 64 bits of the smallest unit",
            Self::NoUnit => "the unit is missing; write `1.5 TAO` or `1500000000 rao`",
        })
    }
}

impl core::error::Error for ParseAmountError {}

impl FromStr for Rao {
    type Err = ParseAmountError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let (number, decimals) = if let Some(number) = text.strip_suffix("TAO") {
            (number, 9)
        } else if let Some(number) = text.strip_suffix("rao") {
            (number, 0)
        } else {
            return Err(ParseAmountError::NoUnit);
        };
        parse_decimal(number.trim_end(), decimals).map(Self)
    }
}

impl FromStr for MicroUsd {
    type Err = ParseAmountError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let number = match text.strip_prefix('$') {
            Some(number) => number,
            None => text.strip_suffix("USD").unwrap_or(text),
        };
        parse_decimal(number.trim(), 6).map(Self)
    }
}

/// Reads `123`, `1.5` or `.5` as an integer of `10^-decimals`, refusing digits finer than that.
pub(crate) fn parse_decimal(text: &str, decimals: u32) -> Result<u64, ParseAmountError> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Err(ParseAmountError::NotANumber);
    }
    if !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return Err(ParseAmountError::NotANumber);
    }
    let fraction = fraction.trim_end_matches('0');
    let missing = u32::try_from(fraction.len())
        .ok()
        .and_then(|given| decimals.checked_sub(given))
        .ok_or(ParseAmountError::TooPrecise)?;
    whole
        .bytes()
        .chain(fraction.bytes())
        .try_fold(0_u64, |value, byte| value.checked_mul(10)?.checked_add(u64::from(byte.wrapping_sub(b'0'))))
        .and_then(|value| value.checked_mul(10_u64.checked_pow(missing)?))
        .ok_or(ParseAmountError::TooLarge)
}
