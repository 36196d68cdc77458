// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::OVERHEAD_BYTES;
use proptest::prelude::*;

fn layout(inner: usize) -> Vec<u8> {
    let mut bytes = vec![1; KEY_HASH_BYTES];
    bytes.extend(u16::try_from(KEM_BYTES).unwrap().to_le_bytes());
    bytes.extend([vec![2; KEM_BYTES], vec![3; NONCE_BYTES], vec![4; inner + TAG_BYTES]].concat());
    bytes
}

#[test]
fn parts_are_where_they_belong_when_parsed() {
    let bytes = layout(5);
    let envelope = Envelope::parse(&bytes).unwrap();
    assert_eq!((envelope.key_hash, envelope.kem, envelope.nonce), (&[1; 16], &[2; 1_088], &[3; 24]));
    assert_eq!(envelope.sealed, [4; 21]);
}

#[test]
fn envelope_is_refused_when_its_length_is_out_of_bounds() {
    assert_eq!(Envelope::parse(&layout(0)), Err(ShieldError::TooShort));
    assert!(Envelope::parse(&layout(1)).is_ok());
    let most = MAX_CIPHERTEXT_BYTES - OVERHEAD_BYTES;
    assert!(Envelope::parse(&layout(most)).is_ok());
    assert_eq!(Envelope::parse(&layout(most + 1)), Err(ShieldError::TooLong));
}

#[test]
fn envelope_is_refused_when_cut_anywhere() {
    let bytes = layout(1);
    for len in 0..bytes.len() {
        assert_eq!(Envelope::parse(&bytes[..len]), Err(ShieldError::TooShort), "{len} bytes");
    }
}

#[test]
fn envelope_is_refused_when_it_states_another_length_of_the_secret() {
    for length in [0, 1, 1_087, 1_089, u16::MAX] {
        let mut bytes = layout(9);
        bytes[16..18].copy_from_slice(&length.to_le_bytes());
        assert_eq!(Envelope::parse(&bytes), Err(ShieldError::KemLength), "{length}");
    }
}

proptest! {
    #[test]
    fn parts_are_the_whole_when_bytes_parse(mut bytes in prop::collection::vec(any::<u8>(), 1_140..1_300)) {
        bytes[16..18].copy_from_slice(&1_088u16.to_le_bytes());
        if let Ok(Envelope { key_hash, kem, nonce, sealed }) = Envelope::parse(&bytes) {
            let whole = [key_hash.as_slice(), &bytes[16..18], kem, nonce, sealed].concat();
            prop_assert_eq!(whole, bytes);
        }
    }
}
