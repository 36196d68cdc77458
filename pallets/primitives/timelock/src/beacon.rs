// SPDX-License-Identifier: Apache-2.0

use crate::{
    PUBLIC_KEY_BYTES, SIGNATURE_BYTES, TimelockError,
    curve::{G1, G2, is_signed, sha256},
};

/// A drand beacon of the scheme `bls-unchained-g1-rfc9380`: signatures on G1, each of its round's number alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BeaconParams {
    /// Group key, a compressed point of G2.
    pub public_key: [u8; PUBLIC_KEY_BYTES],
    /// Time of round 1, Unix seconds.
    pub genesis_time: u64,
    /// Time from one round to the next, seconds.
    pub period: u32,
}

/// The public beacon `quicknet`, which Bittensor's chain follows.
pub const QUICKNET: BeaconParams = BeaconParams {
    public_key: [
        0x83, 0xcf, 0x0f, 0x28, 0x96, 0xad, 0xee, 0x7e, 0xb8, 0xb5, 0xf0, 0x1f, 0xca, 0xd3, 0x91, 0x22, 0x12, 0xc4,
        0x37, 0xe0, 0x07, 0x3e, 0x91, 0x1f, 0xb9, 0x00, 0x22, 0xd3, 0xe7, 0x60, 0x18, 0x3c, 0x8c, 0x4b, 0x45, 0x0b,
        0x6a, 0x0a, 0x6c, 0x3a, 0xc6, 0xa5, 0x77, 0x6a, 0x2d, 0x10, 0x64, 0x51, 0x0d, 0x1f, 0xec, 0x75, 0x8c, 0x92,
        0x1c, 0xc2, 0x2b, 0x0e, 0x17, 0xe6, 0x3a, 0xaf, 0x4b, 0xcb, 0x5e, 0xd6, 0x63, 0x04, 0xde, 0x9c, 0xf8, 0x09,
        0xbd, 0x27, 0x4c, 0xa7, 0x3b, 0xab, 0x4a, 0xf5, 0xa6, 0xe9, 0xc7, 0x6a, 0x4b, 0xc0, 0x9e, 0x76, 0xea, 0xe8,
        0x99, 0x1e, 0xf5, 0xec, 0xe4, 0x5a,
    ],
    genesis_time: 1_692_803_367,
    period: 3,
};

/// The beacon of local chains: `DevBeacon::default()` signs it, and everyone knows its secret. Its rounds have the
/// numbers of [`QUICKNET`]'s, so that a client which knows the public beacon's times only picks the right round.
pub const DEV_BEACON: BeaconParams = BeaconParams {
    public_key: [
        0x8c, 0x00, 0xeb, 0xde, 0xeb, 0xe8, 0x52, 0x14, 0x78, 0xbc, 0x57, 0x98, 0x6c, 0x79, 0xfb, 0x71, 0xee, 0x18,
        0xb5, 0x99, 0x25, 0xc9, 0x14, 0xce, 0x69, 0xf3, 0x6e, 0x4e, 0xc5, 0x98, 0xb6, 0x70, 0x75, 0xb2, 0x56, 0x1e,
        0x12, 0x56, 0x17, 0xaa, 0x65, 0x62, 0xca, 0xad, 0xab, 0xb4, 0xde, 0x83, 0x0e, 0xe5, 0x07, 0x0c, 0x07, 0xbf,
        0xe5, 0xa2, 0x87, 0x8a, 0x93, 0xb8, 0x0f, 0x74, 0x69, 0xef, 0x6e, 0x4e, 0x20, 0x80, 0x60, 0x3f, 0x83, 0xc9,
        0x7e, 0x3b, 0x07, 0x93, 0x90, 0x41, 0xb5, 0xf3, 0xfa, 0x4e, 0x06, 0xd2, 0x65, 0x2a, 0x37, 0x82, 0xdc, 0x46,
        0x6a, 0x49, 0x6e, 0xf2, 0x9a, 0x14,
    ],
    genesis_time: QUICKNET.genesis_time,
    period: QUICKNET.period,
};

