// SPDX-License-Identifier: Apache-2.0
//! The block time of the chain, and what the public chain fixes at compile time with it, chosen at genesis.
//!
//! The public chain fixes its slot duration at compile time; local chains want 250 ms for tests and 12 s for rehearsals.
//! Aura reads this value through [`SlotDurationMs`], and since metadata is made inside the runtime, the constant
//! `Aura.SlotDuration` that clients read shows the value of the chain they ask. So do `InitialTempo` and
//! `InitialMaxEpochsPerBlock` of `SubtensorModule`, which the public chain's build with the feature `fast-runtime`, that of
//! its localnet, has otherwise than its production build.

use frame_support::traits::Get;
pub use pallet::*;

/// The shortest slot, in ms: below it one machine cannot build, import and finalise a block in time.
pub const MIN_SLOT_DURATION_MS: u64 = 100;
/// The longest slot, in ms.
pub const MAX_SLOT_DURATION_MS: u64 = 60_000;
/// The slot of the public chain, in ms, and the default.
pub const DEFAULT_SLOT_DURATION_MS: u64 = 12_000;

/// The slot duration of this chain in ms, never zero.
pub struct SlotDurationMs;

impl Get<u64> for SlotDurationMs {
    fn get() -> u64 {
        SlotDuration::<crate::Runtime>::get()
    }
}

/// Tempo of a subnet that has not chosen one, in blocks: 360, and 10 where [`FastRuntime`] is on.
pub struct InitialTempo;

impl Get<u16> for InitialTempo {
    fn get() -> u16 {
        if FastRuntime::<crate::Runtime>::get() { 10 } else { 360 }
    }
}

/// Epochs that may run in one block until root decides otherwise: 2, and 32 where [`FastRuntime`] is on.
pub struct InitialMaxEpochsPerBlock;

impl Get<u8> for InitialMaxEpochsPerBlock {
    fn get() -> u8 {
        if FastRuntime::<crate::Runtime>::get() { 32 } else { 2 }
    }
}

/// The least time between two blocks in ms: half a slot, rounded down.
pub struct MinimumPeriodMs;

impl Get<u64> for MinimumPeriodMs {
    fn get() -> u64 {
        SlotDurationMs::get() / 2
    }
}

/// Keeps the slot duration in storage.
#[allow(clippy::expect_used, reason = "in what the macros generate")]
#[frame_support::pallet]
pub mod pallet {
    use super::{DEFAULT_SLOT_DURATION_MS, MAX_SLOT_DURATION_MS, MIN_SLOT_DURATION_MS};
    use frame_support::pallet_prelude::*;

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config {}

    /// The slot duration before genesis says otherwise.
    #[pallet::type_value]
    pub fn DefaultSlotDuration() -> u64 {
        DEFAULT_SLOT_DURATION_MS
    }

    /// The slot duration in ms. Written at genesis only: a change on a running chain would turn its slots backwards.
    #[pallet::storage]
    pub type SlotDuration<T> = StorageValue<_, u64, ValueQuery, DefaultSlotDuration>;

    /// Whether new subnets begin with the values of the public chain's build with `fast-runtime`. Written at genesis only.
    #[pallet::storage]
    pub type FastRuntime<T> = StorageValue<_, bool, ValueQuery>;

    #[pallet::genesis_config]
    pub struct GenesisConfig<T: Config> {
        /// The slot duration in ms, [`MIN_SLOT_DURATION_MS`] to [`MAX_SLOT_DURATION_MS`].
        pub slot_duration_ms: u64,
        /// Whether new subnets begin with the values of the public chain's build with `fast-runtime`.
        #[serde(default)]
        pub fast_runtime: bool,
        #[serde(skip)]
        pub _config: core::marker::PhantomData<T>,
    }

    impl<T: Config> Default for GenesisConfig<T> {
        fn default() -> Self {
            Self { slot_duration_ms: DEFAULT_SLOT_DURATION_MS, fast_runtime: false, _config: core::marker::PhantomData }
        }
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            assert!(
                (MIN_SLOT_DURATION_MS..=MAX_SLOT_DURATION_MS).contains(&self.slot_duration_ms),
                "slot_duration_ms is {}, must be {MIN_SLOT_DURATION_MS} to {MAX_SLOT_DURATION_MS}",
                self.slot_duration_ms,
            );
            SlotDuration::<T>::put(self.slot_duration_ms);
            FastRuntime::<T>::put(self.fast_runtime);
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<frame_system::pallet_prelude::BlockNumberFor<T>> for Pallet<T> {
        #[cfg(feature = "try-runtime")]
        fn try_state(_: frame_system::pallet_prelude::BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            let slot = SlotDuration::<T>::get();
            ensure!((MIN_SLOT_DURATION_MS..=MAX_SLOT_DURATION_MS).contains(&slot), "slot duration out of range");
            Ok(())
        }
    }
}
