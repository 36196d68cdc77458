// SPDX-License-Identifier: Apache-2.0

//! Weights of the calls and of what a block opens, derived by hand and held against their benchmarks by `scripts/bench
//! weights`.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the calls.
pub trait WeightInfo {
    /// A commitment with `f` fields.
    fn set_commitment(f: u32) -> Weight;
    /// What a commitment that lets bonds begin anew takes besides: every row of bonds may have to be written.
    fn reset_bonds() -> Weight;
    /// Any.
    fn set_max_space() -> Weight;
    /// Looking at `n` neurons that wait, and opening `o` of their fields.
    fn reveal(n: u32, o: u32) -> Weight;
}

/// 1 µs in picoseconds.
const MICROSECOND: u64 = 1_000_000;

/// Bytes of the list of neurons that wait.
const INDEX: u64 = 1_024 * 34 + 2_560;
/// Opening one field, in picoseconds: mostly a pairing.
const OPENING: u64 = 40_000 * MICROSECOND;

macro_rules! weights {
    ($target:ty, [$($generics:tt)*], $db:expr) => {
        impl $($generics)* WeightInfo for $target {
            fn set_commitment(f: u32) -> Weight {
                // Uid, schedule, usage, space and the old commitment; a field is 515 bytes at most.
                Weight::from_parts(25 * MICROSECOND, 9 * 2_560 + 2_048)
                    .saturating_add(Weight::from_parts(2 * MICROSECOND, 1_035).saturating_mul(u64::from(f)))
                    // Who waits is one list, read twice and written where the signer waits no longer.
                    .saturating_add(Weight::from_parts(350 * MICROSECOND, INDEX))
                    .saturating_add($db.reads_writes(11, 5))
            }

            fn reset_bonds() -> Weight {
                // Two mechanisms of 256 rows, each decoded twice and read from the database once.
                Weight::from_parts(8_000 * MICROSECOND, 512 * (2_560 + 1_026)).saturating_add($db.reads_writes(520, 514))
            }

            fn reveal(n: u32, o: u32) -> Weight {
                let (neurons, opened) = (u64::from(n), u64::from(o));
                Weight::from_parts(200 * MICROSECOND, INDEX)
                    .saturating_add(Weight::from_parts(10 * MICROSECOND, 2_560 + 3_200).saturating_mul(neurons))
                    .saturating_add(Weight::from_parts(OPENING, 2 * 2_560 + 10_500).saturating_mul(opened))
                    .saturating_add($db.reads(neurons.saturating_add(opened.saturating_mul(2)).saturating_add(2)))
                    .saturating_add($db.writes(opened.saturating_mul(3)))
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