/// The name of [`QUICKNET`] in URLs: hash of its parameters.
pub const QUICKNET_CHAIN_HASH: [u8; 32] = [
    0x52, 0xdb, 0x9b, 0xa7, 0x0e, 0x0c, 0xc0, 0xf6, 0xea, 0xf7, 0x80, 0x3d, 0xd0, 0x74, 0x47, 0xa1, 0xf5, 0x47, 0x77,
    0x35, 0xfd, 0x3f, 0x66, 0x17, 0x92, 0xba, 0x94, 0x60, 0x0c, 0x84, 0xe9, 0x71,
];

impl BeaconParams {
    /// The newest round published at `unix_ms`: 1 at genesis, 0 before it or when the period is 0.
    #[must_use]
    pub fn round_at(&self, unix_ms: u64) -> u64 {
        let genesis_ms = self.genesis_time.saturating_mul(1_000);
        let period_ms = u64::from(self.period).saturating_mul(1_000);
        match unix_ms.checked_sub(genesis_ms) {
            Some(since) => since.checked_div(period_ms).map_or(0, |whole| whole.saturating_add(1)),
            None => 0,
        }
    }

    /// When `round` is published, Unix seconds; round 0 is said to be at genesis. Saturates.
    #[must_use]
    pub fn time_of(&self, round: u64) -> u64 {
        let after = round.saturating_sub(1).saturating_mul(u64::from(self.period));
        self.genesis_time.saturating_add(after)
    }
}

/// Checks that `signature` is the beacon's signature of `round`. About one and a half pairings.
///
/// # Errors
///
/// - [`TimelockError::BadPublicKey`], [`TimelockError::BadSignature`]: not points of their group.
/// - [`TimelockError::WrongSignature`]: of another round, or by another key.
pub fn verify_pulse(
    public_key: &[u8; PUBLIC_KEY_BYTES],
    round: u64,
    signature: &[u8; SIGNATURE_BYTES],
) -> Result<(), TimelockError> {
    let public_key = G2::read(public_key).ok_or(TimelockError::BadPublicKey)?;
    let signature = G1::read(signature).ok_or(TimelockError::BadSignature)?;
    let message = G1::of_round(round).ok_or(TimelockError::WrongSignature)?;
    if is_signed(public_key, message, signature) { Ok(()) } else { Err(TimelockError::WrongSignature) }
}

/// Checks that pulses can be verified by `public_key`.
///
/// # Errors
///
/// [`TimelockError::BadPublicKey`]: not on the curve, not in the subgroup of prime order, or its identity.
pub fn verify_public_key(public_key: &[u8; PUBLIC_KEY_BYTES]) -> Result<(), TimelockError> {
    G2::read(public_key).map(drop).ok_or(TimelockError::BadPublicKey)
}

/// The randomness of a round: SHA-256 of its signature, as drand publishes it.
#[must_use]
pub fn randomness(signature: &[u8; SIGNATURE_BYTES]) -> [u8; 32] {
    sha256(&[signature])
}

/// Where verified signatures of a beacon are found.
pub trait PulseSource {
    /// The newest round that has been stored, 0 before the first.
    fn last_stored_round() -> u64;

    /// The verified signature of `round`, if it is stored.
    fn signature(round: u64) -> Option<[u8; SIGNATURE_BYTES]>;

    /// The round that the beacon has reached at a time, in Unix milliseconds; `None` without a beacon that keeps time.
    fn round_at(_unix_ms: u64) -> Option<u64> {
        None
    }
}

/// A chain without a beacon: nothing is ever revealed by time.
impl PulseSource for () {
    fn last_stored_round() -> u64 {
        0
    }

    fn signature(_round: u64) -> Option<[u8; SIGNATURE_BYTES]> {
        None
    }
}

#[cfg(test)]
mod tests;
