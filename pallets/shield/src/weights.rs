// SPDX-License-Identifier: Apache-2.0

//! Weights of the calls and of the transaction extension, derived by hand and held against their benchmarks by `scripts/bench
//! weights`. What the author does with the content of an envelope is in no benchmark.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the calls.
pub trait WeightInfo {
    /// Moving the keys on.
    fn announce_next_key() -> Weight;
    /// Taking an envelope; for the author also opening it and refusing what is inside, twice.
    fn submit_encrypted() -> Weight;
    /// Checking the layout of an envelope.
    fn extension() -> Weight;
}

/// 1 µs in picoseconds.
const MICROSECOND: u64 = 1_000_000;

/// A key in storage, in bytes, with its place in the trie.
const KEY_PROOF: u64 = 1_700;

macro_rules! weights {
    ($target:ty, [$($generics:tt)*], $db:expr) => {
        impl $($generics)* WeightInfo for $target {
            fn announce_next_key() -> Weight {
                // Slot, authorities, two keys, the keys of two authors; all keys and both terms.
                Weight::from_parts(40 * MICROSECOND, 6 * KEY_PROOF).saturating_add($db.reads_writes(6, 6))
            }

            fn submit_encrypted() -> Weight {
                // Opening 8 KiB takes 85 µs; the rest is for decoding it and for checking a signature, twice.
                Weight::from_parts(400 * MICROSECOND, 1_000)
            }

            fn extension() -> Weight {
                Weight::from_parts(2 * MICROSECOND, 0)
            }
        }
    };
}

/// Weights at the database prices of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);

weights!(SubstrateWeight<T>, [<T: frame_system::Config>], T::DbWeight::get());
weights!((), [], frame_support::weights::constants::RocksDbWeight::get());
