// SPDX-License-Identifier: Apache-2.0

//! The names, indices, arguments and fields of the public chain, from its metadata.

use super::mock::*;
use crate::{Call, Error, Event};
use scale_info::{MetaType, TypeDef, meta_type};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn golden() -> Value {
    serde_json::from_str(include_str!("../../tests/data/public-interface.json")).unwrap()
}

/// A type as the golden file writes it: last segment of its path, then its shape.
fn describe(ty: MetaType) -> String {
    let ty = ty.type_info();
    let name = ty.path.ident().unwrap_or_default();
    if name == "AccountId32" {
        return name.into();
    }
    match ty.type_def {
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
        TypeDef::Primitive(primitive) => format!("{primitive:?}").to_lowercase(),
        other => panic!("{other:?} has no description"),
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

fn assert_same(what: &str, ours: BTreeMap<String, Value>, least: usize) {
    let golden = golden();
    for (name, value) in &ours {
        assert_eq!(value, &golden[what][name], "{what} {name}");
    }
    assert!(ours.len() >= least, "only {} {what} were compared", ours.len());
}

#[test]
fn calls_are_those_of_the_public_chain_when_compared_with_its_metadata() {
    let mut calls = variants(meta_type::<Call<Test>>());
    // Newer than the metadata at hand.
    let consensus = calls.remove("sudo_set_epoch_consensus").unwrap();
    assert_eq!(consensus, json!({ "index": 111, "fields": ["netuid:NetUid{:u16}", "mode:EpochConsensus"] }));
    assert_same("calls", calls, 54);
}

#[test]
fn events_are_those_of_the_public_chain_when_compared_with_its_metadata() {
    assert_same("events", variants(meta_type::<Event<Test>>()), 5);
}

#[test]
fn errors_are_those_of_the_public_chain_when_compared_with_its_metadata() {
    assert_same("errors", variants(meta_type::<Error<Test>>()), 13);
}
