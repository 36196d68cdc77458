// SPDX-License-Identifier: Apache-2.0

//! The names, indices, hashers, types and defaults of the public chain, from its metadata.

use super::mock::*;
use crate::{Call, Error, Event, List, NetUid, NetUidStorageIndex};
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::__private::metadata_ir::{StorageEntryModifierIR, StorageEntryTypeIR};
use scale_info::{MetaType, Type, TypeDef, TypeInfo, form::MetaForm, meta_type};
use serde_json::{Value, json};
use sp_core::crypto::AccountId32;
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

/// Newer than the metadata at hand: the public chain has had these since spec 475.
const NEWER: [&str; 9] = [
    "BurnRegistrationAllowed",
    "SubnetEpochConsensus",
    "EpochConsensus",
    "LastPowRegistrationBlock",
    "NullPruningTarget",
    "InvalidBatchLength",
    "TooManyStakingHotkeys",
    "CommitPayloadTooLarge",
    "CommitQueueFull",
];

fn assert_same(what: &str, ours: BTreeMap<String, Value>, least: usize) {
    let golden = golden();
    let theirs = golden[what].as_object().unwrap();
    for (name, value) in ours.iter().filter(|(name, _)| !NEWER.contains(&name.as_str())) {
        assert_eq!(Some(value), theirs.get(name), "{what} {name}");
    }
    assert!(ours.len() >= least, "only {} {what} were compared", ours.len());
}

#[test]
fn calls_are_those_of_the_public_chain_when_compared_with_its_metadata() {
    assert_same("calls", variants(meta_type::<Call<Test>>()), 30);
}

#[test]
fn events_are_those_of_the_public_chain_when_compared_with_its_metadata() {
    assert_same("events", variants(meta_type::<Event<Test>>()), 24);
}

#[test]
fn errors_are_those_of_the_public_chain_when_compared_with_its_metadata() {
    assert_same("errors", variants(meta_type::<Error<Test>>()), 60);
}

#[test]
fn enums_are_those_of_the_public_chain_when_compared_with_its_metadata() {
    let golden = golden();
    let ours = [
        ("Hyperparameter", meta_type::<crate::Hyperparameter>()),
        ("RateLimitKey", meta_type::<crate::RateLimitKey<AccountId32>>()),
        ("ConsensusMode", meta_type::<crate::ConsensusMode>()),
        ("RecycleOrBurnEnum", meta_type::<crate::RecycleOrBurnEnum>()),
    ];
    for (name, ty) in ours {
        for (variant, value) in variants(ty) {
            if NEWER.contains(&variant.as_str()) {
                continue;
            }
            assert_eq!(golden["enums"][name][&variant], value, "{name} {variant}");
        }
    }
}

#[test]
fn newer_variants_have_the_indices_of_spec_475_when_encoded() {
    assert_eq!(crate::Hyperparameter::EpochConsensus.encode(), [35]);
    assert_eq!(crate::Hyperparameter::BurnRegistrationAllowed.encode(), [36]);
    assert_eq!(Error::<Test>::InvalidBatchLength.encode(), [162]);
    assert_eq!(Error::<Test>::TooManyStakingHotkeys.encode(), [163]);
    assert_eq!(Error::<Test>::CommitPayloadTooLarge.encode(), [173]);
    assert_eq!(Error::<Test>::CommitQueueFull.encode(), [174]);
}

#[test]
fn storage_is_that_of_the_public_chain_when_compared_with_its_metadata() {
    let golden = golden();
    let metadata = SubtensorModule::storage_metadata();
    assert_eq!(metadata.prefix, "SubtensorModule");
    let mut compared = 0;
    for entry in metadata.entries {
        if NEWER.contains(&entry.name) {
            continue;
        }
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
        compared += 1;
    }
    assert!(compared > 100, "only {compared} items were compared");
}

#[test]
fn constants_are_those_of_the_public_chain_when_it_has_them() {
    let ours: BTreeMap<_, _> =
        SubtensorModule::pallet_constants_metadata().into_iter().map(|entry| (entry.name, entry.value)).collect();
    // Of spec 461, in its build with `fast-runtime`, whose tempo and epochs per block the mock has.
    let theirs = [
        ("InitialMaxEpochsPerBlock", 32_u8.encode()),
        ("InitialMinStake", 2_000_000_u64.encode()),
        ("InitialStartCallDelay", 0_u64.encode()),
        ("InitialTempo", 10_u16.encode()),
        ("MaxActivityCutoffFactorMilli", 50_000_u32.encode()),
        ("MaxTempo", 50_400_u16.encode()),
        ("MinActivityCutoffFactorMilli", 1_000_u32.encode()),
        ("SubtensorPalletId", b"subtensr".to_vec()),
    ];
    for (name, value) in theirs {
        assert_eq!(ours.get(name), Some(&value), "{name}");
    }
}

#[test]
fn list_is_a_plain_vector_when_encoded_and_described() {
    let list = List::<u16, 3>::new(vec![1, 2, 3]).unwrap();
    assert_eq!(list.encode(), vec![1_u16, 2, 3].encode());
    assert_eq!(<List<u16, 3>>::type_info(), <Vec<u16>>::type_info());
    assert_eq!(<List<u16, 3>>::max_encoded_len(), 1 + 3 * 2);
    assert_eq!(List::<u16, 3>::decode(&mut &list.encode()[..]), Ok(list));
}

#[test]
fn list_is_refused_when_it_is_too_long() {
    assert!(List::<u16, 3>::decode(&mut &vec![1_u16, 2, 3, 4].encode()[..]).is_err());
    assert_eq!(List::<u16, 3>::new(vec![1, 2, 3, 4]), Err(vec![1, 2, 3, 4]));
}

#[test]
fn storage_index_splits_into_its_parts_when_made_of_any() {
    for (netuid, mecid) in [(0, 0), (92, 0), (92, 1), (4095, 15)] {
        let index = NetUidStorageIndex::new(NetUid(netuid), crate::MechId(mecid));
        assert_eq!(index.0, u16::from(mecid) * 4096 + netuid);
        assert_eq!(index.split(), (NetUid(netuid), crate::MechId(mecid)));
    }
}
