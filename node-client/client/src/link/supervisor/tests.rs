// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;
use crate::testing::{sdk_values, unhex};

#[test]
fn header_hash_equals_the_chains_when_computed_from_its_json() {
    let golden = sdk_values();
    let header: RawHeader = serde_json::from_value(golden["block"]["raw"]["block"]["header"].clone()).unwrap();
    let (number, hash) = header.identify().unwrap();
    assert_eq!(number, 0x43);
    assert_eq!(hash.to_vec(), unhex(&golden["block"]["block_hash"]));
}

#[test]
fn header_is_refused_when_a_field_is_not_hexadecimal() {
    let header = RawHeader {
        parent_hash: format!("0x{}", "00".repeat(32)),
        number: "0xzz".into(),
        state_root: format!("0x{}", "00".repeat(32)),
        extrinsics_root: format!("0x{}", "00".repeat(32)),
        digest: RawDigest { logs: vec![] },
    };
    assert!(matches!(header.identify(), Err(ClientError::Decode { .. })));
}
