// SPDX-License-Identifier: Apache-2.0

//! `MevShield`: the keys that authors of blocks announce, and extrinsics that are encrypted to them.
//!
//! Names, storage, calls and SCALE bytes are the public chain's. A client encrypts a signed extrinsic to `NextKey` and
//! sends the envelope in [`Call::submit_encrypted`], which it signs with the nonce before. The author who holds the key
//! opens it while making a block and puts the extrinsic right behind its carrier: nobody sees it before it is executed.
//!
//! The pallet opens nothing. It keeps the keys, checks the layout of envelopes ([`CheckShieldedTxValidity`]) and says
//! which plaintext an author may execute ([`read_inner`]). The calls of the public chain's queue (`store_encrypted`) and
//! its settings are absent: no key for them exists on this chain.
//!
//! Keys move once a block, when its author announces one: `AuthorKeys` of the author two slots later → `NextKey` →
//! `PendingKey` → `CurrentKey`.
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(clippy::arithmetic_side_effects, clippy::float_arithmetic, clippy::indexing_slicing)]

mod extension;
mod inner;
mod rotation;
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

pub use extension::{CheckShieldedTxValidity, FAILED_SHIELDED_TX_PARSING};
pub use inner::{InnerError, MAX_DEPTH, carried, read_inner};
pub use pallet::*;
pub use weights::WeightInfo;

use clawrank_shield::{MAX_CIPHERTEXT_BYTES, PUBLIC_KEY_BYTES};
use frame_support::{BoundedVec, pallet_prelude::ConstU32};
use sp_inherents::InherentIdentifier;

/// Room for a public key; the public chain's, above what ML-KEM-768 needs.
pub const MAX_KEY_BYTES: u32 = 2_048;

/// A public key as it is stored: [`PUBLIC_KEY_BYTES`] long.
pub type PublicKey = BoundedVec<u8, ConstU32<MAX_KEY_BYTES>>;

/// An envelope as it is submitted.
pub type Ciphertext = BoundedVec<u8, ConstU32<{ MAX_CIPHERTEXT_BYTES as u32 }>>;

/// Where an author's node puts the key that it announces.
pub const INHERENT_IDENTIFIER: InherentIdentifier = *b"shieldpk";

/// What it puts there: `None` when it has no key.
pub type InherentType = Option<PublicKey>;

/// Who makes blocks.
pub trait Authors<Id> {
    /// The author of the slot that is `slots` after the current block's, by the present authorities.
    fn after(slots: u64) -> Option<Id>;
}

/// Declarations of the pallet.
// `expect` is what the macros expand to.
#[allow(clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;
    use sp_inherents::{InherentData, MakeFatalError};
    use sp_runtime::traits::Hash;

    /// The pallet.
    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// What the runtime decides.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// Names an author.
        type AuthorityId: Parameter + Member + MaxEncodedLen;

        /// Who makes blocks.
        type Authors: Authors<Self::AuthorityId>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// The key of the present block's author, for reference.
    #[pallet::storage]
    pub type CurrentKey<T> = StorageValue<_, PublicKey, OptionQuery>;

    /// The key of the next block's author.
    #[pallet::storage]
    pub type PendingKey<T> = StorageValue<_, PublicKey, OptionQuery>;

    /// The key to encrypt to: that of the author two slots from now.
    #[pallet::storage]
    pub type NextKey<T> = StorageValue<_, PublicKey, OptionQuery>;

    /// The key that each author announced last.
    #[pallet::storage]
    pub type AuthorKeys<T: Config> = StorageMap<_, Twox64Concat, T::AuthorityId, PublicKey, OptionQuery>;

    /// The first block for whose author `PendingKey` is none of, when no slot is missed.
    #[pallet::storage]
    pub type PendingKeyExpiresAt<T: Config> = StorageValue<_, BlockNumberFor<T>, OptionQuery>;

    /// The first block for whose author `NextKey` is none of, when no slot is missed.
    #[pallet::storage]
    pub type NextKeyExpiresAt<T: Config> = StorageValue<_, BlockNumberFor<T>, OptionQuery>;

    /// What happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A block carries an encrypted extrinsic.
        #[codec(index = 0)]
        EncryptedSubmitted {
            /// Hash of the sender and the envelope.
            id: T::Hash,
            /// The sender.
            who: T::AccountId,
        },
    }

    /// What can be wrong with a call; names and indices are the public chain's.
    #[pallet::error]
    pub enum Error<T> {
        /// The announced key has not the length of ML-KEM-768's.
        #[codec(index = 0)]
        BadEncKeyLen,
        /// The block has no author.
        #[codec(index = 1)]
        Unreachable,
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Moves the keys on and stores the author's new one; an inherent.
        ///
        /// # Errors
        ///
        /// - [`Error::Unreachable`]: no author is known.
        /// - [`Error::BadEncKeyLen`]: not the length of a key.
        #[pallet::call_index(0)]
        #[pallet::weight((T::WeightInfo::announce_next_key(), DispatchClass::Mandatory))]
        pub fn announce_next_key(origin: OriginFor<T>, enc_key: Option<PublicKey>) -> DispatchResult {
            ensure_none(origin)?;
            Self::announce(enc_key)
        }

        /// Carries a signed extrinsic that only the author who holds the key can read.
        ///
        /// `ciphertext` is a [`clawrank_shield::Envelope`] to `NextKey`. The extrinsic inside is executed in the same
        /// block, right after this one, as if its signer had sent it. The fee covers opening the envelope and refusing
        /// what is inside twice; what is executed pays for itself.
        ///
        /// Refused by the pool and by every block: an envelope that has not the layout
        /// ([`FAILED_SHIELDED_TX_PARSING`]), an era above [`clawrank_shield::MAX_ERA_BLOCKS`] (`Stale`). A block of an
        /// author without the key leaves it out, so that it costs nothing when nobody can open it.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::submit_encrypted())]
        pub fn submit_encrypted(origin: OriginFor<T>, ciphertext: Ciphertext) -> DispatchResult {
            let who = ensure_signed(origin)?;
            let id = T::Hashing::hash_of(&(&who, &ciphertext));
            Self::deposit_event(Event::EncryptedSubmitted { id, who });
            Ok(())
        }
    }

    #[pallet::inherent]
    impl<T: Config> ProvideInherent for Pallet<T> {
        type Call = Call<T>;
        type Error = MakeFatalError<()>;
        const INHERENT_IDENTIFIER: InherentIdentifier = super::INHERENT_IDENTIFIER;

        fn create_inherent(data: &InherentData) -> Option<Self::Call> {
            let enc_key = data.get_data::<InherentType>(&super::INHERENT_IDENTIFIER).ok()??;
            // A mandatory call that fails would stop the author from making blocks.
            let enc_key = enc_key.filter(|key| key.len() == PUBLIC_KEY_BYTES);
            Some(Call::announce_next_key { enc_key })
        }

        fn is_inherent(call: &Self::Call) -> bool {
            matches!(call, Call::announce_next_key { .. })
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }
}
