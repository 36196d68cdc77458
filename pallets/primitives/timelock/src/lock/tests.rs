// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::*;
use crate::{
    MAX_COMMIT_BYTES, OVERHEAD_BYTES, QUICKNET, WeightsPayload,
    testing::{rng, sealed, vectors},
    verify_pulse,
};

fn payload(weights: u16) -> WeightsPayload {
    WeightsPayload { hotkey: [5; 32], uids: (0..weights).collect(), values: (0..weights).collect(), version_key: 7 }
}

/// A real commit's bytes under the public beacon for a round whose signature is known.
fn commit(plaintext: &[u8]) -> (Vec<u8>, [u8; 48], u64) {
    let known = &vectors()[0];
    let bytes = encrypt(&QUICKNET.public_key, known.round, plaintext, &mut rng(1)).unwrap();
    (bytes, known.signature, known.round)
}

#[test]
fn decrypt_opens_when_the_commit_is_of_bittensors_library() {
    for vector in vectors() {
        verify_pulse(&QUICKNET.public_key, vector.round, &vector.signature).unwrap();
        assert_eq!(decrypt(&vector.commit, &vector.signature).unwrap(), vector.plaintext);
    }
}

#[test]
fn encrypt_has_the_librarys_length_when_given_its_plaintext() {
    for vector in vectors() {
        let ours = encrypt(&QUICKNET.public_key, vector.round, &vector.plaintext, &mut rng(2)).unwrap();
        assert_eq!(ours.len(), vector.commit.len());
        assert_ne!(ours, vector.commit, "randomised");
        assert_eq!(decrypt(&ours, &vector.signature).unwrap(), vector.plaintext);
    }
}

#[test]
fn encrypt_gives_the_commit_that_the_library_opens_when_seeded_alike() {
    let golden = sealed();
    let ours = encrypt(&QUICKNET.public_key, golden.round, &golden.plaintext, &mut rng(92)).unwrap();
    assert_eq!(hex::encode(ours), hex::encode(&golden.commit));
    assert_eq!(decrypt(&golden.commit, &golden.signature).unwrap(), golden.plaintext);
}

#[test]
fn encrypt_is_299_and_1313_bytes_when_given_3_and_256_weights() {
    for (weights, bytes) in [(3, 299), (256, 1_313)] {
        assert_eq!(commit(&payload(weights).encode()).0.len(), bytes);
    }
}

#[test]
fn encrypt_differs_when_repeated() {
    let mut rng = rng(3);
    let [a, b] = [(); 2].map(|()| encrypt(&QUICKNET.public_key, 9, b"weights", &mut rng).unwrap());
    assert_ne!(a, b);
}

#[test]
fn encrypt_fills_the_bound_when_the_plaintext_just_fits() {
    let most = MAX_COMMIT_BYTES - OVERHEAD_BYTES;
    let (bytes, signature, _) = commit(&alloc::vec![7; most]);
    assert_eq!(bytes.len(), MAX_COMMIT_BYTES);
    assert_eq!(decrypt(&bytes, &signature).unwrap().len(), most);
    let error = encrypt(&QUICKNET.public_key, 1, &alloc::vec![7; most + 1], &mut rng(1)).unwrap_err();
    assert_eq!(error, TimelockError::TooLong { max: 5_000, found: 5_001 });
}

#[test]
fn encrypt_refuses_when_the_key_is_no_point() {
    for key in [[0; 96], [0xff; 96], identity()] {
        assert_eq!(encrypt(&key, 1, b"", &mut rng(1)), Err(TimelockError::BadPublicKey));
    }
}

fn identity<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    bytes[0] = 0xc0;
    bytes
}

#[test]
fn decrypt_refuses_when_the_round_is_another() {
    let vectors = vectors();
    let known = &vectors[0];
    for round in [known.round - 1, known.round + 1] {
        let bytes = encrypt(&QUICKNET.public_key, round, b"weights", &mut rng(4)).unwrap();
        assert_eq!(decrypt(&bytes, &known.signature), Err(TimelockError::WrongRound));
    }
}

