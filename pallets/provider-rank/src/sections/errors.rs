// SPDX-License-Identifier: Apache-2.0

//! Errors.

use frame_support::pallet_macros::pallet_section;

/// Declares `Error<T>`.
#[pallet_section]
mod errors {
    /// What can be wrong with a call.
    #[pallet::error]
    pub enum Error<T> {
        /// The subnet does not exist, or takes no part.
        SubnetNotTracked,
        /// The signer is neither the subnet's owner nor an administrator.
        NotSubnetOwner,
        /// As many subnets as there can be take part.
        TooManySubnets,
        /// The names of the cell are not trimmed and lower-case.
        CellNotNormalised,
        /// The subnet has this cell.
        CellAlreadyExists,
        /// The subnet has no such cell.
        CellNotFound,
        /// The subnet has as many cells as it can.
        TooManyCells,
        /// The signer has no uid on the subnet.
        NotRegistered,
        /// The epoch is not the one that runs.
        NotRunningEpoch,
        /// The epoch takes bundles no more.
        DeadlinePassed,
        /// A bundle of no attempts, or with a root of zeros.
        EmptyBundle,
        /// More attempts than a bundle can have.
        TooManyAttempts,
        /// The epoch has as many bundles as it can.
        TooManyBundles,
        /// The epoch is not known, or is stored no more.
        EpochNotFound,
        /// The epoch's challenge is not drawn yet.
        ChallengeNotDrawn,
        /// The epoch is settled.
        EpochClosed,
        /// The signer holds no validator permit.
        NoValidatorPermit,
        /// The verdicts are not by ascending uid, each uid once.
        VerdictsNotAscending,
        /// The epoch has as many reports as it can.
        TooManyReports,
        /// The parameters are of another version, contradict each other, or one is out of its range.
        InvalidParams,
    }
}
