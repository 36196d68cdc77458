// SPDX-License-Identifier: Apache-2.0

use core::fmt;

use clawrank_protocol::proof::{Hash, blake2_256};

use super::LedgerError;

/// How every API key begins.
pub const SECRET_PREFIX: &str = "sk-claw-";

/// Random characters after the prefix: 44 × log2(62) = 262 bits.
const RANDOM_CHARS: usize = 44;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The secret of an API key. Shown once, when it is made; the ledger keeps its hash. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiSecret(String);

impl ApiSecret {
    /// A fresh secret.
    ///
    /// # Errors
    ///
    /// [`LedgerError::NoRandomness`].
    pub fn generate() -> Result<Self, LedgerError> {
        let mut text = String::with_capacity(SECRET_PREFIX.len().saturating_add(RANDOM_CHARS));
        text.push_str(SECRET_PREFIX);
        let mut left = RANDOM_CHARS;
        while left > 0 {
            let mut bytes = [0u8; 64];
            getrandom::fill(&mut bytes).map_err(|_| LedgerError::NoRandomness)?;
            // 248 = 4 · 62: larger bytes would make the first characters more likely.
            for byte in bytes.into_iter().filter(|byte| *byte < 248).take(left) {
                if let Some(c) = ALPHABET.get(usize::from(byte % 62)) {
                    text.push(char::from(*c));
                    left = left.saturating_sub(1);
                }
            }
        }
        Ok(Self(text))
    }

    /// Accepts what a customer sent; `None` when it does not look like a secret of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let random = text.strip_prefix(SECRET_PREFIX)?;
        (random.len() == RANDOM_CHARS && random.bytes().all(|b| b.is_ascii_alphanumeric()))
            .then(|| Self(text.to_owned()))
    }

    /// blake2-256 of the secret: what the ledger stores.
    #[must_use]
    pub fn hash(&self) -> Hash {
        blake2_256(self.0.as_bytes())
    }

    /// The secret itself, to be shown once.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiSecret(..)")
    }
}
