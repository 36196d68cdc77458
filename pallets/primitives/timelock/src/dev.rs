// SPDX-License-Identifier: Apache-2.0

use core::fmt;

use crate::{
    PUBLIC_KEY_BYTES, SIGNATURE_BYTES,
    curve::{G1, G2, Scalar, sha256},
};

/// Seed of the beacon of local chains. Public and worthless: whoever knows it can open every commit at once.
pub const DEV_BEACON_SEED: [u8; 32] = *b"clawrank development beacon seed";

/// A beacon of one signer whose secret follows from a seed: real signatures, no secrecy. For local chains and tests.
///
/// `Debug` shows the public key only.
#[derive(Clone)]
pub struct DevBeacon(Scalar);

impl DevBeacon {
    /// The beacon of `seed`: its exponent is 512 bits of SHA-256 over the seed, reduced.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let [high, low] = [b"0", b"1"].map(|part| sha256(&[b"clawrank/beacon/", part, seed]));
        let mut wide = [0; 64];
        wide.iter_mut().zip(high.iter().chain(&low)).for_each(|(to, from)| *to = *from);
        Self(Scalar::reduced(&wide))
    }

    /// The key that verifies its signatures and that commits are encrypted to.
    #[must_use]
    pub fn public_key(&self) -> [u8; PUBLIC_KEY_BYTES] {
        G2::generator_times(self.0).bytes()
    }

    /// The signature of `round`.
    #[must_use]
    pub fn sign(&self, round: u64) -> [u8; SIGNATURE_BYTES] {
        // Hashing to the curve cannot fail for this curve's map; all zeros verifies as no signature.
        G1::of_round(round).map_or([0; SIGNATURE_BYTES], |point| point.times(self.0).bytes())
    }
}

impl Default for DevBeacon {
    /// The beacon of [`DEV_BEACON_SEED`].
    fn default() -> Self {
        Self::from_seed(&DEV_BEACON_SEED)
    }
}

impl fmt::Debug for DevBeacon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DevBeacon(")?;
        self.public_key().iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests;
