// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;
use crate::testing::{SPEC, account, golden, own_chain, public_chain, sdk_values, unhex};

fn key(runtime: &Runtime, item: StorageName, parts: &[Key]) -> Vec<u8> {
    runtime.storage(item).unwrap().key(parts).unwrap()
}

/// Keys of a map as the fixture writes them: numbers, addresses, hexadecimal text.
fn parts(params: &serde_json::Value) -> Vec<Key> {
    let part = |value: &serde_json::Value| match (value.as_u64(), value.as_str()) {
        (Some(number), _) => Key::from(number),
        (_, Some(text)) if text.starts_with("0x") => Key::Account(unhex(value).try_into().unwrap()),
        (_, text) => Key::Account(account(text.unwrap())),
    };
    params.as_array().unwrap().iter().map(part).collect()
}

/// A case's item as `Pallet.Entry`; leaked, since items are known at compile time elsewhere.
fn item_of(case: &serde_json::Value) -> StorageName {
    let name = |field: &str| case[field].as_str().unwrap().to_owned();
    StorageName::unlisted(Box::leak(format!("{}.{}", name("pallet"), name("storage_function")).into_boxed_str()))
}

#[test]
fn storage_keys_equal_the_sdks_for_every_item_of_its_fixture() {
    let (Some(runtime), Some(golden)) = (public_chain(), golden()) else { return };
    let older = Runtime::parse(&unhex(&golden["metadata"]["v14_hex"])).unwrap();
    let cases = golden["storage_keys"].as_array().unwrap();
    assert_eq!(cases.len(), 10);
    for case in cases.iter().chain(golden["storage_values"].as_array().unwrap()) {
        let (item, parts) = (item_of(case), parts(&case["params"]));
        assert_eq!(hex::encode(key(&runtime, item, &parts)), hex::encode(unhex(&case["key_hex"])), "{item:?}");
        assert_eq!(key(&older, item, &parts), key(&runtime, item, &parts), "{item:?}");
    }
    for case in golden["query_maps"].as_array().unwrap() {
        let prefix = runtime.storage(item_of(case)).unwrap().prefix(&parts(&case["params"])).unwrap();
        assert_eq!(hex::encode(prefix), hex::encode(unhex(&case["prefix_hex"])), "{:?}", item_of(case));
    }
}

#[test]
fn storage_keys_equal_the_sdks_when_the_chain_is_our_own() {
    let Some(runtime) = own_chain() else { return };
    let values = sdk_values();
    let mut compared = 0;
    for case in values["storage_keys"].as_array().unwrap() {
        let item = item_of(case);
        // What a chain without several signers to one key and without a swap pool lacks.
        if ["Multisig.Multisigs", "SubtensorModule.Alpha"].contains(&item.as_str()) {
            assert!(!runtime.has_storage(item), "{item:?}");
            continue;
        }
        let found = key(&runtime, item, &parts(&case["params"]));
        assert_eq!(hex::encode(found), hex::encode(unhex(&case["key_hex"])), "{item:?}");
        compared += 1;
    }
    assert_eq!(compared, 8);
}

#[test]
fn storage_values_equal_the_sdks_for_every_item_of_its_fixture() {
    let (Some(runtime), Some(golden)) = (public_chain(), golden()) else { return };
    let cases = golden["storage_values"].as_array().unwrap();
    assert_eq!(cases.len(), 8);
    for case in cases {
        let (name, decoded) = (item_of(case), &case["decoded"]);
        let raw = case["raw_hex"].as_str().map(|_| unhex(&case["raw_hex"]));
        let item = runtime.storage(name).unwrap();
        match name.as_str() {
            "System.Account" => {
                let found: crate::submit::AccountInfo = item.decode(raw.as_deref()).unwrap().unwrap();
                assert_eq!(Some(found.data.free), decoded["data"]["free"].as_u64());
            }
            "SubtensorModule.NetworksAdded" => {
                assert_eq!(item.decode::<bool>(raw.as_deref()).unwrap(), decoded.as_bool());
            }
            "SubtensorModule.SubnetOwner" => {
                let found = item.decode::<AccountId>(raw.as_deref()).unwrap();
                assert_eq!(found, Some(account(decoded.as_str().unwrap())));
            }
            _ => assert_eq!(item.decode::<u64>(raw.as_deref()).unwrap(), decoded.as_u64(), "{name:?}"),
        }
    }
    for case in golden["query_maps"].as_array().unwrap() {
        let item = runtime.storage(item_of(case)).unwrap();
        for (pair, change) in case["pairs"].as_array().unwrap().iter().zip(case["raw_changes"].as_array().unwrap()) {
            let key = unhex(&change[0]);
            match pair[0].as_u64() {
                Some(number) => assert_eq!(u64::from(item.last_key::<u16>(&key).unwrap()), number),
                None => {
                    assert_eq!(item.last_key::<AccountId>(&key).unwrap(), account(pair[0].as_str().unwrap()));
                }
            }
        }
    }
    for case in golden["constants"].as_array().unwrap() {
        let name = format!("{}.{}", case["module"].as_str().unwrap(), case["name"].as_str().unwrap());
        let found = runtime.constant::<u64>(ConstantName::unlisted(Box::leak(name.clone().into_boxed_str()))).unwrap();
        assert_eq!(found, case["decoded"].as_u64(), "{name}");
    }
}

