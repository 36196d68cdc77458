// SPDX-License-Identifier: Apache-2.0

//! `ProviderRank`: cells, bundle commitments, replay verdicts, gates and capped payouts, per epoch of a subnet
//! (rules §2.2 and §4.5).
//!
//! # An epoch
//!
//! ```text
//! epoch e      |-- commit window --|deadline|seed|-------- verdicts on e --------|
//! epoch e + 1                                    |-- commit window --|deadline|settle e
//! ```
//!
//! - A miner commits the root of its bundle in blocks `start ..= deadline` of the epoch, `deadline = start +
//!   ⌊CommitWindow · tempo⌋`; the last commitment counts.
//! - The challenge seed is the randomness of the beacon's first round after the time of block `deadline + 1`, so no bundle
//!   can depend on it and no author of a block can choose it. Where that round is not stored [`clawrank_schedule::beacon_wait`]
//!   blocks later, it is the hash of block `deadline + 1`: that block's author may discard a hash that it does not like by
//!   giving up its block, but neither choose one nor change a bundle. Without a beacon, and with tempos below 50, nothing
//!   is waited for. The seed is recorded in the first block that can know it.
//! - Validators with a permit submit verdicts from the seed to the end of the next epoch's commit window; the last
//!   submission counts.
//! - In the first block after that window the epoch is settled: validators with more than half of all validators'
//!   stake must have reported, else nothing is paid. A miner's gate is a majority of the reporting stake, its score the
//!   stake-weighted median; who reported on others but not on a miner counts as a score of 0 for it. The division is
//!   [`clawrank_emission::payouts`]. Stake counts as it is at the settlement, so stake that moved counts once.
//!
//! # Parameters
//!
//! A subnet's [`Params`] can be stored here by its owner; validators read them. The pallet itself pays by their cap. An epoch
//! is settled by the cap that stands after its first block ([`EpochCaps`]), as validators judge it by the parameters of that
//! state, so a change made while it runs or is judged counts from the next one on. Without stored parameters the cap is the runtime's [`Config::Cap`].
//!
//! Stored epochs are bounded: an epoch goes when `Retention` newer ones have opened.
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(clippy::arithmetic_side_effects, clippy::float_arithmetic, clippy::indexing_slicing)]

extern crate alloc;

mod schedule;
mod sections;
mod settle;
#[cfg(any(feature = "try-runtime", feature = "std"))]
mod try_state;
mod types;
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

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

use clawrank_emission::CapParams;
use clawrank_primitives::Params;
use clawrank_proof::Cell;
use clawrank_timelock::PulseSource;
use clawrank_units::Ppb;
use frame_support::pallet_macros::import_section;
use pallet_subtensor::{NetUid, SubnetInfo};
use sections::{errors, events};
use sp_core::H256;

