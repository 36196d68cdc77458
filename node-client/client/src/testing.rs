// SPDX-License-Identifier: Apache-2.0

//! Reference data of the unit tests: metadata of the public chain and of ours, and the SDK's golden values.
//!
//! The public chain's files are not part of the source tree. They are looked for in the folder that
//! `CLAWRANK_REFERENCE_DATA` names, else in a folder `shared` beside the checkout; a test that misses them says so.

use std::path::PathBuf;

use codec::{Decode, Encode};
use scale_info::{Field, TypeDef, TypeDefPrimitive, form::PortableForm};
use subxt::ext::frame_metadata::{
    RuntimeMetadata, RuntimeMetadataPrefixed,
    v15::{RuntimeMetadataV15, StorageEntryMetadata, StorageEntryType, StorageHasher},
};

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

/// A part of the SDK's golden values that is always at hand.
pub(crate) fn sdk_values() -> serde_json::Value {
    serde_json::from_str(include_str!("../tests/data/sdk-golden.json")).unwrap()
}

/// Our own chain, said to have the versions of the runtime that [`sdk_values`] are of.
pub(crate) fn own_chain_as_of(values: &serde_json::Value) -> Option<Runtime> {
    let version = |name: &str| u32::try_from(values["network"][name].as_u64().unwrap()).unwrap();
    let metadata = std::fs::read(own_chain_path()?).unwrap();
    let metadata = crate::runtime::unwrap_metadata(&metadata).unwrap();
    Some(Runtime::from_metadata(&metadata, version("spec_version"), version("transaction_version")).unwrap())
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

/// Metadata with a change, as a runtime upgrade would bring it.
pub(crate) fn mutate(bytes: &[u8], change: impl FnOnce(&mut RuntimeMetadataV15)) -> Vec<u8> {
    let mut metadata = RuntimeMetadataPrefixed::decode(&mut &*bytes).unwrap();
    let RuntimeMetadata::V15(inner) = &mut metadata.1 else { panic!("metadata is not of version 15") };
    change(inner);
    metadata.encode()
}

/// Each metadata at hand, by what it is.
pub(crate) fn every_metadata() -> Vec<(&'static str, Vec<u8>)> {
    let paths = [("public", public_chain_path()), ("own", own_chain_path())];
    paths.into_iter().filter_map(|(name, path)| Some((name, std::fs::read(path?).unwrap()))).collect()
}

/// A runtime of some metadata with a change.
pub(crate) fn changed(bytes: &[u8], change: impl FnOnce(&mut RuntimeMetadataV15)) -> Runtime {
    Runtime::parse(&mutate(bytes, change)).unwrap()
}

/// The variants of a pallet's calls.
pub(crate) fn calls<'a>(
    metadata: &'a mut RuntimeMetadataV15,
    pallet: &str,
) -> &'a mut Vec<scale_info::Variant<PortableForm>> {
    let found = metadata.pallets.iter().find(|found| found.name == pallet).unwrap();
    let id = found.calls.as_ref().unwrap().ty.id;
    match &mut metadata.types.types[id as usize].ty.type_def {
        TypeDef::Variant(variant) => &mut variant.variants,
        _ => panic!("calls are an enum"),
    }
}

/// The fields of a call.
pub(crate) fn call_fields<'a>(
    metadata: &'a mut RuntimeMetadataV15,
    pallet: &str,
    call: &str,
) -> &'a mut Vec<Field<PortableForm>> {
    &mut calls(metadata, pallet).iter_mut().find(|variant| variant.name == call).unwrap().fields
}

/// Gives the values of a storage item another type.
pub(crate) fn retype(metadata: &mut RuntimeMetadataV15, pallet: &str, entry: &str, ty: u32) {
    match &mut storage(metadata, pallet, entry).ty {
        StorageEntryType::Plain(value) | StorageEntryType::Map { value, .. } => *value = ty.into(),
    }
}

/// Gives the last key of a map another hasher.
pub(crate) fn rehash(metadata: &mut RuntimeMetadataV15, pallet: &str, entry: &str, hasher: StorageHasher) {
    match &mut storage(metadata, pallet, entry).ty {
        StorageEntryType::Map { hashers, .. } => *hashers.last_mut().unwrap() = hasher,
        StorageEntryType::Plain(_) => panic!("{entry} is no map"),
    }
}

/// A storage item's metadata.
fn storage<'a>(
    metadata: &'a mut RuntimeMetadataV15,
    pallet: &str,
    entry: &str,
) -> &'a mut StorageEntryMetadata<PortableForm> {
    let found = metadata.pallets.iter_mut().find(|found| found.name == pallet).unwrap();
    found.storage.as_mut().unwrap().entries.iter_mut().find(|found| found.name == entry).unwrap()
}

/// A field of a type.
pub(crate) fn field(name: &str, ty: u32) -> Field<PortableForm> {
    Field { name: Some(name.into()), ty: ty.into(), type_name: None, docs: Vec::new() }
}

/// The type of a primitive.
pub(crate) fn primitive(metadata: &RuntimeMetadataV15, wanted: &TypeDefPrimitive) -> u32 {
    let is = |ty: &TypeDef<PortableForm>| matches!(ty, TypeDef::Primitive(found) if found == wanted);
    metadata.types.types.iter().find(|ty| is(&ty.ty.type_def)).unwrap().id
}

/// The type `u16`.
pub(crate) fn u16_type(metadata: &RuntimeMetadataV15) -> u32 {
    primitive(metadata, &TypeDefPrimitive::U16)
}

/// The type `Vec<inner>`.
pub(crate) fn list_type(metadata: &RuntimeMetadataV15, inner: u32) -> u32 {
    let is = |ty: &TypeDef<PortableForm>| matches!(ty, TypeDef::Sequence(list) if list.type_param.id == inner);
    metadata.types.types.iter().find(|ty| is(&ty.ty.type_def)).unwrap().id
}
