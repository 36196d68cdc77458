// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::blake2_256;

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    hex::decode(text).unwrap().try_into().unwrap()
}

#[test]
fn domains_are_no_prefix_of_each_other_when_compared() {
    for a in Domain::ALL {
        for b in Domain::ALL {
            assert_eq!(b.bytes().starts_with(a.bytes()), a == b, "{a:?} {b:?}");
        }
    }
}

#[test]
fn payload_is_the_hash_of_domain_and_encoding_when_built() {
    let expected = blake2_256(b"clawrank:claim:\x07\x00\x00\x00");
    assert_eq!(signing_payload(Domain::Claim, &7u32), expected);
    for domain in Domain::ALL {
        assert_eq!(signing_payload(domain, &7u32) == expected, domain == Domain::Claim);
    }
}

/// A signature in the format of schnorrkel before 0.8, which has no marker bit and another transcript.
#[test]
fn signature_is_refused_when_in_the_deprecated_format() {
    let public = bytes::<32>("b4bfa1f7a5166695eb75299fd1c4c03ea212871c342f2c5dfea0902b2c246918");
    let deprecated = bytes::<64>(
        "5a9755f069939f45d96aaf125cf5ce7ba1db998686f87f2fb3cbdea922078741a73891ba265f70c31436e18a9acd14d189d73c12317ab6c313285cd938453202",
    );
    let message =
        b"Verifying that I am the owner of 5G9hQLdsKQswNPgB499DeA5PkFBbgkLPJWkkS6FAM6xGQ8xD. Hash: 221455a3\n";
    assert_eq!(verify(&public, message, &deprecated), Err(ProofError::BadSignature));
}

#[test]
fn key_is_refused_when_not_a_point() {
    assert_eq!(verify(&[0xff; 32], b"x", &[0; 64]), Err(ProofError::BadPublicKey));
}

#[cfg(feature = "sign")]
mod with_keys {
    use alloc::vec::Vec;
    use core::slice;

    use super::*;
    use crate::Keypair;

    #[test]
    fn signature_verifies_when_made_for_the_same_use() {
        let alice = Keypair::dev("//Alice").unwrap();
        let signature = alice.sign_for(Domain::Policy, "policy");
        assert_eq!(verify(&alice.public(), &signing_payload(Domain::Policy, "policy"), &signature), Ok(()));
        let refused = Err(ProofError::BadSignature);
        assert_eq!(verify(&alice.public(), &signing_payload(Domain::Verdict, "policy"), &signature), refused);
        assert_eq!(verify(&alice.public(), &signing_payload(Domain::Policy, "polic"), &signature), refused);
        let bob = Keypair::dev("//Bob").unwrap();
        assert_eq!(verify(&bob.public(), &signing_payload(Domain::Policy, "policy"), &signature), refused);
    }

    #[test]
    fn signature_is_refused_when_any_byte_changes() {
        let alice = Keypair::dev("//Alice").unwrap();
        let signature = alice.sign(b"payload");
        for at in 0..64 {
            let mut changed = signature;
            changed[at] ^= 1;
            assert_eq!(verify(&alice.public(), b"payload", &changed), Err(ProofError::BadSignature), "{at}");
        }
        // Without the marker bit it is an Ed25519 signature.
        let mut unmarked = signature;
        unmarked[63] &= 0x7f;
        assert_eq!(verify(&alice.public(), b"payload", &unmarked), Err(ProofError::BadSignature));
    }

    #[test]
    fn signatures_differ_when_made_twice() {
        let alice = Keypair::dev("//Alice").unwrap();
        let made: Vec<_> = (0..2).map(|_| alice.sign(slice::from_ref(&1))).collect();
        assert_ne!(made[0], made[1]);
    }
}
