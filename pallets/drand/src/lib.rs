// SPDX-License-Identifier: Apache-2.0

//! `Drand`: verified rounds of a drand beacon, the keys that open timelocked commits.
//!
//! Names, storage, calls and SCALE bytes are the public chain's. What differs is what is accepted:
//!
//! - **A pulse proves itself.** `write_pulse` takes pulses from anyone, without a fee and without an account, when the
//!   beacon's signature of each verifies. The public chain trusts the sender's key instead. `public` and `signature`
//!   of the call keep its shape and are not read. As no such pulse can be made before its time, the newest round ever
//!   stored is one that the beacon has published.
//! - **A gap is never lost.** `LastStoredRound` may jump, since after an outage the newest round matters most; every
//!   missing round of the last [`MAX_KEPT_PULSES`] may be stored later, in any order. On the public chain rounds below
//!   `LastStoredRound` are refused for good, and commits that wait for one are never revealed.
//! - **Work is bounded.** One call per block, with as many pulses as the slot has time for ([`pulses_per_block`]), each
//!   removing at most two old ones. A stored round is refused before its signature is looked at, and the first wrong signature ends the check.
//!
//! The call is authorised by the transaction extension [`DrandPriority`]; pulses of newer rounds have priority, so that
//! filling gaps never delays the present. On a chain that follows the public beacon the offchain worker fetches what is
//! missing, from [`ENDPOINTS`] or from those that the node names ([`ENDPOINTS_KEY`]); on a local chain the node signs with
//! the local beacon of the genesis.
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(clippy::arithmetic_side_effects, clippy::float_arithmetic, clippy::indexing_slicing)]

extern crate alloc;

mod extension;
mod missing;
mod offchain;
mod pulses;
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

pub use extension::DrandPriority;
pub use missing::{Missing, Stored, missing_rounds, pulses_per_block};
pub use offchain::{ENDPOINTS, ENDPOINTS_KEY};
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

/// Rounds that are kept: a week of the public beacon.
pub const MAX_KEPT_PULSES: u64 = 216_000;

/// Pulses that one call, and so a block, carries at most: one minute of the public beacon. Checking one takes up to 50 ms
/// of Wasm, and a block may take 2 s.
pub const MAX_PULSES_PER_BLOCK: u32 = 20;

/// Old pulses that are removed for each new one, at most: more than one, so that a backlog shrinks.
pub const PRUNED_PER_PULSE: u32 = 2;

/// Pulses of the former beacon that a change of beacon may remove at most.
pub const MAX_CLEARED_PULSES: u32 = 1_000;

/// How far the beacon's clock may run ahead of the chain's, in ms.
pub const MAX_AHEAD_MS: u64 = 60_000;

