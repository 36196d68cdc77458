// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;
use crate::{encode::tests::every_call, testing};

fn both(path: Option<std::path::PathBuf>, skip_provider_rank: bool) {
    let Some(path) = path else { return };
    let first = crate::Runtime::load(&path).unwrap();
    let second = StaticEncoder::from_metadata(&std::fs::read(&path).unwrap(), first.spec_version()).unwrap();
    let mut compared = 0;
    for call in every_call() {
        let (a, b) = (first.encode(&call), second.encode(&call));
        if skip_provider_rank && call_name(&call).starts_with("ProviderRank") {
            assert!(matches!(a, Err(ClientError::UnsupportedRuntime { .. })));
            assert!(matches!(b, Err(ClientError::UnsupportedRuntime { .. })));
            continue;
        }
        assert_eq!(hex::encode(a.unwrap()), hex::encode(b.unwrap()), "{call:?}");
        compared += 1;
    }
    assert!(compared >= 11, "{compared}");
}

#[test]
fn both_encoders_give_equal_bytes_when_the_runtime_is_the_public_chains() {
    both(testing::public_chain_path(), true);
}

#[test]
fn both_encoders_give_equal_bytes_when_the_runtime_is_our_own() {
    both(testing::own_chain_path(), false);
}
