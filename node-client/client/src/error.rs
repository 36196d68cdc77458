// SPDX-License-Identifier: Apache-2.0

use std::{fmt, path::PathBuf};

use crate::types::Hash;

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

/// Why a transaction pool refuses a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PoolReason {
    /// The nonce was used already, or the era is over ("transaction is outdated").
    Stale,
    /// The nonce lies ahead of the account's.
    Future,
    /// The signature or what it covers does not fit: also after a runtime upgrade.
    BadProof,
    /// The block the era starts at is unknown to the node.
    AncientBirthBlock,
    /// The account cannot pay the fee.
    Payment,
    /// The call is not allowed for this origin, or by a filter.
    Call,
    /// The block has no room for it.
    ExhaustsResources,
    /// Another transaction with this nonce is in the pool, with at least the same priority.
    TooLowPriority,
    /// The pool has it already.
    AlreadyImported,
    /// The pool is full.
    Dropped,
    /// It was refused before and is banned for a while.
    Banned,
    /// A check of the chain's own transaction extensions failed.
    Custom {
        /// The code.
        code: u8,
        /// Its name on Subtensor, where known.
        name: Option<&'static str>,
    },
    /// Another reason, in the node's words.
    Unnamed(String),
}

impl PoolReason {
    /// Reads what a node answered to `author_submitExtrinsic`; `None` when the code is not of the pool.
    pub(crate) fn from_rpc(code: i32, message: &str) -> Option<Self> {
        let says = |needle: &str| message.to_ascii_lowercase().contains(needle);
        Some(match code {
            rpc_code::POOL_INVALID if says("custom error:") => Self::custom(message),
            rpc_code::POOL_INVALID if says("outdated") || says("stale") => Self::Stale,
            rpc_code::POOL_INVALID if says("valid in the future") => Self::Future,
            rpc_code::POOL_INVALID if says("bad signature") => Self::BadProof,
            rpc_code::POOL_INVALID if says("ancient birth block") => Self::AncientBirthBlock,
            rpc_code::POOL_INVALID if says("pay some fees") => Self::Payment,
            rpc_code::POOL_INVALID if says("exhaust the resources") => Self::ExhaustsResources,
            rpc_code::POOL_INVALID if says("call is not expected") => Self::Call,
            rpc_code::POOL_BANNED => Self::Banned,
            rpc_code::POOL_ALREADY_IMPORTED => Self::AlreadyImported,
            rpc_code::POOL_TOO_LOW_PRIORITY => Self::TooLowPriority,
            rpc_code::POOL_DROPPED => Self::Dropped,
            rpc_code::POOL_INVALID | rpc_code::POOL_UNKNOWN | rpc_code::POOL_CYCLE => Self::Unnamed(message.to_owned()),
            _ => return None,
        })
    }

    fn custom(message: &str) -> Self {
        let digits: String = message
            .to_ascii_lowercase()
            .split("custom error:")
            .nth(1)
            .unwrap_or_default()
            .trim_start()
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        match digits.parse::<u8>() {
            Ok(code) => Self::Custom { code, name: custom_name(code) },
            Err(_) => Self::Unnamed(message.to_owned()),
        }
    }

    /// Whether a new transaction, built anew from the chain's present state, may be accepted at once.
    pub(crate) fn wants_rebuild(&self) -> bool {
        matches!(
            self,
            Self::Stale
                | Self::Future
                | Self::BadProof
                | Self::AncientBirthBlock
                | Self::TooLowPriority
                | Self::Dropped
                | Self::Banned
                | Self::ExhaustsResources
        )
    }

    /// Whether waiting alone can help: races of nonce and era, a full pool, and rate limits.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Custom { code, .. } => matches!(*code, RATE_LIMIT_EXCEEDED | SERVING_RATE_LIMIT_EXCEEDED),
            other => other.wants_rebuild(),
        }
    }
}

impl fmt::Display for PoolReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stale => f.write_str("nonce already used or era over"),
            Self::Future => f.write_str("nonce ahead of the account's"),
            Self::BadProof => f.write_str("signature does not fit the runtime"),
            Self::AncientBirthBlock => f.write_str("block the era starts at is unknown"),
            Self::Payment => f.write_str("account cannot pay the fee; fund it"),
            Self::Call => f.write_str("call is not allowed for this key"),
            Self::ExhaustsResources => f.write_str("block has no room"),
            Self::TooLowPriority => f.write_str("another transaction with this nonce is in the pool"),
            Self::AlreadyImported => f.write_str("already in the pool"),
            Self::Dropped => f.write_str("pool is full"),
            Self::Banned => f.write_str("temporarily banned"),
            Self::Custom { code, name: Some(name) } => write!(f, "{name} (custom error {code})"),
            Self::Custom { code, name: None } => write!(f, "custom error {code}"),
            Self::Unnamed(text) => f.write_str(text),
        }
    }
}

const RATE_LIMIT_EXCEEDED: u8 = 6;
const SERVING_RATE_LIMIT_EXCEEDED: u8 = 12;

/// Name of a `InvalidTransaction::Custom` code of Subtensor.
pub fn custom_name(code: u8) -> Option<&'static str> {
    const NAMES: [&str; 28] = [
        "ColdkeyInSwapSchedule",
        "StakeAmountTooLow",
        "BalanceTooLow",
        "SubnetNotExists",
        "HotkeyAccountDoesntExist",
        "NotEnoughStakeToWithdraw",
        "RateLimitExceeded",
        "InsufficientLiquidity",
        "SlippageTooHigh",
        "TransferDisallowed",
        "HotKeyNotRegisteredInNetwork",
        "InvalidIpAddress",
        "ServingRateLimitExceeded",
        "InvalidPort",
        "ZeroMaxAmount",
        "InvalidRevealRound",
        "CommitNotFound",
        "CommitBlockNotInRevealRange",
        "InputLengthsUnequal",
        "UidNotFound",
        "EvmKeyAssociateRateLimitExceeded",
        "ColdkeySwapDisputed",
        "InvalidRealAccount",
        "FailedShieldedTxParsing",
        "InvalidShieldedTxPubKeyHash",
        "NonAssociatedColdKey",
        "DelegateTakeTooLow",
        "DelegateTakeTooHigh",
    ];
    if code == u8::MAX { Some("BadRequest") } else { NAMES.get(usize::from(code)).copied() }
}

#[cfg(test)]
mod tests;
