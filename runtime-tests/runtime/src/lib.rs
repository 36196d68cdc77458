// SPDX-License-Identifier: Apache-2.0
//! The runtime of a local ClawRank chain.
//!
//! It composes the standard pallets with `SubtensorModule`, `AdminUtils`, `Commitments`, `Drand`, `MevShield` and
//! `ProviderRank`, at the pallet indices and with the transaction extensions of the public Bittensor chain, so that a client of it speaks
//! to this one unchanged. Amounts are `u64` rao (1 TAO = 10^9 rao), accounts are `AccountId32`, addresses `MultiAddress`.
//!
//! One Wasm serves every block time: the slot duration is genesis storage of [`block_time`], not a constant.

#![cfg_attr(not(feature = "std"), no_std)]
#![allow(missing_docs, reason = "the runtime macros generate items that cannot be documented here")]

extern crate alloc;

#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

#[cfg(feature = "runtime-benchmarks")]
#[macro_use]
#[allow(clippy::crate_in_macro_def, reason = "the macros serve this crate alone")]
mod benchmarks;

mod apis;
pub mod block_time;
mod check_mortality;
mod check_nonce;
mod configs;
pub mod genesis;
mod transactions;

use alloc::{borrow::Cow, vec::Vec};
use frame_support::weights::Weight;
pub use pallet_balances::Call as BalancesCall;
use sp_runtime::{
    MultiAddress, MultiSignature, generic, impl_opaque_keys,
    traits::{BlakeTwo256, IdentifyAccount, Verify},
};
use sp_version::RuntimeVersion;

pub use apis::RUNTIME_API_VERSIONS;
#[cfg(feature = "std")]
pub use apis::{RuntimeApi, api};
pub use check_mortality::CheckMortality;
pub use check_nonce::CheckNonce;
pub use configs::{EXISTENTIAL_DEPOSIT, MAX_BLOCK_WEIGHT, RuntimeBlockWeights};
pub use transactions::{unsigned_extension, write_pulse};

/// A signature by any of the supported schemes; Bittensor keys are sr25519.
pub type Signature = MultiSignature;
/// A 32-byte account id: the public key of a hotkey or a coldkey.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// What an extrinsic names an account by.
pub type Address = MultiAddress<AccountId, ()>;
/// An amount in rao.
pub type Balance = u64;
/// The number of transactions an account has sent.
pub type Nonce = u32;
/// The hash of blocks and storage.
pub type Hash = sp_core::H256;
/// The number of a block.
pub type BlockNumber = u32;
/// A block's header.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// A block.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
/// A block with its signature over the runtime's types.
pub type SignedBlock = generic::SignedBlock<Block>;
/// A block's id: its number or its hash.
pub type BlockId = generic::BlockId<Block>;

/// One TAO in rao.
pub const TAO: Balance = 1_000_000_000;

/// The transaction extensions, in the order of the public chain (less those of its pallets that this chain has not).
pub type TxExtension = (
    frame_system::CheckNonZeroSender<Runtime>,
    frame_system::CheckSpecVersion<Runtime>,
    frame_system::CheckTxVersion<Runtime>,
    frame_system::CheckGenesis<Runtime>,
    CheckMortality<Runtime>,
    CheckNonce<Runtime>,
    frame_system::CheckWeight<Runtime>,
    pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
    pallet_shield::CheckShieldedTxValidity<Runtime>,
    pallet_subtensor::SubtensorTransactionExtension<Runtime>,
    pallet_drand::DrandPriority<Runtime>,
    frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
);
/// An extrinsic as it travels.
pub type UncheckedExtrinsic = generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;
/// What a signer signs.
pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;

/// Runs blocks.
pub type Executive =
    frame_executive::Executive<Runtime, Block, frame_system::ChainContext<Runtime>, Runtime, AllPalletsWithSystem>;

/// What a block does first when this runtime has taken the place of an older one.
#[cfg(not(feature = "next-version"))]
pub type Migrations = ();
/// What a block does first when this runtime has taken the place of the present one.
#[cfg(feature = "next-version")]
pub type Migrations = pallet_subtensor::migrations::WidenCommitRevealVersion<Runtime>;

/// Types that a node handles without knowing the calls.
pub mod opaque {
    use super::*;
    pub use sp_runtime::OpaqueExtrinsic as UncheckedExtrinsic;

    /// A header with the same encoding as the runtime's.
    pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
    /// A block whose extrinsics are bytes.
    pub type Block = generic::Block<Header, UncheckedExtrinsic>;
    /// A block's id.
    pub type BlockId = generic::BlockId<Block>;
    /// The hash of an opaque block.
    pub type Hash = super::Hash;
}

impl_opaque_keys! {
    /// The keys an authority runs with.
    pub struct SessionKeys {
        pub aura: Aura,
        pub grandpa: Grandpa,
    }
}

/// The version of the runtime: `spec_version` rises with every change of the metadata, since clients cache by it.
#[cfg(not(feature = "next-version"))]
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
    spec_name: Cow::Borrowed("clawrank"),
    impl_name: Cow::Borrowed("clawrank"),
    authoring_version: 1,
    spec_version: 6,
    impl_version: 1,
    apis: RUNTIME_API_VERSIONS,
    transaction_version: 1,
    system_version: 1,
};

/// The version of a runtime that takes the place of this one in tests.
#[cfg(feature = "next-version")]
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
    spec_name: Cow::Borrowed("clawrank"),
    impl_name: Cow::Borrowed("clawrank"),
    authoring_version: 1,
    spec_version: 1_000,
    impl_version: 1,
    apis: RUNTIME_API_VERSIONS,
    transaction_version: 2,
    system_version: 1,
};

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Runtime;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(2)]
    pub type Timestamp = pallet_timestamp;
    #[runtime::pallet_index(3)]
    pub type Aura = pallet_aura;
    #[runtime::pallet_index(4)]
    pub type Grandpa = pallet_grandpa;
    #[runtime::pallet_index(5)]
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(6)]
    pub type TransactionPayment = pallet_transaction_payment;
    #[runtime::pallet_index(7)]
    pub type SubtensorModule = pallet_subtensor;
    #[runtime::pallet_index(12)]
    pub type Sudo = pallet_sudo;
    #[runtime::pallet_index(18)]
    pub type Commitments = pallet_commitments;
    #[runtime::pallet_index(19)]
    pub type AdminUtils = pallet_admin_utils;
    #[runtime::pallet_index(26)]
    pub type Drand = pallet_drand;
    #[runtime::pallet_index(30)]
    pub type MevShield = pallet_shield;
    #[runtime::pallet_index(92)]
    pub type ProviderRank = pallet_provider_rank;
    #[runtime::pallet_index(93)]
    pub type BlockTime = crate::block_time::pallet;
}

/// The weight a block may take, all classes together.
pub fn block_weight_limit() -> Weight {
    MAX_BLOCK_WEIGHT
}
