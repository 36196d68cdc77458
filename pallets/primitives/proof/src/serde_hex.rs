// SPDX-License-Identifier: Apache-2.0

//! Byte arrays and byte strings as lower-case hexadecimal text, for `#[serde(with = "clawrank_proof::serde_hex")]`.
//!
//! Reading accepts both cases and an optional `0x`.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// Writes `bytes` as hexadecimal text.
///
/// # Errors
///
/// Those of the serializer.
pub fn serialize<S: Serializer, T: AsRef<[u8]>>(bytes: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let text: String = bytes
        .as_ref()
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0x0f])
        .filter_map(|nibble| char::from_digit(u32::from(nibble), 16))
        .collect();
    serializer.serialize_str(&text)
}

/// Reads hexadecimal text into an array or a vector.
///
/// # Errors
///
/// A foreign character, an odd number of digits, or a length the target does not have.
pub fn deserialize<'de, D: Deserializer<'de>, T: TryFrom<Vec<u8>>>(deserializer: D) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    let digits = text.strip_prefix("0x").unwrap_or(&text).as_bytes();
    if digits.len() & 1 != 0 {
        return Err(D::Error::custom("hexadecimal text has an odd number of digits"));
    }
    let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let bytes = digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some((nibble(*high)? << 4) | nibble(*low)?),
            _ => None,
        })
        .collect::<Option<Vec<u8>>>()
        .ok_or_else(|| D::Error::custom("hexadecimal text has a foreign character"))?;
    let len = bytes.len();
    T::try_from(bytes).map_err(|_| D::Error::custom(alloc::format!("{len} bytes is not the length of this field")))
}

/// Lists of byte arrays as lists of hexadecimal texts, for `#[serde(with = "clawrank_proof::serde_hex::list")]`.
pub mod list {
    use alloc::vec::Vec;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(transparent, bound(serialize = "T: AsRef<[u8]>", deserialize = "T: TryFrom<Vec<u8>>"))]
    struct Hex<T>(#[serde(with = "super")] T);

    /// Writes each element as hexadecimal text.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<S: Serializer, T: AsRef<[u8]>>(list: &[T], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(list.iter().map(|item| Hex(item.as_ref())))
    }

    /// Reads a list of hexadecimal texts.
    ///
    /// # Errors
    ///
    /// Those of [`super::deserialize`] for any element.
    pub fn deserialize<'de, D: Deserializer<'de>, T: TryFrom<Vec<u8>>>(deserializer: D) -> Result<Vec<T>, D::Error> {
        Ok(Vec::<Hex<T>>::deserialize(deserializer)?.into_iter().map(|hex| hex.0).collect())
    }
}
