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
        /// The number of neurons that a subnet holds changed: netuid, value.
        #[codec(index = 10)]
        MaxAllowedUidsSet(NetUid, u16),
        /// The difficulty of a registration by work changed: netuid, value.
        #[codec(index = 12)]
        DifficultySet(NetUid, u64),
        /// The blocks of an interval of registrations changed: netuid, value.
        #[codec(index = 13)]
        AdjustmentIntervalSet(NetUid, u16),
        /// The registrations per interval that are aimed at changed: netuid, value.
        #[codec(index = 14)]
        RegistrationPerIntervalSet(NetUid, u16),
        /// The registrations per block changed: netuid, value.
        #[codec(index = 15)]
        MaxRegistrationsPerBlockSet(NetUid, u16),
        /// `ActivityCutoff` changed: netuid, value.
        #[codec(index = 16)]
        ActivityCutoffSet(NetUid, u16),
        /// The majority that consensus takes changed: netuid, value.
        #[codec(index = 19)]
        KappaSet(NetUid, u16),
        /// The least number of weights changed: netuid, value.
        #[codec(index = 20)]
        MinAllowedWeightSet(NetUid, u16),
        /// The blocks between two weights of a neuron changed: netuid, value.
        #[codec(index = 23)]
        WeightsSetRateLimitSet(NetUid, u64),
        /// The blocks for which a new neuron stays changed: netuid, value.
        #[codec(index = 24)]
        ImmunityPeriodSet(NetUid, u16),
        /// What bonds keep per epoch changed: netuid, value.
        #[codec(index = 25)]
        BondsMovingAverageSet(NetUid, u64),
        /// The bonds penalty changed: netuid, value.
        #[codec(index = 26)]
        BondsPenaltySet(NetUid, u16),
        /// Whether a commitment may reset bonds changed: netuid, whether it is on.
        #[codec(index = 27)]
        BondsResetOnSet(NetUid, bool),
        /// The number of permits changed: netuid, value.
        #[codec(index = 28)]
        MaxAllowedValidatorsSet(NetUid, u16),
        /// A neuron announced where it can be reached: netuid, hotkey.
        #[codec(index = 29)]
        AxonServed(NetUid, T::AccountId),
        /// A neuron announced where its metrics can be read: netuid, hotkey.
        #[codec(index = 30)]
        PrometheusServed(NetUid, T::AccountId),
        /// The least version key of weights changed: netuid, value.
        #[codec(index = 33)]
        WeightsVersionKeySet(NetUid, u64),
        /// The least difficulty changed: netuid, value.
        #[codec(index = 34)]
        MinDifficultySet(NetUid, u64),
        /// The highest difficulty changed: netuid, value.
        #[codec(index = 35)]
        MaxDifficultySet(NetUid, u64),
        /// The blocks between two announcements of a neuron changed: netuid, value.
        #[codec(index = 36)]
        ServingRateLimitSet(NetUid, u64),
        /// The highest price of a registration changed: netuid, value.
        #[codec(index = 38)]
        MaxBurnSet(NetUid, TaoBalance),
        /// The least price of a registration changed: netuid, value.
        #[codec(index = 39)]
        MinBurnSet(NetUid, TaoBalance),
        /// The number of epochs per block changed: value.
        #[codec(index = 40)]
        MaxEpochsPerBlockSet(u8),
        /// `TxRateLimit` changed: value.
        #[codec(index = 41)]
        TxRateLimitSet(u64),
        /// The blocks between two raises of a take changed: value.
        #[codec(index = 42)]
        TxDelegateTakeRateLimitSet(u64),
        /// The blocks before an epoch in which owners may change nothing changed: value.
        #[codec(index = 44)]
        AdminFreezeWindowSet(u16),
        /// The tempos between two changes by an owner changed: value.
        #[codec(index = 45)]
        OwnerHyperparamRateLimitSet(u16),
        /// The least take of a child hotkey changed: netuid, value.
        #[codec(index = 47)]
        MinChildKeyTakePerSubnetSet(NetUid, PerU16),
        /// A subnet was opened to registrations, or closed: netuid, whether it is on.
        #[codec(index = 51)]
        RegistrationAllowed(NetUid, bool),
        /// A subnet's tempo changed: netuid, blocks.
        #[codec(index = 53)]
        TempoSet(NetUid, u16),
        /// The count of what registrations burned was set: netuid, value.
        #[codec(index = 54)]
        RAORecycledForRegistrationSet(NetUid, TaoBalance),
        /// The stake weight that weights need changed: value.
        #[codec(index = 55)]
        StakeThresholdSet(u64),
        /// What an adjustment of the difficulty keeps changed: netuid, value.
        #[codec(index = 56)]
        AdjustmentAlphaSet(NetUid, u64),
        /// The owners' part of the emission changed: value.
        #[codec(index = 58)]
        SubnetOwnerCutSet(u16),
        /// The blocks between two registrations of a subnet changed: value.
        #[codec(index = 59)]
        NetworkRateLimitSet(u64),
        /// The blocks before a subnet may start changed: value.
        #[codec(index = 61)]
        StartCallDelaySet(u64),
        /// The least price of a subnet changed: value.
        #[codec(index = 62)]
        NetworkMinLockCostSet(TaoBalance),
        /// The number of subnets that there can be changed: value.
        #[codec(index = 63)]
        SubnetLimitSet(u16),
        /// The blocks in which the price of a subnet falls changed: value.
        #[codec(index = 64)]
        NetworkLockCostReductionIntervalSet(u64),
        /// The take of a hotkey was lowered: coldkey, hotkey, take of 65,535.
        #[codec(index = 65)]
        TakeDecreased(T::AccountId, T::AccountId, PerU16),
        /// The take of a hotkey was raised: coldkey, hotkey, take of 65,535.
        #[codec(index = 66)]
        TakeIncreased(T::AccountId, T::AccountId, PerU16),
        /// The highest take of a hotkey changed: take of 65,535.
        #[codec(index = 68)]
        MaxDelegateTakeSet(PerU16),
        /// The least take of a hotkey changed: take of 65,535.
        #[codec(index = 69)]
        MinDelegateTakeSet(PerU16),
        /// The owner of a subnet said what it is: netuid.
        #[codec(index = 79)]
        SubnetIdentitySet(NetUid),
        /// Weights were committed: hotkey, storage index, hash.
        #[codec(index = 86)]
        WeightsCommitted(T::AccountId, NetUidStorageIndex, H256),
        /// Committed weights were revealed: hotkey, storage index, hash.
        #[codec(index = 87)]
        WeightsRevealed(T::AccountId, NetUidStorageIndex, H256),
        /// Several commits were revealed at once: hotkey, netuid, hashes.
        #[codec(index = 88)]
        WeightsBatchRevealed(T::AccountId, NetUid, Vec<H256>),
        /// Every item of a batch came into force: netuids, hotkey.
        #[codec(index = 89)]
        BatchWeightsCompleted(Vec<codec::Compact<NetUid>>, T::AccountId),
        /// A batch is done, and at least one of its items was refused.
        #[codec(index = 90)]
        BatchCompletedWithErrors,
        /// An item of a batch was refused: netuid, error.
        #[codec(index = 91)]
        BatchWeightItemFailed(NetUid, DispatchError),
        /// Whether stake may change its coldkey changed: netuid, whether it may.
        #[codec(index = 94)]
        TransferToggle(NetUid, bool),
        /// The hotkey of a subnet's owner changed: netuid, hotkey.
        #[codec(index = 95)]
        SubnetOwnerHotkeySet(NetUid, T::AccountId),
        /// A subnet was started: netuid, block of its first emission.
        #[codec(index = 96)]
        FirstEmissionBlockNumberSet(NetUid, u64),
        /// The subnet owner's own incentive was burned: coldkey, hotkey, alpha, netuid.
        #[codec(index = 98)]
        AlphaBurned(T::AccountId, T::AccountId, AlphaBalance, NetUid),
        /// The epochs from a commit to its reveal changed: netuid, value.
        #[codec(index = 101)]
        CommitRevealPeriodsSet(NetUid, u64),
        /// Commit and reveal was switched: netuid, whether it is on.
        #[codec(index = 102)]
        CommitRevealEnabled(NetUid, bool),
        /// The version of timelocked commits changed: value.
        #[codec(index = 107)]
        CommitRevealVersionSet(CommitRevealVersion),
        /// Timelocked weights were committed: hotkey, storage index, blake2-256 of the ciphertext, round that opens it.
        #[codec(index = 108)]
        TimelockedWeightsCommitted(T::AccountId, NetUidStorageIndex, H256, u64),
        /// Timelocked weights were opened and came into force: storage index, hotkey.
        #[codec(index = 109)]
        TimelockedWeightsRevealed(NetUidStorageIndex, T::AccountId),
        /// A mechanism's miners were paid, by uid.
        #[codec(index = 111)]
        IncentiveAlphaEmittedToMiners {
            /// Storage index of the mechanism.
            netuid: NetUidStorageIndex,
            /// Alpha of each neuron, by uid.
            emissions: Vec<AlphaBalance>,
        },
        /// The number of neurons below which a subnet cannot be trimmed changed: netuid, value.
        #[codec(index = 112)]
        MinAllowedUidsSet(NetUid, u16),
        /// The number of neurons without immunity that a subnet keeps changed: netuid, value.
        #[codec(index = 114)]
        MinNonImmuneUidsSet(NetUid, u16),
        /// How long a neuron of a subnet stays active without an update changed.
        #[codec(index = 135)]
        ActivityCutoffFactorMilliSet {
            /// Subnet.
            netuid: NetUid,
            /// Tempos, in thousandths.
            factor_milli: u32,
        },
        /// The owner of a subnet asked for an epoch out of turn.
        #[codec(index = 136)]
        EpochTriggered {
            /// Subnet.
            netuid: NetUid,
            /// Coldkey that asked.
            by: T::AccountId,
            /// Block in which the epoch is due.
            fires_at: u64,
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
        /// The consensus that liquid alpha compares with changed: netuid, value.
        #[codec(index = 146)]
        LiquidAlphaConsensusModeSet(NetUid, ConsensusMode),
    }
}
