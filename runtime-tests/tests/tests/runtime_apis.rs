// SPDX-License-Identifier: Apache-2.0
//! The runtime APIs have the public chain's names, arguments and shapes, so that its clients decode our answers.
//!
//! `data/public-runtime-apis.txt` has one line per method of the public chain, made from its metadata by this test: set
//! `CLAWRANK_PUBLIC_METADATA` to a file with the V15 metadata of a public runtime to write it anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use clawrank_runtime_tests::chain::{Chain, Options};
use codec::Decode;
use frame_metadata::{RuntimeMetadata, RuntimeMetadataPrefixed, v15::RuntimeMetadataV15};
use scale_info::{Field, PortableRegistry, TypeDef, TypeDefPrimitive, form::PortableForm};
use sp_core::OpaqueMetadata;
use std::{collections::BTreeMap, path::PathBuf};

/// The APIs of the public chain that this chain has too.
const SHARED: [&str; 10] = [
    "AccountNonceApi",
    "BetaBasketRuntimeApi",
    "DelegateInfoRuntimeApi",
    "NeuronInfoRuntimeApi",
    "ProxyFilterRuntimeApi",
    "StakeInfoRuntimeApi",
    "SubnetInfoRuntimeApi",
    "SubnetRegistrationRuntimeApi",
    "SwapRuntimeApi",
    "TransactionPaymentApi",
];

fn golden_file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/public-runtime-apis.txt")
}

fn v15(bytes: &[u8]) -> RuntimeMetadataV15 {
    let start = bytes.windows(4).position(|window| window == b"meta").expect("the magic of metadata");
    match RuntimeMetadataPrefixed::decode(&mut &bytes[start..]).unwrap().1 {
        RuntimeMetadata::V15(metadata) => metadata,
        other => panic!("metadata V{}, not V15", other.version()),
    }
}

fn ours() -> RuntimeMetadataV15 {
    let mut chain = Chain::with_options(&Options::default());
    let metadata: Option<OpaqueMetadata> = chain.call("Metadata_metadata_at_version", 15u32);
    v15(&metadata.unwrap())
}

/// How a type lies in SCALE, with the names that clients read fields by; a wrapper of one nameless field is its content.
fn shape(types: &PortableRegistry, id: u32) -> String {
    let list = |ids: &mut dyn Iterator<Item = u32>| ids.map(|id| shape(types, id)).collect::<Vec<_>>().join(", ");
    let ty = types.resolve(id).expect("metadata holds every type it names");
    match &ty.type_def {
        // Extrinsics and calls differ from chain to chain.
        _ if ty.path.ident().is_some_and(|name| name == "UncheckedExtrinsic" || name == "RuntimeCall") => {
            ty.path.ident().unwrap()
        }
        TypeDef::Composite(composite) => fields(types, &composite.fields),
        TypeDef::Variant(variants) if ty.path.ident().as_deref() == Some("Option") => {
            format!("option<{}>", shape(types, variants.variants[1].fields[0].ty.id))
        }
        TypeDef::Variant(variants) => {
            let variants = variants.variants.iter().map(|variant| {
                let content = if variant.fields.is_empty() { String::new() } else { fields(types, &variant.fields) };
                format!("{} {} {content}", variant.index, variant.name).trim_end().to_owned()
            });
            format!("enum{{{}}}", variants.collect::<Vec<_>>().join(", "))
        }
        TypeDef::Sequence(sequence) => format!("[{}]", shape(types, sequence.type_param.id)),
        TypeDef::Array(array) => format!("[{}; {}]", shape(types, array.type_param.id), array.len),
        TypeDef::Tuple(tuple) => format!("({})", list(&mut tuple.fields.iter().map(|field| field.id))),
        TypeDef::Primitive(primitive) => primitive_name(primitive).into(),
        TypeDef::Compact(compact) => format!("compact<{}>", shape(types, compact.type_param.id)),
        TypeDef::BitSequence(_) => "bits".into(),
    }
}

fn fields(types: &PortableRegistry, fields: &[Field<PortableForm>]) -> String {
    if let [only] = fields
        && only.name.is_none()
    {
        return shape(types, only.ty.id);
    }
    let each = fields.iter().map(|field| match &field.name {
        Some(name) => format!("{name}: {}", shape(types, field.ty.id)),
        None => shape(types, field.ty.id),
    });
    let each = each.collect::<Vec<_>>().join(", ");
    if fields.iter().any(|field| field.name.is_some()) { format!("{{{each}}}") } else { format!("({each})") }
}

