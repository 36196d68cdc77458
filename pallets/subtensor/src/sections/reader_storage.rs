// SPDX-License-Identifier: Apache-2.0

//! Storage that clients of the public chain read and no call of this chain writes; names, hashers, types and defaults
//! are the public chain's.
//!
//! What stays at its default here belongs to something that this chain leaves out, and the default says so: no proof of
//! work, no collateral, no locks, no leases, no queue of registrations.

use frame_support::pallet_macros::pallet_section;

/// Declares what only readers need.
#[pallet_section]
mod reader_storage {
    /// Price of a subnet's alpha in TAO, a 96.32 fixed-point number: 1 on every subnet, since one alpha is one TAO.
    #[pallet::storage]
    pub type SubnetMovingPrice<T: Config> = StorageMap<_, Identity, NetUid, FixedI128, ValueQuery>;

    /// TAO that was issued for a subnet in the last block in which it emitted, in rao.
    #[pallet::storage]
    pub type SubnetTaoInEmission<T: Config> = StorageMap<_, Identity, NetUid, TaoBalance, ValueQuery>;

    /// Alpha that a hotkey got as a validator in the last epoch, in rao.
    #[pallet::storage]
    pub type AlphaDividendsPerSubnet<T: Config> =
        StorageDoubleMap<_, Identity, NetUid, Blake2_128Concat, T::AccountId, AlphaBalance, ValueQuery>;

    /// Mean flow of TAO into a subnet's pool: none, there is no pool.
    #[pallet::storage]
    pub type SubnetEmaTaoFlow<T: Config> = StorageMap<_, Identity, NetUid, (u64, FixedI128), OptionQuery>;

    /// Hotkeys to which a hotkey's stake counts: none.
    #[pallet::storage]
    #[pallet::unbounded]
    pub type ChildKeys<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Identity, NetUid, Vec<(u64, T::AccountId)>, ValueQuery>;

    /// Hotkeys whose stake counts to a hotkey: none.
    #[pallet::storage]
    #[pallet::unbounded]
    pub type ParentKeys<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Identity, NetUid, Vec<(u64, T::AccountId)>, ValueQuery>;

    /// Children that a hotkey would get, and from which block: none.
    #[pallet::storage]
    #[pallet::unbounded]
    pub type PendingChildKeys<T: Config> = StorageDoubleMap<
        _,
        Identity,
        NetUid,
        Blake2_128Concat,
        T::AccountId,
        (Vec<(u64, T::AccountId)>, u64),
        ValueQuery,
    >;

    /// Hotkey to which a coldkey's incentive would go instead: none.
    #[pallet::storage]
    pub type AutoStakeDestination<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Identity, NetUid, T::AccountId, OptionQuery>;

    /// Coldkeys that wait to be exchanged, from which block and for which: none.
    #[pallet::storage]
    pub type ColdkeySwapAnnouncements<T: Config> = StorageMap<_, Twox64Concat, T::AccountId, (u32, H256), OptionQuery>;

    /// Exchanges of coldkeys that somebody objects to: none.
    #[pallet::storage]
    pub type ColdkeySwapDisputes<T: Config> = StorageMap<_, Twox64Concat, T::AccountId, u32, OptionQuery>;

    /// Stake that is locked, by coldkey, subnet and hotkey: none.
    #[pallet::storage]
    pub type Lock<T: Config> = StorageNMap<
        _,
        (NMapKey<Blake2_128Concat, T::AccountId>, NMapKey<Identity, NetUid>, NMapKey<Blake2_128Concat, T::AccountId>),
        rpc_info::stake_info::LockState,
        OptionQuery,
    >;

    /// Blocks for which root stake cannot be taken back: none.
    #[pallet::storage]
    pub type RootStakeUnlockInterval<T: Config> = StorageValue<_, u64, ValueQuery>;

    /// What the owner of a coldkey says about itself: there is no call for it.
    #[pallet::storage]
    #[pallet::unbounded]
    pub type IdentitiesV2<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, ChainIdentityV2, OptionQuery>;

    /// Subnets that are being dissolved: none.
    #[pallet::storage]
    #[pallet::unbounded]
    pub type DissolveCleanupQueue<T: Config> = StorageValue<_, Vec<NetUid>, ValueQuery>;

    /// Registrations of subnets that wait for one to be dissolved: none.
    #[pallet::storage]
    #[pallet::unbounded]
    pub type NetworkRegistrationQueue<T: Config> =
        StorageValue<_, Vec<NetworkRegistrationInfo<T::AccountId>>, ValueQuery>;

