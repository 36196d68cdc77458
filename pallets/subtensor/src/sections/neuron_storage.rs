// SPDX-License-Identifier: Apache-2.0

//! Storage of neurons; names, hashers and types are the public chain's.

use frame_support::pallet_macros::pallet_section;

/// Declares what is stored per hotkey or uid.
#[pallet_section]
mod neuron_storage {
    /// Coldkey that owns a hotkey.
    #[pallet::storage]
    pub type Owner<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, T::AccountId, ValueQuery, ZeroAccount<T::AccountId>>;

    /// Whether a hotkey has a uid on a subnet.
    #[pallet::storage]
    pub type IsNetworkMember<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Identity, NetUid, bool, ValueQuery>;

    /// Alpha staked to a hotkey on a subnet, by all coldkeys.
    #[pallet::storage]
    pub type TotalHotkeyAlpha<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Identity, NetUid, AlphaBalance, ValueQuery>;

    /// Shares in the alpha staked to a hotkey on a subnet: the sum over all coldkeys.
    #[pallet::storage]
    pub type TotalHotkeySharesV2<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Identity, NetUid, SafeFloat, ValueQuery>;

    /// Shares of one coldkey in the alpha staked to a hotkey on a subnet: hotkey, coldkey, netuid.
    #[pallet::storage]
    pub type AlphaV2<T: Config> = StorageNMap<
        _,
        (NMapKey<Blake2_128Concat, T::AccountId>, NMapKey<Blake2_128Concat, T::AccountId>, NMapKey<Identity, NetUid>),
        SafeFloat,
        ValueQuery,
    >;

    /// Hotkeys that belong to a coldkey, in the order in which they came.
    #[pallet::storage]
    pub type OwnedHotkeys<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Hotkeys<T::AccountId>, ValueQuery>;

    /// Hotkeys that a coldkey stakes to, and those that belong to it.
    #[pallet::storage]
    pub type StakingHotkeys<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, Hotkeys<T::AccountId>, ValueQuery>;

    /// Part of the dividends that the owner of a hotkey takes before they are shared by stake, of 65,535.
    #[pallet::storage]
    pub type Delegates<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, PerU16, ValueQuery, DefaultTake>;

    /// Highest take of a hotkey, of 65,535.
    #[pallet::storage]
    pub type MaxDelegateTake<T: Config> = StorageValue<_, PerU16, ValueQuery, DefaultTake>;

    /// Least take of a hotkey, of 65,535.
    #[pallet::storage]
    pub type MinDelegateTake<T: Config> = StorageValue<_, PerU16, ValueQuery>;

    /// Blocks between two raises of the take of a hotkey.
    #[pallet::storage]
    pub type TxDelegateTakeRateLimit<T: Config> = StorageValue<_, u64, ValueQuery, ConstU64<216_000>>;

    /// Alpha that a hotkey earned in the last epoch.
    #[pallet::storage]
    pub type LastHotkeyEmissionOnNetuid<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Identity, NetUid, AlphaBalance, ValueQuery>;

    /// How many neurons a subnet has.
    #[pallet::storage]
    pub type SubnetworkN<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery>;

    /// Uid of a hotkey.
    #[pallet::storage]
    pub type Uids<T: Config> = StorageDoubleMap<_, Identity, NetUid, Blake2_128Concat, T::AccountId, u16, OptionQuery>;

    /// Hotkey of a uid.
    #[pallet::storage]
    pub type Keys<T: Config> =
        StorageDoubleMap<_, Identity, NetUid, Identity, u16, T::AccountId, ValueQuery, ZeroAccount<T::AccountId>>;

    /// Block in which the neuron of a uid was registered.
    #[pallet::storage]
    pub type BlockAtRegistration<T: Config> = StorageDoubleMap<_, Identity, NetUid, Identity, u16, u64, ValueQuery>;

    /// Where a neuron can be reached.
    #[pallet::storage]
    pub type Axons<T: Config> =
        StorageDoubleMap<_, Identity, NetUid, Blake2_128Concat, T::AccountId, AxonInfo, OptionQuery>;

