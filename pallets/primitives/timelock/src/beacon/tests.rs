// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;
use crate::testing::vectors;

#[test]
fn verify_pulse_accepts_when_the_signature_is_the_public_beacons() {
    for vector in vectors() {
        assert_eq!(verify_pulse(&QUICKNET.public_key, vector.round, &vector.signature), Ok(()));
    }
}

#[test]
fn verify_pulse_refuses_when_round_key_or_signature_is_another() {
    let known = &vectors()[0];
    let key = QUICKNET.public_key;
    for round in [0, known.round - 1, known.round + 1, u64::MAX] {
        assert_eq!(verify_pulse(&key, round, &known.signature), Err(TimelockError::WrongSignature));
    }
    let mut negated = known.signature;
    negated[0] ^= 0x20;
    assert_eq!(verify_pulse(&key, known.round, &negated), Err(TimelockError::WrongSignature));
    assert_eq!(verify_pulse(&key, known.round, &[0; 48]), Err(TimelockError::BadSignature));
    assert_eq!(verify_pulse(&[0; 96], known.round, &known.signature), Err(TimelockError::BadPublicKey));
    assert_eq!(verify_public_key(&[0; 96]), Err(TimelockError::BadPublicKey));
    assert_eq!(verify_public_key(&key), Ok(()));
}

#[test]
fn randomness_is_the_published_one_when_of_a_public_round() {
    let published = "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd";
    let known = vectors().into_iter().find(|vector| vector.round == 1_000).unwrap();
    assert_eq!(hex::encode(randomness(&known.signature)), published);
}

#[test]
fn round_at_counts_from_one_when_genesis_has_come() {
    let beacon = QUICKNET;
    let genesis_ms = beacon.genesis_time * 1_000;
    let rounds = [(0, 0), (genesis_ms - 1, 0), (genesis_ms, 1), (genesis_ms + 2_999, 1), (genesis_ms + 3_000, 2)];
    for (unix_ms, round) in rounds {
        assert_eq!(beacon.round_at(unix_ms), round, "{unix_ms}");
    }
}

#[test]
fn time_of_is_when_round_at_first_says_the_round() {
    for round in [1, 2, 1_000, 30_000_000] {
        let second = QUICKNET.time_of(round);
        assert_eq!(QUICKNET.round_at(second * 1_000), round);
        assert_eq!(QUICKNET.round_at(second * 1_000 - 1), round - 1);
    }
    assert_eq!(QUICKNET.time_of(0), QUICKNET.genesis_time);
}

#[test]
fn round_at_and_time_of_saturate_when_parameters_are_extreme() {
    let still = BeaconParams { period: 0, ..QUICKNET };
    assert_eq!(still.round_at(u64::MAX), 0);
    assert_eq!(QUICKNET.time_of(u64::MAX), u64::MAX);
    let late = BeaconParams { genesis_time: u64::MAX, ..QUICKNET };
    assert_eq!(late.round_at(u64::MAX), 1);
}

#[test]
fn no_source_has_a_signature_when_the_chain_has_no_beacon() {
    assert_eq!(<() as PulseSource>::last_stored_round(), 0);
    assert_eq!(<() as PulseSource>::signature(1), None);
}
