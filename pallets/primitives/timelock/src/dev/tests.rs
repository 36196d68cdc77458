// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use alloc::format;

use super::*;
use crate::{DEV_BEACON, QUICKNET, TimelockError, decrypt, encrypt, testing::rng, verify_pulse};

#[test]
fn dev_beacon_signs_what_verifies_when_asked_for_any_round() {
    let beacon = DevBeacon::default();
    for round in [0, 1, 1_000, u64::MAX] {
        assert_eq!(verify_pulse(&beacon.public_key(), round, &beacon.sign(round)), Ok(()));
        assert_eq!(verify_pulse(&QUICKNET.public_key, round, &beacon.sign(round)), Err(TimelockError::WrongSignature));
    }
}

#[test]
fn dev_beacon_opens_what_was_locked_when_its_round_comes() {
    let beacon = DevBeacon::from_seed(&[7; 32]);
    let commit = encrypt(&beacon.public_key(), 12, b"weights", &mut rng(1)).unwrap();
    assert_eq!(decrypt(&commit, &beacon.sign(12)).unwrap(), b"weights");
    assert_eq!(decrypt(&commit, &beacon.sign(11)), Err(TimelockError::WrongRound));
    assert_eq!(decrypt(&commit, &DevBeacon::default().sign(12)), Err(TimelockError::WrongRound));
}

#[test]
fn dev_beacon_has_the_key_of_local_chains_when_of_the_public_seed() {
    let beacon = DevBeacon::default();
    assert_eq!(beacon.public_key(), DEV_BEACON.public_key);
    assert_eq!(format!("{beacon:?}"), format!("DevBeacon({})", hex::encode(DEV_BEACON.public_key)));
}
