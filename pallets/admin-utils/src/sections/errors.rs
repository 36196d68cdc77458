// SPDX-License-Identifier: Apache-2.0

//! Errors, each with the index it has on the public chain.

use frame_support::pallet_macros::pallet_section;

/// Declares `Error<T>`. Indices that are missing belong to what this pallet leaves out.
#[pallet_section]
mod errors {
    /// What can be wrong with a call; names and indices are the public chain's.
    #[pallet::error]
    pub enum Error<T> {
        /// There is no such subnet.
        #[codec(index = 0)]
        SubnetDoesNotExist,
        /// More permits than `MaxAllowedUids`.
        #[codec(index = 1)]
        MaxValidatorsLargerThanMaxUIds,
        /// The subnet has more neurons than that; trim it instead.
        #[codec(index = 2)]
        MaxAllowedUIdsLessThanCurrentUIds,
        /// Owners may let bonds keep at most 975,000 millionths per epoch.
        #[codec(index = 3)]
        BondsMovingAverageMaxReached,
        /// Only root may set a negative steepness.
        #[codec(index = 4)]
        NegativeSigmoidSteepness,
        /// The value is outside its bounds.
        #[codec(index = 5)]
        ValueNotInBounds,
        /// The subnet has no more neurons than that.
        #[codec(index = 6)]
        MinAllowedUidsGreaterThanCurrentUids,
        /// `MinAllowedUids` has to stay below `MaxAllowedUids`.
        #[codec(index = 7)]
        MinAllowedUidsGreaterThanMaxAllowedUids,
        /// `MaxAllowedUids` cannot be below `MinAllowedUids`.
        #[codec(index = 8)]
        MaxAllowedUidsLessThanMinAllowedUids,
        /// A subnet holds at most 256 neurons.
        #[codec(index = 9)]
        MaxAllowedUidsGreaterThanDefaultMaxAllowedUids,
        /// The value is not one that this parameter takes.
        #[codec(index = 10)]
        InvalidValue,
        /// The root network has no such parameter.
        #[codec(index = 11)]
        NotPermittedOnRootSubnet,
        /// There is no registration by proof of work.
        #[codec(index = 12)]
        POWRegistrationDisabled,
        /// At most 95 % of a registration's price can be locked.
        #[codec(index = 14)]
        CollateralLockShareTooHigh,
        /// Collateral is released at a rate above 0 and at most 10.
        #[codec(index = 15)]
        CollateralDrainRatioOutOfBounds,
    }
}
