// SPDX-License-Identifier: Apache-2.0
//! What a chain begins with: the topology of a local chain, and the presets that the runtime itself serves.

pub mod keys;
mod topology;

pub use clawrank_primitives::timelock::{BeaconParams, DEV_BEACON};
pub use topology::{Authority, NETUID, Neuron, Rules, Subnet, Topology, validator_stake};

use alloc::vec::Vec;
use sp_genesis_builder::PresetId;

/// One authority, 12 s blocks.
pub const DEVELOPMENT: &str = sp_genesis_builder::DEV_RUNTIME_PRESET;
/// Two authorities, 12 s blocks.
pub const LOCAL_TESTNET: &str = sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET;
/// One authority, 250 ms blocks, epochs of 10 blocks.
pub const FAST: &str = "fast";
/// Subtensor's localnet: its accounts, 250 ms blocks, its subnet 1 with epochs of 100 blocks and no neuron but its owner's,
/// and its values for new subnets.
pub const LOCALNET: &str = "localnet";
/// Subnet 92 as it is on the day of its registration, 12 s blocks: its owner and nobody else.
pub const SN92: &str = "sn92";

/// The presets that [`preset`] knows.
pub fn preset_names() -> Vec<PresetId> {
    [DEVELOPMENT, LOCAL_TESTNET, FAST, LOCALNET, SN92].into_iter().map(PresetId::from).collect()
}

/// The genesis patch of a preset as JSON bytes, or `None` for an unknown name.
pub fn preset(id: &PresetId) -> Option<Vec<u8>> {
    let patch = Topology::preset(id.as_ref())?.patch();
    serde_json::to_vec(&patch).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
mod tests;
