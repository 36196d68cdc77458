// SPDX-License-Identifier: Apache-2.0
//! What a chain begins with: the topology of a local chain, and the presets that the runtime itself serves.

pub mod keys;
mod topology;

pub use clawrank_primitives::timelock::{BeaconParams, DEV_BEACON};
pub use topology::{Authority, NETUID, Neuron, Subnet, Topology, validator_stake};

use alloc::{vec, vec::Vec};
use sp_genesis_builder::PresetId;

/// One authority, 12 s blocks.
pub const DEVELOPMENT: &str = sp_genesis_builder::DEV_RUNTIME_PRESET;
/// Two authorities, 12 s blocks.
pub const LOCAL_TESTNET: &str = sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET;
/// One authority, 250 ms blocks, epochs of 10 blocks.
pub const FAST: &str = "fast";

/// The presets that [`preset`] knows.
pub fn preset_names() -> Vec<PresetId> {
    vec![PresetId::from(DEVELOPMENT), PresetId::from(LOCAL_TESTNET), PresetId::from(FAST)]
}

/// The genesis patch of a preset as JSON bytes, or `None` for an unknown name.
pub fn preset(id: &PresetId) -> Option<Vec<u8>> {
    let patch = Topology::preset(id.as_ref())?.patch();
    serde_json::to_vec(&patch).ok()
}
