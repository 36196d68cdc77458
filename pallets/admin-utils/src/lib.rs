// SPDX-License-Identifier: Apache-2.0

//! `AdminUtils`: what root and the owners of subnets may change.
//!
//! Calls, arguments, events and errors have the names, indices and SCALE bytes of the public chain; the values live in
//! [`pallet_subtensor`]. What a subnet's owner may set on the public chain can be set here too, is kept and is shown, also
//! where this chain has nothing that it would change: work, collateral, child keys, locks, transfers of stake. Parameters
//! of the chain for what it leaves out (pools, baskets, exchange of coldkeys, the EVM) have no call.
//!
//! # Who may change what
//!
//! - Root may call everything, without limits.
//! - The coldkey that owns a subnet may make the calls that say so, each within its own
//!   [limit](pallet_subtensor::OwnerLimit).
//! - Neither changes what owners may change, nor difficulty, registrations, permits, the start of a subnet or its least
//!   number of neurons, within `AdminFreezeWindow` blocks of the subnet's next epoch, so that nobody commits weights under
//!   rules that change before they count. Only the activity factor waits for owners alone. Root closes the window with
//!   `sudo_set_admin_freeze_window` 0.
//! - Anyone else gets `BadOrigin`.
//!
//! # Differences from the public chain
//!
//! Every call on a subnet checks that it exists and is not the root network.
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(clippy::arithmetic_side_effects, clippy::float_arithmetic, clippy::indexing_slicing)]

extern crate alloc;

mod administer;
mod sections;
pub mod weights;

#[cfg(feature = "runtime-benchmarks")]
#[allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::float_arithmetic,
    clippy::indexing_slicing,
    missing_docs
)]
mod benchmarking;
#[cfg(test)]
mod tests;

pub use administer::SwapAuthorities;
pub use pallet::*;
pub use weights::WeightInfo;

use administer::{Asker, bounds};
use frame_support::pallet_macros::import_section;
use pallet_subtensor as subtensor;
use sections::{calls, errors, events};

/// Declarations of the pallet, imported by topic from `sections`.
#[import_section(calls::calls)]
#[import_section(errors::errors)]
#[import_section(events::events)]
// `expect` is what the macros expand to.
#[allow(clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;
    use sp_runtime::PerU16;
    use subtensor::{
        ConsensusMode, EpochConsensus, FixedU128, Hyperparameter, MechId, NetUid, OwnerLimit, Pallet as Subtensor,
        RecycleOrBurnEnum, TaoBalance,
    };

    /// The pallet.
    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// What the runtime decides.
    #[pallet::config]
    pub trait Config: frame_system::Config + pallet_subtensor::Config {
        /// The key by which an authority signs blocks.
        type AuthorityId: Parameter + Member + MaxEncodedLen;

        /// Most authorities that there can be.
        type MaxAuthorities: Get<u32>;

        /// Who makes the blocks.
        type Authorities: SwapAuthorities<Self::AuthorityId, Self::MaxAuthorities>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }
}
