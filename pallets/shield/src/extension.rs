// SPDX-License-Identifier: Apache-2.0

use crate::{Call, Config, WeightInfo};
use clawrank_shield::Envelope;
use codec::{Decode, DecodeWithMemTracking, Encode};
use core::marker::PhantomData;
use frame_support::{
    CloneNoBound, DebugNoBound, EqNoBound, PartialEqNoBound,
    pallet_prelude::{TransactionSource, Weight},
    traits::IsSubType,
};
use scale_info::TypeInfo;
use sp_runtime::{
    impl_tx_ext_default,
    traits::{DispatchInfoOf, DispatchOriginOf, Dispatchable, Implication, TransactionExtension, ValidateResult},
    transaction_validity::{InvalidTransaction, ValidTransaction},
};

/// The public chain's code for an envelope that has not the layout (`InvalidTransaction::Custom`).
pub const FAILED_SHIELDED_TX_PARSING: u8 = 23;

/// Refuses envelopes that nobody could open; takes no bytes.
///
/// It does not look at the key: the state knows the newest three, and authors hold older ones for longer.
#[derive(Encode, Decode, DecodeWithMemTracking, CloneNoBound, EqNoBound, PartialEqNoBound, DebugNoBound, TypeInfo)]
#[scale_info(skip_type_params(T))]
pub struct CheckShieldedTxValidity<T>(PhantomData<T>);

impl<T> CheckShieldedTxValidity<T> {
    /// The extension.
    #[must_use]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Default for CheckShieldedTxValidity<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> TransactionExtension<<T as frame_system::Config>::RuntimeCall> for CheckShieldedTxValidity<T>
where
    T: Config + Send + Sync,
    <T as frame_system::Config>::RuntimeCall: Dispatchable + IsSubType<Call<T>>,
{
    const IDENTIFIER: &'static str = "CheckShieldedTxValidity";
    type Implicit = ();
    type Val = ();
    type Pre = ();

    fn weight(&self, call: &<T as frame_system::Config>::RuntimeCall) -> Weight {
        match call.is_sub_type() {
            Some(Call::submit_encrypted { .. }) => T::WeightInfo::extension(),
            _ => Weight::zero(),
        }
    }

    fn validate(
        &self,
        origin: DispatchOriginOf<<T as frame_system::Config>::RuntimeCall>,
        call: &<T as frame_system::Config>::RuntimeCall,
        _info: &DispatchInfoOf<<T as frame_system::Config>::RuntimeCall>,
        _len: usize,
        _self_implicit: Self::Implicit,
        _inherited_implication: &impl Implication,
        _source: TransactionSource,
    ) -> ValidateResult<Self::Val, <T as frame_system::Config>::RuntimeCall> {
        if let Some(Call::submit_encrypted { ciphertext }) = call.is_sub_type() {
            Envelope::parse(ciphertext).map_err(|_| InvalidTransaction::Custom(FAILED_SHIELDED_TX_PARSING))?;
        }
        Ok((ValidTransaction::default(), (), origin))
    }

    impl_tx_ext_default!(<T as frame_system::Config>::RuntimeCall; prepare);
}
