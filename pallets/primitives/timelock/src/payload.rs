// SPDX-License-Identifier: Apache-2.0

use alloc::vec::Vec;

use codec::{Decode, Encode};

use crate::TimelockError;

/// Longest accepted list of weights: more than any subnet has uids, and no commit has room for it.
pub const MAX_WEIGHTS: usize = 4_096;

/// Weights as they lie inside a commit.
///
/// SCALE of `(Vec<u8>, Vec<u16>, Vec<u16>, u64)`: the hotkey has a length before it, unlike elsewhere on the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightsPayload {
    /// Who commits; a copy of the commit under another hotkey reveals nothing.
    pub hotkey: [u8; 32],
    /// Miners, by uid.
    pub uids: Vec<u16>,
    /// Weight of each, in the order of `uids`.
    pub values: Vec<u16>,
    /// Version of the committing software, compared with the subnet's.
    pub version_key: u64,
}

impl WeightsPayload {
    /// The bytes to encrypt.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        (self.hotkey.as_slice(), &self.uids, &self.values, self.version_key).encode()
    }

    /// Reads the plaintext of a commit made by `committer`.
    ///
    /// The older form `(Vec<u16>, Vec<u16>, u64)`, which names no hotkey, counts as the committer's. Bytes that are
    /// whole in the newer form are never read in the older one, so that another's commit stays refused.
    ///
    /// # Errors
    ///
    /// - [`TimelockError::WrongHotkey`]: the payload is another hotkey's.
    /// - [`TimelockError::TooManyWeights`]: a list exceeds [`MAX_WEIGHTS`].
    /// - [`TimelockError::TrailingBytes`]: more bytes than the payload.
    /// - [`TimelockError::NotAPayload`]: neither form. Lists of unequal length are a payload; the chain's rules refuse
    ///   them by their own name.
    pub fn decode(bytes: &[u8], committer: &[u8; 32]) -> Result<Self, TimelockError> {
        match Self::with_hotkey(bytes) {
            Ok((payload, [])) if payload.hotkey != *committer => Err(TimelockError::WrongHotkey),
            Ok((payload, [])) => payload.within_bounds(),
            newer => match Self::without_hotkey(bytes, committer) {
                Ok((payload, [])) => payload.within_bounds(),
                Ok(_) => Err(TimelockError::TrailingBytes),
                Err(error) => Err(if newer.is_ok() { TimelockError::TrailingBytes } else { error }),
            },
        }
    }

    fn with_hotkey(mut bytes: &[u8]) -> Result<(Self, &[u8]), TimelockError> {
        let input = &mut bytes;
        let not = |_| TimelockError::NotAPayload;
        let hotkey = Vec::<u8>::decode(input).map_err(not)?;
        let hotkey = hotkey.try_into().map_err(|_| TimelockError::NotAPayload)?;
        let (uids, values, version_key) = Decode::decode(input).map_err(not)?;
        Ok((Self { hotkey, uids, values, version_key }, bytes))
    }

    fn without_hotkey<'a>(mut bytes: &'a [u8], committer: &[u8; 32]) -> Result<(Self, &'a [u8]), TimelockError> {
        let (uids, values, version_key) = Decode::decode(&mut bytes).map_err(|_| TimelockError::NotAPayload)?;
        Ok((Self { hotkey: *committer, uids, values, version_key }, bytes))
    }

    fn within_bounds(self) -> Result<Self, TimelockError> {
        let found = self.uids.len().max(self.values.len());
        if found > MAX_WEIGHTS {
            let found = u32::try_from(found).unwrap_or(u32::MAX);
            return Err(TimelockError::TooManyWeights { max: MAX_WEIGHTS as u32, found });
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests;
