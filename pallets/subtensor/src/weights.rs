// SPDX-License-Identifier: Apache-2.0

//! Weights of the calls, of the transaction extension and of an epoch, derived by hand and held against their benchmarks by
//! `scripts/bench weights`.
//!
//! A call counts its reads and writes at the prices of the runtime's database, 1 µs per element that it sorts, scales or
//! hashes, and as proof size the largest encoding of every value it reads, plus 2.5 kB of trie nodes for each.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the calls and of an epoch.
pub trait WeightInfo {
    /// `n` weights.
    fn set_weights(n: u32) -> Weight;
    /// Any.
    fn add_stake() -> Weight;
    /// Any.
    fn remove_stake() -> Weight;
    /// Any.
    fn serve_axon() -> Weight;
    /// Any.
    fn serve_axon_tls() -> Weight;
    /// Any.
    fn serve_prometheus() -> Weight;
    /// On a full root network.
    fn root_register() -> Weight;
    /// With every field as long as it may be.
    fn set_subnet_identity() -> Weight;
    /// Any.
    fn set_take() -> Weight;
    /// From `n` subnets.
    fn unstake_all(n: u32) -> Weight;
    /// Any.
    fn trigger_epoch() -> Weight;
    /// On a subnet of `n` neurons, all of which may have to be compared.
    fn burned_register(n: u32) -> Weight;
    /// Any.
    fn register_network() -> Weight;
    /// Any.
    fn start_call() -> Weight;
    /// Any.
    fn commit_weights() -> Weight;
    /// Into a queue of `n` KiB.
    fn commit_timelocked_weights(n: u32) -> Weight;
    /// Reading queues of `n` KiB of timelocked commits, writing them back, and looking `l` pulses up.
    fn timelocked_queue(n: u32, l: u32) -> Weight;
    /// Opening one timelocked commit of `n` weights.
    fn timelocked_reveal(n: u32) -> Weight;
    /// `n` weights and `s` words of salt.
    fn reveal_weights(n: u32, s: u32) -> Weight;
    /// Any.
    fn set_tempo() -> Weight;
    /// What a block does before any epoch, with `n` subnets.
    fn block_step(n: u32) -> Weight;
    /// One epoch of a subnet of `n` neurons, `v` of them validators, with `m` mechanisms.
    fn epoch(n: u32, v: u32, m: u32) -> Weight;
    /// What the transaction extension looks at for one call, or one item of a batch.
    fn extension() -> Weight;
}

/// Trie nodes on the way to one value, in bytes.
const NODES: u64 = 2_560;
/// Those that a value has to itself when its neighbours under one prefix are read as well, by keys that are hashed, in
/// bytes: the last branch on the way and a leaf.
const OWN_NODES: u64 = 640;
/// Those that a value has to itself when its neighbours' keys are the netuids next to its own, in bytes. Proving the step
/// of 128 subnets takes 13 (a runtime test measures it): the value and a part of a branch; a coldkey's shares take 16 more.
const NEXT_NODES: u64 = 64;
/// Most bytes of a list with one word of eight bytes per neuron.
const LIST: u64 = 8 * 256 + 2;
/// Most bytes of the list of a coldkey's hotkeys.
const HOTKEYS: u64 = 1_024 * 32 + 2;
/// Decoding, encoding and hashing 1 KiB of timelocked commits, in µs. Their queue counts by time only: what one can grow to
/// is more than a block may prove, what it has in practice next to nothing.
const KIB_MICROS: u64 = 6;
/// Opening one timelocked commit of 256 weights in Wasm, in µs: about twice the 18 ms measured on one core.
const OPEN_MICROS: u64 = 40_000;
/// 1 µs in picoseconds.
const MICROSECOND: u64 = 1_000_000;

fn base(micros: u64, bytes: u64) -> Weight {
    Weight::from_parts(micros.saturating_mul(MICROSECOND), bytes)
}

fn per(count: u32, micros: u64) -> Weight {
    base(micros.saturating_mul(u64::from(count)), 0)
}