    /// Whether a registration can be had by work: the public chain's default, and `false` on every subnet of this chain.
    #[pallet::storage]
    pub type NetworkPowRegistrationAllowed<T: Config> =
        StorageMap<_, Identity, NetUid, bool, ValueQuery, ConstBool<true>>;

    /// Work that a registration would take.
    #[pallet::storage]
    pub type Difficulty<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery, ConstU64<10_000_000>>;

    /// Least `Difficulty`.
    #[pallet::storage]
    pub type MinDifficulty<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery, ConstU64<10_000_000>>;

    /// Highest `Difficulty`.
    #[pallet::storage]
    pub type MaxDifficulty<T: Config> =
        StorageMap<_, Identity, NetUid, u64, ValueQuery, ConstU64<4_611_686_018_427_387_903>>;

    /// What an adjustment keeps, of `u64::MAX`.
    #[pallet::storage]
    pub type AdjustmentAlpha<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery>;

    /// Part of a registration's price that is locked instead of burned, of 65,535: nothing.
    #[pallet::storage]
    pub type CollateralLockShare<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery>;

    /// Alpha of collateral that is released per alpha earned.
    #[pallet::storage]
    pub type CollateralDrainRatio<T: Config> = StorageMap<_, Identity, NetUid, FixedU128, ValueQuery, FixedOne>;

    /// Least take of a child hotkey on a subnet, of 65,535.
    #[pallet::storage]
    pub type MinChildkeyTakePerSubnet<T: Config> = StorageMap<_, Identity, NetUid, PerU16, ValueQuery>;

    /// Whether the owner's cut is locked: never.
    #[pallet::storage]
    pub type OwnerCutAutoLockEnabled<T: Config> = StorageMap<_, Identity, NetUid, bool, ValueQuery>;

    /// Whether stake may change its coldkey: there is no call for it.
    #[pallet::storage]
    pub type TransferToggle<T: Config> = StorageMap<_, Identity, NetUid, bool, ValueQuery, ConstBool<true>>;

    /// What becomes of the incentive of a subnet owner's neurons: it is burned, whatever stands here.
    #[pallet::storage]
    pub type RecycleOrBurn<T: Config> = StorageMap<_, Identity, NetUid, RecycleOrBurnEnum, ValueQuery>;

    /// Blocks in which the mean price of a subnet's alpha halves its distance from the price, which is 1 always.
    #[pallet::storage]
    pub type EMAPriceHalvingBlocks<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery, ConstU64<201_600>>;

    /// Blocks between the announcement of an exchange of coldkeys and the exchange, for which there is no call.
    #[pallet::storage]
    pub type ColdkeySwapAnnouncementDelay<T: Config> = StorageValue<_, u32, ValueQuery, ConstU32<50>>;

    /// Blocks between that exchange and the next announcement.
    #[pallet::storage]
    pub type ColdkeySwapReannouncementDelay<T: Config> = StorageValue<_, u32, ValueQuery, ConstU32<10>>;

    /// Least stake of a nominator, in rao.
    #[pallet::storage]
    pub type NominatorMinRequiredStake<T: Config> = StorageValue<_, u64, ValueQuery>;

    /// Root dividends of a hotkey in the last epoch, in rao: root stake earns nothing of its own.
    #[pallet::storage]
    pub type RootAlphaDividendsPerSubnet<T: Config> =
        StorageDoubleMap<_, Identity, NetUid, Blake2_128Concat, T::AccountId, AlphaBalance, ValueQuery>;

    /// Least root dividends that can be claimed, in rao of alpha, a 96.32 fixed-point number: there are none.
    #[pallet::storage]
    pub type RootClaimableThreshold<T: Config> =
        StorageMap<_, Blake2_128Concat, NetUid, FixedI128, ValueQuery, DefaultRootClaimableThreshold>;

    /// Root dividends per unit of stake that wait for whoever claims them, by subnet: none.
    #[pallet::storage]
    #[pallet::unbounded]
    pub type RootClaimable<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, BTreeMap<NetUid, FixedI128>, ValueQuery>;

    /// Root dividends that were claimed, by subnet, hotkey and coldkey: none.
    #[pallet::storage]
    pub type RootClaimed<T: Config> = StorageNMap<
        _,
        (NMapKey<Identity, NetUid>, NMapKey<Blake2_128Concat, T::AccountId>, NMapKey<Blake2_128Concat, T::AccountId>),
        u128,
        ValueQuery,
    >;

    /// Whether what a coldkey locked runs off: nothing is locked.
    #[pallet::storage]
    pub type DecayingLock<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Identity, NetUid, bool, OptionQuery>;

