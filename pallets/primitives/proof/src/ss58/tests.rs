// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::*;

const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const ALICE_KEY: &str = "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d";

#[test]
fn address_matches_substrate_when_alice() {
    let key: HotkeyId = hex::decode(ALICE_KEY).unwrap().try_into().unwrap();
    assert_eq!(encode(&key), ALICE);
    assert_eq!(decode(ALICE), Ok(key));
    assert_eq!(encode(&[0; 32]), "5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM");
}

#[test]
fn address_is_refused_when_of_another_network() {
    let on = |prefix: &[u8]| {
        let mut raw = prefix.to_vec();
        raw.extend([9; 32]);
        let sum = checksum(&raw);
        raw.extend(sum);
        to_base58(&raw)
    };
    assert_eq!(decode(&on(&[0])), Err(ProofError::WrongNetwork { prefix: 0 }));
    assert_eq!(decode(&on(&[2])), Err(ProofError::WrongNetwork { prefix: 2 }));
    // Prefix 1328 as its two bytes.
    let (first, second) = (((1_328u16 & 0xfc) >> 2) as u8 | 0x40, (1_328u16 >> 8) as u8 | ((1_328u16 & 3) as u8) << 6);
    assert_eq!(decode(&on(&[first, second])), Err(ProofError::WrongNetwork { prefix: 1_328 }));
    assert_eq!(decode(&on(&[200])), Err(ProofError::BadAddress));
}

#[test]
fn address_is_refused_when_malformed() {
    for text in ["", "1", "5Grw", "0OIl", &ALICE[1..], &ALICE.replace('5', "6"), &ALICE.repeat(40), "5Grwvé"] {
        assert_eq!(decode(text), Err(ProofError::BadAddress), "{text}");
    }
}

proptest! {
    #[test]
    fn address_survives_when_encoded(key in any::<[u8; 32]>()) {
        prop_assert_eq!(decode(&encode(&key)), Ok(key));
    }

    #[test]
    fn address_is_refused_when_a_letter_changes(key in any::<[u8; 32]>(), at in 0usize..47, letter in 0usize..58) {
        let mut text = encode(&key).into_bytes();
        prop_assume!(text[at] != ALPHABET[letter]);
        text[at] = ALPHABET[letter];
        prop_assert!(decode(core::str::from_utf8(&text).unwrap()).is_err());
    }
}