    /// Where a neuron's metrics can be read.
    #[pallet::storage]
    pub type Prometheus<T: Config> =
        StorageDoubleMap<_, Identity, NetUid, Blake2_128Concat, T::AccountId, PrometheusInfo, OptionQuery>;

    /// The key of a neuron's axon in TLS.
    #[pallet::storage]
    pub type NeuronCertificates<T: Config> =
        StorageDoubleMap<_, Identity, NetUid, Blake2_128Concat, T::AccountId, NeuronCertificate, OptionQuery>;

    /// Part of the subnet's stake weight, of 65,535, by uid.
    #[pallet::storage]
    pub type StakeWeight<T: Config> = StorageMap<_, Identity, NetUid, PerNeuron<u16>, ValueQuery>;

    /// Whether neurons were active at the last epoch, by uid.
    #[pallet::storage]
    pub type Active<T: Config> = StorageMap<_, Identity, NetUid, PerNeuron<bool>, ValueQuery>;

    /// Consensus weight, by uid.
    #[pallet::storage]
    pub type Consensus<T: Config> = StorageMap<_, Identity, NetUid, PerNeuron<PerU16>, ValueQuery>;

    /// Consensus weight of the last epoch per mechanism, by uid.
    #[pallet::storage]
    pub type ConsensusByMechanism<T: Config> =
        StorageMap<_, Identity, NetUidStorageIndex, PerNeuron<PerU16>, ValueQuery>;

    /// Part of the miners' emission, by uid.
    #[pallet::storage]
    pub type Incentive<T: Config> = StorageMap<_, Identity, NetUidStorageIndex, PerNeuron<PerU16>, ValueQuery>;

    /// Part of the validators' emission, by uid.
    #[pallet::storage]
    pub type Dividends<T: Config> = StorageMap<_, Identity, NetUid, PerNeuron<PerU16>, ValueQuery>;

    /// Alpha earned in the last epoch, by uid.
    #[pallet::storage]
    pub type Emission<T: Config> = StorageMap<_, Identity, NetUid, PerNeuron<AlphaBalance>, ValueQuery>;

    /// Block of the last commit, or plain weights, by uid.
    #[pallet::storage]
    pub type LastUpdate<T: Config> = StorageMap<_, Identity, NetUidStorageIndex, PerNeuron<u64>, ValueQuery>;

    /// Part of a validator's weights that consensus kept, by uid.
    #[pallet::storage]
    pub type ValidatorTrust<T: Config> = StorageMap<_, Identity, NetUid, PerNeuron<PerU16>, ValueQuery>;

    /// Whether neurons may set weights on others, by uid.
    #[pallet::storage]
    pub type ValidatorPermit<T: Config> = StorageMap<_, Identity, NetUid, PerNeuron<bool>, ValueQuery>;

    /// Weights of a validator: (uid, weight), the largest 65,535.
    #[pallet::storage]
    pub type Weights<T: Config> =
        StorageDoubleMap<_, Identity, NetUidStorageIndex, Identity, u16, WeightRow, ValueQuery>;

    /// Bonds of a validator: (uid, bond).
    #[pallet::storage]
    pub type Bonds<T: Config> = StorageDoubleMap<_, Identity, NetUidStorageIndex, Identity, u16, WeightRow, ValueQuery>;

    /// Unrevealed commits of a hotkey: (hash, epoch, block, 0), oldest first.
    #[pallet::storage]
    pub type WeightCommits<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        NetUidStorageIndex,
        Twox64Concat,
        T::AccountId,
        WeightCommitQueue,
        OptionQuery,
    >;

    /// Timelocked commits that wait for the epoch that opens them, by storage index and epoch of the commit.
    #[pallet::storage]
    pub type TimelockedWeightCommits<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        NetUidStorageIndex,
        Twox64Concat,
        u64,
        TimelockedQueue<T::AccountId>,
        ValueQuery,
    >;
}
