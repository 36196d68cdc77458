// SPDX-License-Identifier: Apache-2.0

//! Events.

use frame_support::pallet_macros::pallet_section;

/// Declares `Event<T>`.
#[pallet_section]
mod events {
    /// What happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A cell was added.
        CellAdded {
            /// Subnet.
            netuid: NetUid,
            /// Id of the cell.
            id: H256,
        },
        /// A cell was removed.
        CellRemoved {
            /// Subnet.
            netuid: NetUid,
            /// Id of the cell.
            id: H256,
        },
        /// What a subnet's miners are paid per epoch changed.
        EpochEmissionSet {
            /// Subnet.
            netuid: NetUid,
            /// Amount per epoch, in rao.
            emission: u64,
        },
        /// An epoch takes bundles.
        EpochOpened {
            /// Subnet.
            netuid: NetUid,
            /// Number of the epoch.
            epoch: u64,
            /// Last block for bundles.
            deadline: u64,
        },
        /// A miner committed a bundle, or another one in place of its last.
        BundleCommitted {
            /// Subnet.
            netuid: NetUid,
            /// Number of the epoch.
            epoch: u64,
            /// Hotkey of the miner.
            hotkey: T::AccountId,
            /// Merkle root of its attempts.
            root: H256,
            /// Number of its attempts.
            count: u32,
        },
        /// The challenge of an epoch is known, and verdicts are taken.
        ChallengeDrawn {
            /// Subnet.
            netuid: NetUid,
            /// Number of the epoch.
            epoch: u64,
            /// Randomness later than the deadline.
            seed: H256,
        },
        /// A validator reported, or reported anew.
        VerdictsSubmitted {
            /// Subnet.
            netuid: NetUid,
            /// Number of the epoch.
            epoch: u64,
            /// Hotkey of the validator.
            validator: T::AccountId,
            /// Number of verdicts.
            count: u32,
        },
        /// A majority of the reporting stake tripped a miner's gate.
        GateTripped {
            /// Subnet.
            netuid: NetUid,
            /// Number of the epoch.
            epoch: u64,
            /// Uid of the miner.
            uid: u16,
            /// Hotkey of the miner.
            hotkey: T::AccountId,
        },
        /// A miner was paid.
        Paid {
            /// Subnet.
            netuid: NetUid,
            /// Number of the epoch.
            epoch: u64,
            /// Hotkey of the miner.
            hotkey: T::AccountId,
            /// Amount, in rao.
            amount: u64,
        },
        /// Validators with half of the stake or less reported, so nothing was paid.
        QuorumMissed {
            /// Subnet.
            netuid: NetUid,
            /// Number of the epoch.
            epoch: u64,
            /// Stake weight of those that reported, in rao.
            reporting_stake: u64,
            /// Stake weight of all validators, in rao.
            total_stake: u64,
        },
        /// An epoch is over for good.
        EpochSettled {
            /// Subnet.
            netuid: NetUid,
            /// Number of the epoch.
            epoch: u64,
            /// What left the pot, in rao.
            paid: u64,
            /// What of the emission stayed in the pot, in rao.
            dust: u64,
        },
        /// The parameters of a subnet changed.
        ParamsSet {
            /// Subnet.
            netuid: NetUid,
        },
    }
}
