// SPDX-License-Identifier: Apache-2.0

//! Weights of the calls, derived by hand and held against their benchmarks by `scripts/bench weights`.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

use crate::{MAX_CLEARED_PULSES, PRUNED_PER_PULSE};

/// Weights of the calls.
pub trait WeightInfo {
    /// Checking `p` pulses: a pairing for each.
    fn authorize_write_pulse(p: u32) -> Weight;
    /// Storing `p` pulses, and removing old ones for each.
    fn write_pulse(p: u32) -> Weight;
    /// A beacon that replaces one with as many pulses as it may clear.
    fn set_beacon_config() -> Weight;
    /// As many pulses as may be removed.
    fn set_oldest_stored_round() -> Weight;
}

/// 1 µs in picoseconds.
const MICROSECOND: u64 = 1_000_000;

/// A pulse in storage, in bytes, with its place in the trie.
const PULSE_PROOF: u64 = 2_700;

macro_rules! weights {
    ($target:ty, [$($generics:tt)*], $db:expr) => {
        impl $($generics)* WeightInfo for $target {
            fn authorize_write_pulse(p: u32) -> Weight {
                let pulses = u64::from(p);
                // Two points to be read, a round to be hashed to the curve, one and a half pairings.
                Weight::from_parts(40 * MICROSECOND, 4 * PULSE_PROOF)
                    .saturating_add(Weight::from_parts(50_000 * MICROSECOND, PULSE_PROOF).saturating_mul(pulses))
                    .saturating_add($db.reads(4_u64.saturating_add(pulses)))
            }

            fn write_pulse(p: u32) -> Weight {
                let pulses = u64::from(p);
                let written = pulses.saturating_mul(u64::from(PRUNED_PER_PULSE).saturating_add(1));
                Weight::from_parts(100 * MICROSECOND, 4 * PULSE_PROOF)
                    .saturating_add(Weight::from_parts(6 * MICROSECOND, PULSE_PROOF).saturating_mul(written))
                    .saturating_add($db.reads_writes(3, written.saturating_add(3)))
            }

            fn set_beacon_config() -> Weight {
                let cleared = u64::from(MAX_CLEARED_PULSES);
                Weight::from_parts(2_000 * MICROSECOND, 4 * PULSE_PROOF)
                    .saturating_add(Weight::from_parts(15 * MICROSECOND, PULSE_PROOF).saturating_mul(cleared))
                    .saturating_add($db.reads_writes(cleared.saturating_add(2), cleared.saturating_add(3)))
            }

            fn set_oldest_stored_round() -> Weight {
                let cleared = u64::from(MAX_CLEARED_PULSES);
                Weight::from_parts(20 * MICROSECOND, 4 * PULSE_PROOF)
                    .saturating_add(Weight::from_parts(15 * MICROSECOND, PULSE_PROOF).saturating_mul(cleared))
                    .saturating_add($db.reads_writes(2, cleared.saturating_add(1)))
            }
        }
    };
}

/// Weights at the database prices of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);

weights!(SubstrateWeight<T>, [<T: frame_system::Config>], T::DbWeight::get());
weights!((), [], frame_support::weights::constants::RocksDbWeight::get());
