// SPDX-License-Identifier: Apache-2.0
//! The specification that a node starts from.

use crate::{Options, Preset, SpecError};
use sc_chain_spec::{ChainType, GenericChainSpec, NoExtension, Properties};

/// The specification of a ClawRank chain.
pub type ChainSpec = GenericChainSpec<NoExtension>;

/// The specification of a checked set of options, its genesis built by the Wasm runtime when it is written out or used.
///
/// The id carries what distinguishes the chain, since a node names its database by it.
///
/// # Errors
///
/// Those of [`Options::topology`], [`SpecError::NoWasm`], and [`SpecError::Refused`] with the runtime's words.
pub fn chain_spec(options: &Options) -> Result<ChainSpec, SpecError> {
    let topology = options.topology()?;
    let wasm = clawrank_runtime::WASM_BINARY.ok_or(SpecError::NoWasm)?;
    let (name, kind) = match options.preset {
        Preset::Fast => ("ClawRank Fast", ChainType::Development),
        Preset::LocalTestnet => ("ClawRank Local", ChainType::Local),
        Preset::Development => ("ClawRank Development", ChainType::Development),
    };
    let spec = ChainSpec::builder(wasm, NoExtension::default())
        .with_name(name)
        .with_id(&format!("clawrank_{}_{}", options.preset.name(), topology.slot_duration_ms))
        .with_chain_type(kind)
        .with_protocol_id("claw")
        .with_properties(properties())
        .with_genesis_config_patch(topology.patch())
        .build();
    // Builds the genesis once, so that a refusal is an error here and not a panic in the node.
    spec.as_json(true).map_err(SpecError::Refused)?;
    Ok(spec)
}

/// The specification of a preset with another block time, in ms, if one is given.
///
/// # Errors
///
/// As [`chain_spec`].
pub fn with_block_time(preset: Preset, block_time_ms: Option<u64>) -> Result<ChainSpec, SpecError> {
    chain_spec(&Options { block_time_ms, ..Options::preset(preset) })
}

fn properties() -> Properties {
    let mut properties = Properties::new();
    properties.insert("tokenSymbol".into(), "TAO".into());
    properties.insert("tokenDecimals".into(), 9.into());
    properties.insert("ss58Format".into(), 42.into());
    properties
}
