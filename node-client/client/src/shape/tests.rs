// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use scale_info::TypeDefPrimitive;
use subxt::ext::frame_metadata::v15::{RuntimeMetadataV15, StorageHasher};

use super::*;
use crate::{
    CallEncoder, ClientError,
    encode::tests::every_call,
    testing::{self, call_fields, calls, changed, every_metadata, own_chain, public_chain},
};

#[test]
fn check_is_ok_when_the_runtime_is_the_public_chains() {
    let Some(runtime) = public_chain() else { return };
    let items = check(&runtime);
    for status in &items {
        let expected = if status.item.starts_with("ProviderRank") { ItemState::Missing } else { ItemState::Ok };
        assert_eq!(status.state, expected, "{}", status.item);
        assert!(!status.is_fatal(), "{}", status.item);
    }
    let extensions: Vec<&str> =
        items.iter().filter(|item| item.kind == ItemKind::Extension).map(|item| item.item.as_ref()).collect();
    assert_eq!(
        extensions,
        [
            "CheckNonZeroSender",
            "CheckSpecVersion",
            "CheckTxVersion",
            "CheckGenesis",
            "CheckMortality",
            "CheckNonce",
            "CheckWeight",
            "ChargeTransactionPayment",
            "SudoTransactionExtension",
            "CheckShieldedTxValidity",
            "SubtensorTransactionExtension",
            "DrandPriority",
            "CheckMetadataHash",
        ]
    );
}

#[test]
fn check_is_ok_when_the_runtime_is_our_own() {
    let Some(runtime) = own_chain() else { return };
    for status in check(&runtime) {
        let without = status.optional && status.state == ItemState::Missing;
        assert!(without || status.state == ItemState::Ok, "{}: {:?}", status.item, status.state);
    }
}

#[test]
fn parameters_have_the_shape_that_is_expected_of_the_chain() {
    let mut registry = scale_info::Registry::new();
    let id = registry.register_type(&scale_info::meta_type::<clawrank_primitives::Params>()).id;
    let shape = Shape::of(&registry.into(), id).to_string();
    let (_, _, expected) = STORAGE.iter().find(|(item, ..)| *item == SUBNET_PARAMS.as_str()).unwrap();
    assert_eq!(format!("(u16) -> {shape}"), *expected);
}

#[test]
fn shape_is_read_back_when_it_was_written() {
    let tables = STORAGE.iter().chain(CALLS);
    for (item, _, text) in tables {
        match text.split_once(" -> ") {
            Some((keys, value)) => {
                assert_eq!(Shape::parse(keys).unwrap().to_string(), keys, "{item}");
                assert_eq!(Shape::parse(value).unwrap().to_string(), value, "{item}");
            }
            None => assert_eq!(describe_fields(&Shape::parse_fields(text).unwrap()), *text, "{item}"),
        }
    }
    for text in ["Vec<u16", "[u8; x]", "(u8", "{a: u8", "u8 u8>"] {
        assert_eq!(Shape::parse(text), None, "{text}");
    }
}

#[test]
fn shape_serves_another_when_only_integers_differ_in_width() {
    let serves = |found: &str, wanted: &str, purpose| {
        Shape::parse(found).unwrap().serves(&Shape::parse(wanted).unwrap(), purpose)
    };
    for (found, wanted, expected) in [
        ("u32", "u16", true),
        ("Compact<u16>", "u16", true),
        ("Vec<Compact<u16>>", "Vec<u16>", true),
        ("Vec<u16>", "Vec<u8>", false),
        ("Vec<u8>", "[u8; 32]", false),
        ("[u8; 20]", "[u8; 32]", false),
        ("Option<u16>", "u16", false),
        ("(u16, u16)", "(u16, u64)", true),
        ("(u16, u16, u16)", "(u16, u16)", false),
        ("enum Data", "enum Info", false),
        ("bool", "u8", false),
    ] {
        assert_eq!(serves(found, wanted, Purpose::Write), expected, "{found} for {wanted}");
        assert_eq!(serves(found, wanted, Purpose::Read), expected, "{found} for {wanted}");
    }
    let (wide, narrow) = ("{a: u8, b: u16, c: bool}", "{b: u16, a: u8}");
    assert!(serves(wide, narrow, Purpose::Read), "a field more is not in the way of a reader");
    assert!(!serves(wide, narrow, Purpose::Write), "it would have to be made up by a writer");
    assert!(!serves(narrow, wide, Purpose::Read));
}

