// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;
use crate::testing::{own_chain, sdk_values, unhex};

#[test]
fn timestamp_is_read_from_the_body_when_the_inherent_is_there() {
    let (Some(runtime), golden) = (own_chain(), sdk_values()) else { return };
    let raw = golden["block"]["raw"]["block"]["extrinsics"].as_array().unwrap();
    let extrinsics: Vec<Vec<u8>> = raw.iter().filter(|one| one.is_string()).map(unhex).collect();
    let expected = golden["block"]["decoded_extrinsics"][0]["call"]["call_args"][0]["value"].as_u64().unwrap();
    let block = RawBlock { extrinsics };
    assert_eq!(block.timestamp(&runtime), Some(expected));
    let without = RawBlock { extrinsics: block.extrinsics[1..].to_vec() };
    assert_eq!(without.timestamp(&runtime), None);
    let junk = RawBlock { extrinsics: vec![vec![], vec![0xff; 3], vec![4, 0x04, 2]] };
    assert_eq!(junk.timestamp(&runtime), None);
}
