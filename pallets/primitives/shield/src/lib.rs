// SPDX-License-Identifier: Apache-2.0

//! Extrinsics encrypted to a block author, byte for byte as the MEV shield of Subtensor and its SDK have them.
//!
//! - [`Envelope`]: the layout of the call argument `ciphertext`. [`MAX_CIPHERTEXT_BYTES`] bounds it.
//! - [`MAX_ERA_BLOCKS`]: how long an extrinsic that carries an envelope may live.
//! - with the feature `keys`, `SecretKey` and `seal`: what an author opens envelopes with, and how one is made.
//!
//! The scheme is ML-KEM-768 (FIPS 203) for a fresh secret of 32 bytes, which is the key of XChaCha20-Poly1305 as it is: no
//! derivation, no associated data. The hash of the public key in front says for whom an envelope is, so that an author
//! need not try every key it holds.
//!
//! Pure: no clock, storage or I/O; randomness is an argument. Every length in foreign bytes is compared with the only
//! value it may have before anything is allocated. Nothing panics.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::float_arithmetic))]

extern crate alloc;

mod envelope;
mod error;
#[cfg(feature = "keys")]
mod keys;

pub use envelope::{Envelope, KeyHash};
pub use error::ShieldError;
#[cfg(feature = "keys")]
pub use keys::{RANDOMNESS_BYTES, SEED_BYTES, SecretKey, key_hash, seal};

/// Length of a public key of ML-KEM-768.
pub const PUBLIC_KEY_BYTES: usize = 1_184;

/// Length of what ML-KEM-768 encapsulates a secret in.
pub const KEM_BYTES: usize = 1_088;

/// Length of the hash that names a public key: `twox_128` of it.
pub const KEY_HASH_BYTES: usize = 16;

/// Length of XChaCha20's nonce.
pub const NONCE_BYTES: usize = 24;

/// Length of Poly1305's tag, the end of an envelope.
pub const TAG_BYTES: usize = 16;

/// What an envelope has beside the encrypted bytes: hash, length, encapsulated secret, nonce and tag.
pub const OVERHEAD_BYTES: usize = KEY_HASH_BYTES + 2 + KEM_BYTES + NONCE_BYTES + TAG_BYTES;

/// The longest envelope that the chain takes.
pub const MAX_CIPHERTEXT_BYTES: usize = 8_192;

/// The longest extrinsic that fits into an envelope.
pub const MAX_PLAINTEXT_BYTES: usize = MAX_CIPHERTEXT_BYTES - OVERHEAD_BYTES;

/// The longest era of an extrinsic that carries an envelope, in blocks.
pub const MAX_ERA_BLOCKS: u64 = 8;
