// SPDX-License-Identifier: Apache-2.0

use alloc::vec::Vec;

use codec::{Compact, Decode, Input};

use crate::ProofError;

/// Decodes a list of at most `max` values; refuses a longer one before it allocates.
pub(crate) fn decode_list<T: Decode, I: Input>(input: &mut I, max: u32) -> Result<Vec<T>, codec::Error> {
    let Compact(len) = Compact::<u32>::decode(input)?;
    if len > max {
        return Err("list is over its cap".into());
    }
    let len = usize::try_from(len).map_err(|_| "list length exceeds memory")?;
    // Reserved as the elements arrive: a length prefix alone buys no memory.
    let mut list = Vec::new();
    for _ in 0..len {
        list.push(T::decode(input)?);
    }
    Ok(list)
}

/// Decodes a byte string of at most `max` bytes; refuses a longer one before it allocates.
pub(crate) fn decode_bytes<I: Input>(input: &mut I, max: u32) -> Result<Vec<u8>, codec::Error> {
    let Compact(len) = Compact::<u32>::decode(input)?;
    if len > max {
        return Err("byte string is over its cap".into());
    }
    let mut bytes = alloc::vec![0; usize::try_from(len).map_err(|_| "length exceeds memory")?];
    input.read(&mut bytes)?;
    Ok(bytes)
}

/// Decodes one value from foreign bytes of at most `max` bytes and nothing after it.
pub(crate) fn decode_all<T: Decode>(bytes: &[u8], max: u32) -> Result<T, ProofError> {
    if u32::try_from(bytes.len()).unwrap_or(u32::MAX) > max {
        return Err(ProofError::TooLarge { max });
    }
    let mut input = bytes;
    let value = T::decode(&mut input).map_err(|_| ProofError::Malformed)?;
    if input.is_empty() { Ok(value) } else { Err(ProofError::TrailingBytes) }
}
