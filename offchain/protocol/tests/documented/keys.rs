// SPDX-License-Identifier: Apache-2.0

//! Keys, fixed inputs and fixed signatures of all examples.

use clawrank_protocol::proof::{Hash, Keypair, Signature, ss58, verify};

use crate::page::{Examples, hex};

pub(crate) const GENESIS: Hash = [0x11; 32];
pub(crate) const NETUID: u16 = 92;
pub(crate) const NOW_MS: u64 = 1_800_000_000_000;
pub(crate) const EPOCH: u64 = 7;

pub(crate) fn miner() -> Keypair {
    Keypair::dev("//miner//0").unwrap()
}

pub(crate) fn gateway() -> Keypair {
    Keypair::dev("//gateway").unwrap()
}

pub(crate) fn validator() -> Keypair {
    Keypair::dev("//validator//0").unwrap()
}

/// The page's signature of this name, which must verify.
pub(crate) fn signature(name: &str, signer: &Keypair, payload: &Hash) -> Signature {
    let line =
        include_str!("../data/signatures.txt").lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let mut signature = [0; 64];
    let read = line.is_some_and(|text| ::hex::decode_to_slice(text, &mut signature).is_ok());
    assert!(
        read && verify(&signer.public(), payload, &signature).is_ok(),
        "signature `{name}` does not verify; put this line into tests/data/signatures.txt:\n{name} {}",
        hex(&signer.sign(payload))
    );
    signature
}

pub(crate) fn examples(examples: &mut Examples) {
    for (name, key) in [("//miner//0", miner()), ("//gateway", gateway()), ("//validator//0", validator())] {
        let public = key.public();
        examples.row(&[&format!("`{name}`"), &format!("`{}`", hex(&public)), &format!("`{}`", ss58::encode(&public))]);
    }
}
