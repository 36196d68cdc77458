// SPDX-License-Identifier: Apache-2.0

//! Reference data of the unit tests: metadata of the public chain and of ours, and the SDK's golden values.
//!
//! The public chain's files are not part of the source tree. They are looked for in the folder that
//! `CLAWRANK_REFERENCE_DATA` names, else in a folder `shared` beside the checkout; a test that misses them says so.

use std::path::PathBuf;

use crate::Runtime;

/// `spec_version` of the reference metadata.
pub(crate) const SPEC: u32 = 461;

fn reference(file: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("CLAWRANK_REFERENCE_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = folder.join(file);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: {file} is not in {}; set CLAWRANK_REFERENCE_DATA", folder.display());
    None
}

/// Metadata file of the public chain.
pub(crate) fn public_chain_path() -> Option<PathBuf> {
    reference("metadata/subtensor-spec461-v15.scale")
}

/// Metadata of the public chain.
pub(crate) fn public_chain() -> Option<Runtime> {
    Some(Runtime::load(public_chain_path()?).unwrap())
}

/// The SDK's golden values against the same runtime.
pub(crate) fn golden() -> Option<serde_json::Value> {
    let path = reference("metadata/bittensor-sdk-golden.json")?;
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

/// Metadata file of our own chain, as committed.
pub(crate) fn own_chain_path() -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("artifacts/clawrank.scale");
    if !path.exists() {
        eprintln!("SKIPPED: {} does not exist; build the runtime's metadata first", path.display());
        return None;
    }
    Some(path)
}

/// Metadata of our own chain, as committed.
pub(crate) fn own_chain() -> Option<Runtime> {
    Some(Runtime::load(own_chain_path()?).unwrap())
}

/// Bytes of a `0x` hexadecimal text.
pub(crate) fn unhex(text: &serde_json::Value) -> Vec<u8> {
    hex::decode(text.as_str().unwrap().trim_start_matches("0x")).unwrap()
}

/// An address of the golden values.
pub(crate) fn account(address: &str) -> [u8; 32] {
    clawrank_proof::ss58::decode(address).unwrap()
}
