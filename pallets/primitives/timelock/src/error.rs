// SPDX-License-Identifier: Apache-2.0

use core::fmt;

/// Why a commit, a pulse or a payload was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimelockError {
    /// The commit, or what the plaintext would become, is longer than the chain takes.
    TooLong {
        /// Longest accepted length, in bytes.
        max: u32,
        /// Length found, in bytes.
        found: u32,
    },
    /// The commit ends before its fields do, or has bytes after them.
    Length {
        /// Length that its own fields require, in bytes; the shortest one where they cannot be read.
        expected: u32,
        /// Length found, in bytes.
        found: u32,
    },
    /// A length written inside the commit is not the only one that the field can have.
    FieldLength,
    /// The body is not under AES-GCM.
    UnknownCipher,
    /// The commit's point is not on the curve, not in its prime-order subgroup, or the identity.
    BadPoint,
    /// The public key is not on the curve, not in its prime-order subgroup, or the identity.
    BadPublicKey,
    /// The signature's bytes are not on the curve, not in its prime-order subgroup, or the identity.
    BadSignature,
    /// The signature is well-formed and not that of this round under this key.
    WrongSignature,
    /// The commit was not made for the round and beacon of this signature, or was altered.
    WrongRound,
    /// The body does not authenticate under its key.
    BodyAltered,
    /// The plaintext is not a weights payload.
    NotAPayload,
    /// The payload has bytes after its last field.
    TrailingBytes,
    /// The payload names another hotkey than the one that committed it.
    WrongHotkey,
    /// A list of the payload is longer than a subnet can have miners.
    TooManyWeights {
        /// Longest accepted list.
        max: u32,
        /// Length found.
        found: u32,
    },
}

impl fmt::Display for TimelockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { max, found } => {
                write!(f, "a commit of {found} bytes exceeds the chain's {max}; commit fewer weights")
            }
            Self::Length { expected, found } => {
                write!(f, "commit has {found} bytes where its fields make {expected}; it was cut or extended")
            }
            Self::FieldLength => f.write_str("a length inside the commit is not the one its field must have"),
            Self::UnknownCipher => f.write_str("commit's body is not under AES-GCM; use a client of commit-reveal 4"),
            Self::BadPoint => f.write_str("commit does not start with a point of the group"),
            Self::BadPublicKey => f.write_str("public key is not a point of the group; check the beacon's parameters"),
            Self::BadSignature => f.write_str("signature is not a point of the group"),
            Self::WrongSignature => f.write_str("signature is not that of this round; check round and beacon"),
            Self::WrongRound => f.write_str("commit was made for another round or beacon, or was altered"),
            Self::BodyAltered => f.write_str("commit's body does not authenticate; it was altered"),
            Self::NotAPayload => f.write_str("plaintext is not a weights payload"),
            Self::TrailingBytes => f.write_str("bytes are left over after the weights payload"),
            Self::WrongHotkey => {
                f.write_str("payload names another hotkey than the committer; commits cannot be copied")
            }
            Self::TooManyWeights { max, found } => {
                write!(f, "payload lists {found} weights; a subnet has at most {max}")
            }
        }
    }
}

impl core::error::Error for TimelockError {}
