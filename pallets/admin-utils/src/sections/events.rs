// SPDX-License-Identifier: Apache-2.0

//! Events, each with the index and the fields it has on the public chain.

use frame_support::pallet_macros::pallet_section;

/// Declares `Event<T>`. Indices that are missing belong to what this pallet leaves out; most changes are events of
/// [`pallet_subtensor`].
#[pallet_section]
mod events {
    /// What happened; names, indices and fields are the public chain's.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// Bonds became fixed proportions, or classic again.
        #[codec(index = 1)]
        Yuma3EnableToggled {
            /// Subnet.
            netuid: NetUid,
            /// Whether they are fixed proportions.
            enabled: bool,
        },
        /// Whether a commitment may reset bonds changed.
        #[codec(index = 2)]
        BondsResetToggled {
            /// Subnet.
            netuid: NetUid,
            /// Whether it may.
            enabled: bool,
        },
        /// The blocks in which the price of a registration halves changed.
        #[codec(index = 3)]
        BurnHalfLifeSet {
            /// Subnet.
            netuid: NetUid,
            /// Blocks.
            burn_half_life: u16,
        },
        /// What a registration multiplies the price by changed.
        #[codec(index = 4)]
        BurnIncreaseMultSet {
            /// Subnet.
            netuid: NetUid,
            /// Factor.
            burn_increase_mult: FixedU128,
        },
        /// A subnet takes part in the emission, or no longer.
        #[codec(index = 5)]
        SubnetEmissionEnabledSet {
            /// Subnet.
            netuid: NetUid,
            /// Whether it takes part.
            enabled: bool,
        },
        /// The part of a registration's price that is locked changed.
        #[codec(index = 6)]
        CollateralLockShareSet {
            /// Subnet.
            netuid: NetUid,
            /// Part, of 65,535.
            lock_share: u16,
        },
        /// The collateral that is released per alpha earned changed.
        #[codec(index = 7)]
        CollateralDrainRatioSet {
            /// Subnet.
            netuid: NetUid,
            /// Alpha per alpha.
            drain_ratio: FixedU128,
        },
    }
}
