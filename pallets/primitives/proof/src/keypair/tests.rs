// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use alloc::format;

use super::*;
use crate::{ss58, verify};

#[test]
fn dev_keys_match_substrate_when_derived() {
    fn check(path: &str, public: &str) {
        assert_eq!(hex::encode(Keypair::dev(path).unwrap().public()), public, "{path}");
    }
    check("", "46ebddef8cd9bb167dc30878d7113b7e168e6f0646beffd77d69d39bad76b47a");
    check("//Alice", "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d");
    check("//Bob", "8eaf04151687736326c9fea17e25fc5287613693c912909cb226aa4794f26a48");
    check("//Alice//stash", "be5ddb1579b72e84524fc29e78609e3caf42e85aa118ebfe0b0ad404b5bdd25f");
    check("/Alice", "d6c71059dbbe9ad2b0ed3f289738b800836eb425544ce694825285b958ca755e");
}

#[test]
fn junction_is_encoded_as_substrate_does_when_number_or_text() {
    let padded = |bytes: &[u8]| {
        let mut out = [0u8; 32];
        out[..bytes.len()].copy_from_slice(bytes);
        out
    };
    assert_eq!(junction_bytes("1"), padded(&[1]));
    assert_eq!(junction_bytes("18446744073709551615"), padded(&[0xff; 8]));
    assert_eq!(junction_bytes("18446744073709551616"), padded(b"\x5018446744073709551616"));
    assert_eq!(junction_bytes("Alice"), padded(b"\x14Alice"));
    assert_eq!(junction_bytes(&"x".repeat(31)), padded(format!("\x7c{}", "x".repeat(31)).as_bytes()));
    assert_eq!(junction_bytes(&"x".repeat(32)), blake2_256(&"x".repeat(32).encode()));
}

#[test]
fn path_is_refused_when_malformed() {
    for path in ["Alice", "//", "/", "//Alice/", "//Alice//", "///password", "//Alice///password", &"/a".repeat(600)] {
        assert_eq!(Keypair::dev(path).unwrap_err(), ProofError::BadSecret, "{path}");
    }
}

#[test]
fn expanded_secret_gives_the_same_key_when_in_either_form() {
    let alice = Keypair::dev("//Alice").unwrap();
    for secret in [alice.0.secret.to_bytes(), alice.0.secret.to_ed25519_bytes()] {
        let read = Keypair::from_expanded_secret(&secret, &alice.public()).unwrap();
        assert_eq!(read.public(), alice.public());
        assert_eq!(verify(&alice.public(), b"x", &read.sign(b"x")), Ok(()));
    }
    assert_eq!(alice.to_expanded_secret(), alice.0.secret.to_bytes());
}

#[test]
fn expanded_secret_is_refused_when_the_public_key_is_another() {
    let (alice, bob) = (Keypair::dev("//Alice").unwrap(), Keypair::dev("//Bob").unwrap());
    let refused = Keypair::from_expanded_secret(&alice.to_expanded_secret(), &bob.public());
    assert_eq!(refused.unwrap_err(), ProofError::BadSecret);
    assert_eq!(Keypair::from_expanded_secret(&[0xff; 64], &bob.public()).unwrap_err(), ProofError::BadSecret);
}

#[test]
fn keys_differ_when_generated_twice() {
    assert_ne!(Keypair::generate().public(), Keypair::generate().public());
}

#[test]
fn debug_shows_the_address_only_when_printed() {
    let alice = Keypair::dev("//Alice").unwrap();
    let shown = format!("{alice:?}");
    assert_eq!(shown, format!("Keypair {{ public: {:?}, .. }}", ss58::encode(&alice.public())));
    assert!(!shown.contains(&hex::encode(&alice.to_expanded_secret()[..8])));
}
