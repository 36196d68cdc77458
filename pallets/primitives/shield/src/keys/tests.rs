// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use proptest::prelude::*;
use serde::Deserialize;

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; SEED_BYTES])
}

fn open(key: &SecretKey, bytes: &[u8]) -> Result<Vec<u8>, ShieldError> {
    key.open(&Envelope::parse(bytes)?)
}

#[derive(Deserialize)]
struct Golden {
    seed: String,
    public_key: String,
    plaintext: String,
    ciphertext: String,
}

/// `testdata/sdk.json` was made by `bittensor_core` 0.1.5, `encrypt_mlkem768(public_key, plaintext, True)`.
#[test]
fn envelope_opens_when_the_sdk_made_it() {
    let golden: Vec<Golden> = serde_json::from_str(include_str!("../../testdata/sdk.json")).unwrap();
    assert!(golden.len() >= 3);
    for case in golden {
        let key = SecretKey::from_seed(&hex::decode(case.seed).unwrap().try_into().unwrap());
        assert_eq!(hex::encode(key.public_key()), case.public_key);
        let ciphertext = hex::decode(case.ciphertext).unwrap();
        assert_eq!(hex::encode(open(&key, &ciphertext).unwrap()), case.plaintext);
    }
}

#[test]
fn envelope_is_refused_when_it_is_for_another_key() {
    let bytes = seal(key(1).public_key(), b"extrinsic", &[9; RANDOMNESS_BYTES]).unwrap();
    assert_eq!(open(&key(1), &bytes), Ok(b"extrinsic".to_vec()));
    assert_eq!(open(&key(2), &bytes), Err(ShieldError::OtherKey));
    let mut renamed = bytes;
    renamed[..KEY_HASH_BYTES].copy_from_slice(&key(2).hash());
    assert_eq!(open(&key(2), &renamed), Err(ShieldError::Forged), "the name alone opens nothing");
}

#[test]
fn envelope_is_not_made_when_nothing_or_too_much_goes_in() {
    let seal = |plaintext: &[u8]| seal(key(1).public_key(), plaintext, &[9; RANDOMNESS_BYTES]);
    assert_eq!(seal(&[]), Err(ShieldError::TooShort));
    assert_eq!(seal(&[0; MAX_PLAINTEXT_BYTES]).unwrap().len(), crate::MAX_CIPHERTEXT_BYTES);
    assert_eq!(seal(&[0; MAX_PLAINTEXT_BYTES + 1]), Err(ShieldError::TooLong));
}

#[test]
fn envelope_is_not_made_when_the_public_key_is_none() {
    // Coefficients are below 3,329; these bytes hold 4,095.
    assert_eq!(seal(&[0xff; PUBLIC_KEY_BYTES], b"x", &[9; RANDOMNESS_BYTES]), Err(ShieldError::PublicKey));
}

#[test]
fn secret_stays_hidden_when_a_key_is_printed() {
    let shown = format!("{:?}", key(0xab));
    assert!(shown.contains("hash") && !shown.contains("171, 171, 171"), "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn plaintext_comes_back_when_sealed(
        plaintext in prop::collection::vec(any::<u8>(), 1..600),
        randomness in any::<[u8; 32]>(),
        seed in any::<u8>(),
    ) {
        let mut all = [seed; RANDOMNESS_BYTES];
        all[..32].copy_from_slice(&randomness);
        let key = key(seed);
        let bytes = seal(key.public_key(), &plaintext, &all).unwrap();
        prop_assert_eq!(bytes.len(), plaintext.len() + OVERHEAD_BYTES);
        prop_assert_eq!(open(&key, &bytes), Ok(plaintext));
    }

    #[test]
    fn envelope_does_not_open_when_a_bit_is_flipped(at in 0usize..(OVERHEAD_BYTES + 9) * 8) {
        let key = key(7);
        let mut bytes = seal(key.public_key(), b"extrinsic", &[9; RANDOMNESS_BYTES]).unwrap();
        bytes[at / 8] ^= 1 << (at % 8);
        prop_assert!(open(&key, &bytes).is_err());
    }
}
