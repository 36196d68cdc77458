// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;

const COMMITMENT: Commitment = Commitment { epoch: 0x0102_0304_0506_0708, count: 0x0a0b_0c0d, root: [0xee; 32] };

#[test]
fn commitment_has_the_documented_bytes_when_written() {
    let bytes = COMMITMENT.to_bytes();
    assert_eq!(&bytes[..16], b"CRB1\x08\x07\x06\x05\x04\x03\x02\x01\x0d\x0c\x0b\x0a");
    assert_eq!(bytes[16..], [0xee; 32]);
    assert_eq!(Commitment::parse(&bytes), Ok(COMMITMENT));
}

#[test]
fn commitment_is_refused_when_tag_or_length_is_wrong() {
    let bytes = COMMITMENT.to_bytes();
    for len in 0..bytes.len() {
        assert_eq!(Commitment::parse(&bytes[..len]), Err(ProofError::NotACommitment), "{len}");
    }
    assert_eq!(Commitment::parse(&[&bytes[..], &[0]].concat()), Err(ProofError::NotACommitment));
    let mut other = bytes;
    other[3] = b'2';
    assert_eq!(Commitment::parse(&other), Err(ProofError::NotACommitment));
}
