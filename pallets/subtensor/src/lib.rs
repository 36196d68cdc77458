// SPDX-License-Identifier: Apache-2.0

//! `SubtensorModule`: subnets as the public chain keeps them, for chains of our own.
//!
//! Registration by burning, stake, axons, weights in plain, by salted commit and reveal or timelocked, several mechanisms
//! per subnet, and a stateful schedule of epochs whose consensus is [`clawrank_emission::yuma`]. Calls, storage, events and
//! errors have the names, indices, hashers and SCALE bytes of the public chain, so that its SDK and our workers talk to
//! both alike. What this pallet leaves out has no call: what needs a swap pool (moving, swapping, transferring or burning
//! alpha, `unstake_all_alpha`, `remove_stake_full_limit`), child keys, root claims and baskets, leases, collateral, locks,
//! key swaps, EVM keys, voting power, dissolution.
//!
//! # Differences from the public chain
//!
//! - One alpha is one TAO. The pallet's account backs every staked or pending alpha; see [`Pallet::account`]. A limit price
//!   on the wrong side of that is refused.
//! - Root stake earns nothing of its own: it counts towards the weight of its hotkey, whose dividends go to those who
//!   stake to it on the subnet that pays, or to its owner when nobody does.
//! - A coldkey owns at most [`MAX_OWNED_HOTKEYS`] hotkeys.
//! - The emission of a block is shared evenly by the subnets that have started; the price of a subnet is burned.
//! - Only [`reveals_per_block`] timelocked commits are opened in a block, hotkeys taking turns, so that those who
//!   commit as often as they may cannot stop the chain; the others stay for the next blocks of their epoch.
//! - Nothing is committed on the root network. A neuron that is replaced takes its certificate and metrics address along.
//! - `set_tempo` has no rate limit of its own besides the freeze window.
//! - Whoever has no uid pays for weight calls; see [`SubtensorTransactionExtension`].
//!
//! # Order inside a block
//!
//! `on_initialize`: registration prices fall, emission accrues, timelocked commits are opened, due epochs run (at most
//! `MaxEpochsPerBlock`, the others are put off by one block). Calls follow, and see the state after the epoch.
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(clippy::arithmetic_side_effects, clippy::float_arithmetic, clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::float_arithmetic))]

extern crate alloc;

mod administration;
mod batches;
mod commit_reveal;
mod epoch;
mod extension;
mod genesis;
#[cfg(feature = "next-version")]
pub mod migrations;
mod owner;
mod ownership;
mod price;
mod pruning;
mod reader_types;
mod registration;
mod root;
pub mod rpc_info;
mod schedule;
mod sections;
mod serving;
mod stake_pool;
mod stake_weight;
mod staking;
mod subnet_info;
mod take;
mod timelock;
mod traits;
#[cfg(any(feature = "try-runtime", feature = "std"))]
mod try_state;
mod types;
mod weight_setting;
pub mod weights;

#[cfg(feature = "runtime-benchmarks")]
#[allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::float_arithmetic,
    clippy::indexing_slicing,
    missing_docs
)]
mod benchmarking;
#[cfg(test)]
mod tests;

pub use administration::OwnerLimit;
pub use extension::{SubtensorTransactionExtension, code};
pub use genesis::{GenesisNeuron, GenesisSubnet, Hyperparameters};
pub use pallet::*;
pub use reader_types::*;
pub use timelock::{CommitRevealVersion, InitialCommitRevealVersion, MAX_REVEALS_PER_BLOCK, reveals_per_block};
pub use traits::{EpochInfo, OnNeuronRemoved, SubnetInfo};
pub use types::*;
pub use weights::WeightInfo;

use batches::Reveals;
use frame_support::pallet_macros::import_section;
use sections::{calls, errors, events, hyperparameters, network_storage, neuron_storage, reader_storage};
use staking::PriceLimit;
use timelock::{COMMIT_REVEAL_VERSION, MAX_QUEUE_KIB, NewTimelocked};

