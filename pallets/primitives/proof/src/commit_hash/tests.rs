// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::*;
use crate::ss58;

fn check(mecid: u16, expected: &str) {
    let alice = ss58::decode("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY").unwrap();
    let index = mecid * 4_096 + 92;
    let hash = weights_commit_hash(&alice, index, &[0, 1, 2], &[65_535, 32_768, 1], &[1, 2, 3, 4, 5, 6, 7, 8], 42);
    assert_eq!(hex::encode(hash), expected, "mecid {mecid}");
}

#[test]
fn commit_hash_equals_the_public_chains_when_mechanisms_differ() {
    check(0, "0f0fe6102c4ae3dd4713d436dc58f63192e1ca1874e61a15adf834b4b8465fc0");
    check(1, "0f84c92ba01441094554f23500fdce66f6d45329f5f88d934c541ff9b894eff5");
}

#[test]
fn commit_hash_changes_when_any_argument_does() {
    let of = |key: u8, index: u16, uid: u16, value: u16, salt: u16, version: u64| {
        weights_commit_hash(&[key; 32], index, &[uid], &[value], &[salt], version)
    };
    let base = of(1, 1, 1, 1, 1, 1);
    let others = [
        of(2, 1, 1, 1, 1, 1),
        of(1, 2, 1, 1, 1, 1),
        of(1, 1, 2, 1, 1, 1),
        of(1, 1, 1, 2, 1, 1),
        of(1, 1, 1, 1, 2, 1),
        of(1, 1, 1, 1, 1, 2),
    ];
    assert!(others.iter().all(|other| *other != base));
}
