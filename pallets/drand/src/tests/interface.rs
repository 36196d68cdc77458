// SPDX-License-Identifier: Apache-2.0

//! The names, indices, hashers, types and defaults of the public chain, from its metadata.

use super::mock::*;
use crate::{Call, Config, Error, Event, Pulse};
use codec::{Decode, Encode};
use frame_support::{
    __private::metadata_ir::{StorageEntryModifierIR, StorageEntryTypeIR},
    traits::Get,
};
use scale_info::{MetaType, Type, TypeDef, form::MetaForm, meta_type};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn golden() -> Value {
    serde_json::from_str(include_str!("../../tests/data/public-interface.json")).unwrap()
}

/// A type as the golden file writes it: last segment of its path, then its shape.
fn describe(ty: MetaType) -> String {
    describe_type(&ty.type_info())
}

fn describe_type(ty: &Type<MetaForm>) -> String {
    let name = ty.path.ident().unwrap_or_default();
    if matches!(name, "AccountId32" | "H256") {
        return name.into();
    }
    match &ty.type_def {
        TypeDef::Composite(composite) => {
            let fields: Vec<String> = composite
                .fields
                .iter()
                .map(|field| format!("{}:{}", field.name.unwrap_or_default(), describe(field.ty)))
                .collect();
            format!("{name}{{{}}}", fields.join(","))
        }
        TypeDef::Variant(_) => name.into(),
        TypeDef::Sequence(sequence) => format!("[{}]", describe(sequence.type_param)),
        TypeDef::Array(array) => format!("[{};{}]", describe(array.type_param), array.len),
        TypeDef::Tuple(tuple) => {
            let fields: Vec<String> = tuple.fields.iter().map(|field| describe(*field)).collect();
            format!("({})", fields.join(","))
        }
        TypeDef::Primitive(primitive) => format!("{primitive:?}").to_lowercase(),
        TypeDef::Compact(compact) => format!("Compact<{}>", describe(compact.type_param)),
        TypeDef::BitSequence(_) => "bits".into(),
    }
}

/// Every variant of an enum: name to index and fields.
fn variants(ty: MetaType) -> BTreeMap<String, Value> {
    let TypeDef::Variant(variants) = ty.type_info().type_def else { panic!("not an enum") };
    variants
        .variants
        .iter()
        .map(|variant| {
            let fields: Vec<String> = variant
                .fields
                .iter()
                .map(|field| format!("{}:{}", field.name.unwrap_or_default(), describe(field.ty)))
                .collect();
            (variant.name.into(), json!({ "index": variant.index, "fields": fields }))
        })
        .collect()
}

/// Ours are theirs, all of them.
fn assert_same(what: &str, ours: BTreeMap<String, Value>) {
    assert_eq!(json!(ours), golden()[what], "{what}");
}

#[test]
fn calls_are_those_of_the_public_chain_when_compared_with_its_metadata() {
    assert_same("calls", variants(meta_type::<Call<Test>>()));
}

#[test]
fn events_are_those_of_the_public_chain_when_compared_with_its_metadata() {
    assert_same("events", variants(meta_type::<Event<Test>>()));
}

#[test]
fn errors_are_those_of_the_public_chain_when_compared_with_its_metadata() {
    assert_same("errors", variants(meta_type::<Error<Test>>()));
}

#[test]
fn storage_is_that_of_the_public_chain_when_compared_with_its_metadata() {
    let golden = golden();
    let metadata = Drand::storage_metadata();
    assert_eq!(metadata.prefix, "Drand");
    let mut compared = Vec::new();
    for entry in metadata.entries {
        let (hashers, key, value) = match entry.ty {
            StorageEntryTypeIR::Plain(value) => (vec![], String::new(), value),
            StorageEntryTypeIR::Map { hashers, key, value } => {
                (hashers.iter().map(|hasher| format!("{hasher:?}")).collect(), describe(key), value)
            }
        };
        let ours = json!({
            "optional": entry.modifier == StorageEntryModifierIR::Optional,
            "hashers": hashers,
            "key": key,
            "value": describe(value),
            "default": entry.default.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        });
        assert_eq!(ours, golden["storage"][entry.name], "storage {}", entry.name);
        compared.push(entry.name);
    }
    assert_eq!(compared, ["BeaconConfig", "Pulses", "LastStoredRound", "OldestStoredRound", "NextUnsignedAt"]);
}

#[test]
fn constants_are_those_of_the_public_chain_when_compared_with_its_metadata() {
    let golden = golden();
    let (priority, timeout): (u64, u64) =
        (<Test as Config>::UnsignedPriority::get(), <Test as Config>::HttpFetchTimeout::get());
    for (name, value) in [("UnsignedPriority", priority), ("HttpFetchTimeout", timeout)] {
        assert_eq!(json!(hex::encode(value.encode())), golden["constants"][name]["value"], "{name}");
    }
}

#[test]
fn pulse_reads_as_on_the_public_chain_when_encoded() {
    let bytes = pulse(7).encode();
    assert_eq!((bytes.len(), bytes[8], bytes[41]), (8 + 33 + 49, 32 << 2, 48 << 2));
    assert_eq!(Pulse::decode(&mut bytes.as_slice()), Ok(pulse(7)));
}
