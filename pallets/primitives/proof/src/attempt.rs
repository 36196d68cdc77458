// SPDX-License-Identifier: Apache-2.0

use clawrank_units::MicroUsd;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{Hash, merkle};

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum AttemptStatus {
    /// A complete answer arrived within the deadline.
    Ok,
    /// The deadline passed.
    Timeout,
    /// The endpoint refused for its rate limit (429).
    RateLimited,
    /// The endpoint failed (5xx, closed connection).
    ServerError,
    /// The endpoint refused the request (other 4xx).
    ClientError,
    /// The answer could not be parsed.
    Malformed,
}

/// What the schema check of a response gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum SchemaVerdict {
    /// The request has no schema.
    NotChecked,
    /// The response matches the schema.
    Valid,
    /// The response does not match the schema.
    Invalid,
}

/// What the check of a response against the known answer gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum AnswerVerdict {
    /// The request has no known answer.
    NotChecked,
    /// The response is right.
    Right,
    /// The response is wrong.
    Wrong,
}

/// One call that a miner made to an endpoint for a task (rules §2.1). Always 167 bytes when encoded.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Attempt {
    /// [`Cell::id`](crate::Cell::id) of the cell.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub cell: Hash,
    /// Position in the miner's own order, from 0, without gaps.
    pub sequence: u32,
    /// The task.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub task_id: Hash,
    /// [`salted_hash`](crate::salted_hash) of the request body.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub request_hash: Hash,
    /// [`salted_hash`](crate::salted_hash) of the response text.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub response_hash: Hash,
    /// When the call began, Unix milliseconds.
    pub start_ms: u64,
    /// Time to the first token, milliseconds.
    pub ttft_ms: u32,
    /// Time to the last token, milliseconds; not below `ttft_ms`.
    pub total_ms: u32,
    /// Tokens of the request.
    pub input_tokens: u32,
    /// Tokens of the response.
    pub output_tokens: u32,
    /// How the call ended.
    pub status: AttemptStatus,
    /// Verdict of the schema check.
    pub schema: SchemaVerdict,
    /// Verdict of the check against the known answer.
    pub answer: AnswerVerdict,
    /// Price of the call.
    pub cost: MicroUsd,
}

impl Attempt {
    /// Length of every encoded attempt, in bytes.
    pub const ENCODED_LEN: usize = 167;

    /// The Merkle leaf: `blake2_256(0x00 ‖ SCALE(attempt))`.
    #[must_use]
    pub fn leaf(&self) -> Hash {
        self.using_encoded(merkle::leaf_hash)
    }

    /// When the call ended, Unix milliseconds; `None` when that overflows.
    #[must_use]
    pub fn end_ms(&self) -> Option<u64> {
        self.start_ms.checked_add(u64::from(self.total_ms))
    }
}
