// SPDX-License-Identifier: Apache-2.0

//! Hyperparameters of subnets; names, hashers, types and defaults are the public chain's.

use frame_support::pallet_macros::pallet_section;

/// Declares what the owner of a subnet, or root, may choose.
#[pallet_section]
mod hyperparameters {
    /// Whether a subnet takes registrations.
    #[pallet::storage]
    pub type NetworkRegistrationAllowed<T: Config> = StorageMap<_, Identity, NetUid, bool, ValueQuery, ConstBool<true>>;

    /// Registrations per block and subnet.
    #[pallet::storage]
    pub type MaxRegistrationsPerBlock<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<1>>;

    /// Blocks of the interval in which registrations on the root network are counted.
    #[pallet::storage]
    pub type AdjustmentInterval<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<100>>;

    /// A third of the registrations that the root network takes per interval; shown to readers of other subnets.
    #[pallet::storage]
    pub type TargetRegistrationsPerInterval<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<2>>;

    /// Least price of a registration, in rao.
    #[pallet::storage]
    pub type MinBurn<T: Config> = StorageMap<_, Identity, NetUid, TaoBalance, ValueQuery, ConstTao<500_000>>;

    /// Highest price of a registration, in rao.
    #[pallet::storage]
    pub type MaxBurn<T: Config> = StorageMap<_, Identity, NetUid, TaoBalance, ValueQuery, ConstTao<100_000_000_000>>;

    /// Blocks in which the price of a registration halves; 0 stops its fall.
    #[pallet::storage]
    pub type BurnHalfLife<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<360>>;

    /// What a registration multiplies the price by.
    #[pallet::storage]
    pub type BurnIncreaseMult<T: Config> =
        StorageMap<_, Identity, NetUid, FixedU128, ValueQuery, DefaultBurnIncreaseMult>;

    /// Least number to which a subnet's uids could be trimmed.
    #[pallet::storage]
    pub type MinAllowedUids<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<64>>;

    /// How many neurons a subnet holds; never above [`MAX_UIDS`].
    #[pallet::storage]
    pub type MaxAllowedUids<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<256>>;

    /// Blocks for which a new neuron cannot be replaced.
    #[pallet::storage]
    pub type ImmunityPeriod<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<4_096>>;

    /// How many neurons without immunity a subnet keeps: at this number an immune one has to go instead.
    #[pallet::storage]
    pub type MinNonImmuneUids<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<10>>;

    /// How many neurons of a subnet's owner can never be replaced.
    #[pallet::storage]
    pub type ImmuneOwnerUidsLimit<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<1>>;

    /// Least `ActivityCutoff`.
    #[pallet::storage]
    pub type MinActivityCutoff<T: Config> = StorageValue<_, u16, ValueQuery, ConstU16<360>>;

    /// Superseded by `ActivityCutoffFactorMilli`; kept for readers.
    #[pallet::storage]
    pub type ActivityCutoff<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<5_000>>;

    /// Tempos, in thousandths, after which a neuron without an update is inactive.
    #[pallet::storage]
    pub type ActivityCutoffFactorMilli<T: Config> = StorageMap<_, Identity, NetUid, u32, ValueQuery, ConstU32<13_889>>;

    /// Blocks between two announcements of a neuron.
    #[pallet::storage]
    pub type ServingRateLimit<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery, ConstU64<50>>;

    /// Blocks between two commits, or two plain weights, of a neuron.
    #[pallet::storage]
    pub type WeightsSetRateLimit<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery, ConstU64<100>>;

    /// Least version key of weights; 0 takes any.
    #[pallet::storage]
    pub type WeightsVersionKey<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery>;

    /// Least number of weights a validator has to set.
    #[pallet::storage]
    pub type MinAllowedWeights<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<1_024>>;

    /// Largest weight: no limit on the public chain either.
    #[pallet::storage]
    pub type MaxWeightsLimit<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<65_535>>;

    /// How many neurons hold a validator permit.
    #[pallet::storage]
    pub type MaxAllowedValidators<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<128>>;

    /// Whether weights must be committed and revealed.
    #[pallet::storage]
    pub type CommitRevealWeightsEnabled<T: Config> = StorageMap<_, Identity, NetUid, bool, ValueQuery, ConstBool<true>>;

    /// Epochs from a commit to its reveal, 1 ..= 100.
    #[pallet::storage]
    pub type RevealPeriodEpochs<T: Config> = StorageMap<_, Twox64Concat, NetUid, u64, ValueQuery, ConstU64<1>>;

    /// Majority that consensus takes, of 65,535.
    #[pallet::storage]
    pub type Kappa<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<32_767>>;

    /// Not used by the current consensus; kept for readers.
    #[pallet::storage]
    pub type Rho<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<10>>;

    /// What bonds keep per epoch, in millionths.
    #[pallet::storage]
    pub type BondsMovingAverage<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery, ConstU64<900_000>>;

    /// How far weights above consensus lose their bonds, of 65,535.
    #[pallet::storage]
    pub type BondsPenalty<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<65_535>>;

    /// Whether a commitment may reset bonds.
    #[pallet::storage]
    pub type BondsResetOn<T: Config> = StorageMap<_, Identity, NetUid, bool, ValueQuery>;

    /// Whether bonds are fixed proportions (Yuma3).
    #[pallet::storage]
    pub type Yuma3On<T: Config> = StorageMap<_, Blake2_128Concat, NetUid, bool, ValueQuery>;

    /// Whether the bonds rate follows the distance from consensus.
    #[pallet::storage]
    pub type LiquidAlphaOn<T: Config> = StorageMap<_, Blake2_128Concat, NetUid, bool, ValueQuery>;

    /// Lowest and highest bonds rate of liquid alpha, of 65,535.
    #[pallet::storage]
    pub type AlphaValues<T: Config> = StorageMap<_, Identity, NetUid, (u16, u16), ValueQuery, DefaultAlphaValues>;

    /// Steepness of liquid alpha, in hundredths.
    #[pallet::storage]
    pub type AlphaSigmoidSteepness<T: Config> = StorageMap<_, Identity, NetUid, i16, ValueQuery, ConstI16<1_000>>;

    /// Which consensus liquid alpha compares with.
    #[pallet::storage]
    pub type LiquidAlphaConsensusMode<T: Config> = StorageMap<_, Identity, NetUid, ConsensusMode, ValueQuery>;
}
