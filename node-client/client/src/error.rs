// SPDX-License-Identifier: Apache-2.0

mod pool;

use std::path::PathBuf;

use crate::types::Hash;
pub use pool::{PoolReason, custom_name};

/// Whatever went wrong below a [`Chain`](crate::Chain) or an encoder, transport or not.
pub type Cause = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Why a read or a submission failed.
///
/// Messages name the endpoint by scheme, host and port only: a path or a user name in a URL may be a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// A setting is unusable.
    #[error("setting `{field}` is unusable: {why}")]
    Config {
        /// Name of the field.
        field: &'static str,
        /// What is wrong and what to do.
        why: String,
    },
    /// A metadata file cannot be read.
    #[error("cannot read metadata from {}", path.display())]
    MetadataFile {
        /// Which file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Cause,
    },
    /// No endpoint could be connected to within the deadline.
    #[error(
        "no connection to a node after {waited_ms} ms; last tried {endpoint}; check the URL and that the node runs"
    )]
    NoConnection {
        /// How long was waited.
        waited_ms: u64,
        /// The endpoint tried last.
        endpoint: String,
        /// Why the last try failed, where it is known.
        #[source]
        source: Option<Cause>,
    },
    /// The connection broke under a request.
    #[error("connection to {endpoint} broke during {method}")]
    Transport {
        /// Which endpoint.
        endpoint: String,
        /// Which request.
        method: String,
        /// The cause.
        #[source]
        source: Cause,
    },
    /// A request was not answered in time.
    #[error("{endpoint} did not answer {method} within {after_ms} ms")]
    Timeout {
        /// Which endpoint.
        endpoint: String,
        /// Which request.
        method: String,
        /// The deadline.
        after_ms: u64,
    },
    /// The node answered a request with an error.
    #[error("node refused {method}: {message} ({code})")]
    Rpc {
        /// Which request.
        method: String,
        /// JSON-RPC error code.
        code: i32,
        /// The node's message and data.
        message: String,
    },
    /// The endpoint serves another chain.
    #[error("{endpoint} serves chain 0x{}, expected 0x{}; check the URL", hex::encode(found), hex::encode(expected))]
    WrongChain {
        /// Which endpoint.
        endpoint: String,
        /// The genesis hash wanted.
        expected: Hash,
        /// The genesis hash it has.
        found: Hash,
    },
    /// No new finalised block for too long; the connection is being rebuilt.
    #[error("no finalised block after #{last} for {for_ms} ms; connection is being rebuilt")]
    ChainStalled {
        /// Number of the newest finalised block.
        last: u64,
        /// For how long.
        for_ms: u64,
    },
    /// The runtime lacks an item, or has it in a shape this version cannot speak.
    #[error("runtime {spec_version}: {item}: {why}; update this software")]
    UnsupportedRuntime {
        /// `Pallet.item`, or the name of a transaction extension.
        item: String,
        /// `spec_version` of the runtime.
        spec_version: u32,
        /// What differs.
        why: String,
    },
    /// An answer of the node cannot be decoded.
    #[error("cannot decode {item}: {why}")]
    Decode {
        /// What was decoded.
        item: String,
        /// What is wrong with it.
        why: String,
    },
    /// The chain has no such subnet.
    #[error("subnet {netuid} does not exist on this chain")]
    UnknownSubnet {
        /// Which subnet.
        netuid: u16,
    },
    /// The node does not know the block, or has discarded its state.
    #[error("node has no state for block 0x{}; use an archive node for old blocks", hex::encode(block))]
    NoState {
        /// Hash of the block.
        block: Hash,
    },
    /// The call cannot be expressed: a value is out of the chain's range.
    #[error("call {call}: {why}")]
    InvalidCall {
        /// `Pallet.call`.
        call: String,
        /// What is wrong.
        why: String,
    },
    /// An argument of a call, given as JSON, is unusable.
    #[error("{call}: argument `{field}` {why}")]
    Argument {
        /// `Pallet.call`.
        call: String,
        /// Path of the argument, as `info.fields[0]`.
        field: String,
        /// What is wrong and what to give.
        why: String,
    },
    /// The transaction pool refused the transaction; it is in no block.
    #[error("transaction pool refused {call}: {reason} ({code})")]
    Pool {
        /// `Pallet.call`.
        call: String,
        /// JSON-RPC error code.
        code: i32,
        /// Why.
        reason: PoolReason,
    },
    /// The call is in a final block, ran, and failed.
    #[error("{call} failed in block #{block_number}: {pallet}.{name}{}{docs}", if docs.is_empty() { "" } else { ": " })]
    Dispatch {
        /// `Pallet.call`.
        call: String,
        /// Pallet whose error it is, `System` for those that belong to none.
        pallet: Box<str>,
        /// The chain's own name of the error.
        name: String,
        /// The chain's own description of it.
        docs: Box<str>,
        /// The block it is in.
        block_number: u64,
        /// Hash of the extrinsic.
        extrinsic: Hash,
    },
    /// Every attempt left its mortal era without getting into a block; nothing is on chain.
    #[error("{call} got into no block in {attempts} attempts; nothing is on chain")]
    Expired {
        /// `Pallet.call`.
        call: String,
        /// How many transactions were tried.
        attempts: u32,
    },
    /// The transaction was handed over, and blocks stopped coming before its outcome was known.
    ///
    /// It can still get into a block up to `valid_until`: look at the chain's state before trying again.
    #[error(
        "{call}: outcome of 0x{} unknown; it can get into a block up to #{valid_until}; check the chain before trying again",
        hex::encode(extrinsic)
    )]
    OutcomeUnknown {
        /// `Pallet.call`.
        call: String,
        /// Hash of the extrinsic.
        extrinsic: Hash,
        /// Last block it can get into.
        valid_until: u64,
    },
    /// Too many submissions of one key are waiting.
    #[error("{waiting} submissions of this key are waiting already; slow down")]
    QueueFull {
        /// How many.
        waiting: usize,
    },
    /// The client was closed.
    #[error("chain client is closed")]
    Closed,
}

