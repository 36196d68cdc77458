// SPDX-License-Identifier: Apache-2.0

use std::{
    io::{self, ErrorKind},
    path::PathBuf,
};

use clawrank_client::ClientError;
use clawrank_primitives::proof::ProofError;
use clawrank_protocol::{
    Hotkey,
    catalogue::CatalogueError,
    frames::{FrameError, RefusalCode},
};

/// Why a miner ends, or a step of it fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting cannot be used.
    #[error("setting `{field}`: {problem}")]
    Config {
        /// Name of the setting.
        field: &'static str,
        /// The value and what to do.
        problem: String,
    },
    /// The catalogue cannot be used.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// A file of the data folder cannot be read or written.
    #[error("cannot access {}: {source}; {}", path.display(), remedy(source))]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A file of the data folder has other contents than this program writes.
    #[error("{} is damaged: {problem}; move it away", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The chain cannot be read or refuses a transaction.
    #[error("chain: {0}")]
    Chain(#[from] ClientError),
    /// The root cannot be committed any more.
    #[error("epoch {epoch}: the deadline, block {deadline}, has passed at block {head}; measure for a shorter time")]
    TooLate {
        /// The epoch.
        epoch: u64,
        /// Last block for commitments.
        deadline: u64,
        /// Newest final block.
        head: u64,
    },
    /// A proof cannot be put together.
    #[error("bundle: {0}")]
    Proof(#[from] ProofError),
    /// The connection to the gateway failed for good.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// A request to the gateway failed.
    #[error("gateway {route}: {source}")]
    Gateway {
        /// Which route.
        route: String,
        /// The cause.
        #[source]
        source: UpstreamError,
    },
    /// The gateway is not the configured one.
    #[error("the gateway's {what} is {found}, expected {expected}; check `gateway_url`")]
    WrongGateway {
        /// Hotkey, subnet or chain.
        what: &'static str,
        /// What it says.
        found: String,
        /// What was configured, or is the chain's.
        expected: String,
    },
    /// The operating system gives no randomness.
    #[error("no randomness from the operating system: {0}")]
    Randomness(getrandom::Error),
    /// A background job ended by a panic.
    #[error("{job} ended unexpectedly")]
    Job {
        /// Which.
        job: &'static str,
    },
}

impl Error {
    /// Whether the same step may succeed later without anyone's help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Chain(error) => will_pass(error),
            Self::Link(error) => error.is_retryable(),
            Self::Gateway { source, .. } => source.is_retryable(),
            Self::Io { .. } | Self::Randomness(_) => true,
            Self::Config { .. }
            | Self::Catalogue(_)
            | Self::Damaged { .. }
            | Self::TooLate { .. }
            | Self::Proof(_)
            | Self::WrongGateway { .. }
            | Self::Job { .. } => false,
        }
    }
}

/// Whether a chain that goes on cures it. A node that was restarted may lack the state of the head before, and what became of
/// a transaction shows on the chain later: every step here looks there first.
fn will_pass(error: &ClientError) -> bool {
    error.is_retryable() || matches!(error, ClientError::NoState { .. } | ClientError::OutcomeUnknown { .. })
}

/// What the operator does about a file.
fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free disk space; what was written before is kept",
        _ => "check the folder and its disk",
    }
}

/// Why a connection to the gateway could not be made or has ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// No connection, or it broke.
    #[error("connection to the gateway: {0}")]
    Socket(#[from] Box<tokio_tungstenite::tungstenite::Error>),
    /// The gateway was silent for too long.
    #[error("the gateway was silent for {waited_ms} ms while {what}")]
    Silent {
        /// What was waited for.
        what: &'static str,
        /// How long.
        waited_ms: u64,
    },
    /// The gateway closed the connection.
    #[error("the gateway closed the connection")]
    Closed,
    /// A frame cannot be read.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A frame that has no place here.
    #[error("the gateway sent `{found}` where {expected} belongs")]
    Unexpected {
        /// What came.
        found: &'static str,
        /// What was to come.
        expected: &'static str,
    },
    /// The gateway refused the miner.
    #[error("the gateway refused: {} ({message})", code.as_str())]
    Refused {
        /// Why.
        code: RefusalCode,
        /// In words.
        message: String,
    },
    /// The gateway speaks another version.
    #[error("the gateway speaks version {found} of the protocol, this miner version {expected}; upgrade the older")]
    Version {
        /// The gateway's.
        found: u16,
        /// Ours.
        expected: u16,
    },
    /// The gateway has another hotkey than the configured one.
    #[error("the gateway's hotkey is {found}, expected {expected}; check `gateway_url` and `gateway_hotkey`")]
    WrongHotkey {
        /// The gateway's.
        found: Hotkey,
        /// The configured one.
        expected: Hotkey,
    },
    /// The gateway serves another subnet or chain.
    #[error("the gateway's {what} is {found}, expected {expected}; check `gateway_url`")]
    WrongSubnet {
        /// `netuid` or `genesis`.
        what: &'static str,
        /// The gateway's.
        found: String,
        /// Ours.
        expected: String,
    },
}

impl LinkError {
    /// Whether connecting again, later and unchanged, can succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Socket(_) | Self::Silent { .. } | Self::Closed | Self::Frame(_) | Self::Unexpected { .. } => true,
            Self::Refused { code, .. } => code.is_retryable(),
            Self::Version { .. } | Self::WrongHotkey { .. } | Self::WrongSubnet { .. } => false,
        }
    }
}

/// Why an HTTP call failed. Never shows a key, a prompt or an answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamError {
    /// No connection could be made.
    #[error("cannot connect: {0}")]
    NoConnection(String),
    /// The connection broke.
    #[error("connection broke: {0}")]
    Transport(String),
    /// Another status than success.
    #[error("status {status}: {message}")]
    Status {
        /// The status.
        status: u16,
        /// What the server says, shortened.
        message: String,
    },
    /// The deadline passed.
    #[error("no complete answer within {after_ms} ms")]
    Deadline {
        /// The deadline.
        after_ms: u64,
    },
    /// The answer is longer than accepted.
    #[error("answer exceeds {max} bytes")]
    TooLarge {
        /// Longest accepted answer.
        max: u64,
    },
    /// The answer cannot be parsed, or ends in the middle.
    #[error("malformed answer: {0}")]
    Malformed(String),
    /// The request cannot be written or signed.
    #[error("cannot send the request: {0}")]
    Request(String),
}

impl UpstreamError {
    /// Whether the same request may succeed later, or elsewhere.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NoConnection(_) | Self::Transport(_) | Self::Deadline { .. } | Self::Malformed(_) => true,
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..),
            Self::TooLarge { .. } | Self::Request(_) => false,
        }
    }
}
