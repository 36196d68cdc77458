// SPDX-License-Identifier: Apache-2.0

//! Timelock encryption to a round of a drand beacon, byte for byte as Subtensor's timelocked weight commits have it
//! (commit-reveal version 4), and what checks the beacon itself.
//!
//! - [`encrypt`], [`decrypt`]: the bytes of the call argument `commit`. [`MAX_COMMIT_BYTES`] bounds them.
//! - [`WeightsPayload`]: what is inside, as the chain reads it at reveal.
//! - [`BeaconParams`], [`QUICKNET`]: which beacon, and which round belongs to which time.
//! - [`verify_pulse`], [`randomness`]: a round's signature and what follows from it.
//! - [`PulseSource`]: where a pallet finds verified signatures.
//! - with the feature `beacon`, `DevBeacon`: a beacon whose secret is known, for chains without the internet.
//!
//! Whoever holds a ciphertext can open it once the beacon has published the round's signature, and nobody can before,
//! short of the beacon's own threshold of signers. The signature is the decryption key, the same for everyone.
//!
//! Pure: no clock, storage or I/O; randomness is an argument. Foreign bytes are bounded and every length in them is
//! compared with the only value it may have before anything is allocated; points are checked to be on the curve, in the
//! subgroup of prime order, and not its identity. Nothing panics.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::float_arithmetic))]

extern crate alloc;

mod beacon;
mod curve;
#[cfg(feature = "beacon")]
mod dev;
mod error;
mod ibe;
mod lock;
mod payload;
#[cfg(test)]
mod testing;
mod wire;

pub use beacon::{
    BeaconParams, DEV_BEACON, PulseSource, QUICKNET, QUICKNET_CHAIN_HASH, randomness, verify_public_key, verify_pulse,
};
#[cfg(feature = "beacon")]
pub use dev::{DEV_BEACON_SEED, DevBeacon};
pub use error::TimelockError;
pub use lock::{decrypt, encrypt};
pub use payload::{MAX_WEIGHTS, WeightsPayload};
pub use wire::{MAX_COMMIT_BYTES, OVERHEAD_BYTES};

/// Length of a compressed public key, a point of G2.
pub const PUBLIC_KEY_BYTES: usize = 96;

/// Length of a compressed signature, a point of G1.
pub const SIGNATURE_BYTES: usize = 48;
