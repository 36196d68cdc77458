// SPDX-License-Identifier: Apache-2.0

//! Events, each with the index and the fields it has on the public chain.

use frame_support::pallet_macros::pallet_section;

/// Declares `Event<T>`. Indices that are missing belong to what this pallet leaves out.
#[pallet_section]
mod events {
    /// What happened; names, indices and fields are the public chain's.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A subnet was registered: netuid, modality (always 0).
        #[codec(index = 0)]
        NetworkAdded(NetUid, u16),
        /// Stake was added: coldkey, hotkey, TAO paid, alpha received, netuid, fee (always 0).
        #[codec(index = 2)]
        StakeAdded(T::AccountId, T::AccountId, TaoBalance, AlphaBalance, NetUid, u64),
        /// Stake was taken back: coldkey, hotkey, TAO received, alpha paid, netuid, fee (always 0).
        #[codec(index = 3)]
        StakeRemoved(T::AccountId, T::AccountId, TaoBalance, AlphaBalance, NetUid, u64),
        /// Weights came into force: storage index, uid of the validator.
        #[codec(index = 5)]
        WeightsSet(NetUidStorageIndex, u16),
        /// A neuron was registered: netuid, uid, hotkey.
        #[codec(index = 7)]
        NeuronRegistered(NetUid, u16, T::AccountId),
        /// A neuron announced where it can be reached: netuid, hotkey.
        #[codec(index = 29)]
        AxonServed(NetUid, T::AccountId),
        /// A subnet's tempo changed: netuid, blocks.
        #[codec(index = 53)]
        TempoSet(NetUid, u16),
        /// Weights were committed: hotkey, storage index, hash.
        #[codec(index = 86)]
        WeightsCommitted(T::AccountId, NetUidStorageIndex, H256),
        /// Committed weights were revealed: hotkey, storage index, hash.
        #[codec(index = 87)]
        WeightsRevealed(T::AccountId, NetUidStorageIndex, H256),
        /// A subnet was started: netuid, block of its first emission.
        #[codec(index = 96)]
        FirstEmissionBlockNumberSet(NetUid, u64),
        /// The subnet owner's own incentive was burned: coldkey, hotkey, alpha, netuid.
        #[codec(index = 98)]
        AlphaBurned(T::AccountId, T::AccountId, AlphaBalance, NetUid),
        /// A mechanism's miners were paid, by uid.
        #[codec(index = 111)]
        IncentiveAlphaEmittedToMiners {
            /// Storage index of the mechanism.
            netuid: NetUidStorageIndex,
            /// Alpha of each neuron, by uid.
            emissions: Vec<AlphaBalance>,
        },
        /// An epoch was put off, since `MaxEpochsPerBlock` had run.
        #[codec(index = 137)]
        EpochDeferred {
            /// Subnet.
            netuid: NetUid,
            /// Block in which the epoch was due.
            from_block: u64,
            /// Block in which it is tried again.
            to_block: u64,
        },
        /// An epoch passed without consensus, since the subnet's state was inconsistent; its emission stays pending.
        #[codec(index = 138)]
        EpochSkipped {
            /// Subnet.
            netuid: NetUid,
            /// Block of the epoch.
            block: u64,
        },
    }
}
