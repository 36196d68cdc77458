// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;

#[test]
fn hex_round_trips_when_well_formed() {
    let id = RequestId::random().unwrap();
    let json = serde_json::to_string(&id).unwrap();
    assert_eq!(json.len(), 34);
    assert_eq!(serde_json::from_str::<RequestId>(&json).unwrap(), id);
}

#[test]
fn hex_is_refused_when_length_case_or_digits_are_wrong() {
    assert_eq!("00".parse::<Hex<2>>(), Err(EncodingError::HexLength { expected: 4, found: 2 }));
    assert_eq!("00AA".parse::<Hex<2>>(), Err(EncodingError::HexDigit));
    assert_eq!("00zz".parse::<Hex<2>>(), Err(EncodingError::HexDigit));
    assert_eq!("0é1".parse::<Hex<2>>(), Err(EncodingError::HexDigit));
    assert!("abc".parse::<HexBytes>().is_err());
    let long = "0".repeat(MAX_HEX_DIGITS + 2);
    assert_eq!(
        long.parse::<HexBytes>(),
        Err(EncodingError::TooLong { max: MAX_HEX_DIGITS, found: MAX_HEX_DIGITS + 2 })
    );
}

#[test]
fn hotkey_round_trips_and_foreign_address_is_refused_when_read() {
    let alice = Hotkey([7; 32]);
    let text = alice.to_string();
    assert!(text.starts_with('5'), "{text}");
    assert_eq!(text.parse::<Hotkey>().unwrap(), alice);
    assert_eq!("5abc".parse::<Hotkey>(), Err(EncodingError::Address));
    assert_eq!("x".repeat(65).parse::<Hotkey>(), Err(EncodingError::TooLong { max: 64, found: 65 }));
}

#[test]
fn base64_round_trips_and_garbage_is_refused_when_read() {
    let bytes = Base64(vec![0, 255, 3]);
    assert_eq!(bytes.to_string().parse::<Base64>().unwrap(), bytes);
    assert_eq!("%%%".parse::<Base64>(), Err(EncodingError::Base64));
}
