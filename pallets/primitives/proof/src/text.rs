// SPDX-License-Identifier: Apache-2.0

use alloc::{borrow::ToOwned, string::String, vec::Vec};
use core::fmt;

use codec::{Compact, Decode, DecodeWithMemTracking, Encode, EncodeLike, Input, MaxEncodedLen, Output};

use crate::{ProofError, limits::decode_bytes};

/// UTF-8 text of at most `MAX` bytes without control characters.
///
/// SCALE-encoded as a byte vector; decoding refuses a longer one before it allocates.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const MAX: u32>(String);

impl<const MAX: u32> Text<MAX> {
    /// Accepts `text` as it is.
    ///
    /// # Errors
    ///
    /// - [`ProofError::TextTooLong`]: more than `MAX` bytes.
    /// - [`ProofError::TextInvalid`]: it contains a control character.
    pub fn new(text: &str) -> Result<Self, ProofError> {
        let found = u32::try_from(text.len()).unwrap_or(u32::MAX);
        if found > MAX {
            return Err(ProofError::TextTooLong { max: MAX, found });
        }
        if text.chars().any(char::is_control) {
            return Err(ProofError::TextInvalid);
        }
        Ok(Self(text.to_owned()))
    }

    /// Trims `text`, lower-cases its ASCII letters and accepts the result unless it is empty.
    ///
    /// # Errors
    ///
    /// As [`Text::new`], and [`ProofError::TextEmpty`].
    pub fn normalised(text: &str) -> Result<Self, ProofError> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(ProofError::TextEmpty);
        }
        let mut accepted = Self::new(trimmed)?;
        accepted.0.make_ascii_lowercase();
        Ok(accepted)
    }

    /// Whether [`Text::normalised`] would return this very text.
    #[must_use]
    pub fn is_normalised(&self) -> bool {
        !self.0.is_empty() && self.0.trim() == self.0 && !self.0.bytes().any(|b| b.is_ascii_uppercase())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The text, owned.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl<const MAX: u32> AsRef<str> for Text<MAX> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl<const MAX: u32> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: u32> core::str::FromStr for Text<MAX> {
    type Err = ProofError;

    fn from_str(text: &str) -> Result<Self, ProofError> {
        Self::new(text)
    }
}

impl<const MAX: u32> TryFrom<&str> for Text<MAX> {
    type Error = ProofError;

    fn try_from(text: &str) -> Result<Self, ProofError> {
        Self::new(text)
    }
}

impl<const MAX: u32> Encode for Text<MAX> {
    fn size_hint(&self) -> usize {
        self.0.size_hint()
    }

    fn encode_to<O: Output + ?Sized>(&self, dest: &mut O) {
        self.0.encode_to(dest);
    }
}

impl<const MAX: u32> EncodeLike for Text<MAX> {}

impl<const MAX: u32> Decode for Text<MAX> {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        let bytes = decode_bytes(input, MAX)?;
        let text = core::str::from_utf8(&bytes).map_err(|_| "text is not UTF-8")?;
        Self::new(text).map_err(|_| "text has control characters".into())
    }
}

impl<const MAX: u32> DecodeWithMemTracking for Text<MAX> {}

impl<const MAX: u32> MaxEncodedLen for Text<MAX> {
    fn max_encoded_len() -> usize {
        Compact(MAX).encoded_size().saturating_add(usize::try_from(MAX).unwrap_or(usize::MAX))
    }
}

impl<const MAX: u32> scale_info::TypeInfo for Text<MAX> {
    type Identity = Vec<u8>;

    fn type_info() -> scale_info::Type {
        <Vec<u8> as scale_info::TypeInfo>::type_info()
    }
}

#[cfg(feature = "serde")]
impl<const MAX: u32> serde::Serialize for Text<MAX> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(feature = "serde")]
impl<'de, const MAX: u32> serde::Deserialize<'de> for Text<MAX> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}
