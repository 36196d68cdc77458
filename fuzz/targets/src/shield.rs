// SPDX-License-Identifier: Apache-2.0
//! Envelopes to an author, and what is inside them.
#![allow(missing_docs, clippy::expect_used, reason = "what the macros expand to")]

use clawrank_shield::{Envelope, SEED_BYTES, SecretKey};
use codec::Encode;
use frame_support::derive_impl;
use pallet_shield::{Authors, CheckShieldedTxValidity, carried, read_inner};
use sp_runtime::{
    AccountId32, MultiAddress, MultiSignature, OpaqueExtrinsic,
    generic::{Preamble, UncheckedExtrinsic},
    traits::IdentityLookup,
};
use std::sync::OnceLock;

#[frame_support::runtime]
mod test_runtime {
    #[runtime::runtime]
    #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system::Pallet<Test>;

    #[runtime::pallet_index(30)]
    pub type MevShield = pallet_shield::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type AccountId = AccountId32;
    type Lookup = IdentityLookup<AccountId32>;
    type Block = frame_system::mocking::MockBlock<Test>;
}

/// Nobody makes blocks here.
pub struct Nobody;

impl Authors<u16> for Nobody {
    fn after(_: u64) -> Option<u16> {
        None
    }
}

impl pallet_shield::Config for Test {
    type AuthorityId = u16;
    type Authors = Nobody;
    type WeightInfo = ();
}

/// Extensions with bytes of their own, as a real chain has.
pub type Extension =
    (frame_system::CheckMortality<Test>, frame_system::CheckNonce<Test>, CheckShieldedTxValidity<Test>);
/// An extrinsic of this chain.
pub type Extrinsic = UncheckedExtrinsic<MultiAddress<AccountId32, ()>, RuntimeCall, MultiSignature, Extension>;

/// The key that [`shield`] opens envelopes with.
pub fn shield_key() -> &'static SecretKey {
    static KEY: OnceLock<SecretKey> = OnceLock::new();
    KEY.get_or_init(|| SecretKey::from_seed(&[9; SEED_BYTES]))
}

/// The ciphertext of a carrier, as anyone sends it, and the plaintext inside.
///
/// The bytes are read as a plaintext too, since a mutated envelope hardly ever opens.
pub fn shield(data: &[u8]) {
    if let Ok(envelope) = Envelope::parse(data) {
        let length = data.len().saturating_sub(clawrank_shield::OVERHEAD_BYTES);
        assert_eq!(
            envelope.sealed.len(),
            length.saturating_add(clawrank_shield::TAG_BYTES),
            "an envelope has one layout"
        );
        if let Ok(plaintext) = shield_key().open(&envelope) {
            assert_eq!(plaintext.len(), length, "a plaintext has one length");
            inner(&plaintext);
        }
    }
    inner(data);
}

fn inner(plaintext: &[u8]) {
    let Ok(extrinsic) = read_inner::<Test, _, _, _>(plaintext) else { return };
    let extrinsic: Extrinsic = extrinsic;
    assert!(matches!(extrinsic.preamble, Preamble::Signed(..)), "only what is signed is executed");
    assert!(carried::<Test, _, _, _>(&extrinsic).is_none(), "an envelope holds no envelope");
    let opaque = OpaqueExtrinsic::try_from_encoded_extrinsic(plaintext).map(|opaque| opaque.encode());
    assert_eq!(opaque.as_deref(), Ok(plaintext), "the block has what the signer sent");
}