/// Declarations of the pallet.
// `expect` is what the macros expand to.
#[allow(clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use frame_support::{pallet_prelude::*, traits::Time};
    use frame_system::{offchain::CreateAuthorizedTransaction, pallet_prelude::*};
    use sp_runtime::MultiSignature;

    /// The pallet.
    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// What the runtime decides.
    #[pallet::config]
    pub trait Config: CreateAuthorizedTransaction<Call<Self>> + frame_system::Config {
        /// The chain's clock, Unix milliseconds.
        type Clock: Time<Moment = u64>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;

        /// Base priority of pulses in the pool.
        #[pallet::constant]
        type UnsignedPriority: Get<TransactionPriority>;

        /// How long the offchain worker waits for an answer, in ms.
        #[pallet::constant]
        type HttpFetchTimeout: Get<u64>;

        /// Pulses that one call may carry, and so a block; [`MAX_PULSES_PER_BLOCK`] at most. See [`pulses_per_block`].
        type PulsesPerBlock: Get<u32>;
    }

    /// The beacon that the chain follows.
    #[pallet::storage]
    pub type BeaconConfig<T> = StorageValue<_, BeaconConfiguration, ValueQuery>;

    /// Verified rounds by number.
    #[pallet::storage]
    pub type Pulses<T> = StorageMap<_, Blake2_128Concat, u64, Pulse, OptionQuery>;

    /// The newest round that has been stored, 0 before the first.
    #[pallet::storage]
    pub type LastStoredRound<T> = StorageValue<_, u64, ValueQuery>;

    /// No round below this one is stored; 0 before the first.
    #[pallet::storage]
    pub type OldestStoredRound<T> = StorageValue<_, u64, ValueQuery>;

    /// The first block that may take pulses again: the one after the last that did.
    #[pallet::storage]
    pub type NextUnsignedAt<T: Config> = StorageValue<_, BlockNumberFor<T>, ValueQuery>;

    /// What happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// The chain follows another beacon.
        #[codec(index = 0)]
        BeaconConfigChanged,
        /// Rounds were stored.
        #[codec(index = 1)]
        NewPulse {
            /// Their numbers.
            rounds: Vec<u64>,
        },
        /// Root moved the oldest round.
        #[codec(index = 2)]
        SetOldestStoredRound(u64),
    }

    /// What can be wrong with a call; names and indices are the public chain's.
    #[pallet::error]
    pub enum Error<T> {
        /// Not used here.
        #[codec(index = 0)]
        NoneValue,
        /// More pulses are stored than one change of beacon may remove; raise the oldest round first.
        #[codec(index = 1)]
        StorageOverflow,
        /// Not used here: what cannot be fetched is tried again.
        #[codec(index = 2)]
        DrandConnectionFailure,
        /// Not used here: a wrong pulse is refused before it is dispatched.
        #[codec(index = 3)]
        UnverifiedPulse,
        /// The round is not among those stored, or further from the oldest than one call may remove.
        #[codec(index = 4)]
        InvalidRoundNumber,
        /// No pulse could be verified by this configuration: its key is no point of G2, or its period is zero.
        #[codec(index = 5)]
        PulseVerificationError,
    }

    /// The beacon of a new chain.
    #[pallet::genesis_config]
    pub struct GenesisConfig<T: Config> {
        /// A local beacon; the public one if none is given.
        pub beacon: Option<LocalBeacon>,
        #[allow(missing_docs)]
        #[serde(skip)]
        pub _config: core::marker::PhantomData<T>,
    }

    /// A beacon of a single signer.
    #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    pub struct LocalBeacon {
        /// Its key, 96 bytes in hex.
        #[serde(with = "sp_core::bytes")]
        pub public_key: Vec<u8>,
        /// Time from one round to the next, seconds, at least 1.
        pub period: u32,
        /// Time of round 1, Unix seconds.
        pub genesis_time: u32,
    }

    impl<T: Config> Default for GenesisConfig<T> {
        fn default() -> Self {
            Self { beacon: None, _config: core::marker::PhantomData }
        }
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            let Some(LocalBeacon { public_key, period, genesis_time }) = &self.beacon else { return };
            let public_key = public_key.as_slice().try_into();
            assert!(
                public_key.is_ok(),
                "drand.beacon.publicKey must have {} bytes",
                clawrank_timelock::PUBLIC_KEY_BYTES
            );
            let Ok(public_key) = public_key else { return };
            let genesis_time = u64::from(*genesis_time);
            let params = clawrank_timelock::BeaconParams { public_key, genesis_time, period: *period };
            let config = BeaconConfiguration::local(&params);
            assert!(
                Pallet::<T>::ensure_usable(&config).is_ok(),
                "drand.beacon needs a point of G2 and a period above 0"
            );
            BeaconConfig::<T>::put(config);
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Stores rounds of the beacon, ascending, none of which is stored yet.
        ///
        /// For anyone, without a fee. Refused by the pool and by every block as `Call` (none or too many, not
        /// ascending), `Stale` (stored, or older than what is kept), `Future` (of a time that the chain has not
        /// reached), `BadProof` (a signature is not the beacon's) and `ExhaustsResources` (this block has taken pulses
        /// already; a later one will).
        #[pallet::call_index(0)]
        #[pallet::weight((
            T::WeightInfo::write_pulse(pulse_count(pulses_payload)),
            DispatchClass::Operational,
            Pays::No,
        ))]
        #[pallet::authorize(|source, payload, _| Pallet::<T>::authorize_pulses(source, &payload.pulses))]
        #[pallet::weight_of_authorize(T::WeightInfo::authorize_write_pulse(pulse_count(pulses_payload)))]
        pub fn write_pulse(
            origin: OriginFor<T>,
            pulses_payload: PulsesPayload<BlockNumberFor<T>>,
            signature: Option<MultiSignature>,
        ) -> DispatchResult {
            ensure_authorized(origin)?;
            // Part of the public chain's call; whoever sends a pulse adds nothing to it.
            let _ = signature;
            Self::store(pulses_payload.pulses);
            Ok(())
        }

        /// Follows another beacon from now on; root only.
        ///
        /// When the key or the times change, what is stored of the former beacon goes, and rounds are counted anew.
        ///
        /// # Errors
        ///
        /// - [`Error::PulseVerificationError`]: no beacon has this configuration.
        /// - [`Error::StorageOverflow`]: more than [`MAX_CLEARED_PULSES`] pulses would have to go.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::set_beacon_config())]
        pub fn set_beacon_config(
            origin: OriginFor<T>,
            config_payload: BeaconConfigurationPayload<BlockNumberFor<T>>,
            signature: Option<MultiSignature>,
        ) -> DispatchResult {
            ensure_root(origin)?;
            let _ = signature;
            Self::follow(config_payload.config)
        }

        /// Declares rounds below `oldest_round` gone and removes them; root only.
        ///
        /// # Errors
        ///
        /// [`Error::InvalidRoundNumber`]: not between the oldest and the newest round, or more than [`MAX_CLEARED_PULSES`]
        /// above the oldest.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::set_oldest_stored_round())]
        pub fn set_oldest_stored_round(origin: OriginFor<T>, oldest_round: u64) -> DispatchResult {
            ensure_root(origin)?;
            Self::forget_before(oldest_round)
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(T::HttpFetchTimeout::get() > 0, "no answer would ever be in time");
        }

        fn offchain_worker(block: BlockNumberFor<T>) {
            Self::fetch_missing(block);
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    fn pulse_count<BlockNumber>(payload: &PulsesPayload<BlockNumber>) -> u32 {
        u32::try_from(payload.pulses.len()).unwrap_or(u32::MAX)
    }
}
