// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::*;
use crate::testing::vectors;

fn payload() -> WeightsPayload {
    WeightsPayload { hotkey: [9; 32], uids: alloc::vec![0, 3, 7], values: alloc::vec![65_535, 1, 0], version_key: 42 }
}

fn older(payload: &WeightsPayload) -> Vec<u8> {
    (&payload.uids, &payload.values, payload.version_key).encode()
}

#[test]
fn payload_decodes_when_made_by_bittensors_library() {
    let vector = &vectors()[0];
    let alice = hex::decode("d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d").unwrap();
    let alice = alice.try_into().unwrap();
    let payload = WeightsPayload::decode(&vector.plaintext, &alice).unwrap();
    assert_eq!(payload.hotkey, alice);
    assert_eq!(payload.uids, [0, 1, 2]);
    assert_eq!(payload.values, [65_535, 32_768, 1]);
    assert_eq!(payload.version_key, 42);
    assert_eq!(payload.encode(), vector.plaintext);
}

#[test]
fn payload_refuses_when_copied_under_another_hotkey() {
    assert_eq!(WeightsPayload::decode(&payload().encode(), &[8; 32]), Err(TimelockError::WrongHotkey));
}

#[test]
fn payload_is_the_committers_when_in_the_older_form() {
    assert_eq!(WeightsPayload::decode(&older(&payload()), &[9; 32]), Ok(payload()));
}

#[test]
fn payload_refuses_when_bytes_are_left_over() {
    for bytes in [payload().encode(), older(&payload())] {
        let extended = [bytes.as_slice(), &[0]].concat();
        assert_eq!(WeightsPayload::decode(&extended, &[9; 32]), Err(TimelockError::TrailingBytes));
    }
}

#[test]
fn payload_refuses_when_cut() {
    for bytes in [payload().encode(), older(&payload())] {
        for cut in 0..bytes.len() {
            assert!(WeightsPayload::decode(&bytes[..cut], &[9; 32]).is_err(), "{cut}");
        }
    }
}

#[test]
fn payload_refuses_when_a_list_is_longer_than_a_subnet() {
    let mut long = payload();
    long.uids = alloc::vec![0; MAX_WEIGHTS];
    assert!(WeightsPayload::decode(&long.encode(), &[9; 32]).is_ok());
    long.uids.push(0);
    let refused = Err(TimelockError::TooManyWeights { max: 4_096, found: 4_097 });
    assert_eq!(WeightsPayload::decode(&long.encode(), &[9; 32]), refused);
    assert_eq!(WeightsPayload::decode(&older(&long), &[9; 32]), refused);
}

#[test]
fn payload_refuses_when_a_length_is_hostile() {
    // A list that claims 2^30 - 1 entries and has none.
    for prefix in [Vec::new(), (alloc::vec![9_u8; 32]).encode()] {
        let bytes = [prefix.as_slice(), &[0xfe, 0xff, 0xff, 0xff]].concat();
        assert_eq!(WeightsPayload::decode(&bytes, &[9; 32]), Err(TimelockError::NotAPayload));
    }
}

proptest! {
    #[test]
    fn payload_survives_when_encoded_and_decoded(
        hotkey: [u8; 32], uids in prop::collection::vec(any::<u16>(), 0..300),
        values in prop::collection::vec(any::<u16>(), 0..300), version_key: u64,
    ) {
        let payload = WeightsPayload { hotkey, uids, values, version_key };
        prop_assert_eq!(WeightsPayload::decode(&payload.encode(), &hotkey), Ok(payload));
    }

    #[test]
    fn payload_is_the_committers_or_refused_when_the_bytes_are_noise(
        bytes in prop::collection::vec(any::<u8>(), 0..200), committer: [u8; 32],
    ) {
        if let Ok(payload) = WeightsPayload::decode(&bytes, &committer) {
            prop_assert_eq!(payload.hotkey, committer);
        }
    }
}
