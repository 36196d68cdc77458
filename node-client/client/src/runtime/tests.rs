// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;
use crate::testing::{SPEC, account, golden, public_chain, unhex};

fn key(runtime: &Runtime, item: &'static str, parts: &[Key]) -> Vec<u8> {
    runtime.storage(item).unwrap().key(parts).unwrap()
}

#[test]
fn storage_keys_equal_the_sdks_when_maps_have_any_number_of_keys() {
    let (Some(runtime), Some(golden)) = (public_chain(), golden()) else { return };
    let cases: [(&str, &'static str, Vec<Key>); 5] = [
        ("System.Events", "System.Events", vec![]),
        ("Timestamp.Now", "Timestamp.Now", vec![]),
        ("SubtensorModule.Tempo", "SubtensorModule.Tempo", vec![Key::from(1u16)]),
        ("SubtensorModule.Keys", "SubtensorModule.Keys", vec![Key::from(1u16), Key::from(0u16)]),
        (
            "System.Account",
            "System.Account",
            vec![Key::from(&account("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"))],
        ),
    ];
    for (name, item, parts) in cases {
        let expected = golden["storage_keys"]
            .as_array()
            .unwrap()
            .iter()
            .find(|case| {
                format!("{}.{}", case["pallet"].as_str().unwrap(), case["storage_function"].as_str().unwrap()) == name
            })
            .map(|case| unhex(&case["key_hex"]))
            .unwrap();
        assert_eq!(key(&runtime, item, &parts), expected, "{name}");
    }
}

#[test]
fn storage_values_decode_through_newtypes_when_stored_or_defaulted() {
    let Some(runtime) = public_chain() else { return };
    let tempo = runtime.storage("SubtensorModule.Tempo").unwrap();
    assert_eq!(tempo.decode::<u16>(Some(&[0x64, 0x00])).unwrap(), Some(100));
    assert_eq!(tempo.decode::<u16>(None).unwrap(), Some(10), "default of the reference runtime");
    let incentive = runtime.storage("SubtensorModule.Incentive").unwrap();
    assert_eq!(incentive.decode::<Vec<u16>>(Some(&[8, 1, 0, 0xff, 0xff])).unwrap(), Some(vec![1, 65_535]));
    let commits = runtime.storage("SubtensorModule.WeightCommits").unwrap();
    assert_eq!(commits.decode::<Vec<([u8; 32], u64, u64, u64)>>(None).unwrap(), None);
    let key = runtime.storage("SubtensorModule.Keys").unwrap();
    assert_eq!(key.decode::<AccountId>(Some(&[7; 32])).unwrap(), Some([7; 32]));
}

#[test]
fn storage_item_is_refused_by_name_when_it_is_missing_or_of_another_shape() {
    let Some(runtime) = public_chain() else { return };
    let missing = runtime.storage("SubtensorModule.Nothing").err().unwrap();
    assert!(
        matches!(&missing, ClientError::UnsupportedRuntime { item, spec_version: SPEC, .. } if item == "SubtensorModule.Nothing")
    );
    let pallet = runtime.storage("Nothing.At").err().unwrap();
    assert!(pallet.to_string().contains("there is no pallet Nothing"), "{pallet}");
    let tempo = runtime.storage("SubtensorModule.Tempo").unwrap();
    assert!(matches!(tempo.key(&[]), Err(ClientError::UnsupportedRuntime { .. })));
    assert!(matches!(tempo.decode::<Vec<u64>>(None), Err(ClientError::UnsupportedRuntime { .. })));
    assert!(matches!(tempo.decode::<u16>(Some(&[1, 2, 3])), Err(ClientError::UnsupportedRuntime { .. })));
}

#[test]
fn last_key_is_read_back_when_the_hasher_keeps_it() {
    let Some(runtime) = public_chain() else { return };
    let item = runtime.storage("Commitments.CommitmentOf").unwrap();
    let hotkey = [9u8; 32];
    let key = item.key(&[Key::from(92u16), Key::from(&hotkey)]).unwrap();
    assert!(key.starts_with(&item.prefix(&[Key::from(92u16)]).unwrap()));
    assert_eq!(item.last_key::<AccountId>(&key).unwrap(), hotkey);
}

#[test]
fn versions_come_from_the_constant_when_metadata_is_a_file() {
    let Some(runtime) = public_chain() else { return };
    assert_eq!((runtime.spec_version(), runtime.transaction_version()), (SPEC, 1));
    assert_eq!(runtime.constant::<u64>("Aura.SlotDuration").unwrap(), Some(250));
    assert_eq!(runtime.constant::<u64>("Aura.Nothing").unwrap(), None);
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
