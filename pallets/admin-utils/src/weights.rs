// SPDX-License-Identifier: Apache-2.0

//! Weights of the calls, derived by hand and held against their benchmarks by `scripts/bench weights`.
//!
//! A call counts its reads and writes at the prices of the runtime's database, and as proof size 2.5 kB of trie nodes for
//! each value that it reads, plus the largest encoding of lists.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the calls.
pub trait WeightInfo {
    /// `n` authorities.
    fn swap_authorities(n: u32) -> Weight;
    /// A parameter of the chain.
    fn global() -> Weight;
    /// A parameter of a subnet, set by its owner: the dearer way.
    fn parameter() -> Weight;
    /// A call that is always refused.
    fn refusal() -> Weight;
    /// From two mechanisms to one, or back, on a full subnet.
    fn mechanism_count() -> Weight;
    /// From a full subnet of two mechanisms to half of it.
    fn trim() -> Weight;
}

/// 1 µs in picoseconds.
const MICROSECOND: u64 = 1_000_000;
/// Trie nodes on the way to one value, in bytes.
const NODES: u64 = 2_560;
/// Trie nodes that a value has to itself when its neighbours under one prefix are read as well, in bytes.
const OWN_NODES: u64 = 640;
/// Neurons of a full subnet.
const NEURONS: u64 = 256;
/// Mechanisms of a full subnet: calls allow one, since uids times mechanisms is at most 256, and genesis makes two.
const MECHANISMS: u64 = 2;
/// Bytes of the rows of weights and bonds of all mechanisms.
const ROWS: u64 = 2 * MECHANISMS * NEURONS * NEURONS * 4;

macro_rules! weights {
    ($target:ty, [$($generics:tt)*], $db:expr) => {
        impl $($generics)* WeightInfo for $target {
            fn swap_authorities(n: u32) -> Weight {
                Weight::from_parts(10 * MICROSECOND, NODES)
                    .saturating_add(Weight::from_parts(MICROSECOND, 32).saturating_mul(u64::from(n)))
                    .saturating_add($db.reads_writes(1, 2))
            }

            fn global() -> Weight {
                Weight::from_parts(10 * MICROSECOND, NODES).saturating_add($db.reads_writes(1, 1))
            }

            fn parameter() -> Weight {
                // Owner, limit, tempo, schedule, window, existence; the value and what bounds it; the record of the call.
                Weight::from_parts(25 * MICROSECOND, 14 * NODES).saturating_add($db.reads_writes(14, 5))
            }

            fn refusal() -> Weight {
                Weight::from_parts(5 * MICROSECOND, NODES).saturating_add($db.reads(1))
            }

            fn mechanism_count() -> Weight {
                let rows = NEURONS.saturating_mul(MECHANISMS.saturating_mul(3).saturating_add(1));
                let lists = MECHANISMS.saturating_mul(3);
                Self::parameter()
                    .saturating_add(Weight::from_parts(500 * MICROSECOND, NODES.saturating_mul(NEURONS)))
                    .saturating_add($db.reads(NEURONS))
                    .saturating_add($db.writes(rows.saturating_add(lists)))
            }

            fn trim() -> Weight {
                // Per neuron: key, coldkey, registration, uid, axon, commitment; a row of weights and one of bonds per
                // mechanism.
                let values = NEURONS.saturating_mul(MECHANISMS.saturating_mul(3).saturating_add(12));
                Self::parameter()
                    .saturating_add(Weight::from_parts(
                        20_000 * MICROSECOND,
                        OWN_NODES.saturating_mul(NEURONS).saturating_mul(12).saturating_add(ROWS),
                    ))
                    .saturating_add($db.reads_writes(values, values))
            }
        }
    };
}

/// Weights at the database prices of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);

weights!(SubstrateWeight<T>, [<T: frame_system::Config>], T::DbWeight::get());
weights!((), [], frame_support::weights::constants::RocksDbWeight::get());