#[test]
fn decrypt_refuses_when_the_signature_is_no_point() {
    let (bytes, mut signature, _) = commit(b"weights");
    for wrong in [[0; 48], [0xff; 48], identity()] {
        assert_eq!(decrypt(&bytes, &wrong), Err(TimelockError::BadSignature));
    }
    // The other root of the same x is a point of the group, and another key.
    signature[0] ^= 0x20;
    assert_eq!(decrypt(&bytes, &signature), Err(TimelockError::WrongRound));
}

#[test]
fn decrypt_names_the_field_when_one_byte_is_altered() {
    let (bytes, signature, _) = commit(&payload(3).encode());
    let sealed = bytes.len() - OVERHEAD_BYTES + 16;
    let body = 96 + 40 + 40 + 16;
    for at in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        let error = decrypt(&altered, &signature).unwrap_err();
        let length = |from: usize| (from..from + 8).contains(&at);
        match error {
            TimelockError::BadPoint => assert!(at < 96, "{at}"),
            TimelockError::WrongRound => {
                assert!(at < 96 || (104..136).contains(&at) || (144..176).contains(&at), "{at}")
            }
            TimelockError::FieldLength => {
                let starts = [96, 136, 176, 184, body + sealed, body + sealed + 20];
                assert!(starts.into_iter().any(length), "{at}");
            }
            TimelockError::BodyAltered => assert!((body..body + sealed + 8 + 12).contains(&at), "{at}"),
            TimelockError::UnknownCipher => assert!(at >= bytes.len() - 8, "{at}"),
            other => panic!("{at}: {other}"),
        }
    }
}

#[test]
fn decrypt_refuses_when_cut_or_extended() {
    let (bytes, signature, _) = commit(&payload(3).encode());
    for cut in 0..bytes.len() {
        let error = decrypt(&bytes[..cut], &signature).unwrap_err();
        assert!(matches!(error, TimelockError::Length { .. } | TimelockError::FieldLength), "{cut}: {error}");
    }
    let extended = [bytes.as_slice(), &[0]].concat();
    assert_eq!(decrypt(&extended, &signature), Err(TimelockError::FieldLength));
}

#[test]
fn decrypt_refuses_when_the_point_is_outside_the_subgroup() {
    let (bytes, signature, _) = commit(b"weights");
    let mut found = 0;
    // Points of the twist with a small x: half of the x have one, and hardly any is in the subgroup.
    for x in 1..40_u8 {
        let mut altered = bytes.clone();
        altered[..96].fill(0);
        altered[0] = 0x80;
        altered[95] = x;
        assert_eq!(decrypt(&altered, &signature), Err(TimelockError::BadPoint));
        found += 1;
    }
    assert_eq!(found, 39);
    let mut altered = bytes;
    altered[..96].copy_from_slice(&identity::<96>());
    assert_eq!(decrypt(&altered, &signature), Err(TimelockError::BadPoint));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn decrypt_returns_the_plaintext_when_encrypted(plaintext in prop::collection::vec(any::<u8>(), 0..600), seed: u64) {
        let known = &vectors()[0];
        let bytes = encrypt(&QUICKNET.public_key, known.round, &plaintext, &mut rng(seed)).unwrap();
        prop_assert_eq!(bytes.len(), plaintext.len() + OVERHEAD_BYTES);
        prop_assert_eq!(decrypt(&bytes, &known.signature).unwrap(), plaintext);
    }
}

proptest! {
    #[test]
    fn decrypt_refuses_when_the_bytes_are_noise(bytes in prop::collection::vec(any::<u8>(), 0..6_000)) {
        let known = &vectors()[0];
        prop_assert!(decrypt(&bytes, &known.signature).is_err());
    }
}
