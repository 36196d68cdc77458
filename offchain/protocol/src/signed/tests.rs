// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;

const NOW: u64 = 1_800_000_000_000;

fn parts(body: &[u8]) -> SignedParts<'_> {
    SignedParts { method: Method::Post, path_and_query: "/v1/chat/completions?x=1", body, receiver: [3; 32] }
}

fn check(headers: &[(&'static str, String)], parts: SignedParts<'_>, now: u64) -> Result<Verified, SignedError> {
    verify_request(|name| headers.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str()), parts, now)
}

#[test]
fn signed_request_is_accepted_when_nothing_was_changed() {
    let alice = Keypair::dev("//Alice").unwrap();
    let headers = sign_request(&alice, parts(b"body"), NOW).unwrap();
    let verified = check(&headers, parts(b"body"), NOW + 5_000).unwrap();
    assert_eq!((verified.sender, verified.time_ms), (alice.public(), NOW));
}

#[test]
fn signed_request_is_refused_when_body_path_receiver_or_method_differ() {
    let headers = sign_request(&Keypair::dev("//Alice").unwrap(), parts(b"body"), NOW).unwrap();
    let bad = SignedError::Proof(ProofErrorText(ProofError::BadSignature));
    assert_eq!(check(&headers, parts(b"bodY"), NOW).unwrap_err(), bad);
    assert_eq!(check(&headers, SignedParts { path_and_query: "/v1", ..parts(b"body") }, NOW).unwrap_err(), bad);
    assert_eq!(check(&headers, SignedParts { method: Method::Get, ..parts(b"body") }, NOW).unwrap_err(), bad);
    assert_eq!(check(&headers, SignedParts { receiver: [4; 32], ..parts(b"body") }, NOW).unwrap_err(), bad);
}

#[test]
fn signed_request_is_refused_when_outside_the_window_or_headers_are_bad() {
    let mut headers = sign_request(&Keypair::dev("//Alice").unwrap(), parts(b""), NOW).unwrap();
    assert!(matches!(check(&headers, parts(b""), NOW + 5_001), Err(SignedError::Proof(_))));
    assert!(matches!(check(&headers, parts(b""), NOW - 5_001), Err(SignedError::Proof(_))));
    assert_eq!(check(&headers[1..], parts(b""), NOW), Err(SignedError::MissingHeader { header: HEADER_HOTKEY }));
    headers[1].1 = "soon".into();
    assert_eq!(check(&headers, parts(b""), NOW), Err(SignedError::MalformedTime));
    headers[1].1 = NOW.to_string();
    headers[2].1 = "00".into();
    assert!(matches!(check(&headers, parts(b""), NOW), Err(SignedError::MalformedHeader { header: HEADER_NONCE, .. })));
    let long = "/".repeat(2_049);
    assert!(sign_request(&Keypair::generate(), SignedParts { path_and_query: &long, ..parts(b"") }, NOW).is_err());
}
