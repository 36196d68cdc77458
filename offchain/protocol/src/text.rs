// SPDX-License-Identifier: Apache-2.0

//! The delivered text of an answer: its hash, and a token count that needs no tokenizer.
//!
//! Gateway and miner feed the same pieces in the same order, so both get the same hash.

use clawrank_proof::{Hash, Salt};

/// Tokens of a text by a coarse rule: a quarter token per ASCII character, half a token per character of two UTF-8
/// bytes (Latin supplements, Greek, Cyrillic, Hebrew, Arabic), one token per other character; rounded up.
///
/// For ASCII that is characters / 4. Real tokenizers differ from it by less than a factor of 2 on prose and code, which
/// is the tolerance of rules §1.1.
#[must_use]
pub fn coarse_tokens(text: &str) -> u32 {
    tokens_of_quarters(quarters(text))
}

fn quarters(text: &str) -> u64 {
    let bytes = text.len() as u64;
    if text.is_ascii() {
        return bytes;
    }
    text.chars().fold(0u64, |sum, c| {
        sum.saturating_add(match c.len_utf8() {
            1 => 1,
            2 => 2,
            _ => 4,
        })
    })
}

fn tokens_of_quarters(quarters: u64) -> u32 {
    u32::try_from(quarters.div_ceil(4)).unwrap_or(u32::MAX)
}

/// Tokens by which a claim may leave the factor of 2, so that short answers with many punctuation tokens pass.
pub const RECOUNT_SLACK_TOKENS: u32 = 8;

/// Whether a claimed count agrees with a recount within a factor of 2 both ways (rules §1.1), give or take
/// [`RECOUNT_SLACK_TOKENS`].
#[must_use]
pub fn counts_agree(claimed: u32, recount: u32) -> bool {
    let within =
        |a: u32, b: u32| u64::from(a) <= u64::from(b).saturating_mul(2).saturating_add(u64::from(RECOUNT_SLACK_TOKENS));
    within(claimed, recount) && within(recount, claimed)
}

/// Running salted hash and count of an answer's text.
///
/// The hash is that of [`clawrank_proof::salted_hash`] under the salt that the gateway sent with the request, computed
/// without keeping the text.
#[derive(Clone)]
pub struct DeliveredText {
    state: blake2b_simd::State,
    quarters: u64,
    bytes: u64,
}

impl core::fmt::Debug for DeliveredText {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("DeliveredText").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl DeliveredText {
    /// No text yet, under this salt.
    #[must_use]
    pub fn new(salt: &Salt) -> Self {
        let mut state = blake2b_simd::Params::new().hash_length(32).to_state();
        // The prefix of `salted_hash`; a test holds the two together.
        state.update(&[0x03]).update(salt);
        Self { state, quarters: 0, bytes: 0 }
    }

    /// Appends a piece.
    pub fn push(&mut self, piece: &str) {
        self.state.update(piece.as_bytes());
        self.quarters = self.quarters.saturating_add(quarters(piece));
        self.bytes = self.bytes.saturating_add(piece.len() as u64);
    }

    /// Bytes so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// [`coarse_tokens`] of all pieces together.
    #[must_use]
    pub fn tokens(&self) -> u32 {
        tokens_of_quarters(self.quarters)
    }

    /// Salted hash of all pieces together.
    #[must_use]
    pub fn hash(&self) -> Hash {
        let mut hash = [0u8; 32];
        // The state was made with a hash length of 32.
        hash.copy_from_slice(self.state.finalize().as_bytes());
        hash
    }
}

#[cfg(test)]
mod tests;
