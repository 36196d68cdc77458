// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::path::Path;

use clawrank_proof::ss58;
use proptest::prelude::*;

use super::*;
use crate::{WalletError, parse_keyfile, parse_public_keyfile};

const PASSWORD: &str = "clawrank fixture 92";
const DEV: &str = "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV";
const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)).unwrap()
}

fn sealed(bytes: &[u8]) -> Sealed {
    Sealed::parse(bytes).unwrap().expect("encrypted")
}

fn address(plain: &[u8]) -> String {
    ss58::encode(&parse_keyfile(plain, Path::new("fixture")).unwrap().public())
}

#[test]
fn plain_files_of_the_sdk_give_their_address_when_read() {
    for (name, expected) in
        [("plain-wallet-4.1.1.json", DEV), ("plain-core-0.1.5.json", DEV), ("uri-wallet-4.1.1.json", ALICE)]
    {
        let bytes = fixture(name);
        assert_eq!(Encryption::detect(&bytes), None);
        assert_eq!(address(&bytes), expected, "{name}");
        assert_eq!(ss58::encode(&parse_public_keyfile(&bytes, Path::new(name)).unwrap()), expected);
    }
    let ed25519 = parse_keyfile(&fixture("ed25519-wallet-4.1.1.json"), Path::new("hk")).unwrap_err();
    assert!(matches!(ed25519, WalletError::NotSr25519 { .. }), "{ed25519}");
}

/// One derivation serves both files, since the format's salt is fixed.
#[test]
fn nacl_files_of_the_sdk_open_when_the_password_is_right() {
    let files = ["nacl-wallet-4.1.1.key", "nacl-core-0.1.5.key"].map(fixture);
    let key = sealed(&files[0]).derive(&PASSWORD.into()).unwrap();
    for bytes in &files {
        let file = sealed(bytes);
        assert_eq!(file.format(), Encryption::Nacl);
        assert_eq!(address(&file.open(&key).unwrap()), DEV);
        assert_eq!(file.open(&SealKey::from_bytes([0; SEAL_KEY_BYTES])), Err(SealError::WrongPassword));
    }
    assert_eq!(format!("{key:?}"), "SealKey(..)");
}

#[test]
fn ansible_file_of_the_sdk_opens_when_the_password_is_right() {
    let file = sealed(&fixture("ansible-wallet-4.1.1.key"));
    assert_eq!(file.format(), Encryption::AnsibleVault);
    let open = |password: &str| file.open(&file.derive(&password.into()).unwrap());
    assert_eq!(address(&open(PASSWORD).unwrap()), DEV);
    assert_eq!(open("another"), Err(SealError::WrongPassword));
    // Version 1.2 has a label behind the cipher.
    let text = String::from_utf8(fixture("ansible-wallet-4.1.1.key")).unwrap();
    let labelled = sealed(text.replacen("1.1;AES256", "1.2;AES256;prod", 1).as_bytes());
    assert_eq!(address(&labelled.open(&labelled.derive(&PASSWORD.into()).unwrap()).unwrap()), DEV);
}

#[test]
fn fernet_file_opens_when_the_password_is_right() {
    let file = sealed(&fixture("fernet.key"));
    assert_eq!(file.format(), Encryption::Fernet);
    let key = file.derive(&PASSWORD.into()).unwrap();
    assert_eq!(address(&file.open(&key).unwrap()), DEV);
    assert_eq!(file.open(&SealKey::from_bytes([0; SEAL_KEY_BYTES])), Err(SealError::WrongPassword));
}

#[test]
fn encrypted_file_is_refused_when_cut_or_changed() {
    let key = SealKey::from_bytes([7; SEAL_KEY_BYTES]);
    let boxed = nacl::seal(b"secret", &key).unwrap();
    assert_eq!(sealed(&boxed).open(&key).unwrap().as_slice(), b"secret");
    for cut in 5..boxed.len() {
        match Sealed::parse(&boxed[..cut]) {
            Err(SealError::Malformed(why)) => assert!(why.contains("cut short"), "{why}"),
            Ok(Some(file)) => assert_eq!(file.open(&key), Err(SealError::WrongPassword), "{cut}"),
            other => panic!("{cut}: {other:?}"),
        }
    }
    for at in 5..boxed.len() {
        let mut changed = boxed.clone();
        changed[at] ^= 1;
        assert_eq!(sealed(&changed).open(&key), Err(SealError::WrongPassword), "{at}");
    }
    let ansible = fixture("ansible-wallet-4.1.1.key");
    for cut in [14, 20, 26, 100, ansible.len() / 2] {
        assert!(matches!(Sealed::parse(&ansible[..cut]), Err(SealError::Malformed(_))), "{cut}");
    }
    let other = String::from_utf8(ansible).unwrap().replacen(";1.1;", ";9.9;", 1);
    assert!(matches!(Sealed::parse(other.as_bytes()), Err(SealError::Malformed(why)) if why.contains("version")));
    let fernet = fixture("fernet.key");
    for cut in [6, 40, 76] {
        assert!(matches!(Sealed::parse(&fernet[..cut]), Err(SealError::Malformed(_))), "{cut}");
    }
}

#[test]
fn sealing_is_different_each_time_when_the_input_is_the_same() {
    let key = SealKey::from_bytes([7; SEAL_KEY_BYTES]);
    assert_ne!(nacl::seal(b"secret", &key).unwrap(), nacl::seal(b"secret", &key).unwrap());
}

proptest! {
    #[test]
    fn frames_return_when_given_any_bytes(head in 0usize..4, tail in prop::collection::vec(any::<u8>(), 0..400)) {
        let head: &[u8] = [b"", nacl::HEADER, b"$ANSIBLE_VAULT;1.1;AES256\n", fernet::HEADER][head];
        if let Ok(Some(file)) = Sealed::parse(&[head, &tail].concat()) {
            prop_assert_eq!(file.open(&SealKey::from_bytes([7; SEAL_KEY_BYTES])), Err(SealError::WrongPassword));
        }
    }

    #[test]
    fn sealed_bytes_open_again_when_the_key_is_the_same(plain in prop::collection::vec(any::<u8>(), 1..200), byte: u8) {
        let key = SealKey::from_bytes([byte; SEAL_KEY_BYTES]);
        let opened = sealed(&nacl::seal(&plain, &key).unwrap()).open(&key).unwrap();
        prop_assert_eq!(opened.as_slice(), plain.as_slice());
    }
}
