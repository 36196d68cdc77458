// SPDX-License-Identifier: Apache-2.0
//! The specification that a node starts from.

use crate::{Options, Preset, SpecError};
use clawrank_runtime::{RuntimeGenesisConfig, genesis::Topology};
use sc_chain_spec::{ChainSpec as _, ChainType, GenericChainSpec, NoExtension, Properties, json_patch};
use serde_json::Value;
use sp_core::storage::{Storage, well_known_keys};
use sp_runtime::BuildStorage;
use std::{any::Any, panic::AssertUnwindSafe, path::Path};

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
/// As [`chain_spec`], and [`SpecError::Refused`] with the runtime's words; the genesis is built in both cases, so that no
/// specification is written which no node can start from.
pub fn to_json(options: &Options, raw: bool) -> Result<String, SpecError> {
    let mut spec = chain_spec(options)?;
    let storage = genesis_storage(&options.topology()?)?;
    if raw {
        spec.set_storage(storage);
    }
    spec.as_json(raw).map_err(SpecError::Refused)
}

/// The specification in a file.
///
/// A patch over this build's own runtime is built at once, which saves a node from compiling the Wasm once more; any
/// other genesis is left to the runtime that the file holds.
///
/// # Errors
///
/// [`SpecError::File`] when the file cannot be read as a specification, and [`SpecError::Refused`].
pub fn from_file(path: &Path) -> Result<ChainSpec, SpecError> {
    let unreadable = |error: String| SpecError::File { path: path.display().to_string(), error };
    let mut spec = ChainSpec::from_json_file(path.into()).map_err(unreadable)?;
    let text = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    let json: Value = serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))?;
    if let Some(patch) = patch_over_own_runtime(&json) {
        spec.set_storage(storage_of(patch.clone())?);
    }
    Ok(spec)
}

/// The patch of a specification whose runtime is the one of this build.
fn patch_over_own_runtime(spec: &Value) -> Option<&Value> {
    let genesis = spec.get("genesis")?.get("runtimeGenesis")?;
    let code = genesis.get("code")?.as_str()?;
    if code != sp_core::bytes::to_hex(clawrank_runtime::WASM_BINARY?, false) {
        return None;
    }
    genesis.get("patch")
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
    storage_of(topology.patch())
}

/// The storage that a patch over the runtime's default genesis makes.
fn storage_of(patch: Value) -> Result<Storage, SpecError> {
    let refused = |error: &dyn std::fmt::Display| SpecError::Refused(error.to_string());
    let wasm = clawrank_runtime::WASM_BINARY.ok_or(SpecError::NoWasm)?;
    let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).map_err(|error| refused(&error))?;
    json_patch::merge(&mut config, patch);
    let config: RuntimeGenesisConfig = serde_json::from_value(config).map_err(|error| refused(&error))?;
    // A genesis that contradicts itself panics: inside the Wasm that is a trap, and here no more than that.
    let built = std::panic::catch_unwind(AssertUnwindSafe(|| config.build_storage()));
    let mut storage = built.map_err(|panic| SpecError::Refused(words(&*panic)))?.map_err(|error| refused(&error))?;
    storage.top.insert(well_known_keys::CODE.to_vec(), wasm.to_vec());
    Ok(storage)
}

/// What a panic says.
fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked").to_owned()
}

fn properties() -> Properties {
    let mut properties = Properties::new();
    properties.insert("tokenSymbol".into(), "TAO".into());
    properties.insert("tokenDecimals".into(), 9.into());
    properties.insert("ss58Format".into(), 42.into());
    properties
}

#[cfg(test)]
mod tests;
