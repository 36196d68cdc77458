// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;
use crate::testing::{own_chain, public_chain};

#[test]
fn check_is_ok_when_the_runtime_is_the_public_chains() {
    let Some(runtime) = public_chain() else { return };
    for status in check(&runtime) {
        let expected = if status.item.starts_with("ProviderRank") { ItemState::Missing } else { ItemState::Ok };
        assert_eq!(status.state, expected, "{}", status.item);
    }
}

#[test]
fn check_is_ok_when_the_runtime_is_our_own() {
    let Some(runtime) = own_chain() else { return };
    for status in check(&runtime) {
        let without = status.optional && status.state == ItemState::Missing;
        assert!(without || status.state == ItemState::Ok, "{}: {:?}", status.item, status.state);
    }
}