impl ClientError {
    /// Whether the same request may succeed later without anyone doing anything, and cannot be done twice by retrying.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NoConnection { .. }
            | Self::Transport { .. }
            | Self::Timeout { .. }
            | Self::ChainStalled { .. }
            | Self::Expired { .. }
            | Self::QueueFull { .. } => true,
            Self::Rpc { code, .. } => matches!(*code, rpc_code::SERVER_BUSY | rpc_code::LIMIT_EXCEEDED),
            Self::Pool { reason, .. } => reason.is_retryable(),
            Self::Dispatch { name, .. } => TOO_SOON.contains(&name.as_str()),
            Self::Config { .. }
            | Self::MetadataFile { .. }
            | Self::WrongChain { .. }
            | Self::UnsupportedRuntime { .. }
            | Self::Decode { .. }
            | Self::UnknownSubnet { .. }
            | Self::NoState { .. }
            | Self::InvalidCall { .. }
            | Self::Argument { .. }
            | Self::OutcomeUnknown { .. }
            | Self::Closed => false,
        }
    }

    /// Whether the connection is at fault, so that another one may do better at once.
    pub(crate) fn is_connection(&self) -> bool {
        matches!(self, Self::Transport { .. } | Self::Timeout { .. })
    }
}

/// Dispatch errors that only say "not yet".
const TOO_SOON: [&str; 7] = [
    "SettingWeightsTooFast",
    "CommittingWeightsTooFast",
    "RevealTooEarly",
    "TooManyRegistrationsThisBlock",
    "TooManyRegistrationsThisInterval",
    "NetworkTxRateLimitExceeded",
    "ServingRateLimitExceeded",
];

/// JSON-RPC codes that mean something to this crate.
pub(crate) mod rpc_code {
    pub(crate) const METHOD_NOT_FOUND: i32 = -32_601;
    pub(crate) const SERVER_BUSY: i32 = -32_009;
    pub(crate) const LIMIT_EXCEEDED: i32 = -32_005;
    pub(crate) const POOL_INVALID: i32 = 1010;
    pub(crate) const POOL_UNKNOWN: i32 = 1011;
    pub(crate) const POOL_BANNED: i32 = 1012;
    pub(crate) const POOL_ALREADY_IMPORTED: i32 = 1013;
    pub(crate) const POOL_TOO_LOW_PRIORITY: i32 = 1014;
    pub(crate) const POOL_CYCLE: i32 = 1015;
    pub(crate) const POOL_DROPPED: i32 = 1016;
}

#[cfg(test)]
mod tests;
