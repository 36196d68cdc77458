// SPDX-License-Identifier: Apache-2.0

//! Weights of the calls and of what a block does, derived by hand and held against their benchmarks by `scripts/bench
//! weights`.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the calls and of what a block does.
pub trait WeightInfo {
    /// Any.
    fn add_cell() -> Weight;
    /// Any.
    fn remove_cell() -> Weight;
    /// Any.
    fn commit_bundle() -> Weight;
    /// `v` verdicts.
    fn submit_verdicts(v: u32) -> Weight;
    /// Any.
    fn force_set_epoch_emission() -> Weight;
    /// Any.
    fn set_params() -> Weight;
    /// A block in which no epoch is opened or settled, with `n` subnets; their challenges may be drawn.
    fn on_initialize(n: u32) -> Weight;
    /// The opening of one epoch, which removes an old one of `b` bundles and `r` reports.
    fn open_epoch(b: u32, r: u32) -> Weight;
    /// The settlement of one epoch with `b` bundles and `r` reports of 256 verdicts.
    fn settle(b: u32, r: u32) -> Weight;
}

/// Trie nodes on the way to one value, in bytes.
const NODES: u64 = 2_560;
/// 256 verdicts of 20 bytes.
const REPORT: u64 = 20 * 256 + 2;
/// 1 µs in picoseconds.
const MICROSECOND: u64 = 1_000_000;

fn base(micros: u64, bytes: u64) -> Weight {
    Weight::from_parts(micros.saturating_mul(MICROSECOND), bytes)
}

macro_rules! weights {
    ($target:ty, [$($generics:tt)*], $db:expr) => {
        impl $($generics)* WeightInfo for $target {
            fn add_cell() -> Weight {
                base(40, 4 * NODES).saturating_add($db.reads_writes(4, 2))
            }

            fn remove_cell() -> Weight {
                base(40, 4 * NODES).saturating_add($db.reads_writes(4, 2))
            }

            fn commit_bundle() -> Weight {
                base(60, 6 * NODES).saturating_add($db.reads_writes(6, 2))
            }

            fn submit_verdicts(v: u32) -> Weight {
                base(60, 6 * NODES + REPORT)
                    .saturating_add(base(1, 20).saturating_mul(u64::from(v)))
                    .saturating_add($db.reads_writes(6, 2))
            }

            fn force_set_epoch_emission() -> Weight {
                base(40, 6 * NODES).saturating_add($db.reads_writes(6, 2))
            }

            fn set_params() -> Weight {
                base(50, 6 * NODES).saturating_add($db.reads_writes(6, 3))
            }

            fn on_initialize(n: u32) -> Weight {
                // Of every subnet its emission, schedule and marks, four epochs, and for three of them a pulse and a hash.
                base(5, NODES)
                    .saturating_add(base(75, 17 * NODES).saturating_mul(u64::from(n)))
                    .saturating_add($db.reads(1))
                    .saturating_add($db.reads_writes(17, 3).saturating_mul(u64::from(n)))
            }

            fn open_epoch(b: u32, r: u32) -> Weight {
                let removed = u64::from(b).saturating_add(u64::from(r));
                base(35, 8 * NODES)
                    .saturating_add(base(5, NODES).saturating_mul(removed))
                    .saturating_add($db.reads_writes(8, 8))
                    .saturating_add($db.reads_writes(1, 1).saturating_mul(removed))
            }

            fn settle(b: u32, r: u32) -> Weight {
                let (bundles, reports) = (u64::from(b), u64::from(r));
                // A median sorts one entry per report; a payment reads and writes two accounts, and the owner may get one.
                let entries = bundles.saturating_mul(reports);
                base(160, 18 * NODES)
                    .saturating_add(base(1, 0).saturating_mul(entries))
                    .saturating_add(base(60, 4 * NODES).saturating_mul(bundles))
                    .saturating_add(base(500, NODES + REPORT).saturating_mul(reports))
                    .saturating_add(base(2, 4 * NODES).saturating_mul(256))
                    .saturating_add($db.reads_writes(15, 6))
                    .saturating_add($db.reads_writes(4, 2).saturating_mul(bundles))
                    .saturating_add($db.reads(1).saturating_mul(reports))
                    .saturating_add($db.reads(4).saturating_mul(256))
            }
        }
    };
}

/// Weights at the database prices of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);

weights!(SubstrateWeight<T>, [<T: frame_system::Config>], T::DbWeight::get());
weights!((), [], frame_support::weights::constants::RocksDbWeight::get());
