// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0
#![allow(clippy::unwrap_used)]

use super::*;
use clawrank_shield::{RANDOMNESS_BYTES, seal};

fn sealed(public: &PublicKey) -> Vec<u8> {
    seal(public.as_slice().try_into().unwrap(), b"extrinsic", &[1; RANDOMNESS_BYTES]).unwrap()
}

fn open(keys: &Keyring, bytes: &[u8]) -> Result<Vec<u8>, ShieldError> {
    let envelope = Envelope::parse(bytes).unwrap();
    assert_eq!(keys.holds(envelope.key_hash), keys.open(&envelope) != Err(ShieldError::OtherKey));
    keys.open(&envelope)
}

#[test]
fn envelope_opens_when_its_key_was_announced_within_the_last_64_blocks() {
    let keys = Keyring::default();
    let bytes = sealed(&keys.announce().unwrap());
    for _ in 1..HELD_KEYS {
        keys.announce().unwrap();
    }
    assert_eq!(open(&keys, &bytes), Ok(b"extrinsic".to_vec()));
    let newest = sealed(&keys.announce().unwrap());
    assert_eq!(open(&keys, &bytes), Err(ShieldError::OtherKey), "the oldest key is gone");
    assert_eq!(open(&keys, &newest), Ok(b"extrinsic".to_vec()));
}

#[test]
fn keys_differ_when_announced_one_after_the_other() {
    let keys = Keyring::default();
    assert_ne!(keys.announce(), keys.announce());
}

#[test]
fn envelope_stays_closed_when_another_node_announced_its_key() {
    let (alice, bob) = (Keyring::default(), Keyring::default());
    bob.announce();
    assert_eq!(open(&bob, &sealed(&alice.announce().unwrap())), Err(ShieldError::OtherKey));
}

#[test]
fn block_gets_a_key_when_its_inherents_are_made() {
    let keys = Arc::new(Keyring::default());
    let mut data = InherentData::new();
    futures::executor::block_on(Announcement(keys.clone()).provide_inherent_data(&mut data)).unwrap();
    let public: InherentType = data.get_data(&INHERENT_IDENTIFIER).unwrap().unwrap();
    assert_eq!(open(&keys, &sealed(&public.unwrap())), Ok(b"extrinsic".to_vec()));
}
