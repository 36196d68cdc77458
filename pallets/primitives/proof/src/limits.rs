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
    // A length prefix alone buys at most a page; more is reserved as the elements arrive.
    let mut list = Vec::with_capacity(len.min(4_096 / core::mem::size_of::<T>().max(1)));
    for _ in 0..len {
        list.push(T::decode(input)?);
    }
    Ok(list)
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