/// What a change of metadata does to one item, to the calls that are refused for it, and to all others.
fn after(change: impl Fn(&mut RuntimeMetadataV15), item: &str, fatal: bool, refused: &[&str]) {
    for (name, metadata) in every_metadata() {
        let before = Runtime::parse(&metadata).unwrap();
        let runtime = changed(&metadata, &change);
        for (old, new) in check(&before).into_iter().zip(check(&runtime)) {
            if new.item == item {
                assert_ne!(new.state, ItemState::Ok, "{name}: {item}");
                assert_eq!(new.is_fatal(), fatal, "{name}: {new:?}");
            } else {
                assert_eq!(old, new, "{name}");
            }
        }
        for call in every_call() {
            let call_name = crate::encode::call_name(&call);
            match (before.encode(&call), runtime.encode(&call)) {
                (Ok(_), Err(ClientError::UnsupportedRuntime { item, .. })) => {
                    assert_eq!(item, call_name);
                    assert!(refused.contains(&call_name.as_str()), "{name}: {call_name}");
                }
                (Ok(_), Ok(_)) => assert!(!refused.contains(&call_name.as_str()), "{name}: {call_name}"),
                (Err(_), Err(_)) => {}
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}

const SET: &str = "SubtensorModule.set_mechanism_weights";

#[test]
fn call_is_refused_by_name_when_it_was_removed_or_renamed() {
    let remove = |metadata: &mut RuntimeMetadataV15| {
        calls(metadata, "SubtensorModule").retain(|call| call.name != "set_mechanism_weights");
    };
    after(remove, &format!("{SET}()"), true, &[SET]);
    let rename = |metadata: &mut RuntimeMetadataV15| {
        let calls = calls(metadata, "SubtensorModule");
        calls.iter_mut().find(|call| call.name == "set_mechanism_weights").unwrap().name = "set_weights_v2".into();
    };
    after(rename, &format!("{SET}()"), true, &[SET]);
}

#[test]
fn call_is_refused_by_name_when_an_argument_was_added_removed_or_renamed() {
    let add = |metadata: &mut RuntimeMetadataV15| {
        let ty = testing::u16_type(metadata);
        call_fields(metadata, "SubtensorModule", "set_mechanism_weights").push(testing::field("tip", ty));
    };
    after(add, &format!("{SET}()"), true, &[SET]);
    let remove = |metadata: &mut RuntimeMetadataV15| {
        call_fields(metadata, "SubtensorModule", "set_mechanism_weights").pop();
    };
    after(remove, &format!("{SET}()"), true, &[SET]);
    let rename = |metadata: &mut RuntimeMetadataV15| {
        call_fields(metadata, "SubtensorModule", "set_mechanism_weights")[2].name = Some("uids".into());
    };
    after(rename, &format!("{SET}()"), true, &[SET]);
}

#[test]
fn call_is_refused_by_name_when_a_type_was_changed_to_what_cannot_be_served() {
    let bytes = |metadata: &mut RuntimeMetadataV15| {
        let ty = testing::list_type(metadata, testing::primitive(metadata, &TypeDefPrimitive::U8));
        call_fields(metadata, "SubtensorModule", "set_mechanism_weights")[3].ty = ty.into();
    };
    after(bytes, &format!("{SET}()"), true, &[SET]);
    let flag = |metadata: &mut RuntimeMetadataV15| {
        let ty = testing::primitive(metadata, &TypeDefPrimitive::Bool);
        call_fields(metadata, "SubtensorModule", "commit_weights")[0].ty = ty.into();
    };
    after(flag, "SubtensorModule.commit_weights()", true, &["SubtensorModule.commit_weights"]);
}

#[test]
fn call_is_encoded_in_the_new_width_when_only_that_changed() {
    let wide = |metadata: &mut RuntimeMetadataV15| {
        let ty = testing::primitive(metadata, &TypeDefPrimitive::U32);
        call_fields(metadata, "SubtensorModule", "commit_weights")[0].ty = ty.into();
    };
    after(wide, "SubtensorModule.commit_weights()", false, &[]);
    for (name, metadata) in every_metadata() {
        let call = crate::types::Call::CommitWeights { netuid: 92, commit_hash: [7; 32] };
        let (old, new) = (Runtime::parse(&metadata).unwrap(), changed(&metadata, wide));
        let (old, new) = (old.encode(&call).unwrap(), new.encode(&call).unwrap());
        assert_eq!(&new[..4], &old[..4], "{name}");
        assert_eq!((&new[4..6], &new[6..]), (&[0, 0][..], &old[4..]), "{name}");
    }
}

#[test]
fn storage_is_refused_by_name_when_it_was_removed_or_changed() {
    let remove = |metadata: &mut RuntimeMetadataV15| {
        let pallet = metadata.pallets.iter_mut().find(|pallet| pallet.name == "SubtensorModule").unwrap();
        pallet.storage.as_mut().unwrap().entries.retain(|entry| entry.name != "Tempo");
    };
    after(remove, "SubtensorModule.Tempo", true, &[]);
    let retype = |metadata: &mut RuntimeMetadataV15| {
        let ty = testing::primitive(metadata, &TypeDefPrimitive::Bool);
        testing::retype(metadata, "SubtensorModule", "Tempo", ty);
    };
    after(retype, "SubtensorModule.Tempo", true, &[]);
    let widen = |metadata: &mut RuntimeMetadataV15| {
        let ty = testing::primitive(metadata, &TypeDefPrimitive::U32);
        testing::retype(metadata, "SubtensorModule", "Tempo", ty);
    };
    after(widen, "SubtensorModule.Tempo", false, &[]);
    for (name, metadata) in every_metadata() {
        let read = |runtime: &Runtime, bytes: &[u8]| {
            runtime.storage(item!("SubtensorModule.Tempo"))?.decode::<u16>(Some(bytes))
        };
        assert_eq!(read(&changed(&metadata, widen), &[9, 0, 0, 0]).unwrap(), Some(9), "{name}");
        for change in [remove as fn(&mut RuntimeMetadataV15), retype] {
            let error = read(&changed(&metadata, change), &[1]).unwrap_err();
            assert!(
                matches!(&error, ClientError::UnsupportedRuntime { item, .. } if item == "SubtensorModule.Tempo"),
                "{error}"
            );
        }
    }
}

#[test]
fn keys_are_not_read_back_when_the_hasher_does_not_keep_them() {
    for (name, metadata) in every_metadata() {
        let runtime = changed(&metadata, |metadata| {
            testing::rehash(metadata, "Commitments", "CommitmentOf", StorageHasher::Blake2_256);
        });
        let item = runtime.storage(item!("Commitments.CommitmentOf")).unwrap();
        let error = item.last_key::<[u8; 32]>(&[7; 96]).unwrap_err();
        assert!(error.to_string().contains("cannot be read back"), "{name}: {error}");
    }
}

#[test]
fn signing_is_refused_by_name_when_an_extension_wants_data_that_is_unknown() {
    for (name, metadata) in every_metadata() {
        let runtime = changed(&metadata, |metadata| {
            let ty = testing::u16_type(metadata);
            let extensions = &mut metadata.extrinsic.signed_extensions;
            extensions.iter_mut().find(|one| one.identifier == "CheckWeight").unwrap().ty = ty.into();
        });
        let fatal: Vec<String> =
            check(&runtime).into_iter().filter(ItemStatus::is_fatal).map(|s| s.item.into()).collect();
        assert_eq!(fatal, ["CheckWeight"], "{name}");
        let envelope = crate::extrinsic::Envelope { nonce: 0, era: None, era_hash: [1; 32], genesis: [1; 32] };
        let error = crate::extrinsic::payload(&runtime, &[0, 0], &envelope).unwrap_err();
        assert!(error.to_string().contains("transaction extension CheckWeight"), "{name}: {error}");
    }
}
