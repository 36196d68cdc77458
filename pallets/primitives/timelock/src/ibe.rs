// SPDX-License-Identifier: Apache-2.0
//! Identity-based encryption of a 32-byte key: Boneh-Franklin `FullIdent`, whose identity is the round.

use rand_core::{CryptoRng, RngCore};

use crate::{
    PUBLIC_KEY_BYTES, SIGNATURE_BYTES, TimelockError,
    curve::{G1, G2, Scalar, pairing_hash, sha256},
};

/// A key, locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LockedKey {
    /// `r` times the generator of G2, compressed.
    pub(crate) u: [u8; PUBLIC_KEY_BYTES],
    /// `sigma` masked by the hash of the pairing.
    pub(crate) v: [u8; 32],
    /// The key masked by the hash of `sigma`.
    pub(crate) w: [u8; 32],
}

impl LockedKey {
    /// Locks `key` until the holder of `public_key` signs `round`.
    pub(crate) fn lock<R: RngCore + CryptoRng>(
        public_key: &[u8; PUBLIC_KEY_BYTES],
        round: u64,
        key: &[u8; 32],
        rng: &mut R,
    ) -> Result<Self, TimelockError> {
        let public_key = G2::read(public_key).ok_or(TimelockError::BadPublicKey)?;
        let round = G1::of_round(round).ok_or(TimelockError::WrongRound)?;
        let mut sigma = [0; 32];
        rng.fill_bytes(&mut sigma);
        let r = exponent(&sigma, key);
        Ok(Self {
            u: G2::generator_times(r).bytes(),
            // e(r·Q, P) is e(Q, r·P), and a product in G1 is a third of one in G2.
            v: xor(&sigma, &pairing_hash(round.times(r), public_key)),
            w: xor(key, &sha256(&[&sigma])),
        })
    }

    /// The key, given the round's signature.
    pub(crate) fn open(&self, signature: &[u8; SIGNATURE_BYTES]) -> Result<[u8; 32], TimelockError> {
        let signature = G1::read(signature).ok_or(TimelockError::BadSignature)?;
        let u = G2::read(&self.u).ok_or(TimelockError::BadPoint)?;
        let sigma = xor(&self.v, &pairing_hash(signature, u));
        let key = xor(&self.w, &sha256(&[&sigma]));
        // An honest locker derived `u` from what was just found: this refuses everything else.
        if G2::generator_times(exponent(&sigma, &key)) == u { Ok(key) } else { Err(TimelockError::WrongRound) }
    }
}

fn exponent(sigma: &[u8; 32], key: &[u8; 32]) -> Scalar {
    Scalar::reduced(&sha256(&[sigma, key]))
}

fn xor(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    let mut out = *a;
    out.iter_mut().zip(b).for_each(|(to, from)| *to ^= from);
    out
}