    /// What a coldkey accepts, as bits: there is nothing to accept.
    #[pallet::storage]
    pub type AccountFlags<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, u128, ValueQuery>;

    /// Coldkeys that locked stake for a hotkey, by subnet and hotkey: none.
    #[pallet::storage]
    pub type LockingColdkeys<T: Config> = StorageNMap<
        _,
        (NMapKey<Identity, NetUid>, NMapKey<Blake2_128Concat, T::AccountId>, NMapKey<Blake2_128Concat, T::AccountId>),
        (),
        OptionQuery,
    >;

    /// What is locked for a hotkey: nothing.
    #[pallet::storage]
    pub type HotkeyLock<T: Config> = StorageDoubleMap<
        _,
        Identity,
        NetUid,
        Blake2_128Concat,
        T::AccountId,
        rpc_info::stake_info::LockState,
        OptionQuery,
    >;

    /// What is locked for a hotkey and runs off: nothing.
    #[pallet::storage]
    pub type DecayingHotkeyLock<T: Config> = StorageDoubleMap<
        _,
        Identity,
        NetUid,
        Blake2_128Concat,
        T::AccountId,
        rpc_info::stake_info::LockState,
        OptionQuery,
    >;

    /// What is locked for a subnet's owner: nothing.
    #[pallet::storage]
    pub type OwnerLock<T: Config> = StorageMap<_, Identity, NetUid, rpc_info::stake_info::LockState, OptionQuery>;

    /// What is locked for a subnet's owner and runs off: nothing.
    #[pallet::storage]
    pub type DecayingOwnerLock<T: Config> =
        StorageMap<_, Identity, NetUid, rpc_info::stake_info::LockState, OptionQuery>;

    /// Blocks in which the conviction of a lock would grow.
    #[pallet::storage]
    pub type MaturityRate<T: Config> = StorageValue<_, u64, ValueQuery, ConstU64<934_866>>;

    /// Blocks in which a lock would run off.
    #[pallet::storage]
    pub type UnlockRate<T: Config> = StorageValue<_, u64, ValueQuery, ConstU64<934_866>>;

    /// Alpha in a subnet's pool that is the chain's own: none, there is no pool.
    #[pallet::storage]
    pub type SubnetProtocolAlpha<T: Config> = StorageMap<_, Identity, NetUid, AlphaBalance, ValueQuery>;

    /// Ethereum's address of a neuron, by subnet and uid, and the block of its proof: none.
    #[pallet::storage]
    pub type AssociatedEvmAddress<T: Config> =
        StorageDoubleMap<_, Twox64Concat, NetUid, Twox64Concat, u16, (H160, u64), OptionQuery>;

    /// Hotkeys whose children do not count for lack of stake: none.
    #[pallet::storage]
    pub type ChildkeyThresholdSuspended<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, (), OptionQuery>;

    /// Dividends of a hotkey's basket per unit of root stake, a 96.32 fixed-point number: there are no baskets.
    #[pallet::storage]
    pub type BasketRate<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, FixedI128, ValueQuery>;

    /// Dividends of a basket that were claimed, by hotkey and coldkey: none.
    #[pallet::storage]
    pub type BasketClaimed<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Blake2_128Concat, T::AccountId, i128, ValueQuery>;

    /// Collateral of a miner, by subnet, hotkey and coldkey: none.
    #[pallet::storage]
    pub type MinerCollateral<T: Config> = StorageNMap<
        _,
        (NMapKey<Identity, NetUid>, NMapKey<Blake2_128Concat, T::AccountId>, NMapKey<Blake2_128Concat, T::AccountId>),
        MinerCollateralState,
        OptionQuery,
    >;

    /// Leases of subnets: none.
    #[pallet::storage]
    pub type SubnetLeases<T: Config> =
        StorageMap<_, Twox64Concat, u32, SubnetLease<T::AccountId, BlockNumberFor<T>>, OptionQuery>;

    /// How far the dissolution of a subnet is: there is none.
    #[pallet::storage]
    #[pallet::unbounded]
    pub type CurrentDissolveCleanupStatus<T: Config> = StorageValue<_, DissolveCleanupStatus, OptionQuery>;

    /// Block of the work with which a hotkey was registered: none was.
    #[pallet::storage]
    pub type LastPowRegistrationBlock<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, u64, OptionQuery>;

    /// Neurons that a subnet without consensus is cut down to: there is no such subnet.
    #[pallet::storage]
    pub type NullPruningTarget<T: Config> = StorageMap<_, Identity, NetUid, u16, OptionQuery>;
}