macro_rules! weights {
    ($target:ty, [$($generics:tt)*], $db:expr) => {
        impl $($generics)* WeightInfo for $target {
            fn set_weights(n: u32) -> Weight {
                base(200, 18 * NODES + 3 * LIST).saturating_add(per(n, 1)).saturating_add($db.reads_writes(18, 2))
            }

            fn add_stake() -> Weight {
                // One of them is the list of the coldkey's hotkeys.
                base(200, 12 * NODES + HOTKEYS).saturating_add($db.reads_writes(12, 9))
            }

            fn remove_stake() -> Weight {
                base(200, 14 * NODES + HOTKEYS).saturating_add($db.reads_writes(14, 9))
            }

            fn serve_axon() -> Weight {
                base(20, 4 * NODES).saturating_add($db.reads_writes(4, 1))
            }

            fn serve_axon_tls() -> Weight {
                Self::serve_axon().saturating_add(base(5, NODES)).saturating_add($db.writes(1))
            }

            fn serve_prometheus() -> Weight {
                base(20, 4 * NODES).saturating_add($db.reads_writes(4, 1))
            }

            fn root_register() -> Weight {
                // Every seat with its hotkey, stake, block and immunity.
                base(1_200, 40 * NODES + 16 * LIST + 64 * 3 * NODES + 2 * HOTKEYS)
                    .saturating_add($db.reads_writes(40 + 64 * 3, 42))
            }

            fn set_take() -> Weight {
                base(50, 6 * NODES).saturating_add($db.reads_writes(6, 2))
            }

            fn set_subnet_identity() -> Weight {
                base(25, 4 * NODES + 7 * 1_024).saturating_add($db.reads_writes(4, 1))
            }

            fn unstake_all(n: u32) -> Weight {
                // Of every subnet the same seven values: one path to the first, then its neighbours.
                let each = base(130, 10 * NEXT_NODES).saturating_add($db.reads_writes(7, 5));
                Self::remove_stake().saturating_add(each.saturating_mul(u64::from(n)))
            }

            fn trigger_epoch() -> Weight {
                base(50, 9 * NODES).saturating_add($db.reads_writes(9, 2))
            }

            fn burned_register(n: u32) -> Weight {
                base(250, 30 * NODES + 16 * LIST + 2 * HOTKEYS)
                    .saturating_add(per(n, 30))
                    // Every neuron with its hotkey, coldkey and block.
                    .saturating_add(Weight::from_parts(0, (4 * OWN_NODES).saturating_mul(u64::from(n))))
                    .saturating_add($db.reads(u64::from(n).saturating_mul(4)))
                    .saturating_add($db.reads_writes(30, 45))
            }

            fn register_network() -> Weight {
                // The search for a free netuid reads up to 128 entries.
                base(200, 40 * NODES + 2 * HOTKEYS).saturating_add(base(0, 128 * NODES)).saturating_add($db.reads_writes(168, 45))
            }

            fn start_call() -> Weight {
                base(50, 6 * NODES).saturating_add($db.reads_writes(6, 2))
            }

            fn commit_weights() -> Weight {
                base(200, 17 * NODES + 2 * LIST).saturating_add($db.reads_writes(17, 2))
            }

            fn commit_timelocked_weights(n: u32) -> Weight {
                Self::commit_weights()
                    .saturating_add(Self::timelocked_queue(n, 0))
                    .saturating_add(base(15, 3 * NODES))
                    .saturating_add($db.reads(3))
            }

            fn timelocked_queue(n: u32, l: u32) -> Weight {
                base(100, 12 * NODES)
                    .saturating_add(per(n, KIB_MICROS))
                    .saturating_add($db.reads_writes(12, 1))
                    .saturating_add($db.reads(l.into()))
            }

            fn timelocked_reveal(n: u32) -> Weight {
                base(OPEN_MICROS, 0).saturating_add(Self::set_weights(n))
            }

            fn reveal_weights(n: u32, s: u32) -> Weight {
                Self::set_weights(n)
                    .saturating_add(base(30, 7 * NODES))
                    .saturating_add(per(n.saturating_add(s), 1))
                    .saturating_add($db.reads_writes(7, 1))
            }

            fn set_tempo() -> Weight {
                base(50, 7 * NODES).saturating_add($db.reads_writes(7, 3))
            }

            fn block_step(n: u32) -> Weight {
                let subnets = u64::from(n);
                // Of every subnet the same 23 values: one path to the first, then its neighbours.
                base(30, 38 * NODES)
                    .saturating_add(Weight::from_parts(0, subnets.saturating_mul(23 * NEXT_NODES)))
                    .saturating_add(per(n, 20))
                    .saturating_add($db.reads_writes(15, 9))
                    .saturating_add($db.reads_writes(subnets.saturating_mul(23), subnets.saturating_mul(9)))
            }

            fn epoch(n: u32, v: u32, m: u32) -> Weight {
                let neurons = u64::from(n);
                let rows = u64::from(v).saturating_mul(u64::from(m));
                // Every row of weights and bonds is read, mixed, and the bonds are written back.
                let entries = rows.saturating_mul(neurons);
                base(200, 40 * NODES + 16 * LIST)
                    .saturating_add(Weight::from_parts(
                        entries.saturating_mul(5 * MICROSECOND).saturating_add(neurons.saturating_mul(165 * MICROSECOND)),
                        rows.saturating_mul(2 * (NODES + 4 * 256)).saturating_add(neurons.saturating_mul(10 * NODES)),
                    ))
                    .saturating_add($db.reads_writes(40, 16))
                    .saturating_add($db.reads(rows.saturating_mul(2)))
                    // Hotkey, coldkey, take and the pool of its stake with the coldkey's shares, among others.
                    .saturating_add($db.reads_writes(neurons.saturating_mul(10), neurons.saturating_mul(6)))
                    .saturating_add($db.writes(neurons.saturating_mul(u64::from(m))))
            }

            fn extension() -> Weight {
                // The dearest is a reveal whose commit is the last of ten.
                base(260, 14 * NODES + 2 * LIST).saturating_add($db.reads(14))
            }
        }
    };
}

/// Weights at the database prices of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);

weights!(SubstrateWeight<T>, [<T: frame_system::Config>], T::DbWeight::get());
weights!((), [], frame_support::weights::constants::RocksDbWeight::get());