/// Declarations of the pallet; events and errors come from `sections`.
#[import_section(errors::errors)]
#[import_section(events::events)]
// `expect` is what the macros expand to.
#[allow(clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use frame_support::{
        PalletId,
        pallet_prelude::*,
        traits::{
            Time,
            fungible::{Inspect, Mutate},
        },
    };
    use frame_system::pallet_prelude::*;
    use sp_runtime::traits::UniqueSaturatedInto;

    /// The pallet.
    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// What the runtime decides.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// Subnets: their schedule, neurons, permits and stake.
        type Subnets: SubnetInfo<Self::AccountId>;

        /// The beacon of randomness that challenges are drawn from, `()` for none.
        type Beacon: PulseSource;

        /// The time of the last block, in ms.
        type Clock: Time<Moment = u64>;

        /// What is paid.
        type Currency: Inspect<Self::AccountId, Balance = u64> + Mutate<Self::AccountId>;

        /// Who, besides a subnet's owner, may change cells and parameters, and alone may change emissions.
        type AdminOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// Weights of the calls and of what a block does.
        type WeightInfo: WeightInfo;

        /// Names the account that pays.
        #[pallet::constant]
        type PotId: Get<PalletId>;

        /// Part of the tempo in which bundles can be committed.
        #[pallet::constant]
        type CommitWindow: Get<Ppb>;

        /// Largest share of one miner, and what happens when too few have a score, where a subnet has no parameters.
        #[pallet::constant]
        type Cap: Get<CapParams>;

        /// How many epochs of a subnet are kept, the running one included; at least 4.
        #[pallet::constant]
        type Retention: Get<u64>;

        /// How many subnets can take part.
        #[pallet::constant]
        type MaxSubnets: Get<u32>;

        /// How many cells a subnet can have.
        #[pallet::constant]
        type MaxCells: Get<u32>;

        /// How many bundles an epoch can have.
        #[pallet::constant]
        type MaxBundles: Get<u32>;

        /// How many validators can report on an epoch.
        #[pallet::constant]
        type MaxReporters: Get<u32>;

        /// How many attempts a bundle can have.
        #[pallet::constant]
        type MaxAttempts: Get<u32>;
    }

    /// What a subnet's miners are paid per epoch, in rao, if the pot has it; the subnets here take part.
    #[pallet::storage]
    pub type EpochEmission<T: Config> = CountedStorageMap<_, Twox64Concat, NetUid, u64, OptionQuery>;

    /// The epoch of a subnet that runs.
    #[pallet::storage]
    pub type RunningEpoch<T: Config> = StorageMap<_, Twox64Concat, NetUid, u64, OptionQuery>;

    /// The oldest epoch of a subnet that is not settled.
    #[pallet::storage]
    pub type NextToSettle<T: Config> = StorageMap<_, Twox64Concat, NetUid, u64, ValueQuery>;

    /// Where an epoch stands.
    #[pallet::storage]
    pub type Epochs<T: Config> = StorageDoubleMap<_, Twox64Concat, NetUid, Twox64Concat, u64, EpochState, OptionQuery>;

    /// What a hotkey committed to: netuid, epoch, hotkey.
    #[pallet::storage]
    pub type Bundles<T: Config> = StorageNMap<
        _,
        (NMapKey<Twox64Concat, NetUid>, NMapKey<Twox64Concat, u64>, NMapKey<Blake2_128Concat, T::AccountId>),
        Bundle,
        OptionQuery,
    >;

    /// What a validator found: netuid, epoch, hotkey of the validator.
    #[pallet::storage]
    pub type Reports<T: Config> = StorageNMap<
        _,
        (NMapKey<Twox64Concat, NetUid>, NMapKey<Twox64Concat, u64>, NMapKey<Blake2_128Concat, T::AccountId>),
        Verdicts,
        OptionQuery,
    >;

    /// How an epoch was paid.
    #[pallet::storage]
    pub type Settlements<T: Config> =
        StorageDoubleMap<_, Twox64Concat, NetUid, Twox64Concat, u64, Settlement<T::AccountId>, OptionQuery>;

    /// The cells of a subnet by id, each with the block in which it was added.
    #[pallet::storage]
    pub type Cells<T: Config> = StorageDoubleMap<_, Twox64Concat, NetUid, Identity, H256, (Cell, u64), OptionQuery>;

    /// How many cells a subnet has.
    #[pallet::storage]
    pub type CellCount<T: Config> = StorageMap<_, Twox64Concat, NetUid, u32, ValueQuery>;

    /// The parameters of a subnet; the preset `clawrank` counts where there are none.
    #[pallet::storage]
    pub type SubnetParams<T: Config> = StorageMap<_, Twox64Concat, NetUid, Params, OptionQuery>;

    /// The cap that an epoch is settled by, where its subnet had parameters in its first block.
    #[pallet::storage]
    pub type EpochCaps<T: Config> =
        StorageDoubleMap<_, Twox64Concat, NetUid, Twox64Concat, u64, CapParams, OptionQuery>;

    /// Subnets that take part from the first block.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Netuid and what its miners are paid per epoch, in rao.
        pub epoch_emissions: Vec<(NetUid, u64)>,
        /// Netuid, model, endpoint and task type of every cell; normalised here.
        pub cells: Vec<(NetUid, alloc::string::String, alloc::string::String, alloc::string::String)>,
        /// Netuid and its parameters; the subnet has to take part.
        pub subnet_params: Vec<(NetUid, Params)>,
        /// What the pot holds at first, in rao; newly issued.
        pub pot: u64,
        /// Unused.
        #[serde(skip)]
        pub _config: PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            for (netuid, emission) in &self.epoch_emissions {
                EpochEmission::<T>::insert(netuid, emission);
            }
            assert!(EpochEmission::<T>::count() <= T::MaxSubnets::get(), "more epochEmissions than MaxSubnets");
            for (netuid, model, endpoint, task_type) in &self.cells {
                match Cell::new(model, endpoint, task_type) {
                    Ok(cell) => {
                        let added = Pallet::<T>::do_add_cell(*netuid, cell);
                        assert!(added.is_ok(), "cell {model} {endpoint} {task_type} of netuid {netuid}: {added:?}");
                    }
                    Err(error) => panic!("cell {model} {endpoint} {task_type} of netuid {netuid}: {error:?}"),
                }
            }
            for (netuid, params) in &self.subnet_params {
                let stored = Pallet::<T>::do_set_params(*netuid, params.clone());
                assert!(stored.is_ok(), "subnetParams of netuid {netuid}: {stored:?}, {:?}", params.ensure_valid());
            }
            if self.pot > 0 {
                let minted = T::Currency::mint_into(&Pallet::<T>::pot(), self.pot);
                assert!(minted.is_ok(), "cannot issue {} rao to the pot: {minted:?}", self.pot);
            }
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Adds a cell to `netuid`; by its owner or an administrator.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::add_cell())]
        pub fn add_cell(origin: OriginFor<T>, netuid: NetUid, cell: Cell) -> DispatchResult {
            Self::ensure_owner_or_admin(origin, netuid)?;
            Self::do_add_cell(netuid, cell)?;
            Ok(())
        }

        /// Removes a cell from `netuid`; by its owner or an administrator.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::remove_cell())]
        pub fn remove_cell(origin: OriginFor<T>, netuid: NetUid, id: H256) -> DispatchResult {
            Self::ensure_owner_or_admin(origin, netuid)?;
            ensure!(Cells::<T>::take(netuid, id).is_some(), Error::<T>::CellNotFound);
            CellCount::<T>::mutate(netuid, |count| *count = count.saturating_sub(1));
            Self::deposit_event(Event::CellRemoved { netuid, id });
            Ok(())
        }

        /// Commits the signing hotkey to a bundle of the running epoch, in place of its last one.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::commit_bundle())]
        pub fn commit_bundle(
            origin: OriginFor<T>,
            netuid: NetUid,
            epoch: u64,
            root: H256,
            count: u32,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            let uid = T::Subnets::uid(netuid, &hotkey).ok_or(Error::<T>::NotRegistered)?;
            let running = RunningEpoch::<T>::get(netuid).ok_or(Error::<T>::SubnetNotTracked)?;
            ensure!(epoch == running, Error::<T>::NotRunningEpoch);
            let mut state = Epochs::<T>::get(netuid, epoch).ok_or(Error::<T>::EpochNotFound)?;
            let block = Self::block();
            ensure!(block <= state.deadline, Error::<T>::DeadlinePassed);
            ensure!(count > 0 && !root.is_zero(), Error::<T>::EmptyBundle);
            ensure!(count <= T::MaxAttempts::get(), Error::<T>::TooManyAttempts);

            let key = (netuid, epoch, hotkey.clone());
            if !Bundles::<T>::contains_key(&key) {
                ensure!(state.bundles < T::MaxBundles::get(), Error::<T>::TooManyBundles);
                state.bundles = state.bundles.saturating_add(1);
                Epochs::<T>::insert(netuid, epoch, state);
            }
            Bundles::<T>::insert(key, Bundle { uid, root, count, block });
            Self::deposit_event(Event::BundleCommitted { netuid, epoch, hotkey, root, count });
            Ok(())
        }

        /// Submits the signing validator's verdicts on an epoch, in place of its last ones.
        ///
        /// By ascending uid, each uid once. A miner with a bundle but without a verdict counts as a score of 0.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::submit_verdicts(u32::try_from(verdicts.len()).unwrap_or(u32::MAX)))]
        pub fn submit_verdicts(origin: OriginFor<T>, netuid: NetUid, epoch: u64, verdicts: Verdicts) -> DispatchResult {
            let validator = ensure_signed(origin)?;
            let mut state = Epochs::<T>::get(netuid, epoch).ok_or(Error::<T>::EpochNotFound)?;
            ensure!(!state.settled, Error::<T>::EpochClosed);
            ensure!(state.seed.is_some(), Error::<T>::ChallengeNotDrawn);
            ensure!(T::Subnets::has_permit(netuid, &validator), Error::<T>::NoValidatorPermit);
            let ascending = verdicts.iter().zip(verdicts.iter().skip(1)).all(|(a, b)| a.uid < b.uid);
            ensure!(ascending, Error::<T>::VerdictsNotAscending);

            let key = (netuid, epoch, validator.clone());
            if !Reports::<T>::contains_key(&key) {
                ensure!(state.reports < T::MaxReporters::get(), Error::<T>::TooManyReports);
                state.reports = state.reports.saturating_add(1);
                Epochs::<T>::insert(netuid, epoch, state);
            }
            let count = u32::try_from(verdicts.len()).unwrap_or(u32::MAX);
            Reports::<T>::insert(key, verdicts);
            Self::deposit_event(Event::VerdictsSubmitted { netuid, epoch, validator, count });
            Ok(())
        }

        /// Sets what the miners of `netuid` are paid per epoch, in rao, and lets the subnet take part; administrators
        /// only. With 0 its epochs go on, and nothing is paid.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::force_set_epoch_emission())]
        pub fn force_set_epoch_emission(origin: OriginFor<T>, netuid: NetUid, emission: u64) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            ensure!(T::Subnets::epoch(netuid).is_some(), Error::<T>::SubnetNotTracked);
            let room = EpochEmission::<T>::count() < T::MaxSubnets::get();
            ensure!(room || EpochEmission::<T>::contains_key(netuid), Error::<T>::TooManySubnets);
            EpochEmission::<T>::insert(netuid, emission);
            Self::deposit_event(Event::EpochEmissionSet { netuid, emission });
            Ok(())
        }

        /// Sets the parameters of `netuid`, by its owner or an administrator. Their cap pays the epochs that begin
        /// in this block or later.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::set_params())]
        pub fn set_params(origin: OriginFor<T>, netuid: NetUid, params: Params) -> DispatchResult {
            Self::ensure_owner_or_admin(origin, netuid)?;
            Self::do_set_params(netuid, params)?;
            Ok(())
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            Self::step(Self::block())
        }

        fn integrity_test() {
            assert!(!T::CommitWindow::get().is_zero(), "no bundle could ever be committed");
            assert!(T::Cap::get().needed().is_ok(), "the cap is too small for the division");
            assert!(T::Retention::get() >= 4, "an epoch would go before it is settled");
            assert!(T::MaxBundles::get() >= pallet_subtensor::MAX_UIDS, "a miner could be shut out");
            assert!(T::MaxReporters::get() > 0, "no epoch could ever be paid");
            assert!(T::MaxAttempts::get() > 0, "no bundle could ever be committed");
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// The epoch of `netuid` that runs, and where it stands.
        pub fn running_epoch(netuid: NetUid) -> Option<(u64, EpochState)> {
            let epoch = RunningEpoch::<T>::get(netuid)?;
            Some((epoch, Epochs::<T>::get(netuid, epoch)?))
        }

        /// Where an epoch of `netuid` stands, while it is stored.
        pub fn epoch_state(netuid: NetUid, epoch: u64) -> Option<EpochState> {
            Epochs::<T>::get(netuid, epoch)
        }

        /// The bundle of one hotkey.
        pub fn bundle_of(netuid: NetUid, epoch: u64, hotkey: T::AccountId) -> Option<Bundle> {
            Bundles::<T>::get((netuid, epoch, hotkey))
        }

        /// All bundles of an epoch, in no order.
        pub fn bundles_of(netuid: NetUid, epoch: u64) -> Vec<(T::AccountId, Bundle)> {
            Bundles::<T>::iter_prefix((netuid, epoch)).collect()
        }

        /// What one validator found.
        pub fn verdicts_of(netuid: NetUid, epoch: u64, validator: T::AccountId) -> Vec<Verdict> {
            Reports::<T>::get((netuid, epoch, validator)).unwrap_or_default().into_inner()
        }

        /// How an epoch was paid, while it is stored.
        pub fn settlement_of(netuid: NetUid, epoch: u64) -> Option<Settlement<T::AccountId>> {
            Settlements::<T>::get(netuid, epoch)
        }

        /// How the last epochs were paid, newest first.
        pub fn last_settlements(netuid: NetUid) -> Vec<(u64, Settlement<T::AccountId>)> {
            let mut settlements: Vec<_> = Settlements::<T>::iter_prefix(netuid).collect();
            settlements.sort_by(|(a, _), (b, _)| b.cmp(a));
            settlements
        }

        /// The cells of `netuid`, each with the block in which it was added.
        pub fn cells_of(netuid: NetUid) -> Vec<(Cell, u64)> {
            Cells::<T>::iter_prefix_values(netuid).collect()
        }

        /// The parameters of `netuid`: those stored, else the preset `clawrank`.
        pub fn params_of(netuid: NetUid) -> Params {
            SubnetParams::<T>::get(netuid).unwrap_or_default()
        }
    }

    impl<T: Config> Pallet<T> {
        /// The epoch of `netuid` whose first block runs, if it is that.
        fn epoch_that_begins(netuid: NetUid) -> Option<u64> {
            let epoch = RunningEpoch::<T>::get(netuid)?;
            (Epochs::<T>::get(netuid, epoch)?.start == Self::block()).then_some(epoch)
        }

        /// The block that runs.
        pub(crate) fn block() -> u64 {
            frame_system::Pallet::<T>::block_number().unique_saturated_into()
        }

        /// # Errors
        ///
        /// A bad origin, or [`Error::NotSubnetOwner`].
        fn ensure_owner_or_admin(origin: OriginFor<T>, netuid: NetUid) -> DispatchResult {
            let Err(origin) = T::AdminOrigin::try_origin(origin) else { return Ok(()) };
            let who = ensure_signed(origin)?;
            ensure!(T::Subnets::owner(netuid) == Some(who), Error::<T>::NotSubnetOwner);
            Ok(())
        }

        /// # Errors
        ///
        /// [`Error::CellNotNormalised`], [`Error::CellAlreadyExists`] or [`Error::TooManyCells`].
        pub(crate) fn do_add_cell(netuid: NetUid, cell: Cell) -> Result<H256, Error<T>> {
            ensure!(cell.is_normalised(), Error::<T>::CellNotNormalised);
            let id = H256(cell.id());
            ensure!(!Cells::<T>::contains_key(netuid, id), Error::<T>::CellAlreadyExists);
            let count = CellCount::<T>::get(netuid);
            ensure!(count < T::MaxCells::get(), Error::<T>::TooManyCells);
            CellCount::<T>::insert(netuid, count.saturating_add(1));
            Cells::<T>::insert(netuid, id, (cell, Self::block()));
            Self::deposit_event(Event::CellAdded { netuid, id });
            Ok(id)
        }

        /// # Errors
        ///
        /// [`Error::SubnetNotTracked`] or [`Error::InvalidParams`].
        pub(crate) fn do_set_params(netuid: NetUid, params: Params) -> Result<(), Error<T>> {
            ensure!(EpochEmission::<T>::contains_key(netuid), Error::<T>::SubnetNotTracked);
            ensure!(params.ensure_valid().is_ok(), Error::<T>::InvalidParams);
            if let Some(epoch) = Self::epoch_that_begins(netuid) {
                EpochCaps::<T>::insert(netuid, epoch, params.cap);
            }
            SubnetParams::<T>::insert(netuid, params);
            Self::deposit_event(Event::ParamsSet { netuid });
            Ok(())
        }
    }
}
