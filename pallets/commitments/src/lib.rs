// SPDX-License-Identifier: Apache-2.0

//! `Commitments`: a few bytes that a neuron states in public, such as the root of its bundle (rules §2.2).
//!
//! Calls, storage and SCALE bytes are the public chain's. An account may write `MaxSpace` bytes per epoch of the subnet,
//! each commitment counting as at least 100, and what is stored of a neuron goes when the neuron goes: so storage is
//! bounded by the number of neurons.
//!
//! A timelocked field is opened by the chain once it has the pulse of its round, see [`timelock`]: what was hidden goes to
//! `RevealedCommitments`, the last ten of a neuron, and the field goes from the commitment.
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(clippy::arithmetic_side_effects, clippy::float_arithmetic, clippy::indexing_slicing)]

extern crate alloc;

pub mod timelock;
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

use pallet_subtensor::{NetUid, OnNeuronRemoved};

/// Declarations of the pallet.
// `expect` is what the macros expand to.
#[allow(clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::boxed::Box;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;
    use pallet_subtensor::{List, SubnetInfo, TaoBalance};
    use sp_runtime::traits::UniqueSaturatedInto;

    /// Least number of bytes that a commitment counts as.
    pub const MIN_SPACE: u64 = 100;

    /// The `netuid` of [`Pallet::set_commitment`].
    #[cfg(not(feature = "next-version"))]
    pub type CalledNetUid = NetUid;

    /// A wider `netuid`, as a later version of a chain may have it: for tests of whoever follows a change of runtime.
    #[cfg(feature = "next-version")]
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, scale_info::TypeInfo)]
    pub struct CalledNetUid(pub u32);

    /// The pallet.
    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// What the runtime decides.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// Subnets: who is a neuron, and which epoch runs.
        type Subnets: SubnetInfo<Self::AccountId>;

        /// Fields of one commitment.
        #[pallet::constant]
        type MaxFields: Get<u32>;

        /// Where the pulses of the drand beacon are found. `()` for a chain without: nothing is ever opened.
        type Pulses: clawrank_timelock::PulseSource;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// What a neuron has committed last.
    #[pallet::storage]
    pub type CommitmentOf<T: Config> =
        StorageDoubleMap<_, Identity, NetUid, Twox64Concat, T::AccountId, Registration<T::MaxFields>, OptionQuery>;

    /// Block of a neuron's last commitment.
    #[pallet::storage]
    pub type LastCommitment<T: Config> =
        StorageDoubleMap<_, Identity, NetUid, Twox64Concat, T::AccountId, u32, OptionQuery>;

    /// Neurons whose commitment has a timelocked field that can still be opened.
    #[pallet::storage]
    pub type TimelockedIndex<T: Config> = StorageValue<
        _,
        BoundedBTreeSet<(NetUid, T::AccountId), ConstU32<{ timelock::MAX_TIMELOCKED_NEURONS }>>,
        ValueQuery,
    >;

    /// Block in which a neuron last let bonds on it begin anew.
    #[pallet::storage]
    pub type LastBondsReset<T: Config> =
        StorageDoubleMap<_, Identity, NetUid, Twox64Concat, T::AccountId, u32, OptionQuery>;

    /// What timelocked fields of a neuron hid, with the block in which each was opened, oldest first.
    #[pallet::storage]
    pub type RevealedCommitments<T: Config> = StorageDoubleMap<
        _,
        Identity,
        NetUid,
        Twox64Concat,
        T::AccountId,
        List<(List<u8, MAX_TIMELOCKED_BYTES>, u64), { timelock::MAX_REVEALED }>,
        OptionQuery,
    >;

    /// How much of its space a neuron has used.
    #[pallet::storage]
    pub type UsedSpaceOf<T: Config> =
        StorageDoubleMap<_, Identity, NetUid, Twox64Concat, T::AccountId, UsageTracker, OptionQuery>;

    /// Bytes that a neuron may commit per epoch.
    #[pallet::storage]
    pub type MaxSpace<T: Config> = StorageValue<_, u32, ValueQuery, ConstU32<3_100>>;

    /// What happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A neuron committed something.
        #[codec(index = 0)]
        Commitment {
            /// Subnet.
            netuid: NetUid,
            /// Hotkey of the neuron.
            who: T::AccountId,
        },
        /// A neuron committed something that is shown later.
        #[codec(index = 1)]
        TimelockCommitment {
            /// Subnet.
            netuid: NetUid,
            /// Hotkey of the neuron.
            who: T::AccountId,
            /// The beacon's round that opens its first timelocked field.
            reveal_round: u64,
        },
        /// What a timelocked field hid is shown.
        #[codec(index = 2)]
        CommitmentRevealed {
            /// Subnet.
            netuid: NetUid,
            /// Hotkey of the neuron.
            who: T::AccountId,
        },
        /// A timelocked field could not be opened and stays as it is, marked.
        #[codec(index = 3)]
        CommitmentRevealFailed {
            /// Subnet.
            netuid: NetUid,
            /// Hotkey of the neuron.
            who: T::AccountId,
            /// The beacon's round that did not open it.
            reveal_round: u64,
            /// Why.
            error: RevealFailure,
        },
    }

    /// What can be wrong with a call; names and indices are the public chain's.
    #[pallet::error]
    pub enum Error<T> {
        /// Never returned: a call with more fields than `MaxFields` is not decoded.
        #[codec(index = 0)]
        TooManyFieldsInCommitmentInfo,
        /// The signer has no uid on the subnet.
        #[codec(index = 1)]
        AccountNotAllowedCommit,
        /// The signer has used its bytes of this epoch.
        #[codec(index = 2)]
        SpaceLimitExceeded,
        /// Only the chain marks a field as one that could not be opened.
        #[codec(index = 4)]
        TimelockRevealFailedNotAllowed,
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Replaces what the signing hotkey has committed on `netuid`.
        #[pallet::call_index(0)]
        #[pallet::weight(Pallet::<T>::commit_weight(info))]
        pub fn set_commitment(
            origin: OriginFor<T>,
            netuid: CalledNetUid,
            info: Box<CommitmentInfo<T::MaxFields>>,
        ) -> DispatchResult {
            let netuid = u16::try_from(u32::from(netuid.0)).map_err(|_| Error::<T>::AccountNotAllowedCommit)?;
            Self::commit(ensure_signed(origin)?, NetUid(netuid), *info)
        }

        /// Sets how many bytes a neuron may commit per epoch; root only.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::set_max_space())]
        pub fn set_max_space(origin: OriginFor<T>, new_limit: u32) -> DispatchResult {
            ensure_root(origin)?;
            MaxSpace::<T>::put(new_limit);
            Ok(())
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(block: BlockNumberFor<T>) -> Weight {
            Self::reveal_due(block.unique_saturated_into())
        }

        fn integrity_test() {
            assert!(T::MaxFields::get() > 0, "nothing could be committed");
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    impl<T: Config> Pallet<T> {
        /// Weight of committing these fields.
        fn commit_weight(info: &CommitmentInfo<T::MaxFields>) -> Weight {
            let fields = T::WeightInfo::set_commitment(u32::try_from(info.fields.len()).unwrap_or(u32::MAX));
            match info.fields.first() {
                Some(Data::ResetBondsFlag) => fields.saturating_add(T::WeightInfo::reset_bonds()),
                _ => fields,
            }
        }

        /// Puts `info` in the place of what `who` has committed on `netuid`.
        ///
        /// # Errors
        ///
        /// Every [`Error`] but the one that is never returned.
        fn commit(who: T::AccountId, netuid: NetUid, info: CommitmentInfo<T::MaxFields>) -> DispatchResult {
            let failed = |field: &Data| matches!(field, Data::TimelockRevealFailed { .. });
            ensure!(!info.fields.iter().any(failed), Error::<T>::TimelockRevealFailedNotAllowed);
            ensure!(T::Subnets::uid(netuid, &who).is_some(), Error::<T>::AccountNotAllowedCommit);
            Self::use_space(netuid, &who, &info)?;
            let reveal_round = Self::track(netuid, &who, &info)?;

            let block: u32 = frame_system::Pallet::<T>::block_number().unique_saturated_into();
            if info.fields.first() == Some(&Data::ResetBondsFlag) {
                Self::reset_bonds(netuid, &who, block);
            }
            CommitmentOf::<T>::insert(netuid, &who, Registration { deposit: TaoBalance(0), block, info });
            LastCommitment::<T>::insert(netuid, &who, block);
            Self::deposit_event(match reveal_round {
                Some(reveal_round) => Event::TimelockCommitment { netuid, who, reveal_round },
                None => Event::Commitment { netuid, who },
            });
            Ok(())
        }

        /// Takes the bytes of `info` from what `who` has in the running epoch.
        ///
        /// # Errors
        ///
        /// - [`Error::AccountNotAllowedCommit`]: no such subnet.
        /// - [`Error::SpaceLimitExceeded`]: not enough is left.
        fn use_space(netuid: NetUid, who: &T::AccountId, info: &CommitmentInfo<T::MaxFields>) -> Result<(), Error<T>> {
            let epoch = T::Subnets::epoch(netuid).ok_or(Error::<T>::AccountNotAllowedCommit)?.index;
            let space = info.fields.iter().fold(0_u64, |sum, field| sum.saturating_add(field.len_for_space()));
            let used = match UsedSpaceOf::<T>::get(netuid, who) {
                Some(usage) if usage.last_epoch == epoch => usage.used_space,
                _ => 0,
            };
            let used_space = used.saturating_add(space.max(MIN_SPACE));
            ensure!(used_space <= u64::from(MaxSpace::<T>::get()), Error::<T>::SpaceLimitExceeded);
            UsedSpaceOf::<T>::insert(netuid, who, UsageTracker { last_epoch: epoch, used_space });
            Ok(())
        }

        /// What each neuron of `netuid` has committed last: hotkey and encoded [`Registration`].
        pub fn get_commitments(netuid: NetUid) -> alloc::vec::Vec<(T::AccountId, alloc::vec::Vec<u8>)> {
            CommitmentOf::<T>::iter_prefix(netuid)
                .map(|(hotkey, registration)| (hotkey, registration.encode()))
                .collect()
        }

        /// Lets bonds on `who` begin anew, at most once per tempo and only where the subnet allows it.
        fn reset_bonds(netuid: NetUid, who: &T::AccountId, block: u32) {
            let tempo = T::Subnets::epoch(netuid).map_or(0, |epoch| epoch.tempo);
            let last = LastBondsReset::<T>::get(netuid, who);
            if last.is_none_or(|last| block.saturating_sub(last) >= u32::from(tempo))
                && T::Subnets::reset_bonds(netuid, who)
            {
                LastBondsReset::<T>::insert(netuid, who, block);
            }
        }

        /// Checks that whatever is stored belongs to a neuron.
        ///
        /// # Errors
        ///
        /// What does not hold.
        #[cfg(any(feature = "try-runtime", feature = "std"))]
        pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
            for (netuid, who, _) in CommitmentOf::<T>::iter() {
                ensure!(T::Subnets::uid(netuid, &who).is_some(), "a commitment belongs to no neuron");
                ensure!(LastCommitment::<T>::contains_key(netuid, &who), "a commitment has no block");
                ensure!(UsedSpaceOf::<T>::contains_key(netuid, &who), "a commitment took no space");
            }
            let neuron = |(netuid, who): (NetUid, T::AccountId)| T::Subnets::uid(netuid, &who).is_some();
            ensure!(LastCommitment::<T>::iter_keys().all(neuron), "a block belongs to no neuron");
            ensure!(UsedSpaceOf::<T>::iter_keys().all(neuron), "space was taken by no neuron");
            ensure!(RevealedCommitments::<T>::iter_keys().all(neuron), "something revealed belongs to no neuron");
            ensure!(LastBondsReset::<T>::iter_keys().all(neuron), "bonds of no neuron were reset");
            Self::try_state_timelocked()
        }
    }
}

impl<T: Config> OnNeuronRemoved<T::AccountId> for Pallet<T> {
    fn on_neuron_removed(netuid: NetUid, hotkey: &T::AccountId) {
        CommitmentOf::<T>::remove(netuid, hotkey);
        LastCommitment::<T>::remove(netuid, hotkey);
        UsedSpaceOf::<T>::remove(netuid, hotkey);
        RevealedCommitments::<T>::remove(netuid, hotkey);
        LastBondsReset::<T>::remove(netuid, hotkey);
        Self::untrack(netuid, hotkey);
    }
}