#[test]
fn storage_values_decode_through_newtypes_when_stored_or_defaulted() {
    let Some(runtime) = public_chain() else { return };
    let tempo = runtime.storage(StorageName::unlisted("SubtensorModule.Tempo")).unwrap();
    assert_eq!(tempo.decode::<u16>(Some(&[0x64, 0x00])).unwrap(), Some(100));
    assert_eq!(tempo.decode::<u16>(None).unwrap(), Some(10), "default of the reference runtime");
    let incentive = runtime.storage(StorageName::unlisted("SubtensorModule.Incentive")).unwrap();
    assert_eq!(incentive.decode::<Vec<u16>>(Some(&[8, 1, 0, 0xff, 0xff])).unwrap(), Some(vec![1, 65_535]));
    let commits = runtime.storage(StorageName::unlisted("SubtensorModule.WeightCommits")).unwrap();
    assert_eq!(commits.decode::<Vec<([u8; 32], u64, u64, u64)>>(None).unwrap(), None);
    let key = runtime.storage(StorageName::unlisted("SubtensorModule.Keys")).unwrap();
    assert_eq!(key.decode::<AccountId>(Some(&[7; 32])).unwrap(), Some([7; 32]));
}

#[test]
fn storage_item_is_refused_by_name_when_it_is_missing_or_of_another_shape() {
    let Some(runtime) = public_chain() else { return };
    let missing = runtime.storage(StorageName::unlisted("SubtensorModule.Nothing")).err().unwrap();
    assert!(
        matches!(&missing, ClientError::UnsupportedRuntime { item, spec_version: SPEC, .. } if item == "SubtensorModule.Nothing")
    );
    let pallet = runtime.storage(StorageName::unlisted("Nothing.At")).err().unwrap();
    assert!(pallet.to_string().contains("there is no pallet Nothing"), "{pallet}");
    let tempo = runtime.storage(StorageName::unlisted("SubtensorModule.Tempo")).unwrap();
    assert!(matches!(tempo.key(&[]), Err(ClientError::UnsupportedRuntime { .. })));
    assert!(matches!(tempo.decode::<Vec<u64>>(None), Err(ClientError::UnsupportedRuntime { .. })));
    assert!(matches!(tempo.decode::<u16>(Some(&[1, 2, 3])), Err(ClientError::UnsupportedRuntime { .. })));
}

#[test]
fn last_key_is_read_back_when_the_hasher_keeps_it() {
    let Some(runtime) = public_chain() else { return };
    let item = runtime.storage(StorageName::unlisted("Commitments.CommitmentOf")).unwrap();
    let hotkey = [9u8; 32];
    let key = item.key(&[Key::from(92u16), Key::from(&hotkey)]).unwrap();
    assert!(key.starts_with(&item.prefix(&[Key::from(92u16)]).unwrap()));
    assert_eq!(item.last_key::<AccountId>(&key).unwrap(), hotkey);
}

#[test]
fn versions_come_from_the_constant_when_metadata_is_a_file() {
    let Some(runtime) = public_chain() else { return };
    assert_eq!((runtime.spec_version(), runtime.transaction_version()), (SPEC, 1));
    assert_eq!(runtime.constant::<u64>(ConstantName::unlisted("Aura.SlotDuration")).unwrap(), Some(250));
    assert_eq!(runtime.constant::<u64>(ConstantName::unlisted("Aura.Nothing")).unwrap(), None);
    assert!(!runtime.has_pallet("ProviderRank"));
}

#[test]
fn metadata_is_refused_when_the_file_is_missing_or_not_metadata() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent.scale");
    assert!(matches!(Runtime::load(&absent), Err(ClientError::MetadataFile { path, .. }) if path == absent));
    let junk = folder.path().join("junk.scale");
    std::fs::write(&junk, b"meta\x0fjunk").unwrap();
    assert!(matches!(Runtime::load(&junk), Err(ClientError::Decode { .. })));
}

#[tokio::test]
async fn runtime_cache_forgets_the_oldest_when_it_is_full() {
    let Some(runtime) = public_chain() else { return };
    let cache = RuntimeCache::default();
    for spec_version in 1..=10 {
        cache.insert(Runtime { spec_version, ..runtime.clone() }).await;
    }
    assert!(cache.get(2).await.is_none());
    assert_eq!(cache.get(10).await.unwrap().spec_version(), 10);
}
