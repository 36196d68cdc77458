// SPDX-License-Identifier: Apache-2.0
//! The specification that a node starts from.

use crate::{Options, Preset, SpecError};
use clawrank_runtime::{RuntimeGenesisConfig, genesis::Topology};
use sc_chain_spec::{ChainSpec as _, ChainType, GenericChainSpec, NoExtension, Properties, json_patch};
use sp_core::storage::{Storage, well_known_keys};
use sp_runtime::BuildStorage;

/// The specification of a ClawRank chain.
pub type ChainSpec = GenericChainSpec<NoExtension>;

/// The specification of a checked set of options; the Wasm runtime builds its genesis when it is used or written out.
///
/// The id carries what distinguishes the chain, since a node names its database by it.
///
/// # Errors
///
/// Those of [`Options::topology`], and [`SpecError::NoWasm`].
pub fn chain_spec(options: &Options) -> Result<ChainSpec, SpecError> {
    let topology = options.topology()?;
    let wasm = clawrank_runtime::WASM_BINARY.ok_or(SpecError::NoWasm)?;
    let (name, kind) = match options.preset {
        Preset::Fast => ("ClawRank Fast", ChainType::Development),
        Preset::LocalTestnet => ("ClawRank Local", ChainType::Local),
        Preset::Development => ("ClawRank Development", ChainType::Development),
        Preset::Localnet => ("ClawRank Localnet", ChainType::Local),
        Preset::Sn92 => ("ClawRank SN92", ChainType::Local),
    };
    Ok(ChainSpec::builder(wasm, NoExtension::default())
        .with_name(name)
        .with_id(&format!("clawrank_{}_{}", options.preset.name(), topology.slot_duration_ms))
        .with_chain_type(kind)
        .with_protocol_id("claw")
        .with_properties(properties())
        .with_genesis_config_patch(topology.patch())
        .build())
}

/// The specification as JSON: a readable patch, or the raw storage that it makes.
///
/// # Errors
///
/// [`SpecError::Refused`] with the runtime's words; the genesis is built in both cases, so that no specification is
/// written which no node can start from.
pub fn to_json(spec: &ChainSpec, raw: bool) -> Result<String, SpecError> {
    let built = spec.as_json(true).map_err(SpecError::Refused)?;
    if raw { Ok(built) } else { spec.as_json(false).map_err(SpecError::Refused) }
}

/// The specification of a preset with another block time, in ms, if one is given; its genesis is already built.
///
/// A node starts from it without compiling the Wasm twice, which saves about a second.
///
/// # Errors
///
/// As [`chain_spec`], and [`SpecError::Refused`].
pub fn with_block_time(preset: Preset, block_time_ms: Option<u64>) -> Result<ChainSpec, SpecError> {
    let options = Options { block_time_ms, ..Options::preset(preset) };
    let mut spec = chain_spec(&options)?;
    spec.set_storage(genesis_storage(&options.topology()?)?);
    Ok(spec)
}

/// The storage of a chain at genesis, built by the native half of the runtime: the same bytes that the Wasm builds.
///
/// # Errors
///
/// [`SpecError::NoWasm`], and [`SpecError::Refused`] when the topology does not fit the runtime's genesis.
pub fn genesis_storage(topology: &Topology) -> Result<Storage, SpecError> {
    let refused = |error: &dyn std::fmt::Display| SpecError::Refused(error.to_string());
    let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).map_err(|error| refused(&error))?;
    json_patch::merge(&mut config, topology.patch());
    let config: RuntimeGenesisConfig = serde_json::from_value(config).map_err(|error| refused(&error))?;
    let mut storage = config.build_storage().map_err(|error| refused(&error))?;
    let wasm = clawrank_runtime::WASM_BINARY.ok_or(SpecError::NoWasm)?;
    storage.top.insert(well_known_keys::CODE.to_vec(), wasm.to_vec());
    Ok(storage)
}

fn properties() -> Properties {
    let mut properties = Properties::new();
    properties.insert("tokenSymbol".into(), "TAO".into());
    properties.insert("tokenDecimals".into(), 9.into());
    properties.insert("ss58Format".into(), 42.into());
    properties
}
