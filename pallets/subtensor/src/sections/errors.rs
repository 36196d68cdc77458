// SPDX-License-Identifier: Apache-2.0

//! Errors, each with the index it has on the public chain.

use frame_support::pallet_macros::pallet_section;

/// Declares `Error<T>`. Indices that are missing belong to what this pallet leaves out.
#[pallet_section]
mod errors {
    /// What can be wrong with a call; names and indices are the public chain's.
    #[pallet::error]
    pub enum Error<T> {
        /// The root network does not exist.
        #[codec(index = 0)]
        RootNetworkDoesNotExist,
        /// `ip_type` is neither 4 nor 6.
        #[codec(index = 1)]
        InvalidIpType,
        /// The address is not one that a neuron can be reached at.
        #[codec(index = 2)]
        InvalidIpAddress,
        /// The port is 0.
        #[codec(index = 3)]
        InvalidPort,
        /// The hotkey has no uid on this subnet.
        #[codec(index = 4)]
        HotKeyNotRegisteredInSubNet,
        /// Nobody owns this hotkey.
        #[codec(index = 5)]
        HotKeyAccountNotExists,
        /// The hotkey has no uid on the subnet that it wants to serve on.
        #[codec(index = 6)]
        HotKeyNotRegisteredInNetwork,
        /// The signing coldkey does not own the hotkey.
        #[codec(index = 7)]
        NonAssociatedColdKey,
        /// More alpha is asked back than is staked.
        #[codec(index = 9)]
        NotEnoughStakeToWithdraw,
        /// The hotkey's stake weight is below `StakeThreshold`.
        #[codec(index = 10)]
        NotEnoughStakeToSetWeights,
        /// The coldkey's balance is below the amount.
        #[codec(index = 12)]
        NotEnoughBalanceToStake,
        /// Weights on others need a validator permit; permits are given at an epoch.
        #[codec(index = 15)]
        NeuronNoValidatorPermit,
        /// The lists of uids and values differ in length.
        #[codec(index = 16)]
        WeightVecNotEqualSize,
        /// A uid is named twice.
        #[codec(index = 17)]
        DuplicateUids,
        /// A uid is not on the subnet.
        #[codec(index = 18)]
        UidVecContainInvalidOne,
        /// Fewer weights than `MinAllowedWeights`.
        #[codec(index = 19)]
        WeightVecLengthIsLow,
        /// `MaxRegistrationsPerBlock` is reached; try in the next block.
        #[codec(index = 20)]
        TooManyRegistrationsThisBlock,
        /// The hotkey already has a uid on this subnet.
        #[codec(index = 21)]
        HotKeyAlreadyRegisteredInSubNet,
        /// A weight is above the limit, which is `u16::MAX`: kept for its index, never returned.
        #[codec(index = 27)]
        MaxWeightExceeded,
        /// Fewer than `WeightsSetRateLimit` blocks since the last weights.
        #[codec(index = 29)]
        SettingWeightsTooFast,
        /// `version_key` is below `WeightsVersionKey`.
        #[codec(index = 30)]
        IncorrectWeightVersionKey,
        /// Fewer than `ServingRateLimit` blocks since the last announcement.
        #[codec(index = 31)]
        ServingRateLimitExceeded,
        /// More uids than the subnet has.
        #[codec(index = 32)]
        UidsLengthExceedUidsInSubNet,
        /// Fewer than `NetworkRateLimit` blocks since a subnet was registered.
        #[codec(index = 33)]
        NetworkTxRateLimitExceeded,
        /// Fewer than `TxDelegateTakeRateLimit` blocks since the take was raised.
        #[codec(index = 34)]
        DelegateTxRateLimitExceeded,
        /// The subnet takes no registrations.
        #[codec(index = 37)]
        SubNetRegistrationDisabled,
        /// The root network took three times `TargetRegistrationsPerInterval` in this interval.
        #[codec(index = 38)]
        TooManyRegistrationsThisInterval,
        /// The signer is not the subnet's owner: of what it says about itself only, other calls give a bad origin.
        #[codec(index = 41)]
        NotSubnetOwner,
        /// The root network takes no registrations here.
        #[codec(index = 42)]
        RegistrationNotPermittedOnRootSubnet,
        /// A seat on the root network needs no stake any more: kept for its index, never returned.
        #[codec(index = 43)]
        StakeTooLowForRoot,
        /// The root network has no weights.
        #[codec(index = 47)]
        CanNotSetRootNetworkWeights,
        /// Every uid is taken, and nobody may go.
        #[codec(index = 48)]
        NoNeuronIdAvailable,
        /// The take is below `MinDelegateTake`, or not on the right side of the one before.
        #[codec(index = 49)]
        DelegateTakeTooLow,
        /// The take is above `MaxDelegateTake`.
        #[codec(index = 50)]
        DelegateTakeTooHigh,
        /// The hotkey has no commit that could be revealed.
        #[codec(index = 51)]
        NoWeightsCommitFound,
        /// What is revealed hashes to none of the commits.
        #[codec(index = 52)]
        InvalidRevealCommitHashNotMatch,
        /// Plain weights while the subnet wants commit and reveal.
        #[codec(index = 53)]
        CommitRevealEnabled,
        /// A commit or a reveal while the subnet wants plain weights.
        #[codec(index = 54)]
        CommitRevealDisabled,
        /// The bonds rates can be set only while liquid alpha is on.
        #[codec(index = 55)]
        LiquidAlphaDisabled,
        /// The highest bonds rate is below 1,638 of 65,535.
        #[codec(index = 56)]
        AlphaHighTooLow,
        /// The lowest bonds rate is below 1,638 of 65,535, or above the highest.
        #[codec(index = 57)]
        AlphaLowOutOfRange,
        /// Fewer than `OwnerHyperparamRateLimit` tempos since the owner's last change of this kind.
        #[codec(index = 64)]
        TxRateLimitExceeded,
        /// A field of the identity is longer than it may be.
        #[codec(index = 73)]
        InvalidIdentity,
        /// The subnet, or its mechanism, does not exist.
        #[codec(index = 74)]
        MechanismDoesNotExist,
        /// The subnet does not exist.
        #[codec(index = 76)]
        SubnetNotExists,
        /// Ten commits of the hotkey wait to be revealed.
        #[codec(index = 77)]
        TooManyUnrevealedCommits,
        /// The epoch to reveal this commit in is over.
        #[codec(index = 78)]
        ExpiredWeightCommit,
        /// The epoch to reveal this commit in has not begun.
        #[codec(index = 79)]
        RevealTooEarly,
        /// The lists of a batch differ in length.
        #[codec(index = 80)]
        InputLengthsUnequal,
        /// Fewer than `WeightsSetRateLimit` blocks since the last commit.
        #[codec(index = 81)]
        CommittingWeightsTooFast,
        /// What is staked, taken back or left is below the minimum of 0.002 TAO.
        #[codec(index = 82)]
        AmountTooLow,
        /// The limit price is worse than 1 TAO per alpha.
        #[codec(index = 84)]
        SlippageTooHigh,
        /// The activity cutoff is below `MinActivityCutoff`.
        #[codec(index = 86)]
        ActivityCutoffTooLow,
        /// The subnet's first emission block is already set.
        #[codec(index = 88)]
        FirstEmissionBlockNumberAlreadySet,
        /// What [`Self::StartCallNotReady`] says now: kept for its index, never returned.
        #[codec(index = 89)]
        NeedWaitingMoreBlocksToStarCall,
        /// The subnet has not been started.
        #[codec(index = 94)]
        SubtokenDisabled,
        /// A sum does not fit its type.
        #[codec(index = 105)]
        Overflow,
        /// The next epoch is fewer than `AdminFreezeWindow` blocks away.
        #[codec(index = 108)]
        AdminActionProhibitedDuringWeightsWindow,
        /// The commit carries another version than `CommitRevealWeightsVersion`.
        #[codec(index = 111)]
        IncorrectCommitRevealVersion,
        /// The round of the commit is before the newest one that the chain has.
        #[codec(index = 112)]
        InvalidRevealRound,
        /// Commits would be revealed after more than 100 epochs.
        #[codec(index = 113)]
        RevealPeriodTooLarge,
        /// Commits would be revealed in their own epoch.
        #[codec(index = 114)]
        RevealPeriodTooSmall,
        /// The value is outside its bounds.
        #[codec(index = 115)]
        InvalidValue,
        /// `SubnetLimit` subnets exist.
        #[codec(index = 116)]
        SubnetLimitReached,
        /// The coldkey cannot pay for locking a subnet.
        #[codec(index = 117)]
        CannotAffordLockCost,
        /// 80 % or more of the neurons that would stay cannot be replaced.
        #[codec(index = 122)]
        TrimmingWouldExceedMaxImmunePercentage,
        /// Uids times mechanisms would be above 256.
        #[codec(index = 125)]
        TooManyUIDsPerMechanism,
        /// The price of the registration is above the limit.
        #[codec(index = 136)]
        RegistrationPriceLimitExceeded,
        /// An account of this pallet cannot be a hotkey or a coldkey.
        #[codec(index = 141)]
        CannotUseSystemAccount,
        /// The tempo is outside the bounds.
        #[codec(index = 144)]
        TempoOutOfBounds,
        /// The factor is not in 1,000 ..= 50,000.
        #[codec(index = 145)]
        ActivityCutoffFactorMilliOutOfBounds,
        /// An epoch is already triggered or put off.
        #[codec(index = 146)]
        EpochTriggerAlreadyPending,
        /// The next epoch is fewer than `AdminFreezeWindow` blocks away in any case.
        #[codec(index = 147)]
        AutoEpochAlreadyImminent,
        /// An epoch out of turn would move the window in which commits are revealed.
        #[codec(index = 148)]
        DynamicTempoBlockedByCommitReveal,
        /// Fewer than `StartCallDelay` blocks since the subnet's registration.
        #[codec(index = 151)]
        StartCallNotReady,
        /// A batch is empty, or has more items than there are networks.
        #[codec(index = 162)]
        InvalidBatchLength,
        /// The coldkey stakes to as many hotkeys, or owns as many, as it may.
        #[codec(index = 163)]
        TooManyStakingHotkeys,
        /// The timelocked commit is longer than 5,000 bytes.
        #[codec(index = 173)]
        CommitPayloadTooLarge,
        /// As many timelocked commits wait for this epoch as the mechanism can hold.
        #[codec(index = 174)]
        CommitQueueFull,
    }
}
