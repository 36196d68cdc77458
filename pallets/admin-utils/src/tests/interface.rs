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
    assert_same("calls", calls, 57);
}

#[test]
fn events_are_those_of_the_public_chain_when_compared_with_its_metadata() {
    assert_same("events", variants(meta_type::<Event<Test>>()), 5);
}

#[test]
fn errors_are_those_of_the_public_chain_when_compared_with_its_metadata() {
    assert_same("errors", variants(meta_type::<Error<Test>>()), 13);
}

/// What SDK 11.3.0 calls for `btcli sudo set`, sorted; `alpha_low` and `alpha_high` share one call.
const SETTERS: [&str; 33] = [
    "sudo_set_activity_cutoff_factor",
    "sudo_set_adjustment_alpha",
    "sudo_set_alpha_sigmoid_steepness",
    "sudo_set_alpha_values",
    "sudo_set_bonds_moving_average",
    "sudo_set_bonds_penalty",
    "sudo_set_bonds_reset_enabled",
    "sudo_set_burn_half_life",
    "sudo_set_burn_increase_mult",
    "sudo_set_collateral_drain_ratio",
    "sudo_set_collateral_lock_share",
    "sudo_set_commit_reveal_weights_enabled",
    "sudo_set_commit_reveal_weights_interval",
    "sudo_set_epoch_consensus",
    "sudo_set_immunity_period",
    "sudo_set_liquid_alpha_enabled",
    "sudo_set_max_allowed_uids",
    "sudo_set_max_burn",
    "sudo_set_max_difficulty",
    "sudo_set_min_allowed_weights",
    "sudo_set_min_burn",
    "sudo_set_min_childkey_take_per_subnet",
    "sudo_set_network_pow_registration_allowed",
    "sudo_set_network_registration_allowed",
    "sudo_set_owner_cut_auto_lock_enabled",
    "sudo_set_owner_cut_enabled",
    "sudo_set_owner_immune_neuron_limit",
    "sudo_set_rho",
    "sudo_set_serving_rate_limit",
    "sudo_set_tempo",
    "sudo_set_toggle_transfer",
    "sudo_set_weights_version_key",
    "sudo_set_yuma3_enabled",
];

#[test]
fn every_hyperparameter_of_the_sdk_has_its_call() {
    let calls = variants(meta_type::<Call<Test>>());
    for setter in SETTERS {
        assert!(calls.contains_key(setter), "{setter}");
    }
}
