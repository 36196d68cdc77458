// SPDX-License-Identifier: Apache-2.0
//! The metadata that clients are built from is the runtime's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use clawrank_runtime_tests::chain::{Chain, Options};
use codec::Decode;
use sp_core::OpaqueMetadata;
use std::path::PathBuf;

/// The version of the artifact's format: what the Python SDK and subxt both read.
const VERSION: u32 = 15;

fn artifact() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../node-client/client/artifacts/clawrank.scale")
}

fn metadata(chain: &mut Chain, version: u32) -> Vec<u8> {
    let metadata: Option<OpaqueMetadata> = chain.call("Metadata_metadata_at_version", version);
    let metadata: Vec<u8> = (*metadata.unwrap()).clone();
    assert_eq!(metadata[..4], *b"meta");
    assert_eq!(u32::from(metadata[4]), version);
    metadata
}

/// Set `CLAWRANK_UPDATE_METADATA=1` to write the artifact anew.
#[test]
fn committed_metadata_equals_the_runtimes_when_neither_is_stale() {
    let metadata = metadata(&mut Chain::with_options(&Options::default()), VERSION);
    if std::env::var_os("CLAWRANK_UPDATE_METADATA").is_some() {
        std::fs::create_dir_all(artifact().parent().unwrap()).unwrap();
        std::fs::write(artifact(), &metadata).unwrap();
    }
    let committed = std::fs::read(artifact()).unwrap_or_default();
    assert!(
        committed == metadata,
        "node-client/client/artifacts/clawrank.scale ({} bytes) is not the runtime's metadata ({} bytes): raise \
         spec_version if calls or storage changed, run this test with CLAWRANK_UPDATE_METADATA=1 and commit the file",
        committed.len(),
        metadata.len(),
    );
}

#[test]
fn metadata_is_served_in_three_versions_when_asked() {
    let mut chain = Chain::with_options(&Options::default());
    let versions: Vec<u32> = chain.call("Metadata_metadata_versions", ());
    assert!([14, 15, 16].iter().all(|version| versions.contains(version)), "{versions:?}");
    for version in [14, 15, 16] {
        assert!(metadata(&mut chain, version).len() > 10_000);
    }
}

#[test]
fn slot_duration_in_the_metadata_is_the_chains_when_chosen_at_genesis() {
    for ms in [250u64, 12_000] {
        let mut chain = Chain::with_options(&Options { block_time_ms: Some(ms), ..Options::default() });
        let bytes = metadata(&mut chain, 14);
        let decoded = frame_metadata::RuntimeMetadataPrefixed::decode(&mut bytes.as_slice()).unwrap();
        let frame_metadata::RuntimeMetadata::V14(v14) = decoded.1 else { panic!("not V14") };
        let aura = v14.pallets.iter().find(|pallet| pallet.name == "Aura").unwrap();
        let slot = aura.constants.iter().find(|constant| constant.name == "SlotDuration").unwrap();
        assert_eq!(u64::decode(&mut slot.value.as_slice()).unwrap(), ms);
    }
}
