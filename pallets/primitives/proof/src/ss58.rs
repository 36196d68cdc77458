// SPDX-License-Identifier: Apache-2.0

//! Addresses as Substrate writes them: base58 of `prefix ‖ public key ‖ checksum`.

use alloc::{string::String, vec, vec::Vec};

use crate::{HotkeyId, ProofError};

/// Network prefix of Bittensor and of generic Substrate chains.
pub const PREFIX: u8 = 42;

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// Prefix, key and checksum of a one-byte prefix.
const RAW_LEN: usize = 35;
/// No address of that length is longer in base58.
const MAX_TEXT: usize = 50;

/// The address of a key under prefix 42.
#[must_use]
pub fn encode(key: &HotkeyId) -> String {
    let mut raw = vec![PREFIX];
    raw.extend_from_slice(key);
    let checksum = checksum(&raw);
    raw.extend_from_slice(&checksum);
    to_base58(&raw)
}

/// The key of an address under prefix 42.
///
/// # Errors
///
/// - [`ProofError::BadAddress`]: a foreign character, another length or a wrong checksum.
/// - [`ProofError::WrongNetwork`]: a well-formed address of another network.
pub fn decode(address: &str) -> Result<HotkeyId, ProofError> {
    if address.len() > MAX_TEXT {
        return Err(ProofError::BadAddress);
    }
    let raw = from_base58(address).ok_or(ProofError::BadAddress)?;
    let (body, found) = raw.split_last_chunk::<2>().ok_or(ProofError::BadAddress)?;
    if checksum(body) != *found {
        return Err(ProofError::BadAddress);
    }
    match body {
        [prefix, key @ ..] if *prefix < 64 && raw.len() == RAW_LEN => {
            if *prefix != PREFIX {
                return Err(ProofError::WrongNetwork { prefix: u16::from(*prefix) });
            }
            HotkeyId::try_from(key).map_err(|_| ProofError::BadAddress)
        }
        // Two-byte prefixes: 14 bits, spread as Substrate defines it.
        [first @ 64..=127, second, key @ ..] if key.len() == 32 => {
            let low = (first << 2) | (second >> 6);
            let high = second & 0b0011_1111;
            Err(ProofError::WrongNetwork { prefix: u16::from_le_bytes([low, high]) })
        }
        _ => Err(ProofError::BadAddress),
    }
}

/// First two bytes of blake2b-512 of `"SS58PRE" ‖ body`.
fn checksum(body: &[u8]) -> [u8; 2] {
    let digest = blake2b_simd::Params::new().to_state().update(b"SS58PRE").update(body).finalize();
    digest.as_bytes().first_chunk::<2>().copied().unwrap_or_default()
}

fn to_base58(raw: &[u8]) -> String {
    let zeros = raw.iter().take_while(|byte| **byte == 0).count();
    // Digits, least significant first.
    let mut digits: Vec<u8> = Vec::new();
    for byte in raw {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry = carry.saturating_add(u32::from(*digit) << 8);
            *digit = u8::try_from(carry % 58).unwrap_or(0);
            carry /= 58;
        }
        while carry > 0 {
            digits.push(u8::try_from(carry % 58).unwrap_or(0));
            carry /= 58;
        }
    }
    core::iter::repeat_n(&0u8, zeros)
        .chain(digits.iter().rev())
        .filter_map(|digit| ALPHABET.get(usize::from(*digit)))
        .map(|letter| char::from(*letter))
        .collect()
}

fn from_base58(text: &str) -> Option<Vec<u8>> {
    let zeros = text.bytes().take_while(|letter| *letter == b'1').count();
    // Bytes, least significant first.
    let mut raw: Vec<u8> = Vec::new();
    for letter in text.bytes() {
        let mut carry = u32::try_from(ALPHABET.iter().position(|known| *known == letter)?).ok()?;
        for byte in &mut raw {
            carry = carry.checked_add(u32::from(*byte).checked_mul(58)?)?;
            *byte = u8::try_from(carry & 0xff).ok()?;
            carry >>= 8;
        }
        while carry > 0 {
            raw.push(u8::try_from(carry & 0xff).ok()?);
            carry >>= 8;
        }
    }
    raw.extend(core::iter::repeat_n(0, zeros));
    raw.reverse();
    Some(raw)
}

#[cfg(test)]
mod tests;
