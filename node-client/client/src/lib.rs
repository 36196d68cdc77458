// SPDX-License-Identifier: Apache-2.0
//! The only crate that names a chain library.
//!
//! A worker holds a [`ChainPort`] and speaks in the types of [`types`]; [`Chain`] is the port over a node's WebSocket.
//! The chain is spoken to by names, against the metadata it serves at run time: a runtime upgrade needs no new build as
//! long as the items in use keep their names, and one that does not is refused by
//! [`ClientError::UnsupportedRuntime`]. [`check`] tells beforehand.

#[cfg(feature = "substrate-api-client")]
pub mod api_client;
mod chain;
mod config;
mod encode;
mod error;
mod events;
mod extrinsic;
mod link;
pub mod port;
mod reader;
mod runtime;
mod shape;
mod submit;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
pub(crate) mod testing;
pub mod types;

pub use chain::Chain;
pub use config::{ChainConfig, network_genesis, network_url, network_urls};
pub use encode::{CallEncoder, EncodedCall, EncodedField, MAX_COMMITMENT_BYTES, MAX_TIMELOCKED_BYTES, OfflineMetadata};
pub use error::{Cause, ClientError, PoolReason, custom_name};
pub use link::{LinkState, LinkStatus};
pub use port::{ChainPort, SubmissionPort};
pub use reader::storage_index;
pub use runtime::Runtime;
pub use shape::{ItemKind, ItemState, ItemStatus, check};
