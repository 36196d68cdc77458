// SPDX-License-Identifier: Apache-2.0

//! Weights of the calls, derived by hand and kept above what they take.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the calls.
pub trait WeightInfo {
    /// A commitment with `f` fields.
    fn set_commitment(f: u32) -> Weight;
    /// Any.
    fn set_max_space() -> Weight;
}

/// 1 µs in picoseconds.
const MICROSECOND: u64 = 1_000_000;

macro_rules! weights {
    ($target:ty, [$($generics:tt)*], $db:expr) => {
        impl $($generics)* WeightInfo for $target {
            fn set_commitment(f: u32) -> Weight {
                // Uid, schedule, usage, space and the old commitment; a field is 515 bytes at most.
                Weight::from_parts(25 * MICROSECOND, 9 * 2_560 + 2_048)
                    .saturating_add(Weight::from_parts(2 * MICROSECOND, 515).saturating_mul(u64::from(f)))
                    .saturating_add($db.reads_writes(9, 3))
            }

            fn set_max_space() -> Weight {
                Weight::from_parts(8 * MICROSECOND, 2_560).saturating_add($db.writes(1))
            }
        }
    };
}

/// Weights at the database prices of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);

weights!(SubstrateWeight<T>, [<T: frame_system::Config>], T::DbWeight::get());
weights!((), [], frame_support::weights::constants::RocksDbWeight::get());
