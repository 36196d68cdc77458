// SPDX-License-Identifier: Apache-2.0

//! Fields that are bytes in memory and text on the wire.

use core::fmt;
use std::str::FromStr;

use base64::{Engine, engine::general_purpose::STANDARD};
use clawrank_proof::{HotkeyId, ss58};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::limits::MAX_HEX_DIGITS;

/// Why a text field could not be read as bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodingError {
    /// Another number of hexadecimal digits than the field has.
    #[error("{found} hexadecimal digits where {expected} are required")]
    HexLength {
        /// Digits required.
        expected: usize,
        /// Digits found.
        found: usize,
    },
    /// A character that is not `0-9` or `a-f`.
    #[error("not lower-case hexadecimal digits")]
    HexDigit,
    /// A field of variable length is over its cap.
    #[error("field of {found} characters exceeds {max}")]
    TooLong {
        /// Longest accepted length.
        max: usize,
        /// Length found.
        found: usize,
    },
    /// Not standard base64 with padding.
    #[error("not standard base64")]
    Base64,
    /// Not an ss58 address with prefix 42.
    #[error("not an ss58 hotkey with prefix 42")]
    Address,
}

/// Fills `out` from lower-case hexadecimal `text` of exactly twice its length.
fn hex_into(text: &str, out: &mut [u8]) -> Result<(), EncodingError> {
    let expected = out.len().saturating_mul(2);
    if text.len() != expected {
        return Err(EncodingError::HexLength { expected, found: text.len() });
    }
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(EncodingError::HexDigit);
    }
    hex::decode_to_slice(text, out).map_err(|_| EncodingError::HexDigit)
}

/// `N` bytes as lower-case hexadecimal digits without `0x`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hex<const N: usize>(pub [u8; N]);

/// Identity of one request: 16 random bytes, 32 digits.
pub type RequestId = Hex<16>;

impl<const N: usize> Hex<N> {
    /// Fresh bytes from the operating system.
    ///
    /// # Errors
    ///
    /// Those of the operating system's generator.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0u8; N];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }
}

impl<const N: usize> fmt::Display for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl<const N: usize> fmt::Debug for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<const N: usize> FromStr for Hex<N> {
    type Err = EncodingError;

    fn from_str(text: &str) -> Result<Self, EncodingError> {
        let mut bytes = [0u8; N];
        hex_into(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl<const N: usize> From<[u8; N]> for Hex<N> {
    fn from(bytes: [u8; N]) -> Self {
        Self(bytes)
    }
}

/// Bytes of variable length as lower-case hexadecimal digits, at most [`MAX_HEX_DIGITS`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct HexBytes(pub Vec<u8>);

impl fmt::Display for HexBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl FromStr for HexBytes {
    type Err = EncodingError;

    fn from_str(text: &str) -> Result<Self, EncodingError> {
        if text.len() > MAX_HEX_DIGITS {
            return Err(EncodingError::TooLong { max: MAX_HEX_DIGITS, found: text.len() });
        }
        let mut bytes = vec![0u8; text.len() / 2];
        hex_into(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

/// Bytes of variable length as standard base64 with padding. The enclosing frame or body caps its length.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Base64(pub Vec<u8>);

impl fmt::Display for Base64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(&self.0))
    }
}

impl FromStr for Base64 {
    type Err = EncodingError;

    fn from_str(text: &str) -> Result<Self, EncodingError> {
        STANDARD.decode(text).map(Self).map_err(|_| EncodingError::Base64)
    }
}

/// A hotkey, on the wire an ss58 address with prefix 42.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hotkey(pub HotkeyId);

impl fmt::Display for Hotkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&ss58::encode(&self.0))
    }
}

impl fmt::Debug for Hotkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hotkey {
    type Err = EncodingError;

    fn from_str(text: &str) -> Result<Self, EncodingError> {
        if text.len() > 64 {
            return Err(EncodingError::TooLong { max: 64, found: text.len() });
        }
        ss58::decode(text).map(Self).map_err(|_| EncodingError::Address)
    }
}

impl From<HotkeyId> for Hotkey {
    fn from(id: HotkeyId) -> Self {
        Self(id)
    }
}

/// Reads a text field without keeping a copy of it where the input allows.
struct TextVisitor<T>(core::marker::PhantomData<T>);

impl<T: FromStr<Err = EncodingError>> de::Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text field")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

macro_rules! serde_as_text {
    ($type:ty $(; $($generics:tt)*)?) => {
        impl<$($($generics)*)?> Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de, $($($generics)*)?> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(TextVisitor(core::marker::PhantomData))
            }
        }
    };
}

serde_as_text!(Hex<N>; const N: usize);
serde_as_text!(HexBytes);
serde_as_text!(Base64);
serde_as_text!(Hotkey);

#[cfg(test)]
mod tests;
