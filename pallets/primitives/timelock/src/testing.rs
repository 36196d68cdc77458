// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used)]

use alloc::{string::String, vec::Vec};

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use serde::Deserialize;

/// A commit made by Bittensor's own library for a real round of the public beacon.
pub(crate) struct Vector {
    pub(crate) round: u64,
    pub(crate) signature: [u8; 48],
    pub(crate) plaintext: Vec<u8>,
    pub(crate) commit: Vec<u8>,
}

#[derive(Deserialize)]
struct File {
    vectors: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    round: u64,
    signature: String,
    plaintext: String,
    commit: String,
}

impl Vector {
    fn of(entry: &Entry) -> Self {
        let bytes = |text: &str| hex::decode(text).unwrap();
        Self {
            round: entry.round,
            signature: bytes(&entry.signature).try_into().unwrap(),
            plaintext: bytes(&entry.plaintext),
            commit: bytes(&entry.commit),
        }
    }
}

pub(crate) fn vectors() -> Vec<Vector> {
    let file: File = serde_json::from_str(include_str!("../testdata/commits.json")).unwrap();
    let vectors: Vec<_> = file.vectors.iter().map(Vector::of).collect();
    assert!(!vectors.is_empty());
    vectors
}

/// A commit that this crate made; `runtime-tests/sdk` has Bittensor's own library open it.
pub(crate) fn sealed() -> Vector {
    Vector::of(&serde_json::from_str(include_str!("../testdata/sealed.json")).unwrap())
}

pub(crate) fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}