/// Declarations of the pallet, imported by topic from `sections`.
#[import_section(calls::calls)]
#[import_section(errors::errors)]
#[import_section(events::events)]
#[import_section(hyperparameters::hyperparameters)]
#[import_section(network_storage::network_storage)]
#[import_section(neuron_storage::neuron_storage)]
#[import_section(reader_storage::reader_storage)]
// `expect` is what the macros expand to; the arguments are the public chain's.
#[allow(clippy::expect_used, clippy::too_many_arguments)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::{collections::BTreeMap, vec::Vec};
    use frame_support::{
        PalletId,
        pallet_prelude::*,
        traits::{
            ConstBool, ConstI16, ConstU16, ConstU32, ConstU64,
            fungible::{Inspect, Mutate},
        },
    };
    use frame_system::pallet_prelude::*;
    use sp_core::{H160, H256};
    use sp_runtime::PerU16;

    /// The version of what is stored.
    const STORAGE_VERSION: StorageVersion = StorageVersion::new(if cfg!(feature = "next-version") { 1 } else { 0 });

    /// The pallet.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime decides.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// TAO.
        type Currency: Inspect<Self::AccountId, Balance = u64> + Mutate<Self::AccountId>;

        /// Weights of the calls and of an epoch.
        type WeightInfo: WeightInfo;

        /// Told when a neuron has to go.
        type OnNeuronRemoved: OnNeuronRemoved<Self::AccountId>;

        /// Where the pulses of the drand beacon are found, which open timelocked commits. `()` for a chain without.
        type Pulses: clawrank_timelock::PulseSource;

        /// Names the account that backs staked and pending alpha.
        #[pallet::constant]
        type SubtensorPalletId: Get<PalletId>;

        /// Tempo of a subnet that has not chosen one, in blocks.
        #[pallet::constant]
        type InitialTempo: Get<u16>;

        /// Least tempo that an owner may choose, in blocks.
        #[pallet::constant]
        type MinTempo: Get<u16>;

        /// Longest tempo that an owner may choose, in blocks.
        #[pallet::constant]
        type MaxTempo: Get<u16>;

        /// Epochs that may run in one block until root decides otherwise.
        #[pallet::constant]
        type InitialMaxEpochsPerBlock: Get<u8>;

        /// Timelocked commits that are opened in a block, over all subnets; see [`reveals_per_block`].
        type RevealsPerBlock: Get<u32>;
    }

    #[pallet::extra_constants]
    impl<T: Config> Pallet<T> {
        /// Blocks between the registration of a subnet and its start until root decides otherwise.
        #[pallet::constant_name(InitialStartCallDelay)]
        fn initial_start_call_delay() -> u64 {
            0
        }

        /// Fewest tempos, in thousandths, after which a neuron is inactive.
        #[pallet::constant_name(MinActivityCutoffFactorMilli)]
        fn min_activity_cutoff_factor_milli() -> u32 {
            1_000
        }

        /// Most tempos, in thousandths, after which a neuron is inactive.
        #[pallet::constant_name(MaxActivityCutoffFactorMilli)]
        fn max_activity_cutoff_factor_milli() -> u32 {
            50_000
        }

        /// Least amount of TAO that can be staked at once, in rao.
        #[pallet::constant_name(InitialMinStake)]
        fn initial_min_stake() -> TaoBalance {
            TaoBalance(staking::MIN_STAKE)
        }
    }

    /// Subnets and amounts that exist from the first block.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Subnets, with their neurons and the parameters that differ from a new subnet's.
        pub subnets: Vec<GenesisSubnet<T::AccountId>>,
        /// Below this number every netuid exists: those that `subnets` leaves out are vacant, without owner, neurons, epochs
        /// or emission.
        pub vacant_below: Option<NetUid>,
        /// TAO issued per block, in rao; the storage default when absent.
        pub block_emission: Option<u64>,
        /// Stake weight below which a hotkey neither sets weights nor validates, in rao.
        pub stake_threshold: Option<u64>,
        /// Epochs that may run in one block.
        pub max_epochs_per_block: Option<u8>,
        /// Blocks between two registrations of a subnet.
        pub network_rate_limit: Option<u64>,
        /// Least price of a subnet, in rao.
        pub network_min_lock_cost: Option<TaoBalance>,
        /// Blocks before an epoch in which the owner of a subnet cannot change it.
        pub admin_freeze_window: Option<u16>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            genesis::build(self);
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            Self::step(Self::block())
        }

        /// Gives a chain from before the root network existed one, stake from before it had shares its owner's, and the
        /// pallet's account what it lacks of the existential deposit.
        fn on_runtime_upgrade() -> Weight {
            Self::create_root();
            Self::endow_account();
            let subnets = u64::from(TotalNetworks::<T>::get());
            let (kept, shared) = (TotalHotkeyAlpha::<T>::iter_keys().count(), Self::share_out_stakes());
            let kept = u64::try_from(kept).unwrap_or(u64::MAX).saturating_mul(4);
            let reads = kept.saturating_add(subnets.saturating_mul(4)).saturating_add(5);
            let writes = shared.saturating_mul(4).saturating_add(6);
            <T as frame_system::Config>::DbWeight::get().reads_writes(reads, writes)
        }

        fn integrity_test() {
            assert!(T::InitialMaxEpochsPerBlock::get() > 0, "no epoch could ever run");
            assert!(T::MinTempo::get() > 0, "a tempo of 0 stops a subnet");
            assert!(T::MinTempo::get() <= T::MaxTempo::get(), "no tempo would be allowed");
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    /// The account of all zeros, which owns nothing: what an absent entry reads as.
    pub struct ZeroAccount<A>(core::marker::PhantomData<A>);

    impl<A: Decode> Get<A> for ZeroAccount<A> {
        #[allow(clippy::expect_used)]
        fn get() -> A {
            A::decode(&mut sp_runtime::traits::TrailingZeroInput::zeroes())
                .expect("endless zeros decode as any account id; qed")
        }
    }

    /// The symbol of a subnet that has not chosen one.
    pub struct DefaultSymbol;

    impl Get<List<u8, MAX_SYMBOL_BYTES>> for DefaultSymbol {
        fn get() -> List<u8, MAX_SYMBOL_BYTES> {
            List::truncated("\u{1d70f}".as_bytes().to_vec())
        }
    }

    /// 0.7 and 0.9, the bonds rates of liquid alpha.
    pub struct DefaultAlphaValues;

    impl Get<(u16, u16)> for DefaultAlphaValues {
        fn get() -> (u16, u16) {
            (45_875, 58_982)
        }
    }

    /// Weight of a batch: that of all its items.
    fn sum(items: impl Iterator<Item = Weight>) -> Weight {
        items.fold(Weight::zero(), |sum, item| sum.saturating_add(item))
    }

    /// Length of an argument as weights count it.
    fn len<E>(list: &[E]) -> u32 {
        u32::try_from(list.len()).unwrap_or(u32::MAX)
    }
}
