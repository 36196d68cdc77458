// SPDX-License-Identifier: Apache-2.0

use core::fmt;

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Why a proof, a signature or a foreign encoding was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum ProofError {
    /// A text is longer than its field allows.
    TextTooLong {
        /// Longest accepted length, in bytes.
        max: u32,
        /// Length found, in bytes.
        found: u32,
    },
    /// A text that must not be empty is empty once trimmed.
    TextEmpty,
    /// A text contains a control character or is not UTF-8.
    TextInvalid,
    /// A Merkle tree without leaves has no root.
    EmptyTree,
    /// The leaf index is not below the leaf count.
    IndexOutOfRange {
        /// Index asked for.
        index: u32,
        /// Leaves in the tree.
        count: u32,
    },
    /// The Merkle path has another length than this index and count require.
    PathLength {
        /// Length this index and count require.
        expected: u32,
        /// Length found.
        found: u32,
    },
    /// The Merkle path does not lead to the root.
    RootMismatch,
    /// More leaves than the tree may hold.
    TooManyLeaves,
    /// The encoding is longer than accepted.
    TooLarge {
        /// Longest accepted length, in bytes.
        max: u32,
    },
    /// The bytes are not a canonical encoding of the type, or a list in them is over its cap.
    Malformed,
    /// Bytes are left over after the value.
    TrailingBytes,
    /// The version is not one this code knows.
    UnknownVersion {
        /// Version found.
        found: u16,
    },
    /// The public key is not a point of the group.
    BadPublicKey,
    /// The signature does not verify under this key and payload.
    BadSignature,
    /// The secret key, seed or derivation path is malformed.
    BadSecret,
    /// The header's count is not the number of attempts.
    CountMismatch {
        /// Count in the header.
        header: u32,
        /// Attempts in the body.
        body: u32,
    },
    /// Cells are not normalised, sorted by id and distinct.
    CellsUnordered,
    /// An attempt names a cell the bundle does not list.
    UnknownCell,
    /// A hash of an opened text is not the one in the leaf.
    HashMismatch,
    /// The value names another gateway, miner or receiver than the one that checks it.
    WrongParty,
    /// The time of the message is outside the window.
    OutsideWindow {
        /// Time of the message, Unix milliseconds.
        time_ms: u64,
        /// Time of the check, Unix milliseconds.
        now_ms: u64,
    },
    /// An SS58 text has a foreign character, a wrong length or a wrong checksum.
    BadAddress,
    /// An SS58 address of another network.
    WrongNetwork {
        /// Prefix found.
        prefix: u16,
    },
    /// The committed bytes do not start with the commitment's tag or have another length.
    NotACommitment,
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TextTooLong { max, found } => {
                write!(f, "text of {found} bytes exceeds the field's {max}; shorten it")
            }
            Self::TextEmpty => f.write_str("text is empty; give a name"),
            Self::TextInvalid => f.write_str("text is not UTF-8 or has control characters; remove them"),
            Self::EmptyTree => f.write_str("a tree without leaves has no root; record an attempt first"),
            Self::IndexOutOfRange { index, count } => write!(f, "leaf index {index} is not below the count {count}"),
            Self::PathLength { expected, found } => {
                write!(f, "merkle path has {found} nodes where {expected} are required")
            }
            Self::RootMismatch => f.write_str("merkle path does not lead to the root"),
            Self::TooManyLeaves => f.write_str("tree is full; split the attempts over epochs"),
            Self::TooLarge { max } => write!(f, "encoding exceeds {max} bytes"),
            Self::Malformed => f.write_str("bytes are not an encoding of this type, or a list is over its cap"),
            Self::TrailingBytes => f.write_str("bytes are left over after the value"),
            Self::UnknownVersion { found } => write!(f, "version {found} is unknown; upgrade the older side"),
            Self::BadPublicKey => f.write_str("public key is not a point of the group"),
            Self::BadSignature => f.write_str("signature does not verify for this key and payload"),
            Self::BadSecret => f.write_str("secret key, seed or derivation path is malformed"),
            Self::CountMismatch { header, body } => {
                write!(f, "header counts {header} attempts where the body has {body}")
            }
            Self::CellsUnordered => f.write_str("cells are not normalised, sorted by id and distinct"),
            Self::UnknownCell => f.write_str("an attempt names a cell that the bundle does not list"),
            Self::HashMismatch => f.write_str("an opened text does not hash to its leaf"),
            Self::WrongParty => f.write_str("the value names another gateway, miner or receiver"),
            Self::OutsideWindow { time_ms, now_ms } => {
                write!(f, "time {time_ms} ms is outside the window around {now_ms} ms; check the clock")
            }
            Self::BadAddress => f.write_str("not an SS58 address: wrong character, length or checksum"),
            Self::WrongNetwork { prefix } => write!(f, "SS58 prefix {prefix} is of another network; expected 42"),
            Self::NotACommitment => f.write_str("committed bytes are not a bundle commitment"),
        }
    }
}

impl core::error::Error for ProofError {}