fn primitive_name(primitive: &TypeDefPrimitive) -> &'static str {
    match primitive {
        TypeDefPrimitive::Bool => "bool",
        TypeDefPrimitive::Char => "char",
        TypeDefPrimitive::Str => "str",
        TypeDefPrimitive::U8 => "u8",
        TypeDefPrimitive::U16 => "u16",
        TypeDefPrimitive::U32 => "u32",
        TypeDefPrimitive::U64 => "u64",
        TypeDefPrimitive::U128 => "u128",
        TypeDefPrimitive::U256 => "u256",
        TypeDefPrimitive::I8 => "i8",
        TypeDefPrimitive::I16 => "i16",
        TypeDefPrimitive::I32 => "i32",
        TypeDefPrimitive::I64 => "i64",
        TypeDefPrimitive::I128 => "i128",
        TypeDefPrimitive::I256 => "i256",
    }
}

/// `Api_method` to its arguments and its answer.
fn signatures(metadata: &RuntimeMetadataV15) -> BTreeMap<String, String> {
    let types = &metadata.types;
    let shared = metadata.apis.iter().filter(|api| SHARED.contains(&api.name.as_str()));
    shared
        .flat_map(|api| api.methods.iter().map(move |method| (&api.name, method)))
        .map(|(api, method)| {
            let inputs = method.inputs.iter().map(|input| format!("{}: {}", input.name, shape(types, input.ty.id)));
            let inputs = inputs.collect::<Vec<_>>().join(", ");
            (format!("{api}_{}", method.name), format!("({inputs}) -> {}", shape(types, method.output.id)))
        })
        .collect()
}

#[test]
fn runtime_apis_are_the_public_chains_when_compared_by_shape() {
    if let Some(path) = std::env::var_os("CLAWRANK_PUBLIC_METADATA") {
        let lines = signatures(&v15(&std::fs::read(path).unwrap()));
        let lines: String = lines.iter().map(|(name, signature)| format!("{name}{signature}\n")).collect();
        std::fs::write(golden_file(), lines).unwrap();
    }
    let golden = std::fs::read_to_string(golden_file()).unwrap();
    let golden: BTreeMap<&str, &str> =
        golden.lines().map(|line| line.split_at(line.find('(').expect("a signature"))).collect();
    let ours = signatures(&ours());
    for (name, signature) in &ours {
        assert_eq!(Some(&signature.as_str()), golden.get(name.as_str()), "{name}");
    }
    let missing: Vec<_> = golden.keys().filter(|name| !ours.contains_key(**name)).collect();
    assert!(missing.is_empty(), "the public chain also has {missing:?}");
}

#[test]
fn every_runtime_api_answers_when_the_chain_has_run() {
    let mut chain = Chain::with_options(&Options::default());
    chain.run_to(25);
    let netuid = 92u16.to_le_bytes().to_vec();
    let account: [u8; 32] =
        chain.read(|| pallet_subtensor::Keys::<clawrank_runtime::Runtime>::get(pallet_subtensor::NetUid(92), 1)).into();
    let with = |tail: &[u8]| [netuid.as_slice(), tail].concat();
    let metadata = ours();
    let mut asked = 0;
    for api in metadata.apis.iter().filter(|api| SHARED.contains(&api.name.as_str())) {
        for method in &api.methods {
            let inputs: Vec<_> = method.inputs.iter().map(|input| shape(&metadata.types, input.ty.id)).collect();
            let inputs: Vec<_> = inputs.iter().map(String::as_str).collect();
            let args = match inputs.as_slice() {
                [] => Vec::new(),
                ["u16"] => netuid.clone(),
                ["u16", "u16"] => with(&1u16.to_le_bytes()),
                ["u16", "u8"] => with(&[1]),
                ["u16", "u64"] => with(&[0; 8]),
                ["u16", "[u16]"] => with(&[4, 52, 0]),
                ["u16", "u8", "[u16]"] => with(&[1, 4, 52, 0]),
                ["[u8; 32]"] => account.to_vec(),
                ["[u8; 32]", "u16"] => [account.as_slice(), &netuid].concat(),
                _ => continue,
            };
            let answer = chain.try_call(&format!("{}_{}", api.name, method.name), &args);
            assert!(!answer.as_ref().unwrap().is_empty(), "{}_{}: {answer:?}", api.name, method.name);
            asked += 1;
        }
    }
    assert!(asked >= 30, "only {asked} methods were asked");
}
