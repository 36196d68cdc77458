// SPDX-License-Identifier: Apache-2.0
//! The bytes of a commit: `U 96 ‖ 32 V ‖ 32 W ‖ n body ‖ 8 "AES_GCM_"`, `body = c ciphertext ‖ 12 nonce`, each
//! number being the length of the field after it, as a little-endian `u64`.

use alloc::vec::Vec;

use crate::{PUBLIC_KEY_BYTES, TimelockError, ibe::LockedKey};

/// Longest commit that the chain stores, in bytes.
pub const MAX_COMMIT_BYTES: usize = 5_000;

/// What a commit has beside its plaintext, in bytes: the locked key, nonce, tag, cipher's name, and all lengths.
pub const OVERHEAD_BYTES: usize = 244;

/// Name of the only cipher in use.
const CIPHER: &[u8; 8] = b"AES_GCM_";

/// Length of a nonce of AES-GCM.
pub(crate) const NONCE_BYTES: usize = 12;

/// Length of a tag of AES-GCM, at the ciphertext's end.
const TAG_BYTES: usize = 16;

/// Fields of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Commit<'a> {
    pub(crate) key: LockedKey,
    /// Ciphertext with its tag.
    pub(crate) ciphertext: &'a [u8],
    pub(crate) nonce: [u8; NONCE_BYTES],
}

impl<'a> Commit<'a> {
    /// Takes `bytes` apart. Allocates nothing.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, TimelockError> {
        let found = length(bytes.len());
        if bytes.len() > MAX_COMMIT_BYTES {
            return Err(TimelockError::TooLong { max: length(MAX_COMMIT_BYTES), found });
        }
        let expected = length(OVERHEAD_BYTES);
        let wrong = TimelockError::Length { expected, found };
        // With all other fields fixed, the commit's own length decides that of the ciphertext.
        let message = bytes.len().checked_sub(OVERHEAD_BYTES).ok_or(wrong)?;
        let sealed = message.saturating_add(TAG_BYTES);
        let body = sealed.saturating_add(8 + 8 + NONCE_BYTES);
        let mut reader = Reader { rest: bytes, wrong };
        let u = *reader.array::<PUBLIC_KEY_BYTES>()?;
        reader.length(32)?;
        let v = *reader.array()?;
        reader.length(32)?;
        let w = *reader.array()?;
        reader.length(body)?;
        reader.length(sealed)?;
        let ciphertext = reader.take(sealed)?;
        reader.length(NONCE_BYTES)?;
        let nonce = *reader.array()?;
        reader.length(CIPHER.len())?;
        if reader.array()? != CIPHER {
            return Err(TimelockError::UnknownCipher);
        }
        Ok(Self { key: LockedKey { u, v, w }, ciphertext, nonce })
    }

    /// The bytes that [`Commit::read`] takes apart.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let sealed = self.ciphertext.len();
        let body = sealed.saturating_add(8 + 8 + NONCE_BYTES);
        [
            self.key.u.as_slice(),
            &le(32),
            &self.key.v,
            &le(32),
            &self.key.w,
            &le(body),
            &le(sealed),
            self.ciphertext,
            &le(NONCE_BYTES),
            &self.nonce,
            &le(CIPHER.len()),
            CIPHER,
        ]
        .concat()
    }
}

/// Refuses a plaintext whose commit the chain would not store.
pub(crate) fn ensure_fits(plaintext: &[u8]) -> Result<(), TimelockError> {
    let commit = plaintext.len().saturating_add(OVERHEAD_BYTES);
    if commit > MAX_COMMIT_BYTES {
        return Err(TimelockError::TooLong { max: length(MAX_COMMIT_BYTES), found: length(commit) });
    }
    Ok(())
}

struct Reader<'a> {
    rest: &'a [u8],
    wrong: TimelockError,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], TimelockError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(self.wrong)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], TimelockError> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(self.wrong)?;
        self.rest = rest;
        Ok(taken)
    }

    fn length(&mut self, expected: usize) -> Result<(), TimelockError> {
        if *self.array::<8>()? == le(expected) { Ok(()) } else { Err(TimelockError::FieldLength) }
    }
}

fn le(length: usize) -> [u8; 8] {
    (length as u64).to_le_bytes()
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
